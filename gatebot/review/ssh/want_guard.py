# SPDX-License-Identifier: Apache-2.0
"""What a client sends to `git upload-pack` while they talk, held against the objects that it may not have.

Pure: bytes in, bytes out. Protocol 2 gives any object to whoever knows its id, so every `want` is looked at before
git sees it. Whole packets are passed on; from the first secret one on nothing is, nor behind a length that is none:
there git ends.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")


class WantGuard:
    """`refused` is the secret object that was wanted, empty as long as none was."""

    def __init__(self, secret: Collection[str]) -> None:
        self._secret = frozenset(secret)
        self._held = b""
        self._over = False
        self.refused = ""

    def feed(self, data: bytes) -> bytes:
        """What git may hear now."""
        if not self._secret:
            return data
        if self.refused or self._over:
            return b""
        self._held += data
        passed = bytearray()
        while not self.refused and not self._over and len(self._held) >= 4:
            size = _size(self._held)
            if size is None:
                # No packet: git itself says what it thinks of it, and ends.
                passed += self._held[:4]
                self._over = True
            elif len(self._held) < size:
                break
            else:
                packet, self._held = self._held[:size], self._held[size:]
                self.refused = self._wanted(packet)
                passed += b"" if self.refused else packet
        return bytes(passed)

    def end(self) -> bytes:
        """What is left when the client has nothing more to say."""
        left, self._held = self._held, b""
        return b"" if self.refused or self._over else left

    def _wanted(self, packet: bytes) -> str:
        line = packet[4:]
        if not line.startswith(b"want "):
            return ""
        wanted = line[5:45].decode("ascii", "replace").lower()
        return wanted if wanted in self._secret else ""


def _size(data: bytes) -> int | None:
    return max(int(data[:4], 16), 4) if _LENGTH.match(data) else None

# SPDX-License-Identifier: Apache-2.0
"""What a client sends to `git upload-pack` while they talk, held against the objects that it may not have.

Pure: bytes in, bytes out. Protocol 2 gives any object to whoever knows its id, so every `want` is looked at before
git sees it. Whole packets are passed on; from the first secret one on nothing is, nor behind a length that is none:
there git ends. git itself hides the references that were secret when it was started, so it lists them no more when
others have become secret since.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")
_LISTING = b"command=ls-refs"


class WantGuard:
    """`refused` is the secret object that was wanted, empty as long as none was; `outdated`: git cannot be asked."""

    def __init__(self, secret: Collection[str]) -> None:
        self._secret = frozenset(secret)
        self._held = b""
        self._over = False
        self._lists = True
        self.refused = ""
        self.outdated = False

    @property
    def stopped(self) -> bool:
        """Whether git hears nothing any more."""
        return bool(self.refused) or self.outdated or self._over

    def learn(self, secret: Collection[str], *, same_references: bool) -> None:
        """What is secret by now, and whether the same references are as when git was started."""
        self._secret = frozenset(secret)
        self._lists = same_references

    def feed(self, data: bytes) -> bytes:
        """What git may hear now."""
        if self.stopped:
            return b""
        held, place = self._held + data, 0
        while not self.stopped and len(held) - place >= 4:
            length = _LENGTH.match(held, place)
            if length is None:
                # No packet: git itself says what it thinks of it, and ends.
                place += 4
                self._over = True
                break
            end = place + max(int(length[0], 16), 4)
            if end > len(held):
                break
            self._look(held[place + 4 : end])
            place = place if self.stopped else end
        self._held = held[place:]
        return held[:place]

    def end(self) -> bytes:
        """What is left when the client has nothing more to say."""
        left, self._held = self._held, b""
        return b"" if self.stopped else left

    def _look(self, line: bytes) -> None:
        if line.startswith(b"want "):
            wanted = line[5:45].decode("ascii", "replace").lower()
            self.refused = wanted if wanted in self._secret else ""
        elif line.startswith(_LISTING):
            self.outdated = not self._lists

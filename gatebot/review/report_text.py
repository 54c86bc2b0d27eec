# SPDX-License-Identifier: Apache-2.0
"""Puts the real cause into git's report of a refused push.

git tells the client only `pre-receive hook declined` when its first hook refuses. Gerrit's clients
and people look for the cause in those brackets, so the text is replaced on its way out. Pure: bytes
in, bytes out; what is not understood passes unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping

_GITS = (b" pre-receive hook declined", b" deny updating a hidden ref")
_REPORT_BAND = 1
_LONGEST = 65_515  # of what a packet carries beside its length and its band


class ReportText:
    """Rewrites a stream of packets.

    `causes` may be set at any time before the report comes: one for each reference, that of "" for all others.
    """

    def __init__(self) -> None:
        self.causes: Mapping[str, str] = {}
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """What can be sent on now."""
        self._rest += data
        out: list[bytes] = []
        while len(self._rest) >= 4:
            size = _length(self._rest)
            if size is None:
                out.append(self._rest)
                self._rest = b""
                break
            whole = max(size, 4)
            if len(self._rest) < whole:
                break
            packet, self._rest = self._rest[:whole], self._rest[whole:]
            out.append(self._rewritten(packet))
        return b"".join(out)

    def end(self) -> bytes:
        """What is left when the stream ends."""
        left, self._rest = self._rest, b""
        return left

    def _rewritten(self, packet: bytes) -> bytes:
        if not self.causes or packet[4:5] != bytes([_REPORT_BAND]) or not any(said in packet for said in _GITS):
            return packet
        lines: list[bytes] = []
        inner = packet[5:]
        while inner:
            size = _length(inner)
            if size is None or size > len(inner):
                return packet  # a report so long that git cut it: it goes on in the next packet
            line, inner = inner[: max(size, 4)], inner[max(size, 4) :]
            lines.append(_packet(self._said(line[4:])) if size else line)
        report = b"".join(lines)
        pieces = (report[start : start + _LONGEST] for start in range(0, len(report), _LONGEST))
        return b"".join(_packet(bytes([_REPORT_BAND]) + piece) for piece in pieces)

    def _said(self, line: bytes) -> bytes:
        """`ng REF GIT'S WORDS` with the cause instead."""
        for words in _GITS:
            head, found, rest = line.partition(words)
            if found and head.startswith(b"ng "):
                ref = head[3:].decode("utf-8", "surrogateescape")
                cause = self.causes.get(ref, self.causes.get("", ""))
                return head + b" " + cause.encode("utf-8", "surrogateescape") + rest if cause else line
        return line


def _length(data: bytes) -> int | None:
    try:
        return int(data[:4], 16)
    except ValueError:
        return None


def _packet(payload: bytes) -> bytes:
    return f"{len(payload) + 4:04x}".encode() + payload

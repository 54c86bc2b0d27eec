# SPDX-License-Identifier: Apache-2.0
"""Two streams of a command in one: what it printed, a mark, what it had to say besides.

Pure. A connection to a node has one stream for both; programs that speak a protocol over the first need them apart.
The mark is random, so that no output has it by chance. What may be its beginning is held back until more comes, so it
begins with a letter that no protocol stops at to wait for an answer (git's stop at `0000`).
"""

from __future__ import annotations

from dataclasses import dataclass

#: What marks begin with; the rest is random.
BEGIN = b"~"
#: Runs its second argument as a login would; its first is the mark.
SCRIPT = (
    'said=$(mktemp) || exit 255; cd "$HOME"; '
    '{ sh -c "$2" 3>&-; } 2>"$said"; status=$?; '
    'printf %s "$1"; cat "$said"; rm -f "$said"; exit $status'
)


@dataclass(slots=True)
class Marked:
    """Takes a stream apart while it comes; `past` is whether the mark came."""

    mark: bytes
    _held: bytes = b""
    past: bool = False

    def feed(self, piece: bytes) -> tuple[bytes, bytes]:
        """What is known now of the first stream, and of the second."""
        if self.past:
            return b"", piece
        first, found, second = (self._held + piece).partition(self.mark)
        if found:
            self.past, self._held = True, b""
            return first, second
        known = len(first) - self._overlap(first)
        self._held = first[known:]
        return first[:known], b""

    def end(self) -> bytes:
        """What was held back of a stream that ended without a mark."""
        held, self._held = self._held, b""
        return held

    def _overlap(self, text: bytes) -> int:
        """How long the longest end of the text is that may be the beginning of the mark."""
        most = min(len(text), len(self.mark) - 1)
        return next((size for size in range(most, 0, -1) if self.mark.startswith(text[-size:])), 0)

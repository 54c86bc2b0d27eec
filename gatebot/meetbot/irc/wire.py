# SPDX-License-Identifier: Apache-2.0
"""Bytes and text of the wire: lenient decoding, splitting by bytes, and what must never go out.

Pure. An IRC line has 512 bytes with its end and with the prefix that the server puts before it, so a text is
split against what is left; a character is never cut, nor a base from its combining marks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LINE = 510  # bytes without CR and LF
_FORBIDDEN = re.compile(r"[\r\n\0]")
_MARKS = {"Mn", "Mc", "Me"}
_JOINER = "\u200d"


def decode(raw: bytes) -> str:
    """Text that is probably UTF-8, or else probably Korean (CP949), or else Western; never an error."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    try:
        korean = raw.decode("cp949")
        if any("가" <= character <= "힣" for character in korean):
            return korean
    except UnicodeDecodeError:
        pass
    return raw.decode("cp1252", errors="replace")


def is_clean(line: str) -> bool:
    """Whether a line holds nothing that ends it early: a bare CR lets strangers command the bot."""
    return _FORBIDDEN.search(line) is None


def clean(text: str) -> str:
    """The text with everything that could end a line made a blank, and halves of characters a question mark."""
    return _FORBIDDEN.sub(" ", text).encode(errors="replace").decode()


def room(source: str, command: str, target: str) -> int:
    """Bytes left for the text of a message as its receivers get it: `:source COMMAND target :text`."""
    return max(LINE - len(f":{source} {command} {target} :".encode()), 64)


def split(text: str, limit: int) -> Iterator[str]:
    """Parts of a text of at most `limit` bytes each, cut between words where that is possible."""
    rest, limit = clean(text), max(limit, 4)  # any character fits, so that this ends
    while len(rest.encode()) > limit:
        end = len(rest.encode()[:limit].decode(errors="ignore"))
        blank = rest.rfind(" ", 0, end + 1)
        if blank > end // 2:
            yield rest[:blank]
            rest = rest[blank + 1 :]
            continue
        whole = end
        while whole > 1 and _continues(rest, whole):
            whole -= 1
        end = whole if whole > 1 else end
        yield rest[:end]
        rest = rest[end:]
    yield rest


def _continues(text: str, place: int) -> bool:
    """Whether a character belongs to the one before it: marks, Hangul parts, parts of an emoji or of a flag."""
    here, before = text[place], text[place - 1]
    if unicodedata.category(here) in _MARKS or "\u1160" <= here <= "\u11ff" or "\U0001f3fb" <= here <= "\U0001f3ff":
        return True
    if here == _JOINER or before == _JOINER:
        return True
    if not (_is_flag(here) and _is_flag(before)):
        return False
    run = place
    while run > 0 and _is_flag(text[run - 1]):
        run -= 1
    return (place - run) % 2 == 1


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


class Lines:
    """Bytes as they come in, lines as they are complete; a line that grows without end is left out whole."""

    def __init__(self, longest: int = 16384) -> None:
        self._longest = longest
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[str]:
        """Take in bytes; returns the lines that are complete now."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if whole and self._skipping:
            del whole[0]
            self._skipping = False
        if self._skipping or len(self._rest) > self._longest:
            self._rest, self._skipping = b"", True
        return [decode(line.rstrip(b"\r")) for line in whole if len(line) <= self._longest and line.strip(b"\r")]

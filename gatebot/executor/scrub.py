# SPDX-License-Identifier: Apache-2.0
"""Takes the values of secrets out of what a job prints.

Pure. A value is also looked for in the spellings in which programs print it by accident: each of its lines, base64,
hexadecimal, backwards, escaped for URLs, JSON, Python, HTML and shells. Values shorter than four bytes would blank
ordinary text. Whoever wants to give a secret away can spell it in ways that nobody foresees.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

from ..assignment import Json

_SHORTEST = 4
_SHORTEST_LINE = 8  # of base64: fewer letters are found in ordinary text
_COVER = b"*****"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_PERCENT = re.compile("%[0-9A-F]{2}")


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)


def _spellings(text: str) -> Iterator[bytes]:
    raw = text.strip().encode()
    yield raw
    yield from (line.strip() for line in raw.splitlines())
    for encoded in _encoded(text, raw):
        yield encoded
        yield encoded.translate(_URL_SAFE)
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield raw[::-1]
    for escaped in (quote(text, safe=""), quote(text), quote_plus(text)):
        yield escaped.encode()
        yield _PERCENT.sub(lambda found: found[0].lower(), escaped).encode()
    yield json.dumps(text)[1:-1].encode()
    yield json.dumps(text, ensure_ascii=False)[1:-1].encode()
    yield repr(text)[1:-1].encode()
    yield html.escape(text).encode()
    yield from (text.replace("'", in_shell).encode() for in_shell in ("'\\''", "'\"'\"'"))


def _encoded(text: str, raw: bytes) -> Iterator[bytes]:
    """In base64, also inside a longer text, and where programs break long lines."""
    whole = base64.b64encode(text.encode())
    yield whole.rstrip(b"=")
    for before, first in enumerate((0, 2, 3)):  # inside a longer text: only the letters that nothing else decides
        inner = bytes(before) + raw
        yield base64.b64encode(inner)[first : len(inner) * 8 // 6]
    sure = whole[: len(raw) * 8 // 6]
    lines = (sure[at : at + width] for width in (64, 76) for at in range(0, len(sure), width))
    yield from (line for line in lines if len(line) >= _SHORTEST_LINE)


class Scrubber:
    """Covers secret values in lines of bytes; `covered` tells whether there was one."""

    def __init__(self, secrets: Mapping[str, Json]) -> None:
        self.covered = False
        self.longest = 0
        self._words: set[bytes] = set()
        self._pattern: re.Pattern[bytes] | None = None
        self.add(secrets)

    def add(self, secrets: Mapping[str, Json]) -> None:
        """Cover these too, from now on."""
        found = {spelling for text in _texts(secrets) for spelling in _spellings(text)}
        self._words |= {word for word in found if len(word) >= _SHORTEST}
        words = sorted(self._words, key=len, reverse=True)
        self.longest = max(map(len, words), default=0)
        self._pattern = re.compile(b"|".join(map(re.escape, words))) if words else None

    def __call__(self, line: bytes) -> bytes:
        """The line with every secret value covered."""
        if self._pattern is None:
            return line
        clean, times = self._pattern.subn(_COVER, line)
        self.covered = self.covered or times > 0
        return clean

# SPDX-License-Identifier: Apache-2.0
"""Takes the values of secrets out of what a job prints.

Pure. A value is also looked for in the spellings in which programs print it by accident: each of its
lines, base64, percent-encoded, JSON-escaped. Values shorter than four bytes would blank ordinary text.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from ..assignment import Json

_SHORTEST = 4
_COVER = b"*****"


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
    yield base64.b64encode(text.encode()).rstrip(b"=")
    for before, first in enumerate((0, 2, 3)):  # inside a longer text: only the letters that nothing else decides
        inner = bytes(before) + raw
        yield base64.b64encode(inner)[first : len(inner) * 8 // 6]
    yield quote(text, safe="").encode()
    yield json.dumps(text)[1:-1].encode()


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

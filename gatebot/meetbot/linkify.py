# SPDX-License-Identifier: Apache-2.0
"""What in a text deserves a link: addresses, and the changes and builds of this site by their names.

Pure: a text becomes pieces, each with the address it leads to or none; renderers escape every piece. Only
`http` and `https` addresses are linked in running text; a `#link` item may use the other harmless schemes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+)|\b(?P<change>change[ #]+(?P<number>[1-9]\d{0,8}))\b"
    r"|\b(?P<build>build[ #]+(?P<uuid>[0-9a-f]{32}))\b",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?'*"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `url` is None where it leads nowhere."""

    text: str
    url: str | None = None


def pieces(text: str, site: str = "") -> Iterator[Piece]:
    """The text in order, cut where links begin and end. `site` stands before the site's own addresses."""
    start = 0
    for found in _FOUND.finditer(text):
        if found.start() > start:
            yield Piece(text[start : found.start()])
        start = found.start()
        if found["change"]:
            yield Piece(found["change"], f"{site}/{found['number']}")
        elif found["build"]:
            yield Piece(found["build"], f"{site}/build/{found['uuid'].lower()}")
        else:
            url = _trimmed(found["url"])
            yield Piece(url, url)
            start += len(url)
            continue
        start = found.end()
    if start < len(text):
        yield Piece(text[start:])


def _trimmed(url: str) -> str:
    """An address without the punctuation of the sentence around it; brackets inside it stay whole."""
    surplus = {closing: url.count(closing) - url.count(opening) for opening, closing in _BRACKETS}
    end = len(url)
    while end and (url[end - 1] in _TRAILING or surplus.get(url[end - 1], 0) > 0):
        end -= 1
        if url[end] in surplus:
            surplus[url[end]] -= 1
    return url[:end]


_BRACKETS = ("()", "[]", "{}")


def html(text: str, site: str = "") -> str:
    """The text as HTML: escaped, with its links."""
    return "".join(
        f'<a href="{escape(piece.url)}">{escape(piece.text, quote=False)}</a>'
        if piece.url
        else escape(piece.text, quote=False)
        for piece in pieces(text, site)
    )

# SPDX-License-Identifier: Apache-2.0
"""What is wrong with values that several sections have: addresses of the web, places to listen, expressions.

Pure; each check yields sentences that begin with the key, or says whether a text is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .expressions import compiled
from .settings_words import written


def listens(text: str) -> bool:
    """Whether it is `HOST:PORT`."""
    host, colon, port = text.rpartition(":")
    return bool(host) and bool(colon) and port.isdigit() and int(port) < 65536


def no_address(place: str, url: str) -> Iterator[str]:
    """What is wrong with an address of the web, where one is given."""
    if url and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        yield f"{place}: {quoted(url)}write http:// or https://."


def quoted(value: str) -> str:
    """What was written, unless there may be a password in it."""
    return "" if "@" in value else f"{written(value)} cannot be used; "


def no_regexes(place: str, texts: Iterable[str]) -> Iterator[str]:
    """What is wrong with RE2 expressions."""
    for text in texts:
        try:
            compiled(text)
        except ValueError as problem:
            yield f"{place}: {written(text)} is no RE2 expression: {problem}."

# SPDX-License-Identifier: Apache-2.0
"""What a text names of this site: changes and builds, by their addresses or in words.

Pure. Known are addresses of this site (`URL/c/PROJECT/+/N`, `URL/N`, `URL/build/ID`) and the words "change N",
"patch N", "변경 N", "build ID", with Korean particles behind them. Bare numbers and other sites' addresses name nothing
here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

# No word of a text ends in the middle of another, but a Korean particle may follow a number.
_END = r"(?![0-9A-Za-z_-])"
_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+)|\b(?:change|patch|변경)[\s#]+(?P<change>[1-9][0-9]{0,8})(?![0-9A-Za-z_])"
    r"|\bbuild[\s#]+(?P<build>[0-9a-f]{32})(?![0-9A-Za-z_])",
    re.IGNORECASE,
)
_PATH = re.compile(
    rf"/(?:(?:#/)?c/(?:[^\s?#]+?/\+/)?)?(?P<change>[1-9][0-9]{{0,8}}){_END}|/build/(?P<build>[0-9a-f]{{32}}){_END}"
)
_PARTICLE = re.compile(r"[가-힣]+")
_TRAILING = ".,;:!?'*"
_BRACKETS = ("()", "[]", "{}")


@dataclass(frozen=True, slots=True)
class Place:
    """From `start` to `end` a text names `target` (`change/12`, `build/5f...`; empty: nothing of this site).

    `url` is the address that is written there; empty where it is words.
    """

    start: int
    end: int
    target: str = ""
    url: str = ""


def places(text: str, site: str = "") -> Iterator[Place]:
    """Every address in a text, and every word that names something of this site, in order; `site` is its address."""
    for found in _FOUND.finditer(text):
        if found["url"]:
            target, url = _addressed(_trimmed(found["url"]), site)
            yield Place(found.start(), found.start() + len(url), target, url)
        elif found["change"]:
            yield Place(found.start(), found.end(), f"change/{int(found['change'])}")
        else:
            yield Place(found.start(), found.end(), f"build/{found['build'].lower()}")


def path_of(target: str) -> str:
    """Where a target is: on this site, or for `bug/ADDRESS` at its tracker."""
    return target.removeprefix("bug/") if target.startswith("bug/") else f"/{target.removeprefix('change/')}"


def topic_of(target: str) -> str:
    """What an open page that shows a target follows; addresses may have commas and be long."""
    if not target.startswith("bug/"):
        return target
    return f"bug/{hashlib.sha256(target.encode()).hexdigest()[:20]}"


def _addressed(url: str, site: str) -> tuple[str, str]:
    """What an address of this site is of (nothing: another one's, or another page), and the address alone."""
    base = site.rstrip("/")
    found = _PATH.match(url, len(base)) if base and url.startswith(base) else None
    if found is None:
        return "", url
    target = f"change/{int(found['change'])}" if found["change"] else f"build/{found['build']}"
    return target, url[: found.end()] if _PARTICLE.fullmatch(url, found.end()) else url


def _trimmed(url: str) -> str:
    """An address without the punctuation of the sentence around it; brackets inside it stay whole."""
    surplus = {closing: url.count(closing) - url.count(opening) for opening, closing in _BRACKETS}
    end = len(url)
    while end and (url[end - 1] in _TRAILING or surplus.get(url[end - 1], 0) > 0):
        end -= 1
        if url[end] in surplus:
            surplus[url[end]] -= 1
    return url[:end]

# SPDX-License-Identifier: Apache-2.0
"""What a text names, by rules: footers with their values, and patterns anywhere.

Pure. RE2 takes linear time, and only so much of a text is looked at, so hostile texts and rules cost little. An address
is made from a rule's link and checked at its end: whatever a text brings, it leads to http(s), mailto, or a page here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Protocol, cast
from urllib.parse import quote

from ...expressions import strictly
from .model import Named, Rule

ANY_ID = r"#?([A-Za-z0-9][A-Za-z0-9._-]*)"
"""What a footer's value names where a rule does not say: numbers and names, each with or without a #."""

SHIPPED: Mapping[str, tuple[Rule, ...]] = {
    "none": (),
    "launchpad": (
        Rule(r"#?(\d+)", "https://bugs.launchpad.net/bugs/{id}", ("Closes-Bug", "Partial-Bug", "Related-Bug")),
        Rule(
            r"(?i)\b(?:blueprint|bp)[ \t:]+([a-z0-9][a-z0-9+.-]*)",
            "https://blueprints.launchpad.net/openstack/?searchtext={id}",
            ("Implements", "Partially-Implements", "Partial-Implements"),
        ),
    ),
    "storyboard": (
        Rule(r"#?(\d+)", "https://storyboard.openstack.org/#!/story/{id}", ("Story",)),
        Rule(r"#?(\d+)", "https://storyboard.openstack.org/#!/task/{id}", ("Task",)),
    ),
}
"""Rules of well-known trackers, for sites that ask for them."""

_LOOKED_AT = 64 * 1024  # of one text
_MOST = 200  # things that one rule finds in one text
_SAFE = re.compile(
    r"(?:https?://[^\s/?#\\\"'<>`]|mailto:[^\s\\\"'<>`])[^\s\\\"'<>`]*|/(?:[^\s/\\\"'<>`][^\s\\\"'<>`]*)?"
)
_PLACE = re.compile(r"\{id\}|\$(\d)")
_KEPT = "/:?&=%+,;@!~*()#"  # of a group in an address; all else that has a meaning there is escaped


class _Match(Protocol):
    def start(self) -> int: ...
    def end(self) -> int: ...
    def group(self) -> str: ...
    def groups(self) -> tuple[str | None, ...]: ...
    def groupdict(self) -> Mapping[str, str | None]: ...


class _Finder(Protocol):
    def finditer(self, text: str) -> Iterator[_Match]: ...


def named(text: str, rules: Sequence[Rule]) -> list[Named]:
    """Everything that a text names, in its order; where two rules find the same, the earlier one counts."""
    text = text[:_LOOKED_AT]
    try:
        text.encode()
    except UnicodeEncodeError:
        return []  # halves of characters, which RE2 does not know
    found = [(one.start, place, one) for place, rule in enumerate(rules) for one in _by(rule, text)]
    kept: list[Named] = []
    for _, _, one in sorted(found, key=lambda each: each[:2]):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def is_safe(address: str) -> bool:
    """Whether a link may lead there."""
    return _SAFE.fullmatch(address) is not None


def _by(rule: Rule, text: str) -> Iterator[Named]:
    left = _MOST
    for footer, start, value in _values(rule, text):
        for match in _finder(rule.match).finditer(value):
            if match.start() == match.end():
                continue
            yield _found(rule, match, footer, start)
            left -= 1
            if not left:
                return


def _values(rule: Rule, text: str) -> Iterator[tuple[str, int, str]]:
    """The parts of a text that a rule looks at: of which footer, and where they begin."""
    if not rule.footers:
        yield "", 0, text
        return
    for match in _lines(rule.footers).finditer(text):
        yield match[1], match.start(2), match[2]


@lru_cache(maxsize=1000)
def _lines(footers: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in footers)
    return re.compile(rf"^({names})[ \t]*:[ \t]*(\S.*)$", re.MULTILINE | re.IGNORECASE)


def _finder(regex: str) -> _Finder:
    return cast("_Finder", strictly(regex))


def _found(rule: Rule, match: _Match, footer: str, start: int) -> Named:
    groups = tuple(group or "" for group in match.groups())
    id = match.groupdict().get("id") or next((group for group in groups if group), "") or match.group()
    address = _address(rule.link, id, (match.group(), *groups)) if rule.link else ""
    return Named(start + match.start(), start + match.end(), id, footer, address)


def _address(link: str, id: str, groups: Sequence[str]) -> str:
    def put(place: re.Match[str]) -> str:
        if place[1] is None:
            return quote(id, safe="")
        number = int(place[1])
        return quote(groups[number], safe=_KEPT) if number < len(groups) else ""

    address = _PLACE.sub(put, link)
    return address if is_safe(address) else ""

# SPDX-License-Identifier: Apache-2.0
"""What a reader asks of the page of a difference, as its address says it, and what he has seen of a change before.

Pure. Everything that one chooses is in the address, so that a page can be sent to somebody, reloaded and refreshed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from ..model import Message

WHITESPACE = {
    "none": "IGNORE_NONE", "trailing": "IGNORE_TRAILING", "changed": "IGNORE_LEADING_AND_TRAILING", "all": "IGNORE_ALL",
}  # fmt: skip
_RANGE = re.compile(r"(\d{1,8})-(\d{1,8})")
_MOST_RANGES = 200
EVERYTHING = ((1, 10**8),)


@dataclass(frozen=True, slots=True)
class Asked:
    """`more` are lines on the new side that are to be shown although nothing differs there, `rows` how many at most."""

    unified: bool = False
    whitespace: str = "none"
    more: tuple[tuple[int, int], ...] = ()
    rows: int = 0

    def query(self, *, unified: bool | None = None, whitespace: str | None = None, lines: str = "") -> str:
        """The end of an address that asks for this view; `lines` says which lines are to be seen too."""
        wide = self.unified if unified is None else unified
        space = self.whitespace if whitespace is None else whitespace
        said: dict[str, str] = {"view": "unified" if wide else "side"}
        if space != "none":
            said["ws"] = space
        if lines:
            said["more"] = lines
        if self.rows and lines:
            said["rows"] = str(self.rows)
        return f"?{urlencode(said)}"

    def with_more(self, first: int, last: int) -> str:
        """The same page with these lines too."""
        return self.query(lines=".".join(f"{a}-{b}" for a, b in (*self.more, (first, last))[-_MOST_RANGES:]))


def asked_of(query: Mapping[str, str], view: str, whitespace: str) -> Asked:
    """What an address asks for; `view` and `whitespace` are what the reader likes where it does not say."""
    more = query.get("more", "")
    ranges = EVERYTHING if more == "all" else tuple((int(a), int(b)) for a, b in _RANGE.findall(more)[:_MOST_RANGES])
    space, rows = query.get("ws", whitespace), query.get("rows", "")
    return Asked(
        query.get("view", view) == "unified",
        space if space in WHITESPACE else "none",
        ranges,
        int(rows) if rows.isascii() and rows.isdecimal() and len(rows) < 7 else 0,
    )


def address(path: str, patch_set: int, base: int | None, file: str = "") -> str:
    """Where a patch set is, against `base`, and a file of it; `path` is that of the change."""
    pair = f"{base}..{patch_set}" if base else str(patch_set)
    return f"/{quote(path, safe='/+')}/{pair}" + (f"/{quote(file, safe='/')}" if file else "")


def last_looked(messages: Iterable[Message], account: int | None, reviewed: int, before: int) -> int:
    """The newest patch set below a number of which somebody said something, or read a file; 0: none."""
    said = (one.patch_set for one in messages if one.account == account and not one.tag and one.patch_set < before)
    return 0 if account is None else max((reviewed, *said))

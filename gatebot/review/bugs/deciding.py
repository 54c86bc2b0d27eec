# SPDX-License-Identifier: Apache-2.0
"""What a commit message says that it fixes, and how far the fix of something is.

Pure. A message names things by the rules of the site's trackers; what a footer calls related is not fixed by it, and
what it calls partial is fixed in part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from ..model import Status
from ..trackers.model import Rule
from ..trackers.rules import named
from .model import Progress

_MOST = 50  # things that one change fixes
_LONGEST = 500  # bytes of an address, which is a part of an index


def fixes(message: str, rules: Sequence[Rule]) -> Mapping[str, bool]:
    """What a message fixes, by address, and whether only in part."""
    found: dict[str, bool] = {}
    for one in named(message, rules):
        footer = one.footer.lower()
        if one.url and len(one.url.encode()) <= _LONGEST and not footer.startswith("related"):
            found[one.url] = found.get(one.url, True) and footer.startswith("partial")
    return dict(list(found.items())[:_MOST])


def progress(changes: Iterable[tuple[Status, bool]]) -> Progress | None:
    """How far a fix is, by the changes that make it, each with whether it is only a part; None: nobody is at it."""
    known = list(changes)
    merged = [part for status, part in known if status is Status.MERGED]
    if any(status is Status.NEW for status, _ in known):
        return Progress.MORE if merged and not all(merged) else Progress.REVIEW
    if not merged:
        return None
    return Progress.PART if all(merged) else Progress.MERGED


def mark(rules: Sequence[Rule]) -> str:
    """By what it is known that messages were read by other rules than these."""
    return hashlib.sha256(repr([(one.match, one.link, one.footers) for one in rules]).encode()).hexdigest()[:40]

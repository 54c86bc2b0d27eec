# SPDX-License-Identifier: Apache-2.0
"""How a CI elsewhere stands: what it was asked, what it answered, how fast, and who still waits.

Pure. A new patch set asks it, and so does a comment that fits its expression. A patch set that was replaced before it
voted is held against nobody. Its votes are read from the messages that they come with, in Gerrit's form.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ...expressions import compiled
from .model import Answer, Remark, Seen, Standing, ThirdParty, Upload, Waiting

_HEAD = re.compile(r"Patch Set \d+:((?: -?[A-Za-z0-9][\w-]*?(?:[+-]\d+)?)+)\s*(?:\n|$)")
_VOTE = re.compile(r" ([A-Za-z][\w-]*?)([+-]\d+)(?= |$)")

_Place = tuple[int, int]


def default_recheck(name: str) -> str:
    """What people write where the settings name nothing else: `recheck-NAME` or `NAME recheck`, alone on a line."""
    quoted = re.escape(name)
    return rf"(?im)^(recheck-{quoted}|{quoted} recheck)\s*$"


def vote_in(text: str, label: str) -> int | None:
    """The vote on a label that a message says, None where it says none."""
    head = _HEAD.match(text)
    return next((int(value) for name, value in _VOTE.findall(head[1]) if name == label), None) if head else None


def asks(ci: ThirdParty, remark: Remark) -> bool:
    """Whether a message asks the CI to test again; what programs say does not."""
    return not remark.tag and remark.account is not None and compiled(ci.recheck).search(remark.text) is not None


def covers(ci: ThirdParty, project: str) -> bool:
    """Whether the CI tests a project."""
    return not ci.projects or any(compiled(regex).fullmatch(project) is not None for regex in ci.projects)


def standing(ci: ThirdParty, seen: Seen) -> Standing:
    """How one CI stands."""
    account = seen.accounts.get(ci.account)
    uploads = {(one.change, one.patch_set): one for one in seen.uploads if covers(ci, one.project)}
    if account is None:
        return Standing(ci, known=False)
    remarks = sorted((one for one in seen.remarks if (one.change, one.patch_set) in uploads), key=lambda one: one.at)
    asked: dict[_Place, list[datetime]] = {place: [one.at] for place, one in uploads.items()}
    pending: dict[_Place, list[datetime]] = defaultdict(list)
    answers: list[Answer] = []
    for remark in remarks:
        place = remark.change, remark.patch_set
        value = vote_in(remark.text, ci.label) if remark.account == account else None
        if value is not None:
            open_asks = asked.pop(place, [])
            pending.pop(place, None)
            after = remark.at - open_asks[0] if open_asks else None
            answers.append(Answer(remark.change, remark.patch_set, value, remark.at, after))
        elif remark.account != account and asks(ci, remark):
            asked.setdefault(place, []).append(remark.at)
            pending[place].append(remark.at)
    latest = {(one.change, one.patch_set): one.value for one in answers}
    due = [place for place, one in uploads.items() if place in latest or not one.replaced]
    times = sorted(one.after for one in answers if one.after is not None)
    return Standing(
        ci,
        known=True,
        asked=len(due),
        voted=len(latest),
        succeeded=sum(value > 0 for value in latest.values()),
        median=_part(times, 0.5),
        slow=_part(times, 0.9),
        last=answers[-1] if answers else None,
        waiting=tuple(_waiting(uploads, pending)),
    )


def _waiting(uploads: dict[_Place, Upload], pending: dict[_Place, list[datetime]]) -> Iterable[Waiting]:
    """Those who asked first, first; of what is open and not replaced."""
    for place, times in sorted(pending.items(), key=lambda item: item[1][0]):
        one = uploads[place]
        if one.current:
            yield Waiting(one.change, one.patch_set, one.subject, times[0])


def _part(times: Sequence[timedelta], part: float) -> timedelta | None:
    """The time that this part of all is not above (nearest rank)."""
    return times[max(0, -int(-len(times) * part // 1) - 1)] if times else None

# SPDX-License-Identifier: Apache-2.0
"""Which channel hears of what, and in which words.

Pure. Subjects, names and errors are hostile: formatting and control characters go, and what is long is cut, so that an
announcement is one line of IRC. A rebase, and a patch set soon after another, say nothing new.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta

from ...expressions import compiled
from ...turns import marked
from ..lines import plain
from .model import Announcement, Audience, Happened, Kind, Waiting

Gettext = Callable[[str], str]

STORM = timedelta(minutes=10)
LONGEST = 350
_BLANKS = re.compile(r"\s+")


def announcement(audience: Audience, one: Happened, gettext: Gettext) -> Announcement | None:
    """What a channel is told of it; None: nothing."""
    if not _fits(audience.projects, one.project) or not _fits(audience.branches, one.branch):
        return None
    if one.kind is Kind.PROPOSED and (one.same or (one.follows is not None and one.follows < STORM)):
        return None
    voted = [f"{label}{value:+d}" for label, value in one.votes if f"{label}{value:+d}" in audience.events]
    if not voted and (one.kind.value not in audience.events or one.program):
        return None
    return _written(one, voted, gettext)


def _fits(wanted: Sequence[str], name: str) -> bool:
    """Whether a name is wanted: as it is, or by an expression."""
    return not wanted or any(bool(compiled(one).match(name)) if one.startswith("^") else one == name for one in wanted)


def _written(one: Happened, voted: Sequence[str], gettext: Gettext) -> Announcement:
    place = f"{one.project} {one.branch}" if one.branch else one.project
    values = {"who": clean(one.who) or "?", "place": place, "project": one.project, "votes": " ".join(voted)}
    values |= {"tag": clean(one.name), "job": clean(one.name)}
    number = str(one.number)
    match one.kind:
        case Kind.PROPOSED:
            head, heading, name = gettext("%(who)s proposed %(place)s:"), gettext("proposed %(place)s"), number
        case Kind.MERGED:
            head, heading, name = gettext("Merged %(place)s:"), gettext("merged %(place)s"), number
        case Kind.ABANDONED:
            head, heading, name = gettext("%(who)s abandoned %(place)s:"), gettext("abandoned %(place)s"), number
        case Kind.RESTORED:
            head, heading, name = gettext("%(who)s restored %(place)s:"), gettext("restored %(place)s"), number
        case Kind.COMMENTED if voted:
            head, heading, name = (
                gettext("%(who)s voted %(votes)s on %(place)s:"),
                gettext("votes on %(place)s"),
                number,
            )
        case Kind.COMMENTED:
            head, heading = gettext("%(who)s commented on %(place)s:"), gettext("comments on %(place)s")
            name = number
        case Kind.TAGGED:
            head, heading = gettext("%(who)s tagged %(project)s with %(tag)s"), gettext("tagged %(project)s")
            name = clean(one.name)
        case Kind.GATE_FAILED:
            head, heading, name = gettext("Gate failed %(place)s:"), gettext("gate failed %(place)s"), number
    detail = f"{one.name}: {one.text}" if one.kind is Kind.GATE_FAILED and one.name else one.text
    told = [clean(one.subject), *([clean(detail)] if detail else ())]
    return Announcement(_line(head % values, told, one.url), clip(heading % values, LONGEST // 2), clip(name, 60))


def _line(head: str, told: Sequence[str], url: str) -> str:
    """`HEAD: SUBJECT: ERROR  URL`: the longest of its texts are cut until it fits."""
    end = f"  {url}" if url else ""
    room = LONGEST - len(end.encode()) - len(head.encode())
    texts = [text for text in told if text]
    share = max(room // max(len(texts), 1) - 2, 20)
    middle = ": ".join(clip(text, share) for text in texts)
    return f"{clip(head, LONGEST - len(end.encode()))} {middle}".rstrip() + end


def clean(text: str) -> str:
    """A text of strangers as one line: every control character, colour and run of blanks is at most one blank, and what
    turns text around is told by its name."""
    whole = text.encode("utf-8", "replace").decode()  # no halves of characters
    return marked(_BLANKS.sub(" ", plain(_BLANKS.sub(" ", whole))).strip())


def clip(text: str, most: int) -> str:
    """The text in so many bytes, with a mark where it was cut."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= most:
        return raw.decode()
    return raw[: most - 3].decode("utf-8", "ignore").rstrip() + "\u2026"


def bundle(waiting: Sequence[Waiting], digest: int, site: str, gettext: Gettext) -> tuple[str, int]:
    """What to say next of what waits in one channel, and of how many that is: one line, or all in one."""
    if len(waiting) <= digest:
        return waiting[0].announcement.text, 1
    count = len(waiting)
    while count > 1:
        text = _digest([one.announcement for one in waiting[:count]], site, gettext)
        if len(text.encode()) <= LONGEST:
            return text, count
        count -= 1
    return waiting[0].announcement.text, 1


def _digest(several: Sequence[Announcement], site: str, gettext: Gettext) -> str:
    groups: dict[str, dict[str, None]] = {}
    for one in several:
        groups.setdefault(one.heading, {})[one.name] = None
    told = "; ".join(f"{heading}: {', '.join(names)}" for heading, names in groups.items())
    return gettext("%(count)d news: %(told)s  %(url)s") % {"count": len(several), "told": told, "url": site}


def is_said(text: str, heard: str) -> bool:
    """Whether a line of the bot's is the beginning of what it was to say."""
    said, begins = _BLANKS.sub(" ", text).strip(), _BLANKS.sub(" ", heard).strip()
    return bool(begins) and said.startswith(begins)

# SPDX-License-Identifier: Apache-2.0
"""What was said, for the search page: conversations in IRC and what was written into minutes after their end.

An address tells the order and where a further page begins; what it tells wrongly is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from ...db import Database
from ...errors import Invalid
from ...front import Hit, Results
from ...reasons import reason
from ...site import Site
from .. import names
from ..linkify import Known, Unknown, known
from ..memory.store import restricted
from ..model import Line, LineKind
from ..ports import States
from ..removing import marks
from . import minutes
from .minutes import Written
from .store import MOST, Conversation, find, titles_of

_PAGE = 20


@dataclass(frozen=True, slots=True)
class SearchPart:
    """The meetbot's part of the search page."""

    site: Site
    db: Database
    states: States = field(default_factory=Unknown)

    async def search(self, request: web.Request, query: str) -> Results:
        """Conversations, and on the first page minutes that were changed."""
        gettext = self.site.gettext(request)
        newest, older = is_newest(request), begins_below(request)
        found = await self.db.read(find, query, _PAGE, older, newest=newest)
        written: list[Written] = []
        if older is None:
            hidden = frozenset[int]() if self.site.account(request) else await self.db.read(restricted)
            written = await self.db.read(minutes.find, query, _PAGE, hidden)
        said = gettext("Lines found: %(count)d")
        if found.count >= MOST:
            said = gettext("Lines found: %(count)d or more")
        texts = [line.text for one in found.conversations for line in one.lines] + [one.text for one in written]
        told = await known(self.states, self.site.actor(request), self.site.settings.url, texts)
        titles = await self.db.read(titles_of, {one.meeting for one in found.conversations if one.meeting})
        hits = [_minutes(one, told) for one in written]
        hits += [_hit(one, told, titles.get(one.meeting, ""), gettext) for one in found.conversations]
        order = {"sort": "newest"} if newest else {}
        more = "" if found.older is None else _path(request, **order, older=str(found.older))
        note = said % {"count": found.count} if found.count else ""
        return Results(hits, note, self._ways(request, newest) if found.several else (), more)

    def _ways(self, request: web.Request, newest: bool) -> tuple[tuple[str, str], ...]:
        """The orders that there are; the one that is shown leads nowhere."""
        gettext = self.site.gettext(request)
        best = (gettext("words side by side first"), _path(request) if newest else "")
        return best, (gettext("newest first"), "" if newest else _path(request, sort="newest"))


def is_newest(request: web.Request) -> bool:
    """Whether the newest are asked for first."""
    asked = request.query.get("sort", "best")
    if asked not in ("best", "newest"):
        raise Invalid(reason=reason("meetbot.bad-sort", sort=asked[:40]))
    return asked == "newest"


def begins_below(request: web.Request) -> int | None:
    """Where a further page begins, as the page before it told."""
    asked = request.query.get("older", "")
    if asked and not (asked.removeprefix("-").isascii() and asked.removeprefix("-").isdigit() and len(asked) < 19):
        raise Invalid(reason=reason("meetbot.bad-older"))
    return int(asked) if asked else None


def _path(request: web.Request, **query: str) -> str:
    """This page in another order, or the next one."""
    return str(request.rel_url.with_query({"q": request.query["q"], **query}))


def _hit(found: Conversation, told_of: Known, meeting: str, gettext: Callable[[str], str]) -> Hit:
    """A conversation with its best hit in the middle, and the meeting that this was said in."""
    told = [_told(line, gettext) for line in found.lines]
    line = found.hit
    place = found.lines.index(line)
    path = names.line_path(found.channel, line.at, line.id)
    within = (meeting, f"/meeting/{found.meeting}") if meeting else None
    sides = tuple(told[:place]), tuple(told[place + 1 :])
    return Hit(found.channel, path, told[place], line.at, *sides, partial(told_of.pieces, at=line.at), within)


def _told(line: Line, gettext: Callable[[str], str]) -> str:
    who = f"* {line.nick}" if line.kind is LineKind.ME else f"<{line.nick}>"
    return f"{line.at:%H:%M} {who} {marks.told(line.text, gettext)}"


def _minutes(found: Written, told_of: Known) -> Hit:
    """An item that was written into minutes."""
    path, text = f"/meeting/{found.meeting}", f"{found.who}: {found.text}"
    return Hit(
        found.channel, path, text, found.at, pieces=partial(told_of.pieces, at=found.at), within=(found.title, path)
    )

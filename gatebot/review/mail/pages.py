# SPDX-License-Identifier: Apache-2.0
"""Mail on the web: sent letters as threads by project and month, one's own wishes, and the way out of a mail program.

The archive shows what its reader may see of changes as they are now, so a change that became private is gone from it.
"""

from __future__ import annotations

from itertools import groupby

from aiohttp import web

from ...db import Database
from ...errors import NotFound
from ...front import Sign
from ...reasons import reason
from ...site import Site
from ..people.preferences import CHOICES, GENERAL
from ..people.service import People
from ..reading import Reading
from . import store
from .model import Kept, Strategy
from .passes import Passes
from .sending import Sending

_MOST = 1000


class MailPages:
    """`/mail/...` and `/settings/mail`."""

    def __init__(self, site: Site, db: Database, reading: Reading, people: People, passes: Passes) -> None:
        self._site = site
        self._db = db
        self._reading = reading
        self._people = people
        self._passes = passes

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/mail/", self._index),
            web.get("/mail/-/{pass}", self._ask),
            web.post("/mail/-/{pass}", self._end),
            web.get(r"/mail/{project:.+}/{month:\d{4}-\d{2}}", self._month),
            web.get("/settings/mail", self._wishes),
            web.post("/settings/mail", self._wish),
        ]

    # -- the archive -----------------------------------------------------------------------------------

    async def _index(self, request: web.Request) -> web.StreamResponse:
        seen = {project.name for project in await self._reading.projects(self._site.actor(request))}
        found = [one for one in await self._db.read(store.months) if one[0] in seen]
        by_project = [(name, [one[1:] for one in several]) for name, several in groupby(found, lambda one: one[0])]
        return self._site.render(request, "review/mail_index.html", projects=by_project)

    async def _month(self, request: web.Request) -> web.StreamResponse:
        project, month = request.match_info["project"], request.match_info["month"]
        actor = self._site.actor(request)
        await self._reading.project(actor, project)
        letters = await self._db.read(store.kept, project, month, _MOST)
        seen = await self._reading.visible(actor, {one.change for one in letters})
        threads: dict[int, list[Kept]] = {}
        for one in letters:
            if one.change in seen:
                threads.setdefault(one.change, []).append(one)
        found = [(change, several[-1].subject, several) for change, several in threads.items()]
        cut = len(letters) if len(letters) == _MOST else 0
        return self._site.render(
            request, "review/mail_month.html", project=project, month=month, threads=found, cut=cut
        )  # fmt: skip

    # -- wishes ----------------------------------------------------------------------------------------

    async def _wishes(self, request: web.Request) -> web.StreamResponse:
        account = self._site.require(request)
        chosen = {**GENERAL, **await self._people.preferences(account.id, "general")}
        return self._site.render(
            request, "review/mail_wishes.html", email=account.email, strategy=chosen["email_strategy"],
            format=chosen["email_format"], muted=await self._db.read(store.muted, account.id),
            watches=await self._people.watches(account.id),
        )  # fmt: skip

    async def _wish(self, request: web.Request) -> web.StreamResponse:
        account = self._site.require(request)
        form = await request.post()
        if project := str(form.get("hear", "")):
            await self._db.run_silent(store.mute, account.id, project, wanted=False)
        else:
            wanted = {name: str(form.get(name, GENERAL[name])) for name in CHOICES}
            await self._people.prefer(account.id, "general", wanted)
        return self._site.redirect(request, "/settings/mail", reason("review.mail-wishes-kept"))

    # -- out of a mail program -------------------------------------------------------------------------

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        account, project = self._passes.read(request.match_info["pass"])
        known = await self._site.identity.by_id(account)
        if known is None:
            raise NotFound(reason=reason("review.no-such-mail-pass"))
        return self._site.render(request, "review/mail_end.html", project=project, username=known.username, done="")

    async def _end(self, request: web.Request) -> web.StreamResponse:
        """What a mail program's one click sends (RFC 8058), and the form of the page: the address is the proof."""
        account, project = self._passes.read(request.match_info["pass"])
        known = await self._site.identity.by_id(account)
        if known is None:
            raise NotFound(reason=reason("review.no-such-mail-pass"))
        done = str((await request.post()).get("end", "project"))
        if done == "turn":
            await self._people.prefer(account, "general", {"email_strategy": Strategy.ATTENTION_SET_ONLY.value})
        elif done == "all":
            await self._people.prefer(account, "general", {"email_strategy": Strategy.DISABLED.value})
        else:
            done = "project"
            await self._db.run_silent(store.mute, account, project, wanted=True)
        return self._site.render(request, "review/mail_end.html", project=project, username=known.username, done=done)


async def sign(sending: Sending | None) -> Sign:
    """How sending goes, for the health page."""
    if sending is None:
        return Sign("mail", True, "not sent: mail.smtp is empty; it can be read at /mail/", vital=False)
    counts = await sending.counts()
    told = [f"{counts.waiting} waiting"]
    if counts.oldest is not None:
        told.append(f"the oldest since {counts.oldest:%Y-%m-%d %H:%M} UTC")
    if counts.given_up:
        told.append(f"{counts.given_up} given up")
    if sending.last is not None:
        told.append(f"last sent {sending.last:%Y-%m-%d %H:%M} UTC")
    inside = f"last problem: {counts.problem}" if counts.problem else ""
    if inside:
        told.append("the last attempt failed")
    # What one address refuses is not the site's illness; a server that takes nothing is.
    return Sign("mail", not (counts.waiting and counts.problem), ", ".join(told), vital=False, inside=inside)

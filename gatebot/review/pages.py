# SPDX-License-Identifier: Apache-2.0
"""The pages of the review room: lists of changes, one change, projects; and what is done from them.

Every page is complete without scripts: a form is posted, the answer is a page. A refusal is shown
as a sentence on the page, with what was typed still there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

from aiohttp import web

from ..errors import GatebotError, Invalid, http_status
from ..reasons import Reason, reason
from ..site import Site
from .judging import Judge
from .model import Change, DraftedComment
from .reading import Reading
from .service import Draft, Review
from .shown import Shown
from .states import States
from .submitting import Submission

_PAGE = 50
_VOTE = re.compile(r"[+-]?[0-9]{1,2}")
_CHANGE = r"/c/{project:.+}/+/{number:\d{1,9}}"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages work with, made in `app.py`."""

    reading: Reading
    review: Review
    states: States
    submission: Submission
    shown: Shown
    judge: Judge


def routes(site: Site, parts: Parts) -> list[web.RouteDef]:
    """All routes of this room's pages."""
    pages = Pages(site, parts)
    return [
        web.get("/q/", pages.ask),
        web.get("/q/{query:.+}", pages.changes),
        web.get(r"/{number:\d{1,9}}", pages.short),
        web.get(_CHANGE, pages.change),
        web.get(_CHANGE + r"/{patch_set:\d{1,4}}", pages.change),
        web.get(_CHANGE + r"/{base:\d{1,4}}..{patch_set:\d{1,4}}", pages.change),
        web.get(_CHANGE + "/review", pages.change),  # where a refused form leaves the reader
        web.post(_CHANGE + "/review", pages.post),
        web.get("/projects", pages.projects),
        web.get("/project/{project:.+}", pages.project),
    ]


class Pages:
    """Handlers; each is one page."""

    def __init__(self, site: Site, parts: Parts) -> None:
        self._site = site
        self._parts = parts

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """The search form without scripts: to the address of the query."""
        query = request.query.get("q", "").strip() or "status:open"
        raise web.HTTPSeeOther("/q/" + quote(query, safe=":"))

    async def changes(self, request: web.Request) -> web.StreamResponse:
        """The changes that a query describes. `+` is a blank, as in Gerrit's addresses."""
        query = unquote_plus(request.rel_url.raw_path.removeprefix("/q/"))
        start = _number(request.query.get("start", "0"))
        problem, status = "", 200
        rows, more = (), False
        try:
            rows, more = await self._parts.shown.rows(self._site.actor(request), query, _PAGE, start)
        except Invalid as error:
            problem, status = self._site.sentence(request, error), 400
        return self._site.render(
            request,
            "review/changes.html",
            status=status,
            query=query,
            rows=rows,
            problem=problem,
            newer=_further(request, max(0, start - _PAGE)) if start else "",
            older=_further(request, start + _PAGE) if more else "",
            live="changes,queue",
        )

    async def short(self, request: web.Request) -> web.StreamResponse:
        """`/12` is the short address of a change."""
        change = await self._parts.reading.find(self._site.actor(request), request.match_info["number"])
        raise web.HTTPFound(_asked(request, f"/{change.path}"))

    async def change(self, request: web.Request) -> web.StreamResponse:
        """One change at one patch set."""
        change = await self._change(request)
        if change.project != request.match_info["project"]:
            raise web.HTTPFound(_asked(request, f"/{change.path}"))
        return await self._page(request, change.number)

    async def post(self, request: web.Request) -> web.StreamResponse:
        """What the form at the foot of a change sends: a review, or one of its buttons."""
        self._site.require(request)
        change = await self._change(request)
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            told = await self._do(request, change, form)
        except GatebotError as error:
            problem = self._site.sentence(request, error)
            return await self._page(request, change.number, status=http_status(error), problem=problem, typed=form)
        return self._site.redirect(request, f"/{change.path}", told)

    async def projects(self, request: web.Request) -> web.StreamResponse:
        """All projects."""
        found = await self._parts.reading.projects(self._site.actor(request))
        return self._site.render(request, "review/projects.html", projects=found, live="projects")

    async def project(self, request: web.Request) -> web.StreamResponse:
        """One project: how to get it, what it is, what happens in it."""
        actor, name = self._site.actor(request), request.match_info["project"].strip("/")
        view = await self._parts.shown.project(actor, name)
        rows, _ = await self._parts.shown.rows(actor, f'project:"{name}"', 10)
        base = self._site.settings.url
        needs = self._parts.judge.wishes(view.project)
        return self._site.render(
            request,
            "review/project.html",
            project=view.project,
            branches=view.branches,
            readme=view.readme,
            rows=rows,
            needs=needs,
            gated=self._parts.judge.gates.gated(name, view.project.default_branch),
            pipelines=self._parts.judge.gates.jobs(name),
            url=base,
            clone_url=f"{base}/{name}",
            live=f"project/{name},changes",
        )

    # -- parts of pages -------------------------------------------------------------------------------

    async def _change(self, request: web.Request) -> Change:
        return await self._parts.reading.find(self._site.actor(request), request.match_info["number"])

    async def _page(
        self,
        request: web.Request,
        number: int,
        *,
        status: int = 200,
        problem: str = "",
        typed: Mapping[str, str] | None = None,
    ) -> web.Response:
        actor, language = self._site.actor(request), self._site.language(request)
        patch_set, base = (_number(request.match_info.get(name, "0")) or None for name in ("patch_set", "base"))
        context = await self._parts.shown.change(actor, number, patch_set, base, language)
        context |= {"problem": problem, "typed": defaultdict(str, typed or {}), "live": f"change/{number},queue"}
        return self._site.render(request, "review/change.html", status=status, **context)

    async def _do(self, request: web.Request, change: Change, form: Mapping[str, str]) -> Reason | None:
        """Do what was asked; a reason is something to tell that the page itself does not show."""
        actor, text = self._site.actor(request), form.get("message", "").strip()
        states = self._parts.states
        match form.get("do", ""):
            case "abandon":
                await states.abandon(actor, change.number, text)
            case "restore":
                await states.restore(actor, change.number, text)
            case "ready" | "wip" as wanted:
                await states.set_work_in_progress(actor, change.number, wanted == "wip", text)
            case "recheck":
                await self._send(request, change, {**form, "message": f"recheck\n\n{text}".strip()})
            case "submit":
                await self._send(request, change, form, needed=False)
                return (await self._parts.submission.submit(actor, change.number)).says
            case _:
                await self._send(request, change, form)
        return None

    async def _send(
        self, request: web.Request, change: Change, form: Mapping[str, str], *, needed: bool = True
    ) -> None:
        actor = self._site.actor(request)
        view = await self._parts.reading.view(actor, change.number)
        now = {vote.label: vote.value for vote in view.votes if vote.account == actor.account}
        draft = _draft(form, now)
        if draft.says_something:
            patch_set = _number(form.get("patch_set", "")) or change.current
            await self._parts.review.post(actor, change.number, patch_set, draft)
        elif needed:
            raise Invalid(reason=reason("review.nothing-to-send"))


def _draft(form: Mapping[str, str], now: Mapping[str, int]) -> Draft:
    """The review in a form: only votes that differ from what the reader says already."""
    votes: list[tuple[str, int]] = []
    for name, value in form.items():
        label = name.removeprefix("label-")
        if label != name and _VOTE.fullmatch(value) and int(value) != now.get(label, 0):
            votes.append((label, int(value)))
    comments: tuple[DraftedComment, ...] = ()
    if text := form.get("comment-text", "").strip():
        line = _number(form.get("comment-line", "")) or None
        comments = (DraftedComment(form.get("comment-file", ""), text, line, unresolved=True),)
    return Draft(form.get("message", "").strip(), tuple(votes), comments)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _asked(request: web.Request, path: str) -> str:
    """Another address with what was asked of this one."""
    return f"{path}?{request.query_string}" if request.query_string else path


def _further(request: web.Request, start: int) -> str:
    return f"{request.path_qs.partition('?')[0]}?start={start}" if start else request.path_qs.partition("?")[0]

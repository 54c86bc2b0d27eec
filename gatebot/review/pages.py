# SPDX-License-Identifier: Apache-2.0
"""The pages of the review room: lists of changes, one change, projects; and what is done from them.

Every page is complete without scripts: a form is posted, the answer is a page. A refusal is shown
as a sentence on the page, with what was typed still there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from urllib.parse import quote, unquote_plus

from aiohttp import web

from ..access import Actor, Verb, may
from ..errors import GatebotError, Invalid, Unprocessable, http_status
from ..reasons import Reason, reason
from ..site import Site
from . import deeds
from .addresses import pages as address_pages
from .addresses.model import names_one, query_and_start
from .attention.model import NOBODY
from .dashboards import pages as dashboard_pages
from .diffs import pages as diff_pages
from .diffs.looking import address
from .diffs.pages import CHANGE
from .model import Change
from .permission import target_of
from .project_boards import pages as board_pages
from .project_boards.service import Boards
from .replying import names_in, review_of, with_people
from .room import ReviewRoom
from .shown import Shown

_PAGE = 50


def routes(site: Site, room: ReviewRoom, shown: Shown) -> list[web.RouteDef]:
    """All routes of this room's pages."""
    boards = Boards(room.repositories, room.rules, room.configs, room.config_editing)
    pages = Pages(site, room, shown, boards)
    return [
        web.get("/q/", pages.ask),
        web.get("/q/{query:.+}", pages.changes),
        web.get(r"/{number:\d{1,9}}", pages.short),
        web.get(CHANGE, pages.change),
        web.get(CHANGE + r"/{patch_set:\d{1,4}}", pages.change),
        web.get(CHANGE + r"/{base:\d{1,4}}..{patch_set:\d{1,4}}", pages.change),
        web.get(CHANGE + "/review", pages.change),  # where a refused form leaves the reader
        web.post(CHANGE + "/review", pages.post),
        web.post(CHANGE + "/edit", pages.edit),
        web.get("/projects", pages.projects),
        web.get("/project/{project:.+}", pages.project),
        *diff_pages.routes(site, room),
        *dashboard_pages.routes(site, room.for_pages.dashboards),
        *board_pages.routes(site, room.reading, boards, room.for_pages.dashboards),
        *address_pages.routes(site, room.reading),
    ]


class Pages:
    """Handlers; each is one page."""

    def __init__(self, site: Site, room: ReviewRoom, shown: Shown, boards: Boards) -> None:
        self._site = site
        self._room = room
        self._shown = shown
        self._boards = boards

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """The search form without scripts: to the address of the query."""
        query = request.query.get("q", "").strip() or "status:open"
        raise web.HTTPSeeOther("/q/" + quote(query, safe=":"))

    async def changes(self, request: web.Request) -> web.StreamResponse:
        """The changes that a query describes. `+` is a blank, as in Gerrit's addresses."""
        query, start = query_and_start(unquote_plus(request.rel_url.raw_path.removeprefix("/q/")))
        start = start or _number(request.query.get("start", "0"))
        problem, status = "", 200
        rows, more = (), False
        try:
            rows, more = await self._shown.rows(self._site.actor(request), query, _PAGE, start)
        except Invalid as error:
            problem, status = self._site.sentence(request, error), 400
        if len(rows) == 1 and names_one(query):
            raise web.HTTPFound(f"/{rows[0].path}")
        return self._site.render(
            request,
            "review/changes.html",
            status=status,
            query=query,
            rows=rows,
            problem=problem,
            one=names_one(query),
            newer=_further(request, max(0, start - _PAGE)) if start else "",
            older=_further(request, start + _PAGE) if more else "",
            live="changes,queue",
        )

    async def short(self, request: web.Request) -> web.StreamResponse:
        """`/12` is the short address of a change."""
        change = await self._room.reading.find(self._site.actor(request), request.match_info["number"])
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
        # By this the page knows that what was typed need not be kept any more.
        return self._site.redirect(request, f"/{change.path}#taken", told)

    async def edit(self, request: web.Request) -> web.StreamResponse:
        """What the bar of the reader's edit asks for. What is typed in the reply stays there."""
        self._site.require(request)
        actor, change, edits = self._site.actor(request), await self._change(request), self._room.edits
        form, at = await request.post(), ""
        try:
            match form.get("do", ""):
                case "publish":
                    await edits.publish(actor, change)
                case "rebase":
                    await edits.rebase(actor, change)
                    at = "#edit"
                case "discard":
                    await edits.drop(actor, change)
                case _:
                    pass
        except GatebotError as error:
            problem = self._site.sentence(request, error)
            return await self._page(request, change.number, status=http_status(error), problem=problem)
        return self._site.redirect(request, f"/{change.path}{at}")

    async def projects(self, request: web.Request) -> web.StreamResponse:
        """All projects."""
        found = await self._room.reading.projects(self._site.actor(request))
        return self._site.render(request, "review/projects.html", projects=found, live="projects")

    async def project(self, request: web.Request) -> web.StreamResponse:
        """One project: how to get it, what it is, what happens in it."""
        actor, name = self._site.actor(request), request.match_info["project"].strip("/")
        view = await self._shown.project(actor, name)
        rows, _ = await self._shown.rows(actor, f'project:"{name}"', 10)
        base = self._site.settings.url
        needs = self._room.judge.wishes(view.project)
        return self._site.render(
            request,
            "review/project.html",
            project=view.project,
            branches=view.branches,
            readme=view.readme,
            rows=rows,
            needs=needs,
            gated=self._room.judge.gates.gated(name, view.project.default_branch),
            pipelines=self._room.judge.gates.jobs(name),
            boards=[one for several in await self._boards.listed(actor, name, inherited=True) for one in several],
            url=base,
            clone_url=f"{base}/{name}",
            ssh_url=self._over_ssh(request, name),
            gitreview=self._room.site.gitreview(name, view.project.default_branch),
            live=f"project/{name},changes",
        )

    # -- parts of pages -------------------------------------------------------------------------------

    def _over_ssh(self, request: web.Request, project: str) -> str:
        """Where the reader reaches a project over SSH; empty where that is closed."""
        account = self._site.account(request)
        return self._room.site.over_ssh(account.username if account is not None else "USERNAME", project)

    async def _change(self, request: web.Request) -> Change:
        return await self._room.reading.find(self._site.actor(request), request.match_info["number"])

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
        differences = self._room.for_pages.differences
        what = await differences.compared(actor, number, patch_set, base)
        drafts = await differences.drafts(actor, what)
        listed = await differences.listed(actor, what)
        context = await self._shown.change(actor, what, drafts, language)
        context["listed"] = listed
        context["edits"] = await self._room.for_pages.suggesting.shown(what.view, drafts)
        change, rules = what.view.change, self._room.rules
        context["may_edit"] = change.is_open and may(actor, Verb.ADD_PATCH_SET, target_of(change), rules)
        context["can_submit"] = context["can_submit"] and deeds.can("submit", actor, change, rules)
        context["may_abandon"] = may(actor, Verb.ABANDON, target_of(change), rules)
        context["ssh_url"] = self._over_ssh(request, change.project)
        context["begun"] = await self._room.for_pages.beginnings.of(actor, what.view)
        context["at"] = partial(address, change.path, what.patch_set.number, base)
        context |= {"problem": problem, "typed": defaultdict(str, typed or {}), "live": f"change/{number},queue,rules"}
        return self._site.render(request, "review/change.html", status=status, **context)

    async def _do(self, request: web.Request, change: Change, form: Mapping[str, str]) -> Reason | None:
        """Do what was asked; a reason is something to tell that the page itself does not show."""
        actor, text = self._site.actor(request), form.get("message", "").strip()
        states = self._room.states
        match form.get("do", ""):
            case "abandon":
                await states.abandon(actor, change.number, text)
                return reason("review.abandoned-here", change=change.number)
            case "restore":
                await states.restore(actor, change.number, text)
            case "ready" | "wip" as wanted:
                await states.set_work_in_progress(actor, change.number, wanted == "wip", text)
            case "recheck":
                await self._send(request, change, {**form, "message": f"recheck\n\n{text}".strip()})
            case "submit":
                await self._send(request, change, form, needed=False)
                return (await self._room.submission.submit(actor, change.number)).says
            case _:
                await self._send(request, change, form)
        return None

    async def _send(
        self, request: web.Request, change: Change, form: Mapping[str, str], *, needed: bool = True
    ) -> None:
        actor = self._site.actor(request)
        view = await self._room.reading.view(actor, change.number)
        now = {vote.label: vote.value for vote in view.votes if vote.account == actor.account}
        people = [await self._named(actor, change, form.get(field, "")) for field in ("reviewers", "cc")]
        draft = with_people(review_of(form, now), *people)
        patch_set = next((one for one in view.patch_sets if str(one.number) == form.get("patch_set")), view.current)
        drafts = draft.publish != "KEEP" and bool(await self._room.threads.drafts(actor, change.number))
        if draft.says_something or draft.reviewers or drafts or draft.turns != NOBODY:
            await self._room.revisions.require_files(change.project, patch_set, (one.file for one in draft.comments))
            await self._room.review.post(actor, change.number, patch_set.number, draft)
        elif needed:
            raise Invalid(reason=reason("review.nothing-to-send"))

    async def _named(self, actor: Actor, change: Change, field: str) -> list[int]:
        """The accounts that a field of the form names; a group stands for its members."""
        found: list[int] = []
        for name in names_in(field):
            identity = self._site.identity
            account = await identity.by_username(name) or await identity.by_email(name)
            try:
                several = (account,) if account is not None else await self._room.inviting.group(actor, change, name)
            except Unprocessable:  # the API says it as Gerrit does; a person reads what a push says too
                raise Unprocessable(reason=reason("review.push-reviewer", name=name[:80])) from None
            found += [one.id for one in several]
        return found


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _asked(request: web.Request, path: str) -> str:
    """Another address with what was asked of this one."""
    return f"{path}?{request.query_string}" if request.query_string else path


def _further(request: web.Request, start: int) -> str:
    return f"{request.path_qs.partition('?')[0]}?start={start}" if start else request.path_qs.partition("?")[0]

# SPDX-License-Identifier: Apache-2.0
"""The page of one file at one patch set, the address of a comment, and the mark of what was read.

Complete without scripts: what one chooses is in the address. Drafts are kept by REST, from the script.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from aiohttp import web

from ...access import Verb, may
from ...errors import Conflict, NotFound
from ...reasons import reason
from ...repo import FileChange
from ...site import Site
from ..addresses.model import line_of
from ..model import COMMIT_MESSAGE, PATCH_SET_LEVEL
from ..permission import target_of
from ..room import ReviewRoom
from ..trackers.linking import linked
from .looking import Asked, address, asked_of
from .service import Compared, Listed

#: The address of a change; `/+/` ends the name of its project, also where a file has it in its name.
CHANGE = r"/c/{project:(?:(?!/\+/).)+}/+/{number:\d{1,9}}"
_REMEMBERED = 365 * 86400
_SPACES = {"IGNORE_TRAILING": "trailing", "IGNORE_LEADING_AND_TRAILING": "changed", "IGNORE_ALL": "all"}


def routes(site: Site, room: ReviewRoom) -> list[web.RouteDef]:
    """The routes; they come behind those of the change itself."""
    pages = DiffPages(site, room)
    comment = CHANGE + r"/comment/{comment:[\w-]{1,80}}"
    found: list[web.RouteDef] = [
        web.get(comment + "{slash:/?}", pages.comment),
        web.post(comment + "/apply", pages.apply),
    ]
    for pair in (r"/{patch_set:\d{1,4}}", r"/{base:\d{1,4}}..{patch_set:\d{1,4}}"):
        found += [web.get(CHANGE + pair + "/{file:.+}", pages.show), web.post(CHANGE + pair + "/{file:.+}", pages.mark)]
    return found


class DiffPages:
    """Handlers."""

    def __init__(self, site: Site, room: ReviewRoom) -> None:
        self._site = site
        self._room = room

    async def show(self, request: web.Request) -> web.StreamResponse:
        """One file."""
        actor = self._site.actor(request)
        what, path = await self._compared(request), request.match_info["file"]
        if "to" in request.query:
            raise web.HTTPFound(_chosen(request, what, path))
        listed = await self._room.for_pages.differences.listed(actor, what)
        file = next((one.change for one in listed if one.path == path), None)
        if file is None:
            file = await self._unchanged(request, what, path)
        asked = await self._asked(request)
        known = {name for one in listed for name in (one.path, one.change.old_path)}
        drafts = await self._room.for_pages.differences.drafts(actor, what)
        drawn = await self._room.for_pages.differences.drawn(actor, what, file, asked, known)
        before, after = _neighbours(listed, path)
        change = what.view.change
        answer = self._site.render(
            request,
            "review/diff.html",
            change=change,
            what=what,
            patch_set=what.patch_set,
            base=what.base.number if what.base else 0,
            file=file,
            listed=listed,
            mine=next((one for one in listed if one.path == path), Listed(file)),
            place=_place(listed, path),
            before=before,
            after=after,
            drawn=drawn,
            edits=await self._room.for_pages.suggesting.shown(what.view, drafts),
            linked=partial(linked, rules=self._room.judge.linking.rules_for(change.project)),
            asked=asked,
            pseudo=path.startswith("/"),
            at=partial(address, change.path, what.patch_set.number, what.base.number if what.base else None),
            pair=partial(address, change.path, file=path),
            old_side=what.old_side,
            may_edit=change.is_open and may(actor, Verb.ADD_PATCH_SET, target_of(change), self._room.rules),
            live=f"change/{change.number}",
        )  # fmt: skip
        if (view := request.query.get("view")) in ("side", "unified"):
            answer.set_cookie("diff_view", view, max_age=_REMEMBERED, samesite="Lax")
        return answer

    async def mark(self, request: web.Request) -> web.StreamResponse:
        """A file is read, or is not."""
        self._site.require(request)
        what, path = await self._compared(request), request.match_info["file"]
        form = await request.post()
        wanted = form.get("do") != "unread"
        await self._room.files.set_reviewed(self._site.actor(request), what.patch_set, path, wanted=wanted)
        return self._site.redirect(request, request.path_qs)

    async def comment(self, request: web.Request) -> web.StreamResponse:
        """To where a comment stands."""
        what, id = await self._compared(request), request.match_info["comment"]
        view = what.view
        found = next((one for one in view.comments if one.id == id), None)
        if found is None:
            raise NotFound(reason=reason("review.no-such-comment", id=id, change=view.change.number))
        if found.file == PATCH_SET_LEVEL:
            raise web.HTTPFound(f"/{view.change.path}#message-{found.message}")
        raise web.HTTPFound(f"{address(view.change.path, found.patch_set, None, found.file)}#c-{id}")

    async def apply(self, request: web.Request) -> web.StreamResponse:
        """What a comment suggests becomes the next patch set."""
        self._site.require(request)
        what, id = await self._compared(request), request.match_info["comment"]
        actor, change = self._site.actor(request), what.view.change
        try:
            changed = await self._room.for_pages.suggesting.apply(actor, change.number, id)
        except Conflict as error:
            if error.reason is None or error.reason.kind != "review.suggestion-edit":
                raise
            # Where the edit can be published or thrown away.
            return self._site.redirect(request, f"/{change.path}#edit", error.reason, refused=True)
        return self._site.redirect(request, f"/{changed.path}/{what.patch_set.number}..{changed.current}")

    # -- parts of pages -------------------------------------------------------------------------------

    async def _compared(self, request: web.Request) -> Compared:
        actor, place = self._site.actor(request), request.match_info
        change = await self._room.reading.find(actor, place["number"])
        if change.project != place["project"]:
            tail = request.path_qs.partition(f"/+/{place['number']}")[2]
            raise web.HTTPFound(f"/{change.path}{tail}")
        numbers = [int(place.get(name, "0")) or None for name in ("patch_set", "base")]
        return await self._room.for_pages.differences.compared(actor, change.number, *numbers)

    async def _unchanged(self, request: web.Request, what: Compared, path: str) -> FileChange:
        """A file that does not differ is shown all the same: comments may be on it. `FILE@5` leads to its line."""
        change, commit = what.view.change, what.patch_set.commit
        if path != COMMIT_MESSAGE:
            try:
                await self._room.files.content(change.project, commit, path, what.patch_set)
            except NotFound:
                file, line = line_of(path)
                if not line:
                    raise
                base = what.base.number if what.base else None
                there = address(change.path, what.patch_set.number, base, file)
                asked = f"?{request.query_string}" if request.query_string else ""
                raise web.HTTPFound(f"{there}{asked}#{line}") from None
        return FileChange(path, path, "M", 0, 0, False, 0, 0)

    async def _asked(self, request: web.Request) -> Asked:
        """What the address asks for, else what the reader likes."""
        view, space, account = request.cookies.get("diff_view", ""), "none", self._site.account(request)
        if account is not None:
            likes: Mapping[str, object] = await self._room.people.preferences(account.id, "diff")
            space = _SPACES.get(str(likes.get("ignore_whitespace", "")), "none")
            if not view:
                general: Mapping[str, object] = await self._room.people.preferences(account.id, "general")
                view = "unified" if general.get("diff_view") == "UNIFIED_DIFF" else "side"
        return asked_of(request.query, view, space)


def _chosen(request: web.Request, what: Compared, path: str) -> str:
    """The address of the pair of patch sets that the form of the page asks for."""
    to, base = (_number(request.query.get(name, "")) for name in ("to", "from"))
    shown = to if 0 < to <= what.view.change.current else what.view.change.current
    other = base if 0 < base < shown else None
    query = "&".join(
        f"{name}={request.query[name]}" for name in ("view", "ws") if request.query.get(name, "").isalpha()
    )
    return address(what.view.change.path, shown, other, path) + (f"?{query}" if query else "")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _place(listed: Sequence[Listed], path: str) -> int:
    return next((number for number, one in enumerate(listed, 1) if one.path == path), 0)


def _neighbours(listed: Sequence[Listed], path: str) -> tuple[str, str]:
    """The files before and behind one; empty: none."""
    at = _place(listed, path)
    before = listed[at - 2].path if at > 1 else ""
    return before, listed[at].path if 0 < at < len(listed) else ""

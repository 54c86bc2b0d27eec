# SPDX-License-Identifier: Apache-2.0
"""What all REST calls on changes share: the change, the patch set, the account that a path names, and answers.

Finds and shapes; what a call does is in the module of its subject.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import cast

from aiohttp import web

from .. import words
from ..access import Verb, may
from ..assignment import Json
from ..errors import GatebotError, NotFound, Unprocessable
from ..identity import Account
from ..reasons import reason
from ..repo import CommitInfo
from . import actions
from .answers import Asker, Handler, everywhere, json_answer
from .gerrit_json import Files, Shape, change_info
from .gerrit_labels import timestamp
from .model import Change, PatchSet
from .permission import target_of
from .reading import private_among
from .room import ReviewRoom
from .whole import ChangeView


class Shaper:
    """Answers with changes: everything that REST handlers share."""

    def __init__(self, room: ReviewRoom, asker: Asker) -> None:
        self.room = room
        self.asker = asker

    async def change(self, request: web.Request) -> Change:
        """The change that the path names."""
        return await self.room.reading.find(self.asker.actor(request), request.match_info["id"])

    async def view(self, request: web.Request) -> ChangeView:
        """The same with everything."""
        change = await self.change(request)
        return await self.room.reading.view(self.asker.actor(request), change.number)

    async def revision(self, request: web.Request) -> tuple[ChangeView, PatchSet]:
        """The change and the patch set that the path names."""
        view = await self.view(request)
        return view, self.patch_set(view, request.match_info["revision"])

    def patch_set(self, view: ChangeView, name: str) -> PatchSet:
        """The patch set of a number, a commit or the beginning of one, or `current`."""
        for patch_set in view.patch_sets:
            by_commit = len(name) >= 7 and patch_set.commit.startswith(name.lower())
            if name == str(patch_set.number) or by_commit or (name == "current" and patch_set is view.current):
                return patch_set
        raise NotFound(reason=reason("review.no-such-patch-set", change=view.change.number, patch_set=name))

    async def account(self, request: web.Request, name: str) -> Account:
        """The account of a path: `self`, an id, a username, an address or `Name <address>`."""
        identity, own = self.room.identity, self.asker.account(request)
        found: Account | None = own if name in ("self", "me") else None
        if name.isascii() and name.isdecimal() and len(name) < 10:
            found = await identity.by_id(int(name))
        if found is None and name and name not in ("self", "me"):
            address = name.rpartition("<")[2].rstrip(">") if "<" in name else name
            found = await identity.by_username(name) or await identity.by_email(address)
        if found is None:
            raise NotFound(reason=reason("review.no-such-account", account=name))
        return found

    async def account_in_body(self, request: web.Request, name: str) -> Account:
        """The account that a body names; Gerrit's status for one that is not there is 422."""
        try:
            return await self.account(request, name)
        except NotFound as error:
            raise Unprocessable(reason=error.reason) from None

    async def info(
        self, request: web.Request, view: ChangeView, options: frozenset[str], *, more: bool = False
    ) -> dict[str, object]:
        """One ChangeInfo, with the files that the options ask for."""
        files: Files = await self._files(view, options)
        lines = None if "SKIP_DIFFSTAT" in options else await self._lines(view)
        subjects = await self._subjects(view, options)
        shape = Shape(options, self.room.judge.site, files, self.ssh(request), lines=lines, subjects=subjects)
        if "DETAILED_LABELS" in options:
            shape = replace(shape, removes=self._removes(request, view))
        if options & {"CURRENT_ACTIONS", "CHANGE_ACTIONS"}:
            of_change, of_revision = await self.actions(request, view, view.current)
            shape = replace(shape, actions=of_change, revision_actions=of_revision)
        info: dict[str, object] = {**change_info(view, shape, more=more)}
        if "CUSTOM_KEYED_VALUES" in options and (kept := await self.room.keyed.of(view.change.number)):
            info["custom_keyed_values"] = kept
        return info

    async def actions(
        self, request: web.Request, view: ChangeView, patch_set: PatchSet
    ) -> tuple[dict[str, Json], dict[str, Json]]:
        """What the asker can do to a change, and to one of its patch sets."""
        actor, rules = self.asker.actor(request), self.room.rules
        if actor.account is None:
            return {}, {}
        together, missing = await self.room.submission.asked_of(actor, view.change)
        told = words.say(missing, self.asker.language(request)) if missing is not None else ""
        submitting = actions.Submitting(together, told)
        of_revision = actions.of_revision(actor, view.change, patch_set.number, rules, submitting)
        return actions.of_change(actor, view.change, rules), of_revision

    async def info_of(
        self, request: web.Request, number: int, options: frozenset[str] = frozenset()
    ) -> dict[str, object]:
        """The ChangeInfo of a change as it is now."""
        return await self.info(request, await self.room.reading.view(self.asker.actor(request), number), options)

    def ssh(self, request: web.Request) -> str:
        """Where the asker reaches git over SSH, as `ssh://USER@HOST:PORT`; empty where he does not."""
        account = self.asker.account(request)
        if account is None or self.room.site.ssh is None:
            return ""
        host, port = self.room.site.ssh
        return f"ssh://{account.username}@{host}:{port}"

    async def answer(
        self, request: web.Request, options: frozenset[str] = frozenset(), status: int = 200
    ) -> web.Response:
        """The change of the path as it is now."""
        return json_answer(request, await self.info(request, await self.view(request), options), status)

    async def commit(self, project: str, id: str) -> dict[str, Json]:
        """Gerrit's CommitInfo of a commit that git has, with the subjects of its parents."""
        made = await asyncio.to_thread(self._commit, project, id)
        parents = cast("list[dict[str, Json]]", made["parents"])
        hidden = await private_among(self.room.reading, project, [str(one["commit"]) for one in parents])
        for one in parents:
            one |= {"subject": ""} if one["commit"] in hidden else {}
        return made

    async def _files(self, view: ChangeView, options: frozenset[str]) -> Files:
        if "ALL_FILES" in options:
            wanted = view.patch_sets
        elif options & {"CURRENT_FILES", "DETAILED_LABELS"}:
            wanted = view.patch_sets[-1:]
        else:
            return {}
        return {one.number: await self.room.revisions.files(view.change.project, one) for one in wanted}

    def _removes(self, request: web.Request, view: ChangeView) -> frozenset[int]:
        """Whom the asker may take from the change: himself, and with the right all."""
        actor = self.asker.actor(request)
        people = {one.account for one in view.reviewers} | {one.account for one in view.votes}
        if may(actor, Verb.REMOVE_REVIEWER, target_of(view.change), self.room.rules):
            return frozenset(people)
        return frozenset(people & {actor.account})

    async def _lines(self, view: ChangeView) -> tuple[int, int] | None:
        """How many lines the current patch set adds and takes away; soon after it came git is asked."""
        if (known := view.current.lines) is not None:
            return known
        try:
            files = await self.room.revisions.files(view.change.project, view.current)
        except GatebotError:  # a repository that cannot be read: the change is still told
            return None
        return sum(file.added for file in files), sum(file.deleted for file in files)

    async def _subjects(self, view: ChangeView, options: frozenset[str]) -> dict[str, str]:
        """The subjects of the parents of the commits that the options ask for."""
        wanted = view.patch_sets if "ALL_COMMITS" in options else view.patch_sets[-1:]
        if not options & {"ALL_COMMITS", "CURRENT_COMMIT"}:
            return {}
        parents = {parent for one in wanted for parent in one.parents}
        hidden = await private_among(self.room.reading, view.change.project, parents)
        return await asyncio.to_thread(self._subjects_of, view.change.project, parents - hidden)

    def _subjects_of(self, project: str, commits: Collection[str]) -> dict[str, str]:
        return {id: self.room.repositories.commit(project, id).subject for id in commits}

    def _commit(self, project: str, id: str) -> dict[str, Json]:
        repositories = self.room.repositories
        found = repositories.commit(project, id)
        parents: list[Json] = [
            {"commit": parent, "subject": repositories.commit(project, parent).subject} for parent in found.parents
        ]
        return git_commit_info(found, parents)


class Calls(ABC):
    """The calls of one subject: a table of methods, paths and what answers."""

    def __init__(self, shaper: Shaper) -> None:
        self._shaper = shaper
        self._room = shaper.room
        self._asker = shaper.asker

    @abstractmethod
    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path below the site's root, handler."""

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        return [route for method, path, handler in self.table() for route in everywhere(method, path, handler)]


async def infos(
    shaper: Shaper, request: web.Request, views: Sequence[ChangeView], options: frozenset[str], *, more: bool = False
) -> list[dict[str, object]]:
    """ChangeInfos, the last of which says whether there are more."""
    last = len(views) - 1
    return [await shaper.info(request, view, options, more=more and n == last) for n, view in enumerate(views)]


def git_commit_info(found: CommitInfo, parents: list[Json]) -> dict[str, Json]:
    """Gerrit's CommitInfo of a commit as git has it."""
    people: dict[str, Json] = {
        role: {"name": who.name, "email": who.email, "date": timestamp(who.when), "tz": who.offset}
        for role, who in (("author", found.author), ("committer", found.committer))
    }
    return {"commit": found.id, "parents": parents, **people, "subject": found.subject, "message": found.message}

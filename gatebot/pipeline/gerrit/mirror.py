# SPDX-License-Identifier: Apache-2.0
"""Keeps what the gate reads of a Gerrit: git in the stores of this site, changes in its rows, facts in its journal.

A look at a change or a project brings all that is new about it, whatever hinted at it. In a store `refs/heads/*` is
what the gate works on and `refs/gerrit/heads/*` what Gerrit has. They differ only while a queue stands on a merge that
was tested here and that Gerrit made anew with the same files: that queue's proofs hold, because the files are equal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from ...change import own_number
from ...clock import Clock
from ...db import Database
from ...depends import depends_on
from ...repo import ZERO, Repositories
from . import store
from .client import Client
from .differences import unheard
from .model import NEW, Json, Mirrored, PatchSet, Place, Reading, Said
from .ports import Use
from .reading import number_of, read_change, time, with_text
from .ssh import Transport

THEIRS, OURS = "refs/gerrit/heads/", "refs/heads/"
_OVERLAP = timedelta(seconds=10)
_WHOLE = "/PATCHSET_LEVEL"
_DEPTH = 5
_AT_ONCE = 4


class Mirror:
    """One Gerrit's. `place` says which, `use` what is wanted of it."""

    def __init__(
        self, place: Place, client: Client, transport: Transport, repositories: Repositories, db: Database,
        clock: Clock, use: Use,
    ) -> None:  # fmt: skip
        self.place = place
        self.use = use
        self._client = client
        self._transport = transport
        self._repositories = repositories
        self._db = db
        self._clock = clock
        self._locks: dict[str, asyncio.Lock] = {}
        self._few = asyncio.Semaphore(_AT_ONCE)

    def lock(self, project: str) -> asyncio.Lock:
        """Held by whoever reads or moves the branches of a project."""
        return self._locks.setdefault(project, asyncio.Lock())

    # Everything

    async def catch_up(self) -> None:
        """Bring everything that is new since the last time; the first time everything that is open."""
        projects = sorted(self.use.projects())
        known = [name for name in projects if await self._db.read(store.branches_of, name)]
        fresh = [name for name in projects if name not in known]
        if fresh:
            await self._first(fresh)
        await self._since(frozenset(known))
        await self._projects(known)

    async def _first(self, projects: list[str]) -> None:
        """Projects that were never read: as they are now, without telling anybody what happened before."""
        for name in projects:
            for one in await self._client.query(f'project:"{name}" status:open'):
                async with self.lock(name):
                    await self.change(name, int(one["_number"]), tell=False)
        await self._projects(projects)
        await asyncio.to_thread(self.use.refresh)

    async def _projects(self, projects: Iterable[str]) -> None:
        async def one(name: str) -> None:
            async with self._few:
                await self.project(name)

        await asyncio.gather(*(one(name) for name in projects))

    async def _since(self, projects: frozenset[str]) -> None:
        """The changes of known projects that were touched since the last time, those touched first."""
        seen = await self._db.read(store.seen, self.place.name)
        found = await self._client.query(f'after:"{time(seen) - _OVERLAP:%Y-%m-%d %H:%M:%S}"' if seen else "limit:1")
        for told in sorted(found, key=_updated):
            if seen and told["project"] in projects and not await self._same(told):
                await self.look(str(told["project"]), int(told["_number"]))
        newest = max(map(_updated, found), default=seen)
        merging = self.use.merging()
        # What is being merged is looked at again when that is over.
        newest = min([_updated(told) for told in found if self._local(told) in merging] or [newest])
        if newest != seen:
            await self._db.run_silent(store.set_seen, self.place.name, newest)

    async def _same(self, told: Json) -> bool:
        known = await self._db.read(store.find, self._local(told))
        return known is not None and bool(told.get("meta_rev_id")) and known.state == told["meta_rev_id"]

    def _local(self, told: Json) -> int:
        return self.place.space + int(told["_number"])

    # One change

    async def look(self, project: str, number: int) -> bool:
        """Look at a change because of a hint; False: not now, because it is being merged from here.

        An answer of Gerrit is kept before the next is asked for: else an old one could be written over a new one. And
        a merge that its own event tells sooner than the answer to whoever asked for it belongs to that item.
        """
        async with self.lock(project):
            if self.place.space + number in self.use.merging():
                return False
            await self.change(project, number)
        return True

    async def change(
        self, project: str, number: int, *, tell: bool = True, depth: int = 0, item: str | None = None
    ) -> Reading | None:
        """Read a change (by Gerrit's number), and those that its message names and that are not known.

        The caller holds the project's lock. `item` is the queue item that was just landed with it.
        """
        info = await self._client.change(project, number)
        local = self.place.space + number
        if info is None:
            await self._db.run(store.forget, local, self._clock.now())
            return None
        reading = read_change(info, self.place)
        mine = project in self.use.projects()
        before = await self._db.read(store.find, local)
        if mine:
            reading = await self._with_comments(project, number, before, reading)
            await self._fetch(project, reading.change, before)
        if depth < _DEPTH:
            await self._named(reading.change.facts.message, tell, depth + 1)
        await self._db.run(store.keep, reading, self._clock.now(), tell=tell and mine, item=item)
        return reading

    async def _with_comments(self, project: str, number: int, before: Mirrored | None, reading: Reading) -> Reading:
        """People write `recheck` as a comment on the patch set as a whole: that is part of what they said."""
        if not any(one.inline for one in unheard(before, reading)):
            return reading
        whole: list[Json] = (await self._client.comments(project, number)).get(_WHOLE, [])

        def complete(one: Said) -> Said:
            return with_text(one, [str(c["message"]) for c in whole if c.get("change_message_id") == one.id])

        return replace(reading, said=tuple(map(complete, reading.said)))

    async def _fetch(self, project: str, change: Mirrored, before: Mirrored | None) -> None:
        """The commits of a change are here before anybody hears of them."""
        known = before.facts.current if before is not None else change.facts.current - 1
        wanted = [one for one in change.patch_sets if one.number > known]
        if wanted and change.facts.status == NEW:
            await asyncio.to_thread(self._fetch_sets, project, wanted)

    def _fetch_sets(self, project: str, wanted: list[PatchSet]) -> None:
        self._have(project)
        missing = [one for one in wanted if self._repositories.resolve(project, one.ref) != one.commit]
        if missing:
            self._transport.fetch(project, [f"+{one.ref}:{one.ref}" for one in missing])

    async def _named(self, message: str, tell: bool, depth: int) -> None:
        """What a `Depends-On:` of this Gerrit names is known before its change is."""
        for url in depends_on(message):
            number = number_of(url, self.place)
            if number is not None and await self._db.read(store.find, number) is None:
                project = await self._client.find(own_number(number))
                if project is not None:
                    await self.change(project, own_number(number), tell=tell, depth=depth)

    # One project

    async def project(self, name: str) -> bool:
        """Look at the branches of a project; False: not now, because something is being merged there from here."""
        if name in self.use.projects():
            async with self.lock(name):
                if name in self.use.merging().values():
                    return False
                untold = await asyncio.to_thread(self.read_branches, name)
                now = await asyncio.to_thread(self._repositories.branches, name)
                await self._db.run(store.keep_branches, name, now, self._clock.now(), untold=untold)
        return True

    def read_branches(self, name: str) -> set[str]:
        """Bring the branches of a project, and move ours to theirs; those that moved without a change of any file."""
        self.read_theirs(name)
        theirs, ours = self.theirs(name), self._repositories.branches(name)
        same: set[str] = set()
        for branch in {*theirs, *ours}:
            there, here = theirs.get(branch, ZERO), ours.get(branch, ZERO)
            if there == here:
                continue
            if ZERO not in (there, here) and self.tree(name, there) == self.tree(name, here):
                if self.use.reads(name, branch):
                    continue
                same.add(branch)
            self._repositories.update_ref(name, OURS + branch, here, there)
        return same

    def read_theirs(self, name: str) -> None:
        """Bring the branches of a project without moving ours."""
        self._have(name)
        self._transport.fetch(name, [f"+{OURS}*:{THEIRS}*"])

    def theirs(self, name: str) -> dict[str, str]:
        """The branches of a project as Gerrit has them."""
        found = self._repositories.references(name, THEIRS)
        return {ref.removeprefix(THEIRS): commit for ref, commit in found.items()}

    def tree(self, name: str, commit: str) -> str:
        """The files of a commit."""
        return self._repositories.commit(name, commit).tree

    def _have(self, name: str) -> None:
        if not self._repositories.exists(name):
            self._repositories.create(name, self._transport.head(name) or "master")


def _updated(told: Json) -> str:
    return str(told["updated"])

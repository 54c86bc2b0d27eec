# SPDX-License-Identifier: Apache-2.0
"""Merging in a Gerrit what was tested here, and looking afterwards whether it is what was tested.

`push` moves the branches to the tested commits themselves; those of one project move together or not at all. `submit`
lets Gerrit merge one change after the other; its merges are other commits, whose files must be those that were tested.
Gerrit cannot take back a merge: what merged although another did not, or with other files, is said loudly.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from ...change import Landed, Landing, LandingChange, LandRefused, own_number
from ...clock import Clock
from ...db import Database
from ...errors import GatebotError, Refused
from ...reasons import Reason, reason
from ...repo import GitError, Repositories
from . import store
from .client import Client
from .mirror import OURS, Mirror
from .model import MERGED, NEW, Mirrored
from .reading import read_change
from .requirements import waits_for
from .ssh import Transport

log = logging.getLogger(__name__)


class _Refusal(Exception):
    """Nothing more is to be moved."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.kind)
        self.why = why


class Lander:
    """Lands in one Gerrit. `pushes`: by moving branches ourselves."""

    def __init__(
        self, mirror: Mirror, client: Client, transport: Transport, repositories: Repositories, db: Database,
        clock: Clock, *, pushes: bool,
    ) -> None:  # fmt: skip
        self._mirror = mirror
        self._client = client
        self._transport = transport
        self._repositories = repositories
        self._db = db
        self._clock = clock
        self._pushes = pushes

    async def land(self, landing: Landing) -> Landed | LandRefused:
        """Merge the changes of an item. The same item again has the same answer."""
        projects = sorted({one.project for one in landing.changes} | {project for project, _, _ in landing.assumed})
        async with AsyncExitStack() as held:
            for project in projects:
                await held.enter_async_context(self._mirror.lock(project))
            try:
                await self._land(landing)
            except _Refusal as refusal:
                await self._settle(landing, tested=False)
                return LandRefused(landing.item, refusal.why, await asyncio.to_thread(self._tips, landing))
            await self._settle(landing, tested=True)
            return Landed(landing.item)

    async def _land(self, landing: Landing) -> None:
        changes = [(one, await self._look(one)) for one in landing.changes]
        for project in {one.project for one in landing.changes}:
            await asyncio.to_thread(self._bring, project, landing)
        if all(change.facts.status == MERGED for _, change in changes):
            self._compare(landing)  # done already, before an answer could be given
            return
        if merged := [one for one, change in changes if change.facts.status == MERGED]:
            # Begun before, and cut between two submits; or somebody merged a part by hand.
            raise _Refusal(_in_part(landing, merged))
        self._judge(landing, changes)
        try:
            await (self._push(landing) if self._pushes else self._submit(landing))
        except (Refused, GitError) as error:
            # It may be done all the same, and only the answer was lost: then the branches are compared.
            if not all([await self._is_merged(one) for one in landing.changes]):
                raise _Refusal(await self._why(landing, error)) from error
        for project in {one.project for one in landing.changes}:
            await asyncio.to_thread(self._bring, project, landing)
        self._compare(landing)

    async def _look(self, one: LandingChange) -> Mirrored:
        info = await self._client.change(one.project, own_number(one.number))
        if info is None:
            raise _Refusal(reason("pipeline.gerrit-gone", change=one.number))
        return read_change(info, self._mirror.place).change

    def _bring(self, project: str, landing: Landing) -> None:
        """What Gerrit has now, and the tested commits; ours stay where they are."""
        self._mirror.read_theirs(project)
        for one in landing.changes:
            if one.project == project:
                self._repositories.copy_objects(one.store, one.commit, project)

    def _judge(self, landing: Landing, changes: Sequence[tuple[LandingChange, Mirrored]]) -> None:
        """Nothing is begun unless everything is as it was tested."""
        for one, change in changes:
            facts = change.facts
            if facts.status != NEW:
                raise _Refusal(reason("pipeline.gerrit-closed", change=one.number, status=facts.status))
            if facts.current != one.patch_set:
                raise _Refusal(
                    reason(
                        "review.patch-set-replaced", change=one.number, current=facts.current, patch_set=one.patch_set
                    )
                )
            missing = waits_for(change, self._mirror.use.labels())
            if missing is not None:
                raise _Refusal(reason("review.rules-no-longer-hold", missing, change=one.number))
        believed: dict[tuple[str, str], str] = {
            (project, branch): commit for project, branch, commit in landing.assumed
        }
        for one in landing.changes:
            believed.setdefault((one.project, one.branch), one.expected)
        for (project, branch), commit in believed.items():
            there = self._mirror.theirs(project).get(branch)
            if there is None:
                raise _Refusal(reason("review.branch-gone", project=project, branch=branch))
            if there != commit and self._mirror.tree(project, there) != self._mirror.tree(project, commit):
                moved = {"found": there[:10], "expected": commit[:10]}
                raise _Refusal(reason("review.branch-moved", project=project, branch=branch, **moved))

    # Two ways

    async def _push(self, landing: Landing) -> None:
        for project, moves in self._moves(landing).items():
            await asyncio.to_thread(self._transport.push, project, moves)

    def _moves(self, landing: Landing) -> Mapping[str, list[tuple[str, str, str]]]:
        """Each branch once, from where Gerrit has it to the last commit of the item."""
        last = {(one.project, one.branch): one.commit for one in landing.changes}
        moves: dict[str, list[tuple[str, str, str]]] = {}
        for (project, branch), commit in last.items():
            moves.setdefault(project, []).append((branch, self._mirror.theirs(project)[branch], commit))
        return moves

    async def _submit(self, landing: Landing) -> None:
        mine = {own_number(one.number) for one in landing.changes}
        for one in landing.changes:
            others, unseen = await self._client.together(one.project, own_number(one.number))
            if unseen or others - mine:
                told = ", ".join(map(str, sorted(others - mine))) or str(unseen)
                raise _Refusal(reason("pipeline.gerrit-submits-others", change=one.number, others=told))
        for one in landing.changes:
            if landing.votes:
                body = {
                    "labels": dict(landing.votes),
                    "tag": f"autogenerated:gatebot:{landing.pipeline}",
                    "notify": "NONE",
                }
                await self._client.review(one.project, own_number(one.number), one.patch_set, body)
        await self._offered(landing)
        for one in landing.changes:
            if not await self._is_merged(one):
                await self._submit_one(one)

    async def _submit_one(self, one: LandingChange) -> None:
        """Calls are tried again when their answer is lost: what is refused then may be done already."""
        try:
            await self._client.submit(one.project, own_number(one.number))
        except Refused:
            if not await self._is_merged(one):
                raise

    async def _is_merged(self, one: LandingChange) -> bool:
        return (await self._look(one)).facts.status == MERGED

    async def _offered(self, landing: Landing) -> None:
        """Of several changes none is submitted while Gerrit would refuse another: it takes no merge back."""
        for one in landing.changes if len(landing.changes) > 1 else ():
            why = await self._client.unwilling(one.project, own_number(one.number))
            if why and not await self._is_merged(one):
                raise _Refusal(reason("pipeline.gerrit-refused", text=f"{own_number(one.number)}: {why}"))

    # Afterwards

    def _compare(self, landing: Landing) -> None:
        """The branches have exactly the files that were tested."""
        last = {(one.project, one.branch): one for one in landing.changes}
        for (project, branch), one in last.items():
            there = self._mirror.theirs(project).get(branch, "")
            if not there or self._mirror.tree(project, there) != self._mirror.tree(project, one.commit):
                why = reason(
                    "pipeline.gerrit-merged-untested", change=one.number, project=project, branch=branch,
                    found=there[:10], tested=one.commit[:10],
                )  # fmt: skip
                log.error("change %d merged in %s with files that were not tested", one.number, self._mirror.place.name)
                raise _Refusal(why)

    async def _why(self, landing: Landing, error: GatebotError) -> Reason:
        """Why it did not work; said loudly where a part of the item merged all the same."""
        merged = [one for one in landing.changes if await self._is_merged(one)]
        said = reason("pipeline.gerrit-refused", text=str(error))
        if not merged:
            return said
        numbers = [one.number for one in merged]
        log.error("an item merged in part in %s: %s merged, then %s", self._mirror.place.name, numbers, error)
        return _in_part(landing, merged, said)

    async def _settle(self, landing: Landing, *, tested: bool) -> None:
        """Rows and journal as it is now; of what was tested, branches are moved here to the tested commits."""
        for project in {one.project for one in landing.changes}:
            if tested:
                await asyncio.to_thread(self._take, project, landing)
            untold = await asyncio.to_thread(self._mirror.read_branches, project)
            now = await asyncio.to_thread(self._repositories.branches, project)
            merged = {one.branch for one in landing.changes if tested and one.project == project}
            at = self._clock.now()
            await self._db.run(store.keep_branches, project, now, at, untold=untold, merged=merged, item=landing.item)
        for one in landing.changes:
            await self._mirror.change(one.project, own_number(one.number), item=landing.item if tested else None)

    def _take(self, project: str, landing: Landing) -> None:
        """Our branches go to the tested commits, whose files Gerrit's have."""
        for one in landing.changes:
            if one.project == project:
                here = self._repositories.resolve(project, OURS + one.branch)
                if here is not None and here != one.commit:
                    self._repositories.update_ref(project, OURS + one.branch, here, one.commit)

    def _tips(self, landing: Landing) -> tuple[tuple[str, str, str], ...]:
        places = dict.fromkeys(
            [*((one.project, one.branch) for one in landing.changes), *((p, b) for p, b, _ in landing.assumed)]
        )
        return tuple((p, b, self._repositories.branches(p).get(b, "0" * 40)) for p, b in places)


def _in_part(landing: Landing, merged: Sequence[LandingChange], *because: Reason) -> Reason:
    """Which changes of an item are merged and which are not: Gerrit takes no merge back."""
    rest = [one for one in landing.changes if one not in merged]
    named = {
        name: ", ".join(str(own_number(one.number)) for one in several)
        for name, several in (("changes", merged), ("others", rest))
    }
    return reason("pipeline.gerrit-half-landed", *because, **named)

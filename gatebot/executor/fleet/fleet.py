# SPDX-License-Identifier: Apache-2.0
"""All executors of a site as one: the scheduler's `Dispatch` over this process' own and those on other machines.

A build is offered by id; who was offered it claims it, and from then on its lease counts. What could not be offered
waits here, and what was offered and not claimed is offered again: a lost message loses nothing. Secrets are in memory
until the executor says that the build runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ...assignment import Assignment
from ...clock import Clock
from ...db import Database
from ...errors import Conflict
from ...events import BuildCompleted
from ...reasons import Reason, reason
from ..model import Label, Result, Verdict
from ..placing import Offer
from ..ports import Reports
from ..steps import cut_short
from . import store
from .choosing import HERE, Member, Wish, choose, nobody
from .leases import counts_as_heard
from .model import BEAT_SECONDS, Answer, Beat, Claim, Verb, Word
from .parting import Parting
from .ports import Fences, Holds, Local, Post
from .roster import Given, Roster, member, stale

log = logging.getLogger(__name__)
_OFFER_AGAIN = timedelta(seconds=4)


@dataclass(slots=True)
class Fleet:
    """`labels` are the site's; `local` is the executor of this process, if it runs jobs.

    `offers` and `unready` are what its providers can do, and its labels without an image; `log_size` tells how much log
    of a build there is; `claimed` and `ended` are told of builds that run elsewhere, `stopped` of those that were ended
    and whose executor does not say how. `parting`: the server ends, and said so.
    """

    db: Database
    clock: Clock
    fences: Fences
    holds: Holds
    reports: Reports
    labels: Callable[[], Mapping[str, Label]]
    log_size: Callable[[str], int]
    claimed: Callable[[Claim], None]
    stopped: Callable[[Claim, Verdict], None]
    ended: Callable[[str], None]
    local: Local | None = None
    offers: Callable[[], Mapping[str, Offer]] = dict[str, Offer]
    unready: Callable[[], Mapping[str, Reason]] = dict[str, Reason]
    post: Post | None = None
    roster: Roster = field(default_factory=Roster)
    parting: Parting | None = None

    async def start(self) -> None:
        """Know again what executors have, of what a server before this one gave them."""
        rows = await self.db.read(store.every_claim)
        over = frozenset(await self.fences.alive({row.build: row.fence for row in rows}))
        await self.db.run_silent(store.forget, over)
        kept = [row for row in rows if row.build not in over]
        for row in kept:
            self.roster.builds[row.build] = Given(row.fence, executor=row.executor, claim=row)
            self.claimed(row)
        self.fences.remember({row.build: row.heard for row in kept})
        for one in await self.db.read(store.every):
            if one.heard is not None:
                self.roster.remember(one.name, one.abilities, one.heard)

    async def run(self) -> None:
        """Say again for ever what is due."""
        while True:
            try:
                await self.tick()
            except Exception:
                log.exception("executors could not be looked after; again in %s seconds", BEAT_SECONDS)
            await self.clock.sleep(BEAT_SECONDS)

    # -- the scheduler's Dispatch

    def free_slots(self) -> int:
        """How many builds would be taken now; what waits for others that are full or away takes no room of these."""
        members, labels = tuple(self._members()), self.labels()
        waiting = [one.wish for one in tuple(self.roster.builds.values()) if one.executor is None]
        due = sum(wish is not None and choose(members, labels, wish) is not None for wish in waiting)
        return max(sum(member.free for member in members) - due, 0)

    async def assign(self, assignment: Assignment) -> None:
        """Give a build to an executor, or keep it until one has room."""
        known = self.roster.builds.get(assignment.build)
        if known is not None and known.fence >= assignment.fence:
            return
        if known is not None and known.executor:
            await self.say(known.executor, Word(Verb.ABORT, assignment.build, known.fence))
        given = Given(assignment.fence, assignment, Wish.of(assignment))
        self.roster.builds[assignment.build] = given
        if whys := await self._nobody(Wish.of(assignment)):
            if self.roster.builds.get(assignment.build) is given:  # not aborted meanwhile
                del self.roster.builds[assignment.build]
                await self._impossible(assignment, whys)
            return
        await self._place(given)

    async def abort(self, build: str, fence: int, why: Reason | None = None) -> None:
        """The build is not wanted any more."""
        given = self.roster.builds.get(build)
        if given is None:
            if self.local is not None:
                await self.local.abort(build, fence, why)
        elif given.fence <= fence:
            if given.claim is None:
                del self.roster.builds[build]
            given.ended, given.why = True, given.why or why
            given.assignment = None
            if given.executor:
                await self.say(given.executor, Word(Verb.ABORT, build, fence, why=why))

    async def resume(self, build: str, fence: int) -> None:
        """A paused build may go on."""
        await self._go_on(Word(Verb.RESUME, build, fence))

    async def grant(self, build: str, fence: int, names: Sequence[str]) -> None:
        """The build has the semaphores that a playbook of it asked for."""
        await self._go_on(Word(Verb.GRANT, build, fence, tuple(names)))

    # -- what executors on other machines say

    async def heard(self, name: str, beat: Beat) -> Answer:
        """An executor lives; which of its builds are not its own any more."""
        now = self.clock.now()
        mine = {build: fence for build, fence in beat.builds.items() if self.roster.has(name, build, fence)}
        ending = {build: self.roster.builds[build].why for build in mine if self.roster.builds[build].ended}
        wanted = {build: fence for build, fence in mine.items() if build not in ending}
        lost = {*beat.builds.keys() - mine.keys(), *await self.fences.alive(wanted)}
        parting = self.parting is not None
        until = counts_as_heard(now, parting=True) if parting else None
        if not await self.db.run_silent(store.heard, name, beat, mine.keys() - lost, now, until):
            self.roster.forget(name)
            return Answer(tuple(beat.builds), known=False, over=beat.held)
        self.roster.heard(name, beat, now)
        self.roster.runs(mine)
        self.fences.remember(self.roster.shorten(name, beat, now))
        if self.parting is not None:
            self.parting.heard(name, beat)
        ended = [one for one, given in self.roster.builds.items() if given.executor == name and given.ended]
        await self._forsaken(build for build in ended if build not in beat.builds)
        over, held = await self._holds(name, beat)
        again = tuple(Word(Verb.ABORT, build, mine[build], why=why) for build, why in ending.items())
        return Answer(tuple(sorted(lost)), True, tuple(sorted(over)), tuple(sorted(held)), parting, again)

    async def _holds(self, name: str, beat: Beat) -> tuple[Collection[str], Collection[str]]:
        """What it keeps that may go, and what it should have; what it says that it has not is forgotten first."""
        if beat.gone:
            _, own = await self.holds.of(name, ())
            await self.holds.let_go([build for build in beat.gone if build in own])
        return await self.holds.of(name, beat.held)

    async def say(self, executor: str, word: Word) -> None:
        """Say something to an executor; it may be lost."""
        if self.post is not None and executor:
            await self.post.send(executor, word)

    async def claim(self, name: str, build: str, fence: int) -> Assignment:
        """An executor takes what it was offered; the same answer when it asks again. Raises `Conflict`."""
        given = self.roster.builds.get(build)
        assignment = given.assignment if given is not None else None
        if given is None or assignment is None or given.fence != fence or given.executor != name:
            raise Conflict(reason=reason("executor.not-offered", build=build, fence=fence, name=name))
        if await self.fences.alive({build: fence}):
            raise stale(build, fence)
        if given.claim is not None:
            return assignment
        heard = counts_as_heard(self.clock.now(), parting=self.parting is not None)
        made = Claim(build, fence, name, self.log_size(build), heard, assignment.checkouts)
        await self.db.run_silent(store.claim, made)
        given.claim = made
        self.claimed(made)
        return assignment

    async def over(self, *builds: str) -> None:
        """These builds have ended."""
        known = [build for build in builds if self.roster.builds.pop(build, None) is not None]
        for build in known:
            self.ended(build)
        if known:
            await self.db.run_silent(store.forget, known)
            await self._place_waiting()

    # -- inside

    async def tick(self) -> None:
        """One look: what waits is still wanted, and what was not claimed is offered again."""
        now = self.clock.now()
        ours = dict(self.local.running) if self.local is not None else {}
        ours |= {build: given.fence for build, given in self.roster.builds.items() if given.claim is None}
        for build in await self.fences.alive(ours):
            if build in self.roster.builds:
                del self.roster.builds[build]
        for given in list(self.roster.builds.values()):
            if given.claim is None and given.executor is not None and given.assignment is not None:
                if not self.roster.lives(given.executor, now):
                    given.executor = None
                elif given.offered is None or now - given.offered >= _OFFER_AGAIN:
                    await self._offer(given.assignment, given)
        gone = [
            build for build, one in self.roster.builds.items() if one.ended and not self.roster.lives(one.executor, now)
        ]
        await self._forsaken(gone)
        await self.holds.forsake([member.name for member in self._members()])
        await self._place_waiting()

    async def _forsaken(self, builds: Iterable[str]) -> None:
        """Builds that were ended, and whose executor has them no more without having said how: here their logs end."""
        found = tuple(builds)
        for given in [self.roster.builds[build] for build in found]:
            if given.claim is not None:
                self.stopped(given.claim, cut_short(given.why))
        await self.over(*found)

    async def _place_waiting(self) -> None:
        for given in [one for one in self.roster.builds.values() if one.executor is None]:
            await self._place(given)

    async def _place(self, given: Given) -> None:
        assignment, wish = given.assignment, given.wish
        chosen = choose(self._members(), self.labels(), wish) if wish is not None else None
        if assignment is None or chosen is None:
            return
        if chosen == HERE and self.local is not None:
            self.roster.builds.pop(assignment.build, None)  # it reports by itself, and is as alive as we are
            await self.local.assign(assignment)
            return
        if self.local is not None and assignment.build in self.local.running:
            await self.local.abort(assignment.build, given.fence)  # an older run, that is not listened to any more
        given.executor = chosen
        await self._offer(assignment, given)

    async def _offer(self, assignment: Assignment, given: Given) -> None:
        given.offered = self.clock.now()
        await self.say(given.executor or "", Word(Verb.OFFER, assignment.build, given.fence))

    async def _go_on(self, word: Word) -> None:
        given = self.roster.builds.get(word.build)
        if given is not None and given.fence == word.fence and given.executor:
            await self.say(given.executor, word)
        elif given is None and self.local is not None:
            if word.verb is Verb.RESUME:
                await self.local.resume(word.build, word.fence)
            else:
                await self.local.grant(word.build, word.fence, word.names)

    def _members(self) -> Iterator[Member]:
        yield from here(self)
        yield from self.roster.members(self.clock.now())

    async def _nobody(self, wish: Wish) -> tuple[Reason, ...]:
        """Why no executor that there is, however busy or silent now, could ever give these nodes."""
        rows = await self.db.read(store.every)
        known = [member(row.name, 0, row.abilities) for row in rows if row.heard is not None]
        return nobody([*self._members(), *known], self.labels(), wish)

    async def _impossible(self, assignment: Assignment, whys: tuple[Reason, ...]) -> None:
        why = reason("executor.nobody-supplies", *whys, job=assignment.job.name)
        await self.reports.completed(BuildCompleted(assignment.build, assignment.fence, Result.NODE_FAILURE.value, why))


def here(fleet: Fleet) -> Iterator[Member]:
    """The executor of this process, if it runs jobs, as the choice sees it."""
    if fleet.local is not None:
        running = tuple(fleet.local.running)
        yield Member(HERE, fleet.local.free_slots(), fleet.offers(), running=running, unready=fleet.unready())

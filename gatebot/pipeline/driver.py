# SPDX-License-Identifier: Apache-2.0
"""Drives the queues: reads the journal, records, plans, stores, and only then lets commands be carried out.

One pass is one transaction: what other rooms did since the last pass and what came of earlier commands is recorded,
the queues that it touched are planned, and the accepted commands are stored as facts beside it. Facts are appended in
the order in which they were recorded, so a replay of the journal gives the same queues. A pass decides by pure
functions alone and may be run twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from .. import journal
from ..assignment import FrozenJob
from ..clock import Clock
from ..db import Database, Session
from ..events import BuildCompleted, Event
from ..journal import Journal
from ..reasons import Reason, reason
from . import history, store
from .ages import Ages
from .batch import Batch, Surroundings
from .config.gating import gated
from .config.layout import Layout
from .dispatching import Room, Wish, by_urgency, silent
from .effects import Effects, Ties
from .intake import TRIGGERS, Intake
from .ports import People
from .providing import Providers
from .queue import facts
from .queue.losing import LOSING, Abandoned, abandoned
from .queue.model import Queue
from .queue.plan import outstanding, plan
from .reconfiguring import reconfigured
from .results import Results
from .view import FOLDED, View

log = logging.getLogger(__name__)

READER = "pipeline"
_BATCH = 500
_KINDS = tuple(dict.fromkeys((*TRIGGERS, *FOLDED, *facts.ALL)))


class _Overtaken(Exception):
    """There are facts of queues in the journal that are not ours."""


@dataclass(slots=True)
class _Pass:
    """What one transaction did. `upto` is the last journal id it knows.

    `waiting` queues got fewer builds than they asked for; in `wanting` ones a playbook waits for a semaphore.
    """

    view: View
    upto: int
    unread: bool = False
    commands: list[facts.QueueFact] = field(default_factory=list[facts.QueueFact])
    aborted: dict[str, Abandoned] = field(default_factory=dict[str, Abandoned])
    planned: set[str] = field(default_factory=set[str])
    waiting: set[str] = field(default_factory=set[str])
    wanting: set[str] = field(default_factory=set[str])


class Driver:
    """All queues of a site. `lease` is how long an executor may be silent; None where it lives and dies with us."""

    def __init__(
        self,
        ties: Ties,
        people: People,
        results: Results,
        *,
        lease: timedelta | None = None,
        tick: float = 2.0,
        snapshot_every: int = 5000,
    ) -> None:
        self._ties = ties
        self._db: Database = ties.db
        self._clock: Clock = ties.clock
        self._journal = Journal(ties.db)
        self._results = results
        self._lease = lease
        self._tick = tick
        self._snapshot_every = snapshot_every
        self._ages = Ages(ties.db, ties.clock)
        surroundings = Surroundings(ties.review, people, ties.layouts, ties.merger, ties.db, ties.clock, self._ages)
        self._intake = Intake(Batch(surroundings))
        self._effects = Effects(ties, self.queue, self._answered)
        self._view = View()
        self._read = 0
        self._known = 0
        self._snapshot = 0
        self._inbox: list[facts.QueueFact] = []
        self._frozen: list[FrozenJob] = []
        self._waiting: set[str] = set()
        self._wanting: set[str] = set()
        self._began = False
        self._configured: Mapping[str, Layout] = {}
        self._stepping = False
        self._wake = asyncio.Event()

    # What others ask

    def queue(self, name: str) -> Queue | None:
        """A queue as it is now."""
        return self._view.queues.get(name)

    @property
    def queues(self) -> Mapping[str, Queue]:
        """All queues as they are now."""
        return self._view.queues

    def gated(self, project: str, branch: str) -> bool:
        """Whether a dependent pipeline merges the changes of this branch."""
        return any(gated(layout, project, branch) for layout in self._ties.layouts.of_project(project))

    def position(self, change: int) -> Reason | None:
        """Where the change stands in the gate, for people; None when it is in none."""
        for queue, item in self._view.stays(change):
            if queue.policy.lands:
                place = list(queue.items).index(item.id) + 1
                return reason("pipeline.position", place=place, size=len(queue.items), queue=queue.name)
        return None

    # Start, run, stop

    async def start(self) -> None:
        """Find the queues again from the journal, and carry out what was accepted and not answered."""
        await asyncio.to_thread(self._ties.layouts.refresh)
        await self._ages.load()
        await self._load()

    async def _load(self) -> None:
        self._view, self._read, self._known = await self._db.read(replay)
        self._snapshot = self._known
        if rows := list(store.rows_of_start(self._view.queues.values())):
            await self._db.run_silent(store.write, rows)
        again = [command for queue in self._view.queues.values() for command in outstanding(queue)]
        builds = [
            command for command in again if isinstance(command, facts.BuildAssigned) and not self._leased(command)
        ]
        self._inbox += builds  # stored first: their fences are new
        self._effects.perform(command for command in again if not isinstance(command, facts.BuildAssigned))
        self._waiting |= self._view.queues.keys()
        self._wake.set()

    def _leased(self, command: facts.BuildAssigned) -> bool:
        """Whether somebody may still run the build, although it was given to him before our start."""
        return self._lease is not None and command.build in self._results.heard

    async def run(self) -> None:
        """Go on for ever; cancel it to stop."""
        forget = self._db.on_commit(self._committed)
        try:
            while True:
                try:
                    again = await self.step()
                except Exception:
                    log.exception("a pass over the queues did not work; it is tried again")
                    await self._clock.sleep(1)
                    continue
                if not again:
                    await self._sleep()
        finally:
            forget()
            await self._effects.close()

    async def step(self) -> bool:
        """One pass, where there is anything to do; whether there is reason for another at once."""
        self._stepping = True
        try:
            return await self._step()
        finally:
            self._stepping = False

    async def _step(self) -> bool:
        self._wake.clear()
        await self._ages.fire()
        entries = await self._journal.read(self._read, kinds=TRIGGERS, limit=_BATCH)
        read = entries[-1].id if entries else None
        entered = await self._intake.translate(entries, self._view.copy()) if entries else []
        slots = self._ties.dispatch.free_slots() - self._effects.giving
        waiting = self._wanting.union(self._waiting if slots > 0 or not self._began else ())
        layouts = self._ties.layouts.all
        settled = () if layouts is self._configured else reconfigured(self._view.queues.values(), layouts)
        told, self._inbox = [*self._inbox, *self._expired()], []
        frozen, self._frozen = self._frozen, []
        hopeless = {job.definition for job in frozen if self._ties.hopeless(job)} if slots < len(frozen) else ()
        if not (entries or told or settled or waiting) and await self._journal.last() <= self._known:
            return False
        try:
            done = await self._db.run(self._pass, (*told, *settled, *entered), frozen, read, slots, waiting, hopeless)
        except _Overtaken:
            # A predecessor's last transaction came through after we had looked, or somebody drives beside us.
            log.warning("the queues were changed by somebody else: they are read again")
            await self._load()
            return True
        except BaseException:
            self._inbox, self._frozen = [*told, *self._inbox], [*frozen, *self._frozen]
            raise
        if layouts is not self._configured:
            self._configured = layouts
            self._effects.reconfigured()
        self._accept(done, read)
        return bool(entries) or done.unread or bool(self._inbox)

    async def kill(self) -> None:
        """Stop what is under way, and leave everything as it is."""
        await self._effects.close()

    async def close(self) -> None:
        """Stop, and spare the next start what is known now."""
        await self.kill()
        if self._known > self._snapshot:
            await self._db.run_silent(store.save_snapshot, self._view.queues, self._known)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nothing is left to look at, as far as is known here."""
        return not (self._stepping or self._effects.busy or self._inbox or self._wake.is_set())

    def _accept(self, done: _Pass, read: int | None) -> None:
        self._view, self._known, self._began = done.view, done.upto, True
        self._waiting = ((self._waiting - done.planned) | done.waiting) & done.view.queues.keys()
        self._wanting = done.wanting & done.view.queues.keys()
        if read is not None:
            self._read = read
        elif not done.unread:
            self._read = done.upto
        if self._lease is not None:
            given = (command.build for command in done.commands if isinstance(command, facts.BuildAssigned))
            self._results.heard.update(dict.fromkeys(given, self._clock.now()))
        self._effects.perform(done.commands, done.aborted)

    def _committed(self, last: int) -> None:
        if last > self._known:
            self._wake.set()

    async def _sleep(self) -> None:
        """Until something happens; now and then also without, for executors that have room again."""
        if self._known - self._snapshot > self._snapshot_every:
            self._snapshot = self._known
            await self._db.run_silent(store.save_snapshot, self._view.queues, self._known)
        ticking = asyncio.ensure_future(self._clock.sleep(self._tick))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((ticking, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ticking.cancel()
            waking.cancel()

    def _answered(self, told: Sequence[facts.QueueFact], jobs: Sequence[FrozenJob]) -> None:
        self._inbox += told
        self._frozen += jobs
        self._wake.set()

    def _expired(self) -> list[facts.QueueFact]:
        if self._lease is None:
            return []
        lost = silent(self._view.queues.values(), self._results.heard, self._clock.now(), self._lease)
        for _, command in lost:
            log.warning("the executor of build %s is silent: it is given to another", command.build)
            self._results.heard[command.build] = self._clock.now()
        return [command for _, command in lost]

    def _room(self, slots: int, queues: Iterable[Queue], hopeless: Collection[str]) -> Room:
        found = ((name, self._ties.layouts.current(name)) for name in self._ties.layouts.tenants())
        layouts = [(name, layout) for name, layout in found if layout is not None]
        limits = {(name, one): known.max for name, layout in layouts for one, known in layout.semaphores.items()}
        limits |= {("", one): size for _, layout in layouts for one, size in layout.tenant.global_semaphores.items()}
        shared = {(name, one) for name, layout in layouts for one in layout.tenant.global_semaphores}
        return Room(slots, tuple(queues), limits, shared, hopeless)

    # One pass, on the writer's thread

    def _pass(
        self,
        session: Session,
        told: Sequence[facts.QueueFact],
        frozen: Sequence[FrozenJob],
        read: int | None,
        slots: int,
        waiting: Iterable[str],
        hopeless: Collection[str],
    ) -> _Pass:
        """Record, plan, store. Everything that others committed before is seen, and nothing comes in between."""
        done = _Pass(self._view.copy(), self._known)
        writing = _Writing(session, done, self._clock.now())
        for entry in journal.read_in(session, self._known, _KINDS, limit=100_000):
            if isinstance(entry.event, facts.QueueFact):
                raise _Overtaken
            if isinstance(entry.event, FOLDED):
                writing.fold(entry.event)
            done.unread = done.unread or (isinstance(entry.event, TRIGGERS) and entry.id > (read or 0))
        for fact in told:
            writing.write(fact)
        store.keep_jobs(session, frozen)
        room = self._room(slots, done.view.queues.values(), hopeless)
        done.planned = writing.touched.union(waiting) & done.view.queues.keys()
        past, losses = partial(history.past_providers, session), partial(history.lost_providers, session)
        providers = Providers(done.view, past, losses)
        wishes: list[Wish] = []
        for name in [name for name in done.view.queues if name in done.planned]:
            wishes += _ask(name, writing, done, room, providers)
        for queue, command in by_urgency(wishes, done.view.queues.values(), slots):
            if room.takes(queue, command):
                writing.write(command)
                done.commands.append(command)
            else:
                done.waiting.add(queue.id)
        done.commands += [fact for fact in told if isinstance(fact, facts.BuildAssigned)]
        done.upto = writing.store()
        if read is not None:
            journal.move_cursor(session, READER, read)
        return done


def _ask(name: str, writing: _Writing, done: _Pass, room: Room, providers: Providers) -> list[Wish]:
    """Accept what a queue asks for; the builds that it would have come back, until executors are given out."""
    refused = True
    wishes: list[Wish] = []
    while refused and (queue := done.view.queues.get(name)) is not None:
        refused, wishes = False, []
        for command in plan(queue, writing.at):
            settled = providers.settle(queue, command)
            if isinstance(settled, facts.BuildAssigned):
                wishes.append((queue, settled))
            elif settled is None:
                done.waiting.add(name)
            elif room.takes(queue, settled):
                writing.write(settled)
                done.commands.append(settled)
                refused = refused or isinstance(settled, facts.RequirementsFailed)
            else:
                done.wanting.add(name)
    return wishes


class _Writing:
    """Facts go into the queues, the journal and the rows together. `touched` are the queues that changed."""

    def __init__(self, session: Session, done: _Pass, at: datetime) -> None:
        self._session = session
        self._done = done
        self._facts: list[facts.QueueFact] = []
        self._rows: list[store.Row] = []
        self.at = at
        self.touched: set[str] = set()

    def fold(self, event: Event) -> None:
        """A fact that is in the journal already."""
        for before, after in self._done.view.apply(event):
            self.touched.add(after.id)
            if isinstance(event, BuildCompleted):
                self._rows += store.rows_of_end(event, before, after)

    def write(self, fact: facts.QueueFact) -> None:
        """A fact of ours: nothing of it is kept when it says nothing new about anything that is there."""
        for before, after in self._done.view.apply(fact):
            if before is after and not isinstance(fact, facts.QueueOpened):
                continue
            self.touched.add(after.id)
            self._facts.append(fact)
            self._rows += store.rows_of(fact, after, self.at)
            if isinstance(fact, LOSING):
                self._done.aborted.update(abandoned(before, after, fact))

    def store(self) -> int:
        """Write all of it; the id of the newest entry of the journal."""
        store.write(self._session, self._rows)
        store.abort(self._session, self._done.aborted, self.at)
        return journal.append_all(self._session, self._facts, self.at)


def replay(session: Session) -> tuple[View, int, int]:
    """The queues as the facts tell, the reader's cursor, and the last journal id."""
    queues, after = store.load_snapshot(session)
    view = View.of(queues)
    kinds = (*facts.ALL, *FOLDED)
    while entries := journal.read_in(session, after, kinds, limit=5000):
        for entry in entries:
            view.apply(entry.event)
        after = entries[-1].id
    return view, journal.cursor(session, READER), journal.last_in(session)

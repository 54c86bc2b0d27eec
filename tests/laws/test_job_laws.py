# SPDX-License-Identifier: Apache-2.0
"""The laws of jobs, on random graphs and schedules: semaphores are never exceeded, pauses and waiting end."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatebot.events import BuildCompleted, BuildPaused, SemaphoresAsked, SemaphoresReleased
from gatebot.pipeline.dispatching import held
from gatebot.pipeline.queue.plan import plan
from gatebot.pipeline.queue.verdict import judge
from tests.fakes.gate import NOW, Change
from tests.fakes.jobs import Counting, job

NAMES = ("image", "unit", "deploy", "measure")
LIMITS = {("main", "cloud"): 1, ("main", "lab"): 2}
SEMAPHORES = ("cloud", "lab")

law = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32)


class Site:
    """Two queues of one tenant that share semaphores, and what happens to them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.queues = [Counting(limits=dict(LIMITS)), Counting(limits=dict(LIMITS))]
        self.number = 0

    def look(self, q: Counting) -> None:
        q.beside = tuple(replace(other.queue, id="other") for other in self.queues if other is not q)

    def step(self, kinds: str) -> None:
        q = self.rng.choice(self.queues)
        self.look(q)
        build = self.rng.choice(list(q.running.values())) if q.running else None
        match self.rng.choice(kinds), build:
            case "E", _:
                self.number += 1
                q.enqueue(Change(self.number, jobs=self.graph()))
            case "W", _ if q.queue.items:
                q.withdraw(self.rng.choice(next(iter(q.queue.items.values())).numbers))
            case "A", one if one:
                q.happen(SemaphoresAsked(one.build, one.fence, (self.rng.choice(SEMAPHORES),)))
            case "P", one if one:
                q.happen(BuildPaused(one.build, one.fence, child_jobs=self.chosen()))
            case "R", one if one:
                q.finish(one, "", retry=True)
            case "F", one if one:
                holds = q.queue.items[one.item].builds[one.job].holds
                if holds and self.rng.random() < 0.5:
                    q.happen(SemaphoresReleased(one.build, one.fence, holds))
                else:
                    self.end(q, one)
            case _:
                q.happen()
        q.settle()

    def end(self, q: Counting, one) -> None:
        result = self.rng.choice(("SUCCESS", "SUCCESS", "FAILURE"))
        q.running.pop(one.build)
        q.results[one.item, q.queue.items[one.item].attempt, one.job] = (result, one.state)
        q.happen(BuildCompleted(one.build, one.fence, result, child_jobs=self.chosen()))

    def chosen(self) -> tuple[str, ...] | None:
        if self.rng.random() < 0.7:
            return None
        return tuple(self.rng.sample((*NAMES, "nonsense"), self.rng.randint(0, 3)))

    def graph(self):
        return tuple(
            job(
                name,
                *self.rng.sample(NAMES[:place], self.rng.randint(0, place) // 2),
                voting=self.rng.random() < 0.8,
                semaphores=tuple(self.rng.sample(SEMAPHORES, self.rng.choice((0, 0, 1, 2)))),
            )
            for place, name in enumerate(NAMES)
        )

    def check(self) -> None:
        taken = Counter(name for q in self.queues for _, names in held(q.queue) for name in names)
        assert all(taken[name] <= most for (_, name), most in LIMITS.items()), taken
        for q in self.queues:
            for item in q.queue.items.values():
                waiting = [build for build in item.unfinished if build.paused and not build.resumed]
                assert not set(waiting) & set(judge(item).resumes), "a paused build that nobody needs was not told"


@law
@given(seeds)
def test_semaphores_are_never_exceeded_and_pauses_end_as_soon_as_nobody_needs_them(seed: int) -> None:
    site = Site(seed)
    for _ in range(50):
        site.step("EEAAPPRFFFFFW")
        site.check()


@law
@given(seeds)
def test_when_nothing_new_comes_all_builds_end_every_item_leaves_and_nothing_is_held(seed: int) -> None:
    site = Site(seed)
    for _ in range(25):
        site.step("EAPRFFW")
    for _ in range(600):
        if not any(q.queue.items for q in site.queues):
            break
        site.step("FFFFN")
    for q in site.queues:
        assert not q.queue.items
        assert not q.queue.owners
        assert dict(held(q.queue)) == {}


@law
@given(seeds)
def test_replaying_the_facts_of_jobs_gives_the_same_queue_and_planning_once_more_adds_nothing_but_wishes(
    seed: int,
) -> None:
    site = Site(seed)
    for _ in range(30):
        site.step("EEAPRFF")
    for q in site.queues:
        assert q.replayed() == q.queue
        site.look(q)
        q.happen()
        assert [command for command in plan(q.queue, NOW) if q._accepted(command) is not None] == []

# SPDX-License-Identifier: Apache-2.0
"""The laws of the gate, on random schedules: whatever happens, in whatever order, they hold.

A schedule is drawn by hypothesis; the world around the queue is simulated in `tests/fakes/gate.py`, where the first
law (nothing merges but what was tested on exactly that trunk) is asserted at every single landing.
"""

from __future__ import annotations

import random
from datetime import datetime
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatebot.assignment import JobDependency
from gatebot.events import BuildCompleted
from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.config.model import Speculation, Window
from gatebot.pipeline.queue import classic, facts
from gatebot.pipeline.queue.model import Outcome, PlannedJob, Queue
from gatebot.pipeline.queue.plan import STRATEGIES, plan
from gatebot.pipeline.queue.record import record
from gatebot.pipeline.reconfiguring import reconfigured
from gatebot.reasons import reason
from tests.fakes.configuration import tenant_layout
from tests.fakes.gate import NOW, Change, Gate

HOME = "main/gate/shared"
GATE = "- pipeline: {name: gate, manager: %s, window: %d, window-floor: 1%s}\n- queue: {name: shared%s}\n"
MANAGER, SHARED = "dependent", "- project: {queue: shared, gate: {jobs: [noop]}}"
CYCLES = ", allow-circular-dependencies: true"
PLACES = (("api", "main"), ("client", "main"), ("api", "stable"))
JOBS = (
    PlannedJob("build", "d0"),
    PlannedJob("unit", "d1", needs=(JobDependency("build"),)),
    PlannedJob("style", "d2", voting=False),
)


def truth(seed: int, share: float):
    """Whether a job passes on a state: fixed for the state, wanted by nobody, as in life."""

    def verdict(change: Change, job: str, state) -> bool:
        return random.Random(f"{seed}/{change.number}/{job}/{sorted(state.items())}").random() > share

    return verdict


def configured(pipelines: str, *, api: str = SHARED, client: str = SHARED) -> Layout:
    """A layout of the projects of `PLACES`; without a text there is no such project."""
    texts = {name: text for name, text in (("api", api), ("client", client)) if text}
    return tenant_layout(texts, pipelines)


LAYOUTS = (
    *(configured(GATE % (MANAGER, *how, CYCLES)) for how in ((20, ""), (3, ", window-ceiling: 4"), (0, ""))),
    configured(GATE % (MANAGER, 2, ", precedence: high, start: {gatebot: {Verified: 0}}", CYCLES)),
    configured(GATE % (MANAGER, 20, "", "")),
    configured(GATE % (MANAGER, 20, "", CYCLES), client=""),
    configured(GATE % (MANAGER, 20, "", CYCLES), api="- project: {gate: {jobs: [noop]}}"),
    configured(GATE % ("independent", 20, "", CYCLES)),
    configured("- pipeline: {name: other, manager: dependent}\n"),
)
"""What a site may be configured to meanwhile: windows, moments, no cycles, no such project, another queue or gate."""


def reconfigure(gate: Gate, layout: Layout) -> None:
    """Another layout holds: what follows from it for this queue. What moves to another queue is of no interest here."""
    told = reconfigured([gate.queue], {"main": layout})
    gate.happen(*(fact for fact in told if fact.queue == gate.name))


def play(seed: int, *, steps: int = 60, share: float = 0.15, promotes: bool = True, check=lambda gate: None) -> Gate:
    """A schedule of changes and cycles, answers, results, withdrawals and more, and then quiet until all is done."""
    rng = random.Random(seed)
    window = rng.choice([Window(), Window(2, 1), Window(3, 1, ceiling=4), Window(0)])
    gate = Gate(truth(seed, rng.choice([0, share, 0.5])), window=window, name=HOME)
    number = 0
    for _ in range(steps):
        match rng.choice("EEECAAAAAABBBBBBSPWRFOL"):
            case "E":
                number += 1
                gate.enqueue(_change(rng, number, gate))
            case "C":
                number += 2
                gate.happen(gate.enqueued(*(_change(rng, one, gate) for one in (number - 1, number))))
            case "O" if promotes and gate.queue.items:
                gate.promote(*rng.sample([item.numbers[0] for item in gate.queue.items.values()], 1))
            case "A" if gate.asked:
                gate.answer(rng.randrange(len(gate.asked)))
            case "B" if gate.running:
                gate.finish(rng.choice(list(gate.running.values())))
            case "S" if gate.running:
                gate.start(rng.choice(list(gate.running.values())))
            case "P" if gate.trunk and rng.random() < 0.4:
                gate.push(rng.choice(sorted(gate.trunk)))
            case "W" if gate.queue.items and rng.random() < 0.4:
                gate.withdraw(rng.choice([n for item in gate.queue.items.values() for n in item.numbers]))
            case "R" if gate.running:
                gate.finish(rng.choice(list(gate.running.values())), "", retry=True)
            case "L" if rng.random() < 0.4:
                reconfigure(gate, rng.choice(LAYOUTS))
            case "F" if rng.random() < 0.2:
                gate.refuse = None if gate.refuse else reason("review.not-submittable")
            case _:
                continue
        check(gate)
    gate.refuse = None
    while gate.asked or gate.running:
        while gate.asked:
            gate.answer(rng.randrange(len(gate.asked)))
        if gate.running:
            gate.finish(rng.choice(list(gate.running.values())))
        check(gate)
    return gate


def _change(rng: random.Random, number: int, gate: Gate) -> Change:
    project, branch = rng.choice(PLACES)
    inside = [n for item in gate.queue.items.values() for n in item.numbers]
    needs = tuple(rng.sample(inside, 1)) if inside and rng.random() < 0.3 else ()
    clashes = tuple(rng.sample(inside, 1)) if inside and rng.random() < 0.15 else ()
    reads = tuple(f"{p}:{b}" for p, b in PLACES if rng.random() < 0.3)
    for p, b in PLACES:
        gate.trunk.setdefault(f"{p}:{b}", "root")
    return Change(number, project, branch, needs, clashes, JOBS[: rng.randint(1, 3)], reads)


law = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32)


@law
@given(seeds)
def test_a_change_merges_only_as_it_was_tested_and_when_events_stop_the_queue_empties(seed: int) -> None:
    gate = play(seed)
    assert not gate.queue.items
    assert not gate.queue.owners
    assert not gate.queue.reports
    assert sorted(gate.departed) == sorted(gate.changes)
    assert sorted(gate.merged) == sorted(n for n, how in gate.departed.items() if how is Outcome.MERGED)


@law
@given(seeds)
def test_planning_again_after_the_commands_were_recorded_adds_nothing(seed: int) -> None:
    def check(gate: Gate) -> None:
        assert plan(gate.queue, NOW) == ()

    play(seed, check=check)


@law
@given(seeds)
def test_passing_over_the_items_that_rest_changes_nothing(seed: int) -> None:
    def visit_all(queue: Queue, now: datetime) -> tuple[facts.QueueFact, ...]:
        size = queue.window if queue.policy.ordered and queue.window else len(queue.items)
        every = [(item, position < size) for position, item in enumerate(queue.items.values())]
        slow = patch.object(classic._Walk, "passes", lambda *_, **__: False)
        with slow, patch.object(classic, "_worked_on", lambda _: every):
            return classic.propose(queue, now)

    def both(queue: Queue, now: datetime) -> tuple[facts.QueueFact, ...]:
        commands = classic.propose(queue, now)
        assert commands == visit_all(queue, now)
        return commands

    with patch.dict(STRATEGIES, {Speculation.CLASSIC: both}):
        play(seed)


@law
@given(seeds)
def test_replaying_the_facts_gives_the_same_queue(seed: int) -> None:
    def check(gate: Gate) -> None:
        assert gate.replayed() == gate.queue

    play(seed, steps=25, check=check)


@law
@given(seeds)
def test_merges_keep_the_order_of_the_queue_where_nobody_promotes(seed: int) -> None:
    gate = play(seed, promotes=False)
    assert gate.merged == sorted(gate.merged)


@law
@given(seeds)
def test_every_change_merges_after_what_it_needs_whoever_is_promoted(seed: int) -> None:
    gate = play(seed)
    for number in gate.merged:
        before = gate.merged[: gate.merged.index(number)]
        assert set(gate.changes[number].needs) <= {*before, *gate.members[gate.item_of(number)]}


@law
@given(seeds)
def test_the_changes_of_a_cycle_merge_all_together_or_not_at_all(seed: int) -> None:
    gate = play(seed)
    for numbers in gate.members.values():
        assert {number in gate.merged for number in numbers} in ({True}, {False})


@law
@given(seeds)
def test_every_departure_but_a_merge_has_a_reason(seed: int) -> None:
    gate = play(seed, share=0.4)
    for fact in gate.left:
        moved = fact.reason is not None and fact.reason.kind == "pipeline.moved-to-queue"
        assert (fact.moment is None) is moved, "whoever only moves to another queue is told nothing"
        assert (fact.reason is None) == (fact.outcome is Outcome.MERGED)


@law
@given(seeds, st.sampled_from(["SUCCESS", "FAILURE"]))
def test_a_result_of_an_older_attempt_or_of_an_older_fence_changes_nothing(seed: int, result: str) -> None:
    def check(gate: Gate) -> None:
        for old in gate.cancelled:
            late = BuildCompleted(old.build, old.fence, result)
            assert record(gate.queue, late) == gate.queue
        for build in gate.running.values():
            assert record(gate.queue, BuildCompleted(build.build, build.fence - 1, result)) == gate.queue

    play(seed, check=check)


@law
@given(seeds)
def test_nothing_merges_on_a_head_that_is_undecided(seed: int) -> None:
    def check(gate: Gate) -> None:
        waiting = [fact for fact in gate.asked if isinstance(fact, facts.LandAsked)]
        assert len(waiting) <= 1

    play(seed, check=check)


@law
@given(seeds)
def test_a_window_never_leaves_its_limits_and_only_items_inside_get_new_builds(seed: int) -> None:
    sizes: list[int] = []

    def check(gate: Gate) -> None:
        window, size = gate.queue.policy.window, gate.queue.window
        before = sizes[-1] if sizes else gate.first.policy.window.size
        sizes.append(size)
        assert (size == 0) is (window.size == 0), "no limit, where none is configured, and nowhere else"
        # Another configuration leaves the size as it was: it is led back between its limits, and never further out.
        assert size >= min(window.floor, window.size, before)
        assert window.ceiling is None or size <= max(window.ceiling, window.size, before)

    play(seed, check=check)

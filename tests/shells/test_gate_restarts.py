# SPDX-License-Identifier: Apache-2.0
"""The gate is killed between any two transactions and starts again: it goes on, and nothing happens twice.

`Scissors` stops everything at a transaction of the test's choice: either it never happened, or it is stored and nobody
was told. (The real process is killed in `tests/chaos`.)
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot.assignment import Assignment
from gatebot.events import ChangeMerged
from gatebot.pipeline import driver as driving
from gatebot.pipeline import store
from tests.fakes.pipeline_house import PipelineHouse


@pytest.fixture
async def house(room_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    made = await asyncio.to_thread(PipelineHouse, room_url, tmp_path / "git")
    async with made:
        yield made


class Scissors:
    """Cuts the life of a house at one of its transactions; the ones after it never return."""

    def __init__(self, house: PipelineHouse) -> None:
        self._house = house
        self._run = house.db.run
        self._left = 0
        self._stored = False
        self.cut = asyncio.Event()
        house.db.run = self._counted  # type: ignore[method-assign]

    def arm(self, transactions: int, *, stored: bool) -> None:
        self._left, self._stored = transactions, stored
        self.cut.clear()

    async def _counted(self, fn, *args, **kwargs):  # type: ignore[no-untyped-def]
        if self.cut.is_set():
            await asyncio.Event().wait()
        self._left -= 1
        if self._left == 0:
            if self._stored:
                await self._run(fn, *args, **kwargs)
            self.cut.set()
            await asyncio.Event().wait()
        return await self._run(fn, *args, **kwargs)


async def live(house: PipelineHouse, scissors: Scissors) -> None:
    """Run until the cut, or until there is nothing left to do."""
    running = asyncio.create_task(house.driver.run())
    cutting = asyncio.create_task(scissors.cut.wait())
    quiet = 0
    while not cutting.done() and quiet < 20:
        await asyncio.sleep(0.002)
        quiet = quiet + 1 if house.driver.idle else 0
    for task in (running, cutting):
        task.cancel()
    await asyncio.gather(running, cutting, return_exceptions=True)


@pytest.mark.zuul(130, 131)
async def test_killed_at_any_transaction_nothing_is_lost_or_done_twice(house: PipelineHouse) -> None:
    scissors = Scissors(house)
    chance = random.Random(7)
    finished: set[str] = set()

    def rule(assignment: Assignment) -> str:
        assert assignment.build not in finished, "a build that ended was run again"
        return "FAILURE" if assignment.changes[-1].subject.startswith("Bad") else "SUCCESS"

    house.dispatch.rule = rule
    good: list[int] = []
    bad: list[int] = []
    cuts = 0
    for turn in range(14):
        base = house.review.tip("api")
        names = [f"Bad {turn}" if n == turn % 4 else f"Good {turn}-{n}" for n in range(3)]
        changes = [house.push("api", {f"{turn}-{n}": "x\n"}, name, onto=base) for n, name in enumerate(names)]
        await house.approve(*changes)
        good += [change.number for change, name in zip(changes, names, strict=True) if name.startswith("Good")]
        bad += [change.number for change, name in zip(changes, names, strict=True) if name.startswith("Bad")]
        scissors.arm(chance.randrange(1, 25), stored=chance.random() < 0.5)
        await live(house, scissors)
        cuts += scissors.cut.is_set()
        scissors.arm(0, stored=False)
        finished.update(build for build, _ in await house.db.read(_ended))
        await house.restart()
        await house.settle()
    assert cuts >= 10
    merged = Counter(event.change for event in house.review.facts(ChangeMerged))
    assert merged == Counter(good)
    for number in bad:
        assert sum("Verified-2" in text for text in house.said(number)) == 1
    for number in good:
        assert sum("Verified-2" in text for text in house.said(number)) == 0
    view, _, _ = await house.db.read(driving.replay)
    assert view.queues == house.driver.queues


def _ended(session: store.Session) -> list[tuple[str, str]]:
    rows = session.execute(store.builds.select().where(store.builds.c.result.in_(("SUCCESS", "FAILURE"))))
    return [(row.uuid, row.result) for row in rows]


@pytest.mark.zuul(130)
async def test_builds_that_ran_at_a_kill_start_again_with_a_higher_fence(house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.approve(change)
    await house.settle()
    before = house.dispatch.of(1)
    await house.restart()
    await house.settle()
    again = house.dispatch.of(1)
    assert (again.build, again.fence) == (before.build, before.fence + 1)
    assert await house.dispatch.finish(before, "FAILURE") is False
    house.dispatch.running[again.build] = again
    await house.passes(1)
    assert house.status(1) == "MERGED"


async def test_a_snapshot_and_no_snapshot_give_the_same_queues(house: PipelineHouse) -> None:
    base = house.review.tip("api")
    changes = [house.push("api", {f"{n}.txt": "x\n"}, f"Add {n}", onto=base) for n in range(3)]
    await house.approve(*changes)
    await house.settle()
    await house.fails(2)
    await house.driver.close()
    with_snapshot, _, _ = await house.db.read(driving.replay)
    await house.db.run(lambda session: session.execute(store.snapshots.delete()))
    without, _, _ = await house.db.read(driving.replay)
    assert with_snapshot == without
    assert list(without.queues["main/gate/shared"].items) == list(house.driver.queues["main/gate/shared"].items)

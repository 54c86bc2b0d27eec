# SPDX-License-Identifier: Apache-2.0
"""The clock of the tests keeps time as the real one would."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tests.fakes.clock import START, FakeClock


async def test_sleepers_wake_in_order_when_the_clock_is_moved(fake_clock: FakeClock) -> None:
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await fake_clock.sleep(seconds)
        woken.append(name)

    tasks = [asyncio.create_task(sleeper("late", 3)), asyncio.create_task(sleeper("early", 1))]
    await asyncio.sleep(0)
    fake_clock.advance(2)
    await asyncio.sleep(0)
    assert woken == ["early"]
    fake_clock.advance(1)
    await asyncio.gather(*tasks)
    assert woken == ["early", "late"]
    assert fake_clock.now() == START + timedelta(seconds=3)


async def test_a_task_that_sleeps_again_wakes_at_every_moment_it_slept_for(fake_clock: FakeClock) -> None:
    moments: list[float] = []

    async def ticker() -> None:
        while True:
            await fake_clock.sleep(1)
            moments.append((fake_clock.now() - START).total_seconds())

    task = asyncio.create_task(ticker())
    await fake_clock.run(3.5)
    task.cancel()
    assert moments == [1, 2, 3]
    assert fake_clock.now() == START + timedelta(seconds=3.5)


async def test_a_cancelled_sleeper_is_forgotten(fake_clock: FakeClock) -> None:
    task = asyncio.create_task(fake_clock.sleep(1))
    await asyncio.sleep(0)
    assert fake_clock.sleeping == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert fake_clock.sleeping == 0
    fake_clock.advance(1)
    assert fake_clock.now() == START + timedelta(seconds=1)

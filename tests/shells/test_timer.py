# SPDX-License-Identifier: Apache-2.0
"""Timers of pipelines: what their times mean, and that they follow the configuration while the server runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatebot.journal import Journal
from gatebot.pipeline.model import TimerFired
from gatebot.pipeline.timer import Timer, cron
from tests.fakes.pipeline_house import CONFIG, PipelineHouse

NIGHTLY = """
- pipeline:
    name: periodic
    manager: independent
    trigger: {timer: [{time: "0 3 * * *"}]}
"""


@pytest.fixture
async def house(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    path = tmp_path / "gatebot.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    async with await asyncio.to_thread(PipelineHouse, f"sqlite:///{path}", tmp_path / "git") as house:
        yield house


def test_weekday_zero_is_monday_as_in_zuul() -> None:
    sunday = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert cron("0 6 * * 0").get_next_fire_time(None, sunday) == datetime(2026, 11, 23, 6, tzinfo=UTC)
    assert cron("0 6 * * mon").get_next_fire_time(None, sunday) == datetime(2026, 11, 23, 6, tzinfo=UTC)


async def test_a_timer_that_is_configured_later_fires_without_a_restart(house: PipelineHouse) -> None:
    timer = Timer(house.db, house.layouts, house.clock)
    timer.start()
    assert timer.scheduled == ()
    house.commit_to("gatebot-config", {"zuul.yaml": CONFIG + NIGHTLY})
    await asyncio.to_thread(house.layouts.refresh)
    await asyncio.sleep(0)
    assert timer.scheduled == (("main", "periodic", 0),)
    house.commit_to("gatebot-config", {"zuul.yaml": CONFIG})
    await asyncio.to_thread(house.layouts.refresh)
    await asyncio.sleep(0)
    assert timer.scheduled == ()
    timer.close()


async def test_firing_is_a_fact_in_the_journal(house: PipelineHouse) -> None:
    house.commit_to("gatebot-config", {"zuul.yaml": CONFIG + NIGHTLY})
    await asyncio.to_thread(house.layouts.refresh)
    timer = Timer(house.db, house.layouts, house.clock)
    timer.start()
    layout = house.layouts.current("main")
    assert layout is not None
    await timer.fire(("main", "periodic", 0), layout.pipelines["periodic"].timers[0])
    timer.close()
    entries = await Journal(house.db).read(0, kinds=(TimerFired,))
    assert [entry.event for entry in entries] == [TimerFired("main", "periodic", 0, False)]

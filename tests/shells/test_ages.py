# SPDX-License-Identifier: Apache-2.0
"""Pipelines that ask how old votes are: time alone lets a change in, and takes one out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.pipeline_house import CONFIG, PipelineHouse


@pytest.fixture
async def house(room_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    made = await asyncio.to_thread(PipelineHouse, room_url, tmp_path / "git")
    async with made:
        yield made


async def ask_for(house: PipelineHouse, age: str) -> None:
    """The gate asks for a Workflow vote of an age."""
    asked = CONFIG.replace("[{Code-Review: 2}, {Workflow: 1}]", f"[{{Code-Review: 2}}, {{Workflow: 1, {age}}}]")
    assert asked != CONFIG
    house.commit_to("gatebot-config", {"zuul.yaml": asked})
    await asyncio.to_thread(house.layouts.refresh)


async def test_a_change_enters_by_itself_when_its_approval_is_old_enough(house: PipelineHouse) -> None:
    await ask_for(house, "older-than: 1h")
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    await house.approve(change)
    await house.settle()
    assert "gate" not in house.running
    house.clock.advance(3599)
    await house.settle()
    assert "gate" not in house.running
    house.clock.advance(1)
    await house.settle()
    assert house.running["gate"] == [1]


async def test_a_change_leaves_when_its_approval_is_too_old(house: PipelineHouse) -> None:
    await ask_for(house, "newer-than: 1h")
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    await house.approve(change)
    await house.settle()
    assert house.running["gate"] == [1]
    house.clock.advance(3600)
    await house.settle()
    assert "gate" not in house.running


async def test_a_restart_forgets_no_time_that_is_awaited(house: PipelineHouse) -> None:
    await ask_for(house, "older-than: 1h")
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    await house.approve(change)
    await house.settle()
    await house.restart()
    house.clock.advance(3600)
    await house.settle()
    assert house.running["gate"] == [1]

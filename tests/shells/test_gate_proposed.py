# SPDX-License-Identifier: Apache-2.0
"""Configuration that changes propose, in check and gate: used from the change that brings it on, never when broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot.review import conversation
from tests.fakes.pipeline_house import CONFIG, PROJECT, PipelineHouse

MORE = "- job: {name: more}\n" + PROJECT.replace("gate: {jobs: [unit]}", "gate: {jobs: [unit, more]}")


@pytest.fixture
async def house(room_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    made = await asyncio.to_thread(PipelineHouse, room_url, tmp_path / "git")
    async with made:
        yield made


def jobs(house: PipelineHouse) -> dict[str, list[int]]:
    """What runs in the gate: job -> the changes that it tests."""
    found: dict[str, list[int]] = {}
    for one in house.dispatch.running.values():
        if one.pipeline == "gate":
            found.setdefault(one.job.name, []).append(one.changes[-1].number)
    return {name: sorted(numbers) for name, numbers in found.items()}


@pytest.mark.zuul(123)
async def test_a_new_job_runs_for_the_change_that_brings_it_for_those_behind_and_then_for_all(
    house: PipelineHouse,
) -> None:
    first = house.push("api", {".zuul.yaml": MORE}, "Run more")
    second = house.push("api", {"b.txt": "b\n"}, "Add b")
    await house.approve(first, second)
    await house.settle()
    assert jobs(house) == {"unit": [1, 2], "more": [1, 2]}
    for number in (1, 2):
        await house.passes(number, "unit")
        await house.passes(number, "more")
    third = house.push("api", {"c.txt": "c\n"}, "Add c")
    await house.approve(third)
    await house.settle()
    assert jobs(house) == {"unit": [3], "more": [3]}


@pytest.mark.zuul(123)
async def test_when_the_change_that_brings_a_job_fails_those_behind_run_without_it(house: PipelineHouse) -> None:
    first = house.push("api", {".zuul.yaml": MORE}, "Run more")
    second = house.push("api", {"b.txt": "b\n"}, "Add b")
    await house.approve(first, second)
    await house.settle()
    await house.fails(1, "more")
    assert jobs(house) == {"unit": [1, 2]}


@pytest.mark.zuul(124)
async def test_broken_configuration_runs_nothing_and_leaves_the_tenant_as_it_is(house: PipelineHouse) -> None:
    first = house.push("api", {".zuul.yaml": MORE.replace("more]", "more, nowhere]")}, "Run what there is not")
    second = house.push("api", {"b.txt": "b\n"}, "Add b")
    await house.approve(first, second)
    await house.settle()
    assert jobs(house) == {"unit": [2]}
    assert "api .zuul.yaml:6: There is no job nowhere. Define it, or correct the name." in house.said(1)[-1]
    remarks = house.review.read(conversation.list_comments, 1)
    assert [(one.file, one.line, one.text) for one in remarks] == [
        (".zuul.yaml", 6, "There is no job nowhere. Define it, or correct the name.")
    ]
    layout = house.layouts.current("main")
    assert layout is not None
    assert layout.errors == ()


@pytest.mark.zuul(125)
async def test_what_a_change_breaks_in_another_project_stops_it_and_names_the_place(house: PipelineHouse) -> None:
    await asyncio.to_thread(house.commit_to, "api", {".zuul.yaml": MORE})
    uses = PROJECT.replace("gate: {jobs: [unit]}", "gate: {jobs: [unit, more]}")
    await asyncio.to_thread(house.commit_to, "client", {".zuul.yaml": uses})
    await asyncio.to_thread(house.layouts.refresh)
    change = house.push("api", {".zuul.yaml": PROJECT}, "Run less")
    await house.approve(change)
    await house.settle()
    assert jobs(house) == {}
    assert "client .zuul.yaml:5: There is no job more. Define it, or correct the name." in house.said(1)[-1]


@pytest.mark.zuul(127)
async def test_configuration_of_the_config_project_is_checked_and_not_used_before_it_is_merged(
    house: PipelineHouse,
) -> None:
    broken = house.push("gatebot-config", {"zuul.yaml": CONFIG.replace("name: unit", "nam: unit")}, "Break it")
    swapped = house.push("gatebot-config", {"zuul.yaml": CONFIG + "- job: {name: noop}\n"}, "Pass at once")
    sound = house.push("gatebot-config", {"zuul.yaml": CONFIG.replace("name: unit", "name: unit, timeout: 9")}, "Less")
    behind = house.push("api", {"a.txt": "a\n"}, "Add a", body=f"Depends-On: {sound.change_id}")
    await house.settle()
    assert "gatebot-config zuul.yaml:" in house.said(broken.number)[-1]
    assert "gatebot-config zuul.yaml:" in house.said(swapped.number)[-1]
    await house.approve(behind)
    await house.settle()
    assert all(assignment.job.timeout is None for assignment in house.dispatch.assigned)

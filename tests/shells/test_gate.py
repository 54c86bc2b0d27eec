# SPDX-License-Identifier: Apache-2.0
"""The gate on real repositories and databases, with the real review room: what people see when they push and vote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.pipeline_house import PipelineHouse


@pytest.fixture
async def house(migrated_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    made = await asyncio.to_thread(PipelineHouse, migrated_url, tmp_path / "git")
    async with made:
        yield made


async def test_a_pushed_change_is_checked_and_voted_on(house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    assert house.running == {"check": [1]}
    build = house.dispatch.of(1)
    await house.passes(1)
    assert house.said(change.number)[-1] == (
        "Patch Set 1: Verified+1\n\n"
        "Build succeeded.\n\n"
        f"- unit https://review.example.org/build/{build.build} : SUCCESS in 0s"
    )


async def test_approved_changes_merge_in_order_as_the_very_commits_that_were_tested(house: PipelineHouse) -> None:
    base = house.review.tip("api")
    one = house.push("api", {"a.txt": "a\n"}, "Add a", onto=base)
    two = house.push("api", {"b.txt": "b\n"}, "Add b", onto=base)
    await house.approve(one, two)
    await house.settle()
    assert house.running == {"gate": [1, 2]}
    tested = house.dispatch.of(2).commit
    await house.passes(2)
    assert house.status(2) == "NEW"
    await house.passes(1)
    assert (house.status(1), house.status(2)) == ("MERGED", "MERGED")
    assert house.review.tip("api") == tested
    assert (house.content("api", "a.txt"), house.content("api", "b.txt")) == ("a\n", "b\n")

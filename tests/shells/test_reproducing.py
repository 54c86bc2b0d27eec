# SPDX-License-Identifier: Apache-2.0
"""What builds were given, in the rows of both databases: everything that a run anywhere else needs, and no secret."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.pipeline.reproducing import store
from gatebot.pipeline.reproducing.bare import bare, commits_of, store_of, whole
from tests.fakes.pipeline_house import PipelineHouse


@pytest.fixture
async def house(room_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    made = await asyncio.to_thread(PipelineHouse, room_url, tmp_path / "git")
    async with made:
        yield made


async def test_what_a_build_was_given_is_found_again_without_secrets(house: PipelineHouse) -> None:
    base = house.review.tip("api")
    one = house.push("api", {"a.txt": "a\n"}, "Add a", onto=base)
    two = house.push("api", {"b.txt": "b\n"}, "Add b", onto=base)
    await house.approve(one, two)
    await house.settle()
    given = house.dispatch.of(2)
    found = await house.db.read(store.find, given.build)
    assert found is not None
    assert whole(found, given.job, given.changes) == replace(given, job=bare(given.job))
    assert [change.number for change in found.changes] == [1, 2]
    assert (store_of(found, "api"), given.commit in commits_of(found, "api")) == (
        "speculation/main%2Fgate%2Fshared",
        True,
    )


async def test_a_run_that_takes_a_build_over_is_given_the_same_and_kept_once(house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    given = house.dispatch.of(1)
    await house.db.run(store.keep, [replace(given, fence=2, secrets={"deploy": "Sesame"})])
    found = await house.db.read(store.find, given.build)
    assert found is not None
    assert (found.fence, found.secrets, found.checkouts) == (2, {}, given.checkouts)
    assert await house.db.read(store.find, "0" * 32) is None

# SPDX-License-Identifier: Apache-2.0
"""Nodes of failed builds that somebody asked for: kept with their files, taken away when it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot.executor.model import Sandbox
from tests.fakes.executor import job
from tests.fakes.workshop import Workshop, workshop


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path, Sandbox.NONE) as made:
        yield made


@pytest.mark.zuul(115)
async def test_a_wanted_node_is_kept_with_its_files_until_its_time_is_over(shop: Workshop) -> None:
    given = shop.assignment({"run.sh": "#!/bin/sh\necho evidence > ../kept; exit 1\n"}, job())
    shop.reports.wanted.add(given.build)
    assert (await shop.run(given)).result == "FAILURE"
    held = shop.executor.held
    layer = held.layer(given.build)
    assert "the node is kept by the request 7; its files are in " + str(layer) in shop.text(given.build)
    assert [path.read_text() for path in layer.rglob("kept")] == ["evidence\n"]
    await held.sweep()
    assert layer.exists()
    shop.reports.over.add(given.build)
    await held.sweep()
    assert not layer.exists()
    assert shop.reports.let == [given.build]


async def test_nobody_asks_for_the_nodes_of_builds_that_pass(shop: Workshop) -> None:
    completed, _ = await shop.script("true")
    assert completed.result == "SUCCESS"
    assert shop.reports.ended == []


async def test_a_node_that_nobody_wants_is_taken_away(shop: Workshop) -> None:
    given = shop.assignment({"run.sh": "#!/bin/sh\nexit 1\n"}, job())
    assert (await shop.run(given)).result == "FAILURE"
    assert shop.reports.ended == ["FAILURE"]
    assert not shop.executor.held.layer(given.build).exists()

# SPDX-License-Identifier: Apache-2.0
"""Nodes in the making: waited for by whoever asked, ended with whoever takes them away."""

from __future__ import annotations

import asyncio

import pytest

from gatebot.errors import Unavailable
from gatebot.executor.providers.making import Making


def told(problem: pytest.ExceptionInfo[Unavailable]) -> object:
    assert problem.value.reason is not None
    return dict(problem.value.reason.params)["told"]


async def test_a_node_is_made_once_and_waited_for() -> None:
    made: list[str] = []

    async def make() -> None:
        made.append("n")

    making = Making()
    making.begin("n", make)
    making.begin("n", make)
    await making.ready("n", 5)
    await making.ready("n", 5)
    assert made == ["n"]


async def test_a_node_that_takes_too_long_goes_on_being_made() -> None:
    go = asyncio.Event()

    async def make() -> None:
        await go.wait()

    making = Making()
    making.begin("n", make)
    with pytest.raises(Unavailable) as problem:
        await making.ready("n", 0)
    assert told(problem) == "timeout"
    go.set()
    await making.ready("n", 5)


async def test_why_a_node_cannot_be_made_reaches_whoever_waits() -> None:
    async def make() -> None:
        raise Unavailable("no room")

    making = Making()
    making.begin("n", make)
    with pytest.raises(Unavailable, match="no room"):
        await making.ready("n", 5)
    await making.end("n", cancel=False)
    with pytest.raises(Unavailable) as problem:
        await making.ready("n", 5)
    assert told(problem) == "nobody asked for it"


@pytest.mark.parametrize("cancel", [True, False])
async def test_taking_a_node_away_waits_until_nothing_makes_it_any_more(cancel: bool) -> None:
    go, ended = asyncio.Event(), asyncio.Event()

    async def make() -> None:
        try:
            await go.wait()
        finally:
            ended.set()

    making = Making()
    making.begin("n", make)
    await asyncio.sleep(0)
    if not cancel:
        go.set()
    await making.end("n", cancel=cancel)
    assert ended.is_set()
    assert "n" not in making

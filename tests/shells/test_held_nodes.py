# SPDX-License-Identifier: Apache-2.0
"""Nodes of failed builds that somebody asked for: kept with their files, taken away when it is over."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot.errors import NotFound
from gatebot.executor.model import Sandbox
from gatebot.executor.nodes.model import Wanted
from tests.fakes.executor import job
from tests.fakes.site import eventually
from tests.fakes.workshop import Workshop, processes_of, workshop


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path, Sandbox.NONE) as made:
        yield made
        await made.executor.held.give_up()


async def test_nobody_asks_for_the_nodes_of_builds_that_pass(shop: Workshop) -> None:
    completed, _ = await shop.script("true")
    assert completed.result == "SUCCESS"
    assert shop.reports.ended == []


def frame(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "big") + content


@pytest.fixture(params=[Sandbox.AUTO, Sandbox.NONE], ids=["sandboxed", "beside the server"])
async def keeping(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Workshop, str]]:
    """A kept node of a failed build, with the file that its job wrote."""
    async with workshop(tmp_path, request.param) as shop:
        given = shop.assignment({"run.sh": "#!/bin/sh\necho evidence > ../kept; exit 1\n"}, job())
        shop.reports.wanted.add(given.build)
        assert (await shop.run(given)).result == "FAILURE"
        yield shop, given.build
        await shop.executor.held.give_up()


async def visited(shop: Workshop, node: str, wanted: Wanted, typed: bytes) -> tuple[int, str]:
    """The status of a visit to a node, and what it showed."""
    readable, writable = os.pipe()
    shown: list[bytes] = []
    os.write(writable, typed)
    if not wanted.terminal:
        os.close(writable)
    try:
        ended = await asyncio.wait_for(shop.executor.held.enter(node, wanted, readable, shown.append), 30)
    finally:
        os.close(readable)
        if wanted.terminal:
            os.close(writable)
    return ended.status, b"".join(shown).decode()


async def test_a_visitor_of_a_kept_node_has_a_terminal_that_follows_the_window(keeping: tuple[Workshop, str]) -> None:
    shop, build = keeping
    typed = frame(b"d", b"tty\n") + frame(b"w", b"50 132") + frame(b"d", b"stty size; echo $TERM; exit 7\n")
    status, shown = await visited(shop, build, Wanted((), True, 24, 80, "xterm"), typed)
    assert status == 7
    assert "/dev/pts/" in shown
    assert "50 132\r\n" in shown
    assert "xterm\r\n" in shown


async def test_a_command_on_a_kept_node_gives_its_output_and_its_status(keeping: tuple[Workshop, str]) -> None:
    shop, build = keeping
    assert await visited(shop, build, Wanted(("sh", "-c", "cat; exit 3")), b"typed") == (3, "typed")
    status, shown = await visited(shop, build, Wanted(("find", ".", "-name", "kept", "-exec", "cat", "{}", ";")), b"")
    assert (status, shown) == (0, "evidence\n")


async def test_a_kept_node_outlives_its_executor_and_goes_when_its_time_is_over(tmp_path: Path) -> None:
    async with workshop(tmp_path, Sandbox.NONE) as first:
        given = first.assignment({"run.sh": "#!/bin/sh\necho evidence > ../kept; sleep 4343.4343 & exit 1\n"}, job())
        other = first.assignment({"run.sh": "#!/bin/sh\nexit 1\n"}, job())
        first.reports.wanted.add(given.build)
        for one in (given, other):
            assert (await first.run(one)).result == "FAILURE"
    (left,) = processes_of("4343.4343")
    async with workshop(tmp_path, Sandbox.NONE) as again:
        again.reports.thought.add(given.build)
        assert (list(again.executor.held.kept), list(again.executor.supply.nodes)) == ([given.build], [given.build])
        await again.executor.held.sweep()
        looked = await visited(
            again, given.build, Wanted(("find", ".", "-name", "kept", "-exec", "cat", "{}", ";")), b""
        )
        assert looked == (0, "evidence\n")
        async with asyncio.timeout(60):  # it stands still as soon as it has heard of it
            while state(left) != "T":
                await asyncio.sleep(0)
        again.reports.over.add(given.build)
        await again.executor.held.sweep()
        assert not again.executor.held.layer(given.build).exists()
        assert again.reports.let == [given.build]
        eventually(lambda: processes_of("4343.4343") == [], "what it left running ends with it", 60)
    async with workshop(tmp_path, Sandbox.NONE) as last:
        assert list(last.executor.held.kept) == []


async def test_a_sandbox_ends_with_its_executor_and_is_said_to_be_gone(tmp_path: Path) -> None:
    async with workshop(tmp_path) as first:
        given = first.assignment({"run.sh": "#!/bin/sh\nexit 1\n"}, job())
        first.reports.wanted.add(given.build)
        assert (await first.run(given)).result == "FAILURE"
    async with workshop(tmp_path) as again:
        again.reports.thought.add(given.build)
        await again.executor.held.sweep()
        assert again.reports.let == [given.build]
        assert not again.executor.held.kept


async def test_what_a_job_left_running_stops_again_when_its_visitor_leaves(shop: Workshop) -> None:
    given = shop.assignment({"run.sh": "#!/bin/sh\nsleep 4242.4242 & exit 1\n"}, job())
    shop.reports.wanted.add(given.build)
    assert (await shop.run(given)).result == "FAILURE"
    (left,) = processes_of("4242.4242")
    shown = await visited(shop, given.build, Wanted(("sh", "-c", f"cut -d ' ' -f 3 /proc/{left}/stat")), b"")
    assert shown == (0, "S\n")
    eventually(lambda: state(left) == "T", "it is stopped again")


def state(process: int) -> str:
    """What the kernel says that a process does: S waits, T is stopped."""
    return Path(f"/proc/{process}/stat").read_text().split()[2]


async def test_nobody_enters_a_node_that_is_not_kept(shop: Workshop) -> None:
    with pytest.raises(NotFound) as refused:
        await visited(shop, "0" * 32, Wanted(("true",)), b"")
    assert refused.value.reason is not None
    assert refused.value.reason.kind == "executor.node-not-held"

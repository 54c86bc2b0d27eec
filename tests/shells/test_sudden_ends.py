# SPDX-License-Identifier: Apache-2.0
"""Sandboxes whose makers are killed at the worst moment: nothing of them lives on, and no group of theirs stays."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot.errors import Unavailable
from gatebot.executor.providers import link
from gatebot.executor.providers.model import Exit
from tests.fakes.provider_contract import Node, Yard
from tests.fakes.site import eventually
from tests.fakes.workshop import started_by
from tests.programs import leave_out
from tests.shells.test_providers import LocalGround

GROUPS = Path("/sys/fs/cgroup")


@pytest.fixture
def ground(tmp_path: Path) -> LocalGround:
    """Where control groups tell which processes are of a node, whoever their parent is."""
    if os.geteuid() != 0:
        leave_out("Root", "sudo")
    return LocalGround(tmp_path)


def members(instance: str) -> list[int]:
    """All processes in control groups of an instance; those that nobody has waited for yet have ended."""
    found: list[int] = []
    for entry in os.scandir("/proc"):
        with suppress(OSError):
            if entry.name.isdigit() and f"gatebot-{instance}" in Path(entry.path, "cgroup").read_text():
                state = Path(entry.path, "stat").read_text().rpartition(") ")[2][0]
                found += [int(entry.name)] if state not in "ZX" else []
    return found


def groups(instance: str) -> Iterator[Path]:
    """The control groups of an instance, in each hierarchy."""
    return (Path(above, name) for above, names, _ in os.walk(GROUPS) for name in names if name == f"gatebot-{instance}")


def caught(group: Path) -> int:
    """The first process of a group, stopped as early as can be."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError, IndexError):
            first = int((group / "cgroup.procs").read_text().split()[0])
            os.kill(first, signal.SIGSTOP)
            return first
    raise AssertionError("no sandbox was begun")


async def begun(yard: Yard, instance: str) -> tuple[str, int]:
    """A node, and the maker of its sandbox, stopped, that has not come so far as to have a child."""
    (base, *_) = groups(instance)
    while True:
        node = uuid4().hex
        yard.lay(node)
        catching = asyncio.create_task(asyncio.to_thread(caught, base / node))
        await yard.provider.create(yard.request(node))
        maker = await catching
        if not Path(f"/proc/{maker}/task/{maker}/children").read_text():
            return node, maker
        os.kill(maker, signal.SIGCONT)
        await yard.provider.destroy(node)


@pytest.mark.parametrize("which", [0, 1, 2], ids=["its parent", "the first of its space", "itself"])
async def test_a_sandbox_that_is_being_made_when_the_privileged_process_is_killed_ends_with_it(
    ground: LocalGround, which: int
) -> None:
    """Bubblewrap dies of its own report then, and its child would wait for it for ever."""
    yard = Yard(ground.provider(), ground.layers)
    await yard.begin()
    _, maker = await begun(yard, ground.instance)
    (process,) = [one for one in link.processes() if one.poll() is None]
    os.kill([process.pid, *started_by(process.pid)][which], signal.SIGKILL)
    process.wait(60)
    with suppress(ProcessLookupError):
        os.kill(maker, signal.SIGCONT)
    try:
        await asyncio.to_thread(eventually, lambda: not members(ground.instance), "all have ended", 10)
    finally:
        for left in members(ground.instance):
            os.kill(left, signal.SIGKILL)
        await yard.provider.close()


def descriptors(process: int) -> int:
    """How many files a process and those that it has started have open; one that ends meanwhile has none."""
    count = 0
    for one in (process, *started_by(process)):
        with suppress(FileNotFoundError, ProcessLookupError):
            count += len(os.listdir(f"/proc/{one}/fd"))
    return count


def let_it_have_a_child(maker: int) -> None:
    """Bubblewrap goes on until it has the first process of its sandbox, which waits for it."""
    os.kill(maker, signal.SIGCONT)
    while not Path(f"/proc/{maker}/task/{maker}/children").read_text():
        pass
    os.kill(maker, signal.SIGSTOP)


@pytest.mark.parametrize("late", [False, True], ids=["alone", "with a child that waits for it"])
async def test_a_command_on_a_node_whose_sandbox_was_killed_while_it_was_made_has_not_failed(
    ground: LocalGround, late: bool
) -> None:
    yard = Yard(ground.provider(), ground.layers)
    await yard.begin()
    (privileged,) = [one for one in link.processes() if one.poll() is None]
    open_before = descriptors(privileged.pid)
    name, maker = await begun(yard, ground.instance)
    node = Node(name, yard.provider, yard.provider.connect(name))
    started = asyncio.Event()
    asked = node.command("sleep 300")
    running = asyncio.create_task(node.connection.run(asked, lambda _: None, started=started.set))
    await started.wait()
    if late:
        await asyncio.to_thread(let_it_have_a_child, maker)
    os.kill(maker, signal.SIGKILL)
    with pytest.raises(Unavailable, match=r"executor\.node-robbed"):
        await running
    await yard.provider.destroy(name)
    no_more = lambda: descriptors(privileged.pid) <= open_before  # noqa: E731 - of the trial before, some were open
    await asyncio.to_thread(eventually, no_more, "nothing of it is open any more")
    await yard.provider.close()


@pytest.mark.parametrize("frozen", [False, True])
async def test_what_a_killed_server_left_is_taken_away_by_any_that_starts_and_nothing_of_one_that_lives(
    ground: LocalGround, tmp_path: Path, frozen: bool
) -> None:
    dead = Yard(ground.provider(), ground.layers)
    node = await dead.node()
    await node.ran("true")
    await node.provider.freeze(node.name, frozen)
    for process in [one for one in link.processes() if one.poll() is None]:
        process.kill()
        process.wait(60)
    await dead.provider.close()
    assert {group / node.name for group in groups(ground.instance)} == {*found(node.name)} != set()
    if not frozen:
        await asyncio.to_thread(eventually, lambda: not members(ground.instance), "all have ended")
    for name in ("living", "next"):
        (tmp_path / name).mkdir()
    living = LocalGround(tmp_path / "living")
    neighbour = Yard(living.provider(), living.layers)
    assert found(node.name) == []
    assert members(ground.instance) == []
    there = await neighbour.node()
    kept = found(there.name)
    assert kept
    coming = LocalGround(tmp_path / "next")
    last = Yard(coming.provider(), coming.layers)
    await last.begin()
    assert found(there.name) == kept
    assert await there.ran("echo goes on") == (Exit(0), "goes on\n")
    await neighbour.provider.destroy(there.name)
    await neighbour.provider.close()
    await last.provider.close()
    assert [*groups(living.instance), *groups(coming.instance)] == []


def found(node: str) -> list[Path]:
    """The control groups of a node."""
    return [Path(above, name) for above, names, _ in os.walk(GROUPS) for name in names if name == node]

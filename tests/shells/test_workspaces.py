# SPDX-License-Identifier: Apache-2.0
"""Workspaces of builds, or of servers, that are ended while these are prepared: nothing of them is left."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot.executor.model import Sandbox
from gatebot.executor.workspace_order import Order, Tree
from gatebot.executor.workspaces import Workspaces
from tests.fakes.dispatch_contract import holds
from tests.fakes.executor import PROJECT, Stores
from tests.fakes.workshop import processes_of, workshop

ROOT = Path(__file__).resolve().parents[2]

#: So many files that git writes them for a while.
MANY = {f"many/{number % 40}/{number}": f"{number}\n" for number in range(1500)}


@pytest.mark.parametrize("sandbox", [Sandbox.AUTO, Sandbox.NONE])
async def test_a_build_that_ends_while_its_workspace_is_prepared_leaves_nothing(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with workshop(tmp_path, sandbox) as shop:
        first = shop.assignment({"run.sh": "#!/bin/sh\ntrue\n", **MANY})
        await shop.run(first)
        layers = tmp_path / "site" / "executor" / "layers"
        for step in range(12):
            given = replace(first, build=uuid4().hex)
            await shop.executor.assign(given)
            await holds((layers / given.build).exists)
            await asyncio.sleep(step * 0.02)
            await shop.executor.abort(given.build, given.fence, at_once=True)
        assert (await shop.run(replace(first, build=uuid4().hex))).result == "SUCCESS"
        await holds(lambda: not list(layers.iterdir()))


_PREPARES = """
import asyncio, sys
from pathlib import Path
from tests.shells.test_workspaces import ordered

asyncio.run(ordered(Path(sys.argv[1])))
"""


async def ordered(place: Path) -> None:
    """Have a workspace prepared in a place where there are stores."""
    workspaces = Workspaces(place / "mirrors")
    commit = (place / "commit").read_text()
    tree = Tree(PROJECT, str(place / "stores" / f"{PROJECT}.git"), "main", commit, "home/tree")
    await workspaces.prepare(Order(str(place / "layer"), (tree,), ()))
    workspaces.close()


async def test_a_work_tree_has_an_origin_that_leads_nowhere(tmp_path: Path) -> None:
    asks = "#!/bin/sh\ngit remote get-url origin\ngit status --porcelain --branch\n"
    async with workshop(tmp_path, Sandbox.NONE) as shop:
        given = shop.assignment({"run.sh": asks})
        assert (await shop.run(given)).result == "SUCCESS"
        assert "file:///dev/null\n" in shop.text(given.build)
        assert "## main\n" in shop.text(given.build)


async def test_what_prepares_a_workspace_ends_with_the_server_that_wanted_it(tmp_path: Path) -> None:
    """It is at its end before the next server prepares anything; here it waits for a lock when its server is killed."""
    (tmp_path / "commit").write_text(Stores(tmp_path / "stores").make(PROJECT, {"file": "here\n"}))
    lock = tmp_path / "mirrors" / f"{PROJECT}.git.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        server = await asyncio.create_subprocess_exec(sys.executable, "-c", _PREPARES, str(tmp_path), cwd=ROOT)
        await holds(lambda: len(processes_of(str(tmp_path / "mirrors"))) == 2)
        await holds((tmp_path / "layer").exists)
        server.kill()
        await server.wait()
        await holds(lambda: not processes_of(str(tmp_path / "mirrors")))
    await ordered(tmp_path)
    assert (tmp_path / "layer" / "home/tree" / "file").read_text() == "here\n"


async def test_a_child_that_does_not_end_by_itself_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the machine is too busy for it: a server never fails for that while it ends."""
    monkeypatch.setattr("gatebot.executor.workspaces._PATIENCE", 0.1)
    workspaces, marker = Workspaces(tmp_path / "mirrors"), str(tmp_path / "mirrors")
    workspaces.start()
    await holds(lambda: len(processes_of(marker)) == 1)
    (child,) = processes_of(marker)
    os.kill(child, signal.SIGSTOP)
    workspaces.close()
    assert processes_of(marker) == []

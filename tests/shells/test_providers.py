# SPDX-License-Identifier: Apache-2.0
"""One contract for every provider, held against each that runs on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot.errors import Refused, Unavailable
from gatebot.executor.images import host_skeleton
from gatebot.executor.model import Network, Sandbox
from gatebot.executor.providers import link
from gatebot.executor.providers.bare import Bare
from gatebot.executor.providers.bubblewrap import HOME, PLAY
from gatebot.executor.providers.local import Images, Local
from gatebot.executor.providers.model import Capacity, Command, Exit, NodeRequest
from gatebot.executor.providers.ports import Connection, Provider
from tests.fakes.workshop import SMALL

LABEL = replace(SMALL, network=Network.NONE)


@pytest.fixture(params=["local", "none"])
async def provider(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Provider]:
    layers = tmp_path / "layers"
    layers.mkdir()
    made: Provider = Bare(layers, host="h", slots=2) if request.param == "none" else local(tmp_path)
    yield made
    await made.close()


def local(tmp_path: Path) -> Local:
    sandbox = Sandbox.PRIVILEGED if os.geteuid() == 0 else Sandbox.ROOTLESS
    layers, images = tmp_path / "layers", tmp_path / "images"
    host_skeleton(images)
    configuration = link.config_for(
        sandbox,
        root=layers,
        images=images,
        instance=uuid4().hex[:12],
        shown={},
        full=False,
        server_uid=os.geteuid(),
    )
    channel = link.start(configuration, sandbox)
    return Local(
        link.Link(channel),
        Images({}),
        layers=layers,
        host="h",
        sandbox=sandbox,
        listening=lambda _node, listener: listener.close(),
    )


async def made(provider: Provider, tmp_path: Path) -> tuple[str, Connection]:
    node = uuid4().hex
    for place in (HOME, PLAY):
        (tmp_path / "layers" / node / place.lstrip("/")).mkdir(parents=True)
    await provider.create(NodeRequest(node, LABEL, str(tmp_path / "layers" / node)))
    await provider.wait_ready(node, 10)
    return node, provider.connect(node)


async def ran(provider: Provider, node: str, connection: Connection, body: str) -> tuple[Exit, str]:
    printed = bytearray()
    command = Command(("sh", "-c", body), {"PATH": "/usr/bin:/bin"}, provider.places(node).home)
    return await connection.run(command, printed.extend), printed.decode()


async def test_the_probe_tells_what_it_can(provider: Provider) -> None:
    found = await provider.probe()
    assert isinstance(found, Capacity)
    assert found.slots >= 2
    assert found.execution == "native"
    assert await provider.list_owned() == ()


async def test_a_command_runs_with_its_output_and_status(provider: Provider, tmp_path: Path) -> None:
    node, connection = await made(provider, tmp_path)
    ended, told = await ran(provider, node, connection, "echo out; echo err >&2; pwd; exit 7")
    assert ended.status == 7
    assert told == f"out\nerr\n{provider.places(node).home}\n"


async def test_files_stay_from_one_command_to_the_next(provider: Provider, tmp_path: Path) -> None:
    node, connection = await made(provider, tmp_path)
    await ran(provider, node, connection, "echo kept > file")
    assert (await ran(provider, node, connection, "cat file"))[1] == "kept\n"


async def test_what_a_command_leaves_running_serves_the_next_and_prints_on(provider: Provider, tmp_path: Path) -> None:
    node, connection = await made(provider, tmp_path)
    home = provider.places(node).home
    printed, heard = bytearray(), asyncio.Event()

    def take(piece: bytes) -> None:
        printed.extend(piece)
        if b"served" in printed:
            heard.set()

    body = "mkfifo pipe; (read line < pipe; echo served $line) & echo $! > pid"
    ended = await connection.run(Command(("sh", "-c", body), {"PATH": "/usr/bin:/bin"}, home), take)
    assert ended.status == 0
    assert (await ran(provider, node, connection, "kill -0 $(cat pid) && echo hello > pipe"))[0].status == 0
    await asyncio.wait_for(heard.wait(), 5)
    assert printed == b"served hello\n"


async def test_a_cancelled_command_ends_with_its_children_and_leaves_others_alone(
    provider: Provider, tmp_path: Path
) -> None:
    node, connection = await made(provider, tmp_path)
    home = provider.places(node).home
    await ran(provider, node, connection, "mkfifo pipe; sleep 300 > /dev/null 2>&1 & echo $! > daemon")
    begun = asyncio.Event()
    body = "trap '' TERM; (trap '' TERM; echo ready; sleep 301) & echo $! > child; wait"
    command = Command(("sh", "-c", body), {"PATH": "/usr/bin:/bin"}, home)
    running = asyncio.create_task(connection.run(command, lambda _: begun.set()))
    await asyncio.wait_for(begun.wait(), 5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    check = "kill -0 $(cat daemon) && ! grep -q '^State:.[^ZX]' /proc/$(cat child)/status"
    assert (await ran(provider, node, connection, f"{check} 2>/dev/null"))[0].status == 0


async def test_files_of_a_command_that_runs_apart_are_there_for_it_alone(provider: Provider, tmp_path: Path) -> None:
    node, connection = await made(provider, tmp_path)
    places = provider.places(node)
    file, printed = f"{places.own}/secrets.json", bytearray()
    argv = ("sh", "-c", f"cat {file}; stat -c %a {file}; echo kept > left")
    command = Command(argv, {"PATH": "/usr/bin:/bin"}, places.home, apart=True, files={file: "s3cret\n"})
    assert (await connection.run(command, printed.extend)).status == 0
    assert printed == b"s3cret\n600\n"
    ended, told = await ran(provider, node, connection, f"cat left; test ! -e {file}")
    assert (ended.status, told) == (0, "kept\n")


async def test_a_program_that_is_not_there_fails_with_its_name(provider: Provider, tmp_path: Path) -> None:
    node, connection = await made(provider, tmp_path)
    printed = bytearray()
    ended = await connection.run(Command(("/nowhere/prog",), {}, provider.places(node).home), printed.extend)
    assert ended.status not in (0, None)
    assert b"/nowhere/prog: No such file or directory" in printed


async def test_creating_twice_makes_one_node_and_destroying_twice_is_fine(provider: Provider, tmp_path: Path) -> None:
    node, _ = await made(provider, tmp_path)
    await provider.create(NodeRequest(node, LABEL, ""))
    await provider.wait_ready(node, 10)
    assert await provider.list_owned() == (node,)
    await provider.destroy(node)
    await provider.destroy(node)
    assert await provider.list_owned() == ()


async def test_killing_ends_everything_also_what_left_the_session(provider: Provider, tmp_path: Path) -> None:
    node, connection = await made(provider, tmp_path)
    begun = asyncio.Event()
    printed = bytearray()
    body = "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 300' & sleep 300"
    command = Command(("sh", "-c", body), {"PATH": "/usr/bin:/bin"}, provider.places(node).home)
    running = asyncio.create_task(connection.run(command, printed.extend, started=begun.set))
    await begun.wait()
    await connection.kill()
    ended = await asyncio.wait_for(running, 3)
    assert ended.status in (-signal.SIGKILL, 128 + signal.SIGKILL)


async def test_a_frozen_node_stands_still_and_goes_on(provider: Provider, tmp_path: Path) -> None:
    node, connection = await made(provider, tmp_path)
    printed = bytearray()
    got = asyncio.Event()

    def take(piece: bytes) -> None:
        printed.extend(piece)
        got.set()

    body = "echo begin; read line < pipe; echo end"
    await ran(provider, node, connection, "mkfifo pipe")
    command = Command(("sh", "-c", body), {"PATH": "/usr/bin:/bin"}, provider.places(node).home)
    running = asyncio.create_task(connection.run(command, take))
    await asyncio.wait_for(got.wait(), 5)
    await provider.freeze(node)
    await provider.freeze(node, False)
    await ran(provider, node, connection, "echo > pipe")
    assert (await asyncio.wait_for(running, 5)).status == 0
    assert printed == b"begin\nend\n"


async def test_the_privileged_process_refuses_what_was_not_made_and_serves_on(tmp_path: Path) -> None:
    (tmp_path / "layers").mkdir()
    provider = local(tmp_path)
    (tmp_path / "layers" / ("a" * 32)).symlink_to("/etc")
    await provider.create(NodeRequest("a" * 32, LABEL, ""))
    with pytest.raises(Unavailable, match=r"executor\.node-not-made"):
        await provider.wait_ready("a" * 32, 5)
    with pytest.raises(Refused, match="no such node"):
        await ran(provider, "b" * 32, provider.connect("b" * 32), "true")
    assert isinstance(await provider.probe(), Capacity)
    await provider.close()
    assert Path("/etc/passwd").stat().st_uid == 0


async def test_when_the_privileged_process_dies_runs_end_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "layers").mkdir()
    provider = local(tmp_path)
    _, connection = await made(provider, tmp_path)
    begun = asyncio.Event()
    command = Command(("sleep", "300"), {"PATH": "/usr/bin:/bin"}, HOME)
    running = asyncio.create_task(connection.run(command, lambda _: None, started=begun.set))
    await begun.wait()
    for process in link.processes():
        process.kill()
    with pytest.raises(Unavailable, match=r"executor\.privileged-gone"):
        await asyncio.wait_for(running, 5)
    await provider.close()

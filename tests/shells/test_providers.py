# SPDX-License-Identifier: Apache-2.0
"""The providers of nodes on this machine: the contract of all, and what is only theirs."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot.errors import Refused, Unavailable
from gatebot.executor.images import host_skeleton
from gatebot.executor.model import Sandbox
from gatebot.executor.providers import inside, link
from gatebot.executor.providers.bare import Bare
from gatebot.executor.providers.local import Images, Local
from gatebot.executor.providers.model import Capacity, Exit
from gatebot.executor.providers.ports import Provider
from tests.fakes.provider_contract import Node, ProviderContract, Yard
from tests.fakes.site import eventually
from tests.fakes.workshop import started_by

#: The command line of the process that keeps a sandbox open.
KEEPER = b"\0".join(word.encode() for word in (*inside.KEEPER, ""))


@dataclass
class BareGround:
    layers: Path

    def provider(self) -> Provider:
        return Bare(self.layers, host="h")

    async def crash(self, provider: Provider) -> None:
        """Its jobs are processes beside it, which go on."""


@dataclass
class LocalGround:
    root: Path
    instance: str = field(default_factory=lambda: uuid4().hex[:12])
    layers: Path = field(init=False)
    channel: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.layers = self.root / "layers"
        self.layers.mkdir()

    def provider(self) -> Local:
        sandbox = Sandbox.PRIVILEGED if os.geteuid() == 0 else Sandbox.ROOTLESS
        images = self.root / "images"
        host_skeleton(images)
        configuration = link.config_for(
            sandbox,
            root=self.layers,
            images=images,
            instance=self.instance,
            shown={},
            full=False,
            server_uid=os.geteuid(),
        )
        self.channel = link.start(configuration, sandbox)
        return Local(
            link.Link(self.channel),
            Images({}),
            layers=self.layers,
            host="h",
            sandbox=sandbox,
            listening=lambda _node, listener: listener.close(),
        )

    async def crash(self, provider: Provider) -> None:
        """Its socket closes, which is all that the privileged process hears of it."""
        await provider.close()


class TestBare(ProviderContract):
    @pytest.fixture
    def ground(self, tmp_path: Path) -> BareGround:
        (tmp_path / "layers").mkdir()
        return BareGround(tmp_path / "layers")


class TestLocal(ProviderContract):
    @pytest.fixture
    def ground(self, tmp_path: Path) -> LocalGround:
        return LocalGround(tmp_path)


async def test_the_privileged_process_refuses_what_was_not_made_and_serves_on(tmp_path: Path) -> None:
    ground = LocalGround(tmp_path)
    yard = Yard(ground.provider(), ground.layers)
    provider = yard.provider
    (ground.layers / ("a" * 32)).symlink_to("/etc")
    await provider.create(yard.request("a" * 32))
    with pytest.raises(Unavailable, match=r"executor\.node-not-made"):
        await provider.wait_ready("a" * 32, 60)
    with pytest.raises(Refused, match="no such node"):
        await Node("b" * 32, provider, provider.connect("b" * 32)).ran("true")
    assert isinstance(await provider.probe(), Capacity)
    await provider.close()
    assert Path("/etc/passwd").stat().st_uid == 0


async def test_a_command_after_the_end_of_the_sandbox_runs_also_before_that_is_heard_of(tmp_path: Path) -> None:
    """What waits for the sandbox outside of it is stopped, as on a machine that is too busy for it."""
    ground = LocalGround(tmp_path)
    yard = Yard(ground.provider(), ground.layers)
    node = await yard.node()
    await node.ran("true")
    (keeper,) = [one for one in started_by(os.getpid()) if Path(f"/proc/{one}/cmdline").read_bytes() == KEEPER]
    outside = parent_of(parent_of(keeper))
    os.kill(outside, signal.SIGSTOP)
    try:
        ended, _ = await node.ran("kill -9 2; sleep 60")
        assert ended.status == -signal.SIGKILL
        assert await node.ran("echo again") == (Exit(0), "again\n")
    finally:
        os.kill(outside, signal.SIGCONT)
    await yard.provider.destroy(node.name)
    await yard.provider.close()


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()[1])


async def test_when_the_privileged_process_dies_runs_end_with_a_reason(tmp_path: Path) -> None:
    ground = LocalGround(tmp_path)
    yard = Yard(ground.provider(), ground.layers)
    node = await yard.node()
    begun = asyncio.Event()
    running = asyncio.create_task(node.connection.run(node.command("sleep 300"), lambda _: None, started=begun.set))
    await begun.wait()
    for process in link.processes():
        process.kill()
    with pytest.raises(Unavailable, match=r"executor\.privileged-gone"):
        await asyncio.wait_for(running, 60)
    await yard.provider.close()


async def test_a_server_that_dies_with_answers_unread_leaves_no_node(tmp_path: Path) -> None:
    ground = LocalGround(tmp_path)
    yard = Yard(ground.provider(), ground.layers)
    await yard.node()
    (process,) = [one for one in link.processes() if one.poll() is None]
    asyncio.get_running_loop().remove_reader(ground.channel.fileno())
    ground.channel.send(b'{"id": 999, "verb": "hello"}')
    assert select.select([ground.channel], [], [], 60)[0]
    ground.channel.close()
    assert process.wait(60) == 0
    assert list(ground.layers.iterdir()) == []


async def test_what_a_killed_server_left_of_jobs_with_ranges_of_ids_is_taken_away_by_the_next(tmp_path: Path) -> None:
    """The layer is the job's own by then, and what it made as its other ids went with the node."""
    ground = LocalGround(tmp_path)
    yard = Yard(ground.provider(), ground.layers)
    await yard.begin()
    yard.lay("c" * 32)
    plain = yard.request("c" * 32)
    await yard.provider.create(replace(plain, label=replace(plain.label, nested=True)))
    await yard.provider.wait_ready("c" * 32, 60)
    node = Node("c" * 32, yard.provider, yard.provider.connect("c" * 32))
    way = "--map-auto --map-root-user chown 33" if yard.platform.ids > 1 else "--map-root-user chown 0"
    ended, told = await node.ran(f"touch x; unshare {way} x 2>&1")
    assert ended.status == 0, told
    for process in [one for one in link.processes() if one.poll() is None]:
        process.kill()
        process.wait(60)
    assert [path.name for path in ground.layers.iterdir()] == ["c" * 32]
    await yard.provider.close()
    again = Yard(ground.provider(), ground.layers)
    await again.begin()
    assert await again.provider.list_owned() == ()
    await asyncio.to_thread(eventually, lambda: list(ground.layers.iterdir()) == [] or None)
    await again.provider.close()

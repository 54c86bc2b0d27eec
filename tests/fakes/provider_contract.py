# SPDX-License-Identifier: Apache-2.0
"""What every provider of nodes keeps to, whichever it is: run on each that this machine can have for real."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest

from gatebot import assets
from gatebot.architectures import ARCHITECTURES
from gatebot.errors import TooLarge, Unavailable
from gatebot.executor.commands import visiting
from gatebot.executor.model import Network
from gatebot.executor.nodes.model import Wanted
from gatebot.executor.providers.bubblewrap import HOME, PLAY
from gatebot.executor.providers.model import Capacity, Command, Exit, NodeRequest, Platform
from gatebot.executor.providers.ports import Connection, Provider

from .workshop import SMALL, processes_of

#: A node that nothing reaches, of the image that needs no word.
LABEL = replace(SMALL, image="default", network=Network.NONE)
#: A server of an emulated cloud on a busy machine takes minutes.
READY = 1800.0
PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


class Ground(Protocol):
    """Where one kind of provider stands in a test."""

    layers: Path

    def provider(self) -> Provider:
        """A provider as a server makes it when it starts: a second one finds what the first left."""
        ...

    async def crash(self, provider: Provider) -> None:
        """The server that had this provider is killed."""
        ...


@dataclass
class Yard:
    """One provider, and a short way to nodes and commands."""

    provider: Provider
    layers: Path
    platform: Platform = field(default_factory=lambda: Platform("x86_64"))

    async def begin(self) -> None:
        found = await self.provider.probe()
        assert isinstance(found, Capacity), found
        self.platform = found.platforms[0]

    def request(self, node: str) -> NodeRequest:
        return NodeRequest(node, LABEL, str(self.layers / node), self.platform.arch, self.platform.execution)

    def lay(self, name: str) -> None:
        """An empty layer for a node."""
        for place in (HOME, PLAY):
            (self.layers / name / place.lstrip("/")).mkdir(parents=True)

    async def node(self) -> Node:
        """A node that is ready."""
        name = uuid4().hex
        self.lay(name)
        await self.provider.create(self.request(name))
        await self.provider.wait_ready(name, READY)
        return Node(name, self.provider, self.provider.connect(name))


@dataclass
class Node:
    name: str
    provider: Provider
    connection: Connection

    @property
    def home(self) -> str:
        return self.provider.places(self.name).home

    def command(self, body: str) -> Command:
        return Command(("sh", "-c", body), PATH, self.home)

    async def ran(self, body: str) -> tuple[Exit, str]:
        printed = bytearray()
        ended = await self.connection.run(self.command(body), printed.extend)
        return ended, printed.decode()


class ProviderContract:
    """The subclass has the fixture `ground`."""

    @pytest.fixture
    async def yard(self, ground: Ground) -> AsyncIterator[Yard]:
        made = Yard(ground.provider(), ground.layers)
        await made.begin()
        yield made
        for left in await made.provider.list_owned():
            await made.provider.destroy(left)
        await made.provider.close()

    async def test_the_probe_tells_what_it_can_and_leaves_nothing(self, yard: Yard) -> None:
        found = await yard.provider.probe()
        assert isinstance(found, Capacity)
        assert found.slots >= 0
        assert {one.arch for one in found.platforms} <= set(ARCHITECTURES)
        assert await yard.provider.list_owned() == ()

    async def test_a_command_runs_with_its_output_and_status(self, yard: Yard) -> None:
        node = await yard.node()
        ended, told = await node.ran("echo out; echo err >&2; pwd; exit 7")
        assert ended.status == 7
        assert told == f"out\nerr\n{node.home}\n"

    async def test_arguments_and_environment_arrive_as_they_are(self, yard: Yard) -> None:
        node = await yard.node()
        printed = bytearray()
        odd = "a 'b' \"c\" $HOME `id` \\ \\n \n * ; é 노드 \x81 \r\t#"
        command = Command(("sh", "-c", 'printf "%s|" "$1" "$ODD"', "sh", odd), {**PATH, "ODD": odd}, node.home)
        assert (await node.connection.run(command, printed.extend)).status == 0
        assert printed.decode() == f"{odd}|{odd}|"

    async def test_files_stay_from_one_command_to_the_next(self, yard: Yard) -> None:
        node = await yard.node()
        await node.ran("echo kept > file")
        assert (await node.ran("cat file"))[1] == "kept\n"

    async def test_a_command_reads_what_it_is_given_and_else_nothing(self, yard: Yard) -> None:
        node = await yard.node()
        assert await node.ran("cat; echo over") == (Exit(0), "over\n")
        printed = bytearray()
        with subprocess.Popen(["seq", "1", "50000"], stdout=subprocess.PIPE) as feed:
            assert feed.stdout is not None
            command = node.command("tail -n 1; echo over")
            await node.connection.run(command, printed.extend, source=feed.stdout.fileno())
        assert printed == b"50000\nover\n"

    async def test_a_visitor_has_a_terminal_or_reads_what_it_takes(self, yard: Yard) -> None:
        node, shown = await yard.node(), bytearray()
        program = assets.path("jobs", "node", "terminal.py").read_text()
        command = visiting(Wanted((), True, 30, 100, "xterm"), program, PATH, node.home, "It takes python3.")
        typed = b"stty size; echo $TERM; exit 7\n"
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as feed:
            assert feed.stdin is not None
            assert feed.stdout is not None
            feed.stdin.write(b"d" + len(typed).to_bytes(4, "big") + typed)
            feed.stdin.flush()  # and the visitor stays
            ended = await node.connection.run(command, shown.extend, source=feed.stdout.fileno())
        if (await node.ran("command -v python3"))[0].status:
            assert (ended.status, shown.decode()) == (127, "It takes python3.\r\n")
        else:
            assert ended.status == 7
            assert "30 100\r\n" in shown.decode()
            assert "xterm\r\n" in shown.decode()

    async def test_a_tree_goes_to_the_node_and_comes_back(self, yard: Yard, tmp_path: Path) -> None:
        node = await yard.node()
        source, back = tmp_path / "source", tmp_path / "back"
        (source / "deep" / "-er dir").mkdir(parents=True)
        (source / "deep" / "-er dir" / "file é").write_text("content\n")
        (source / "run.sh").write_text("#!/bin/sh\necho ran\n")
        (source / "run.sh").chmod(0o755)
        (source / "link").symlink_to("run.sh")
        target = f"{node.home}/src/tree"
        await node.ran("mkdir -p src/tree; echo there > src/tree/before")
        await node.connection.put(source, target)
        assert (await node.ran(f"cd {target}; ./link; cat before deep/*/*"))[1] == "ran\nthere\ncontent\n"
        await node.ran(f"cd {target}; ln -s /etc/passwd stolen; mkfifo pipe; echo more > made")
        await node.connection.get(target, back, 1 << 20)
        found = {str(path.relative_to(back)): path.read_text() for path in back.rglob("*") if path.is_file()}
        assert found == {
            "before": "there\n",
            "deep/-er dir/file é": "content\n",
            "made": "more\n",
            "run.sh": "#!/bin/sh\necho ran\n",
        }
        assert (back / "run.sh").stat().st_mode & 0o777 == 0o755
        assert not any(path.is_symlink() for path in back.rglob("*"))

    async def test_more_than_the_limit_is_refused_and_what_is_not_there_said(self, yard: Yard, tmp_path: Path) -> None:
        node = await yard.node()
        await node.ran("mkdir large; head -c 300000 /dev/zero > large/file")
        with pytest.raises(TooLarge, match=r"executor\.get-too-large"):
            await node.connection.get(f"{node.home}/large", tmp_path / "large", 100_000)
        with pytest.raises(Unavailable, match=r"executor\.get-failed"):
            await node.connection.get(f"{node.home}/nowhere", tmp_path / "nowhere", 100_000)
        with pytest.raises(Unavailable, match=r"executor\.put-failed"):
            await node.connection.put(tmp_path, "/proc/nowhere")

    async def test_what_a_command_leaves_running_serves_the_next_and_prints_on(self, yard: Yard) -> None:
        node = await yard.node()
        printed, heard = bytearray(), asyncio.Event()

        def take(piece: bytes) -> None:
            printed.extend(piece)
            if b"served" in printed:
                heard.set()

        body = "mkfifo pipe; (read line < pipe; echo served $line) & echo $! > pid"
        ended = await node.connection.run(node.command(body), take)
        assert ended.status == 0
        assert (await node.ran("kill -0 $(cat pid) && echo hello > pipe"))[0].status == 0
        await asyncio.wait_for(heard.wait(), 60)
        assert printed == b"served hello\n"

    async def test_a_cancelled_command_ends_with_its_children_and_leaves_others_alone(self, yard: Yard) -> None:
        node = await yard.node()
        await node.ran("sleep 300 > /dev/null 2>&1 & echo $! > daemon")
        begun = asyncio.Event()
        body = "trap '' TERM; (trap '' TERM; sleep 301) & echo $! > child; echo ready; wait"
        running = asyncio.create_task(node.connection.run(node.command(body), lambda _: begun.set()))
        await asyncio.wait_for(begun.wait(), 60)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        ending = "while grep -q '^State:.[^ZX]' /proc/$(cat child)/status; do sleep 0.05; done"
        assert (await node.ran(f"test -s child && {{ {ending}; }} 2>/dev/null; kill -0 $(cat daemon)"))[0].status == 0

    async def test_files_of_a_command_that_runs_apart_are_there_for_it_alone(self, yard: Yard) -> None:
        node = await yard.node()
        places = yard.provider.places(node.name)
        file, printed = f"{places.own}/secrets.json", bytearray()
        argv = ("sh", "-c", f"cat {file}; stat -c %a {file}; echo kept > left")
        command = Command(argv, PATH, places.home, apart=True, files={file: "s3cret\n"})
        assert (await node.connection.run(command, printed.extend)).status == 0
        assert printed == b"s3cret\n600\n"
        ended, told = await node.ran(f"cat left; test ! -e {file}")
        assert (ended.status, told) == (0, "kept\n")

    async def test_a_program_that_is_not_there_fails_with_its_name(self, yard: Yard) -> None:
        node = await yard.node()
        printed = bytearray()
        ended = await node.connection.run(Command(("/nowhere/prog",), {}, node.home), printed.extend)
        assert ended.status == 127
        assert b"/nowhere/prog: " in printed

    async def test_creating_twice_makes_one_node_and_destroying_twice_is_fine(self, yard: Yard) -> None:
        node = await yard.node()
        await node.ran("echo first > file")
        await yard.provider.create(yard.request(node.name))
        await yard.provider.wait_ready(node.name, READY)
        assert await yard.provider.list_owned() == (node.name,)
        assert (await node.ran("cat file"))[1] == "first\n"
        await yard.provider.destroy(node.name)
        await yard.provider.destroy(node.name)
        assert await yard.provider.list_owned() == ()

    async def test_the_nodes_of_one_build_are_several(self, yard: Yard) -> None:
        first = await yard.node()
        second = f"{first.name}-1"
        yard.lay(second)
        await yard.provider.create(yard.request(second))
        await yard.provider.wait_ready(second, READY)
        other = Node(second, yard.provider, yard.provider.connect(second))
        await first.ran("echo mine > file")
        assert (await other.ran("cat file"))[0].status != 0
        await yard.provider.destroy(first.name)
        assert await yard.provider.list_owned() == (second,)
        assert (await other.ran("echo here"))[1] == "here\n"

    async def test_a_node_that_nobody_made_is_not_waited_for_beyond_the_deadline(self, yard: Yard) -> None:
        with pytest.raises(Unavailable, match=r"executor\.node-not-made"):
            await yard.provider.wait_ready(uuid4().hex, 0.2)

    async def test_killing_ends_everything_also_what_left_the_session(self, yard: Yard) -> None:
        node = await yard.node()
        begun = asyncio.Event()
        marker = f"300.{uuid4().int % 10**12}"
        body = f"trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep {marker}; :' & echo begun; sleep {marker}; :"
        running = asyncio.create_task(node.connection.run(node.command(body), lambda _: begun.set()))
        await asyncio.wait_for(begun.wait(), 60)
        await node.connection.kill()
        ended = await asyncio.wait_for(running, 60)
        assert ended.status in (-signal.SIGKILL, 128 + signal.SIGKILL)
        assert processes_of(marker) == []

    async def test_a_frozen_node_stands_still_and_goes_on(self, yard: Yard) -> None:
        node = await yard.node()
        printed = bytearray()
        got = asyncio.Event()

        def take(piece: bytes) -> None:
            printed.extend(piece)
            got.set()

        await node.ran("mkfifo pipe")
        body = "echo begin; read line < pipe; echo end"
        running = asyncio.create_task(node.connection.run(node.command(body), take))
        await asyncio.wait_for(got.wait(), 60)
        await yard.provider.freeze(node.name)
        await yard.provider.freeze(node.name, False)
        await node.ran("echo > pipe")
        assert (await asyncio.wait_for(running, 60)).status == 0
        assert printed == b"begin\nend\n"

    async def test_what_a_killed_server_left_is_found_and_taken_away(self, ground: Ground) -> None:
        yard = Yard(ground.provider(), ground.layers)
        await yard.begin()
        node = await yard.node()
        marker = f"300.{uuid4().int % 10**12}"
        begun = asyncio.Event()
        running = asyncio.create_task(
            node.connection.run(node.command(f"echo begun; sleep {marker}; :"), lambda _: begun.set())
        )
        await asyncio.wait_for(begun.wait(), 60)
        await ground.crash(yard.provider)
        running.cancel()
        await asyncio.wait([running])
        after = ground.provider()
        assert isinstance(await after.probe(), Capacity)
        left = await after.list_owned()
        assert set(left) <= {node.name}
        for one in left:
            await after.destroy(one)
        assert await after.list_owned() == ()
        assert processes_of(marker) == []
        await after.close()

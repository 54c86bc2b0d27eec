# SPDX-License-Identifier: Apache-2.0
"""Virtual machines of qemu: the contract of providers against real ones, and what is only theirs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatebot.executor.images import shared
from gatebot.executor.labels import site_labels
from gatebot.executor.machines.building import Machine
from gatebot.executor.machines.shapes import Shape
from gatebot.executor.model import Network
from gatebot.executor.providers.ports import Provider
from gatebot.executor.providers.qemu import Qemu
from gatebot.executor.supply import Source
from gatebot.reasons import Reason
from gatebot.words import say
from tests.fakes.executor import job, script
from tests.fakes.package_index import HOST, package_index
from tests.fakes.provider_contract import LABEL, ProviderContract, Yard
from tests.fakes.qemu import qemu_in_name
from tests.fakes.workshop import Workshop, workshop

#: `make test-vm` says which machine; the whole contract takes minutes where all is emulated.
WHOLE = "GATEBOT_MACHINE" in os.environ
ARCH = os.environ.get("GATEBOT_MACHINE", "x86_64")
#: Machines that are emulated take their time, above all where others want the processor too.
pytestmark = pytest.mark.timeout(600)


@dataclass
class MachineGround:
    layers: Path
    directory: Path

    def provider(self) -> Qemu:
        return Qemu(self.directory, shared(), "h", architectures=(ARCH,))

    async def crash(self, provider: Provider) -> None:
        """The machines hear nothing of it."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where machines are; whether they start is found once, and they begin in a saved state."""
    made = tmp_path_factory.mktemp("machines")
    provider = Qemu(made, shared(), "h", architectures=(ARCH,))

    async def prepare() -> Reason | None:
        found = await provider.probe()
        await provider.close()
        return found if isinstance(found, Reason) else None

    if (why := asyncio.run(prepare())) is not None:
        pytest.skip(f"`make test-vm` builds an image of a virtual machine: {say(why)}")
    Machine(ARCH, Shape.of(LABEL)).build(shared(), print)
    return made


@pytest.fixture
def ground(tmp_path: Path, directory: Path) -> MachineGround:
    (tmp_path / "layers").mkdir()
    return MachineGround(tmp_path / "layers", directory)


if WHOLE:

    class TestMachines(ProviderContract):
        pass


async def test_nodes_from_one_state_share_no_secret_and_know_the_time(ground: MachineGround) -> None:
    yard = Yard(ground.provider(), ground.layers)
    await yard.begin()
    told: list[list[str]] = []
    for node in [await yard.node(), await yard.node()]:
        began = time.time()
        _, text = await node.ran(
            "cat /etc/machine-id; hostname; sudo ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key; "
            "cat /etc/ssh/gatebot_keys; head -c 16 /dev/urandom | base64; cat /proc/sys/kernel/random/uuid; date +%s.%N"
        )
        told.append(text.splitlines())
        assert began - 5 < float(told[-1].pop()) < time.time() + 5
    first, second = told
    assert len(first) == len(second) == 6
    assert not set(first) & set(second)
    await yard.provider.close()
    assert await yard.provider.list_owned() == ()


async def test_a_job_is_root_when_it_wants_and_reaches_nothing(ground: MachineGround) -> None:
    yard = Yard(ground.provider(), ground.layers)
    await yard.begin()
    node = await yard.node()
    ended, told = await node.ran(
        "id -un; sudo id -un; sudo mount -t tmpfs tmpfs /mnt && echo mounted; uname -m\n"
        "python3 -c 'import socket; socket.create_connection((\"10.0.2.2\", 22), 3)' 2>&1 | tail -n 1"
    )
    assert ended.status == 0
    assert told.splitlines()[:4] == ["job", "root", "mounted", {"arm64": "aarch64"}.get(ARCH, ARCH)]
    assert "Error" in told.splitlines()[4]
    await yard.provider.destroy(node.name)


@asynccontextmanager
async def _shop(root: Path, provider: Qemu, network: Network) -> AsyncGenerator[Workshop]:
    """An executor whose label `machine` is of that provider; it may reach the package index of the tests."""
    shape = {"memory": LABEL.memory, "disk": LABEL.disk, "cpus": LABEL.cpus}
    labels = site_labels({"machine": {"provider": "vm", "network": network.value, **shape}}, {"vm": "qemu"})
    async with workshop(root, labels=labels, providers={"vm": Source(provider, making=600)}, mirrors=[HOST]) as shop:
        yield shop


PLAYBOOK = """\
- hosts: all
  become: true
  tasks:
    - command: dmesg --clear
    - command: uname -rm
"""


slow = pytest.mark.skipif(not WHOLE, reason="`make test-vm` runs it: builds on emulated machines take long")


@slow
async def test_a_build_runs_its_playbook_on_a_machine(ground: MachineGround, tmp_path: Path) -> None:
    provider = ground.provider()
    async with _shop(tmp_path, provider, Network.NONE) as shop:
        frozen = job(script("play.yaml"), label="machine")
        completed = await shop.run(shop.assignment({"play.yaml": PLAYBOOK}, frozen))
        text = shop.text(completed.build)
        assert completed.result == "SUCCESS", text
        assert "gatebot: The node has the label machine; the provider vm gives it: " in text
        assert await provider.list_owned() == ()


_TRIED = """\
import socket, subprocess, sys
index, port = sys.argv[1:]
pip = ("python3", "-m", "pip", "download", "-q", "--no-deps", "--trusted-host", "127.0.0.2", "-i", index, "tiny-one")
print("pip", subprocess.run(pip).returncode, flush=True)
curl = ("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}\\n")
print("root", subprocess.run(("sudo", *curl, index + "/tiny-one/"), capture_output=True, text=True).stdout, flush=True)
subprocess.run(("curl", "-sS", "http://example.com/"))
for where in ("10.0.2.2", "127.0.0.2", "169.254.169.254"):
    try:
        socket.create_connection((where, 80 if where.startswith("169") else int(port)), 5)
        print(where, "is reached")
    except OSError as problem:
        print(where, "is not reached")
"""


@asynccontextmanager
async def _listening(port: int) -> AsyncGenerator[list[str]]:
    """A service of this machine's loopback; who called it."""
    callers: list[str] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(str(writer.get_extra_info("peername")))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", port):
        yield callers


@slow
async def test_with_mirrors_a_machine_reaches_what_is_listed_through_the_proxy_and_nothing_else(
    ground: MachineGround, tmp_path: Path, unused_tcp_port: int
) -> None:
    async with (
        package_index(tmp_path / "wheels", unused_tcp_port) as index,
        _listening(unused_tcp_port) as callers,
        _shop(tmp_path, ground.provider(), Network.MIRRORS) as shop,
    ):
        line = f'#!/bin/sh\nexec python3 "$(dirname "$0")/tried.py" {index} {unused_tcp_port}\n'
        given = shop.assignment({"run.sh": line, "tried.py": _TRIED}, job(label="machine"))
        completed = await shop.run(given)
        text = shop.text(given.build)
    assert completed.result == "SUCCESS", text
    assert "pip 0\nroot 200\n" in text, text
    assert 'an administrator adds "example.com" to mirrors under [network] in gatebot.toml.' in text
    for where in ("10.0.2.2", "127.0.0.2", "169.254.169.254"):
        assert f"{where} is not reached\n" in f"{text}\n"
    assert callers == []


@slow
async def test_with_the_full_network_a_machine_reaches_what_this_one_does(
    ground: MachineGround, tmp_path: Path, unused_tcp_port: int
) -> None:
    async with (
        _listening(unused_tcp_port) as callers,
        _shop(tmp_path, ground.provider(), Network.FULL) as shop,
    ):
        completed, text = await shop.script(f"curl -sS http://10.0.2.2:{unused_tcp_port}/", label="machine")
    assert completed.result == "SUCCESS", text
    assert "hello" in text
    assert len(callers) == 1


async def test_what_is_missing_is_told_with_what_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    qemu_in_name(tmp_path / "bin", monkeypatch)
    nothing = Qemu(tmp_path / "machines", tmp_path, "h", architectures=("sparc64", "x86_64"))
    found = await nothing.probe()
    await nothing.close()
    assert isinstance(found, Reason)
    assert say(found) == (
        "No virtual machine can be had here. "
        "x86_64: its image is not built. The server builds it in the background for a label of this provider; "
        "`gatebot image build LABEL --site DIRECTORY` does it at once. Virtual machines of sparc64 are not known to "
        "start; those of x86_64, arm64, ppc64le, s390x, riscv64 are."
    )

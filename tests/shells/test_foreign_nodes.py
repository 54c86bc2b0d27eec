# SPDX-License-Identifier: Apache-2.0
"""Nodes of another architecture in the local sandbox, by qemu-user: real programs of it, behind the same walls.

They need qemu-user-static and the image that `gatebot image build --arch arm64` makes; elsewhere they are left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot.architectures import Execution
from gatebot.assignment import GivenNode, NodeSpec
from gatebot.executor import images
from gatebot.executor.model import HOST_IMAGE, Label
from gatebot.executor.providers.emulation import installed
from gatebot.executor.providers.model import Capacity, Platform
from gatebot.words import say
from tests.fakes.workshop import Workshop, workshop

ARM = NodeSpec(("node",), "arm", "arm64", Execution.EMULATED_USER)
LABELS = {"arm": Label("arm"), "hosts": Label("hosts", image=HOST_IMAGE)}

pytestmark = pytest.mark.skipif(
    not images.is_built(images.definition_for("arm64"), images.shared())
    or "arm64" not in {one.arch for one in installed()},
    reason="needs qemu-user-static and: gatebot image build --arch arm64",
)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path, images=images.shared(), labels=LABELS) as made:
        yield made


async def test_the_probe_ran_a_program_of_the_other_architecture(shop: Workshop) -> None:
    capacity = shop.executor.capacity
    assert isinstance(capacity, Capacity), say(capacity)
    assert Platform("arm64", Execution.EMULATED_USER, ids=1) in capacity.platforms
    assert capacity.platforms[0].execution is Execution.NATIVE


async def test_a_job_compiles_and_runs_a_program_of_the_architecture(shop: Workshop) -> None:
    completed, text = await shop.script(
        "uname -m; echo 'int main(){return 42;}' > a.c; cc a.c -o a; ./a; echo status $?\n"
        "python3 -c 'import platform; print(\"python on\", platform.machine())'",
        nodes=(ARM,),
    )
    assert completed.result == "SUCCESS", text
    assert text.splitlines()[0].endswith("the provider local gives it: arm64, emulated-user.")
    assert "\naarch64\nstatus 42\npython on aarch64" in text
    (given,) = shop.reports.given.values()
    assert given == (GivenNode("arm", "arm64", "emulated-user", "local", ("node",)),)


async def test_the_walls_are_the_same(shop: Workshop) -> None:
    completed, text = await shop.script(
        "id -u; grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status; touch /usr/x 2>&1; mount -t tmpfs t /mnt\n"
        "unshare -U true 2>&1; cat /proc/sys/fs/binfmt_misc/* 2>&1; ls /mnt; touch $HOME/x && echo home is mine",
        nodes=(ARM,),
    )
    assert completed.result == "SUCCESS"
    assert "CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2" in text
    assert "cannot touch '/usr/x'" in text
    assert "unshare failed" in text
    assert "home is mine" in text


async def test_the_machine_itself_learns_of_no_emulator(shop: Workshop) -> None:
    before = sorted(Path("/proc/sys/fs/binfmt_misc").iterdir())
    completed, _ = await shop.script("true", nodes=(ARM,))
    assert completed.result == "SUCCESS"
    assert sorted(Path("/proc/sys/fs/binfmt_misc").iterdir()) == before


async def test_the_machines_own_programs_never_pass_for_those_of_another(shop: Workshop) -> None:
    completed, text = await shop.script("uname -m", nodes=(NodeSpec(("node",), "hosts", "arm64", "emulated-user"),))
    assert completed.result == "RETRY"
    assert completed.reason is not None
    assert "The image host is not one of arm64." in say(completed.reason)
    assert "x86_64" not in text


async def test_an_architecture_that_nobody_has_is_refused_at_once(shop: Workshop) -> None:
    completed, _ = await shop.script("true", nodes=(NodeSpec(("node",), "arm", "s390x", "native"),))
    assert completed.result == "NODE_FAILURE"
    assert completed.reason is not None
    assert "No node with the label arm can ever be s390x native" in say(completed.reason)

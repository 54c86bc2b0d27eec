# SPDX-License-Identifier: Apache-2.0
"""Containers of podman: the contract of providers against the real thing, and what is only theirs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot.executor.providers.container import Containers, Podman
from gatebot.executor.providers.ports import Provider
from gatebot.reasons import Reason
from gatebot.words import say
from tests.fakes.provider_contract import ProviderContract, Yard


@dataclass
class ContainerGround:
    layers: Path
    podman: Podman
    image: str
    instance: str

    def provider(self) -> Containers:
        return Containers(self.podman, self.instance, "h", self.image)

    async def crash(self, provider: Provider) -> None:
        """The containers hear nothing of it."""


@pytest.fixture
def ground(tmp_path: Path, podman: tuple[Podman, str]) -> ContainerGround:
    (tmp_path / "layers").mkdir()
    return ContainerGround(tmp_path / "layers", *podman, uuid4().hex[:12])


class TestContainers(ProviderContract):
    pass


async def test_a_container_whose_memory_runs_out_leaves_nothing_where_the_server_is(
    ground: ContainerGround, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here := tmp_path / "here").mkdir()
    monkeypatch.chdir(here)
    yard = Yard(ground.provider(), ground.layers)
    await yard.begin()
    node = await yard.node()
    ended, _ = await node.ran("head -c 400000000 /dev/zero | tail -c 399999999 >/dev/null; echo went on")
    assert ended.status is not None
    await yard.provider.destroy(node.name)
    assert list(here.iterdir()) == []


async def test_an_image_that_nobody_has_is_told(ground: ContainerGround) -> None:
    containers = Containers(ground.podman, "x", "h", "localhost/nowhere:1")
    found = await containers.probe()
    assert isinstance(found, Reason)
    assert say(found).startswith("`podman pull` failed: ")
    assert say(found).endswith("It is tried again after 1 min.")
    assert await containers.probe() is found, "it is not tried again at once"


async def test_what_is_missing_is_told_with_the_package_that_brings_it(ground: ContainerGround) -> None:
    found = await Containers(Podman(ground.podman.root, "no-podman"), "x", "h", ground.image).probe()
    assert isinstance(found, Reason)
    assert say(found) == "The program no-podman is not there. Install it, for example with `apt-get install podman`."

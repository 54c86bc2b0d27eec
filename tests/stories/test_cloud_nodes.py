# SPDX-License-Identifier: Apache-2.0
"""Nodes that are servers of a real cloud: the contract of providers, quota, what is left, and a change in the gate.

Run inside the network of a cloud that the job `cloud` brought up (`GATEBOT_CLOUDS`: its clouds.yaml), which is what
`test_cloud_jobs.py` does. The cloud has the image, the networks and the guest of that job's own proof.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gatebot.architectures import Execution
from gatebot.executor.clouds.asking import Cloud
from gatebot.executor.clouds.entering import Way, new_keys
from gatebot.executor.clouds.holding import Holding
from gatebot.executor.clouds.looking import Looking
from gatebot.executor.clouds.model import Server
from gatebot.executor.clouds.starting import Starting
from gatebot.executor.model import Sandbox
from gatebot.executor.providers.model import Capacity, NodeRequest
from gatebot.executor.providers.openstack import OpenStack
from gatebot.executor.providers.ports import Provider
from gatebot.words import say
from tests.fakes.irc import free_port
from tests.fakes.provider_contract import LABEL, ProviderContract, Yard
from tests.fakes.site import RunningSite, Template

CLOUDS = Path(os.environ.get("GATEBOT_CLOUDS", "/nowhere"))
NANO = Server(flavor="nano", network="private", floating_network="public", security_groups=("open",), user="root")
PATIENCE = 1800.0
LABELS = f"""
[providers.sky]
kind = "openstack"
cloud = "admin"
clouds = "{CLOUDS}"
image = "gate"
flavor = "nano"
network = "private"
floating_network = "public"
security_groups = ["open"]
user = "root"
boot_timeout = 1200

[labels.vm]
provider = "sky"
"""
JOB = """\
- job: {name: on-a-server, timeout: 900, nodeset: {nodes: [{name: node, label: vm}]}, run: ci/where}
- project: {queue: integrated, check: {jobs: []}, gate: {jobs: [on-a-server]}}
"""
WHERE = """\
#!/bin/sh
echo "kernel $(uname -r) of $(hostname)"
echo "disks $(ls /sys/block)"
"""
pytestmark = [
    pytest.mark.skipif("GATEBOT_CLOUDS" not in os.environ, reason="needs a cloud: make test-cloud"),
    pytest.mark.timeout(2 * PATIENCE),
    pytest.mark.filterwarnings("ignore:The _compute_attributes method"),  # openstacksdk's own
]


@dataclass
class RealGround:
    layers: Path
    server: Server = NANO
    instance: str = field(default_factory=lambda: uuid4().hex[:12])

    def provider(self) -> OpenStack:
        cloud = Cloud("admin", CLOUDS)
        starting = Starting(Looking(cloud), Holding(cloud, self.instance), "gate", "site.example.org")
        return OpenStack(starting, self.server, Way("/var/tmp/gatebot"), self.layers.parent / "keys", "h")

    async def crash(self, provider: Provider) -> None:
        """The cloud hears nothing of it."""
        await provider.close()


@pytest.fixture
def cloud() -> Iterator[Any]:
    """The cloud, as its administrator sees it."""
    config: Any = importlib.import_module("openstack.config").OpenStackConfig(config_files=[str(CLOUDS)])
    connection: Any = importlib.import_module("openstack.connection").Connection(config=config.get_one("admin"))
    yield connection
    connection.close()


@pytest.fixture
def ground(tmp_path: Path) -> RealGround:
    (tmp_path / "layers").mkdir()
    return RealGround(tmp_path / "layers")


def left(cloud: Any) -> list[str]:
    """The name of every part of any node that is in the cloud."""
    lists = (cloud.compute.servers, cloud.network.ports, cloud.block_storage.volumes, cloud.compute.keypairs)
    names = [part.name for listed in lists for part in listed()]
    names += [address.description for address in cloud.network.ips()]
    return sorted(name for name in names if name and name.startswith("gatebot-"))


@pytest.fixture(autouse=True)
def nothing_stays(cloud: Any) -> Generator[None]:
    """Whatever a test makes is gone after it."""
    before = left(cloud)
    yield
    assert left(cloud) == before


class TestServersOfARealCloud(ProviderContract):
    pass


@pytest.fixture
async def yard(ground: RealGround) -> AsyncIterator[Yard]:
    made = Yard(replace(ground, server=replace(NANO, volume=1)).provider(), ground.layers)
    await made.begin()
    yield made
    for node in await made.provider.list_owned():
        await made.provider.destroy(node)
    await made.provider.close()


async def test_everything_of_a_node_has_its_name_and_goes_with_it(yard: Yard, cloud: Any) -> None:
    node = await yard.node()
    assert "vda" in (await node.ran("cat /proc/partitions"))[1]
    there = await asyncio.to_thread(left, cloud)
    assert len([name for name in there if name.endswith(f"-{node.name}")]) == 5
    assert await yard.provider.list_owned() == (node.name,)


@contextmanager
def quota(cloud: Any, instances: int) -> Generator[None]:
    """So many servers and no more."""
    project = cloud.current_project_id
    cloud.set_compute_quotas(project, instances=instances)
    try:
        yield
    finally:
        cloud.set_compute_quotas(project, instances=10)


async def test_quota_that_is_used_up_is_waited_for_with_the_words_of_nova(
    ground: RealGround, tmp_path: Path, cloud: Any
) -> None:
    provider, node, heard = ground.provider(), uuid4().hex, asyncio.Queue[str]()
    keys = new_keys(tmp_path / "keys" / node)
    request = NodeRequest(node, LABEL, "", "x86_64", Execution.KVM)
    with quota(cloud, len(list(cloud.compute.servers()))):
        found = await provider.probe()
        assert isinstance(found, Capacity)
        assert found.slots == 1  # never none: who asks waits
        starting = asyncio.create_task(
            provider.starting.start(request, NANO, keys, lambda why: heard.put_nowait(say(why)))
        )
        assert "Quota exceeded for instances" in await asyncio.wait_for(heard.get(), PATIENCE)
        assert not [server for server in cloud.compute.servers() if node in server.name]
    await asyncio.wait_for(starting, PATIENCE)
    assert await provider.list_owned() == (node,)
    await provider.destroy(node)
    await provider.close()


def test_a_change_is_gated_on_a_server_of_the_cloud(template: Template, tmp_path: Path, cloud: Any) -> None:
    directory = template.copy(tmp_path / "site", free_port())
    with (directory / "gatebot.toml").open("a") as settings:
        settings.write(LABELS)
    with RunningSite(directory, template.tokens, tmp_path / "homes", sandbox=Sandbox.AUTO) as site:
        ann, bob = site.person("ann"), site.person("bob")
        change = ann.propose("api", "Run on a server", {".zuul.yaml": JOB, "ci/where": WHERE})
        bob.approve(change)
        ann.sees_merged(change, PATIENCE)
        build = ann.rest.get("/api/tenant/main/builds?job_name=on-a-server")[0]["uuid"]
        log = "".join(ann.rest.text_lines(f"/logs/{build}/job-output.txt"))
        assert "kernel 6.1.0-" in log
        assert " of gatebot-" in log

# SPDX-License-Identifier: Apache-2.0
"""Servers of a cloud: the contract of providers against OpenStack's APIs with real sshd, and what is only theirs."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gatebot import settings
from gatebot.architectures import Execution
from gatebot.errors import Unavailable
from gatebot.executor import providing
from gatebot.executor.clouds.asking import Cloud
from gatebot.executor.clouds.entering import Way
from gatebot.executor.clouds.holding import Holding
from gatebot.executor.clouds.looking import Looking
from gatebot.executor.clouds.model import Server
from gatebot.executor.clouds.starting import Starting
from gatebot.executor.providers.model import Capacity, NodeRequest, Platform, Ssh
from gatebot.executor.providers.openstack import OpenStack
from gatebot.executor.providers.ports import Provider
from gatebot.reasons import Reason
from gatebot.words import say
from tests.fakes.cloud_api import PASSWORD, FakeCloud
from tests.fakes.provider_contract import LABEL, ProviderContract, Yard

KVM = Execution.KVM
SERVER = Server(user=getpass.getuser())


@dataclass
class CloudGround:
    layers: Path
    cloud: FakeCloud
    clouds: Path
    nodes: Path
    instance: str = field(default_factory=lambda: uuid4().hex[:12])
    image: str = "debian"
    server: Server = SERVER
    first: bool = False

    def provider(self) -> OpenStack:
        cloud = Cloud("test", self.clouds, rate=1000)
        starting = Starting(Looking(cloud), Holding(cloud, self.instance, pause=0.05), self.image, "site.example.org")
        way = Way(str(self.nodes), self.cloud.port, self.first, pause=0.1)
        return OpenStack(starting, self.server, way, self.layers.parent / "keys", "h")

    async def crash(self, provider: Provider) -> None:
        """The cloud hears nothing of it."""
        await provider.close()


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[CloudGround]:
    (tmp_path / "layers").mkdir()
    (tmp_path / "servers").mkdir()
    cloud = FakeCloud(tmp_path / "servers")
    runner = await cloud.start()
    yield CloudGround(tmp_path / "layers", cloud, cloud.clouds(tmp_path / "clouds.yaml"), tmp_path / "nodes")
    await asyncio.to_thread(cloud.end)
    await runner.cleanup()


class TestServers(ProviderContract):
    pass


async def yard_of(ground: CloudGround, **more: Any) -> Yard:
    made = replace(ground, **more)
    yard = Yard(made.provider(), made.layers)
    await yard.begin()
    return yard


async def probed(ground: CloudGround, **more: Any) -> str | Capacity:
    provider = replace(ground, **more).provider()
    found = await provider.probe()
    await provider.close()
    return say(found) if isinstance(found, Reason) else found


async def waits_for(yard: Yard, kind: str) -> str:
    """What a node that is not made waits for, as soon as it is that."""
    node = uuid4().hex
    await yard.provider.create(NodeRequest(node, LABEL, "", "x86_64", KVM))
    async with asyncio.timeout(60):
        while True:
            with pytest.raises(Unavailable) as problem:
                await yard.provider.wait_ready(node, 0.2)
            if problem.value.reason is not None and problem.value.reason.kind == kind:
                break
    await yard.provider.destroy(node)
    return say(problem.value.reason)


async def refused(yard: Yard, **label: Any) -> str:
    """Why a node is not made."""
    node = uuid4().hex
    request = NodeRequest(node, replace(LABEL, **label), "", "x86_64", KVM)
    await yard.provider.create(request)
    with pytest.raises(Unavailable) as problem:
        await yard.provider.wait_ready(node, 60)
    await yard.provider.destroy(node)
    assert problem.value.reason is not None
    return say(problem.value.reason)


async def gone(yard: Yard, ground: CloudGround) -> None:
    """Take away what is left, and see that nothing is."""
    for node in await yard.provider.list_owned():
        await yard.provider.destroy(node)
    await yard.provider.close()
    assert ground.cloud.left() == {}


async def test_the_probe_tells_architecture_and_quota(ground: CloudGround) -> None:
    found = await probed(ground)
    assert isinstance(found, Capacity)
    assert (found.platforms, found.slots) == ((Platform("x86_64", KVM),), 10)
    ground.cloud.instances = 0
    found = await probed(ground, image="debian-arm")
    assert isinstance(found, Capacity)
    assert (found.platforms, found.slots) == ((Platform("arm64", KVM),), 1)


def has_no_file(ground: CloudGround) -> str:
    ground.clouds.unlink()
    return f"The cloud test cannot be read from {ground.clouds}: there is no such file. "


def has_broken_file(ground: CloudGround) -> str:
    ground.clouds.write_text(f"clouds: {{test: {PASSWORD}")
    return f"The cloud test cannot be read from {ground.clouds}: Cloud test was not found."


def lacks_the_cloud(ground: CloudGround) -> str:
    ground.clouds.write_text("clouds: {other: {auth: {}}}")
    return f"The cloud test cannot be read from {ground.clouds}: Cloud test was not found."


def has_another_password(ground: CloudGround) -> str:
    ground.cloud.clouds(ground.clouds, password="another")
    return "The cloud test does not let us in: The request you have made requires authentication. "


def lacks_the_image(ground: CloudGround) -> str:
    del ground.cloud.images[:2]
    return "The cloud has no image debian; it has: debian-arm. "


def has_many_networks(ground: CloudGround) -> str:
    ground.cloud.networks.append({"id": "n-more", "name": "more"})
    return "It cannot be told which network of the cloud servers are to be in: inner, more. Write one as `network`."


def is_away(ground: CloudGround) -> str:
    ground.cloud.away["image"] = 503
    return "The cloud does not answer as it should: image: "


def is_unreachable(ground: CloudGround) -> str:
    ground.cloud.url = "http://127.0.0.1:1"
    ground.cloud.clouds(ground.clouds)
    return "The cloud does not answer as it should: image: Could not find versioned identity endpoints"


@pytest.mark.parametrize(
    "fault",
    [has_no_file, has_broken_file, lacks_the_cloud, has_another_password, lacks_the_image, has_many_networks, is_away,
     is_unreachable],
)  # fmt: skip
async def test_a_cloud_that_cannot_be_used_says_why_without_the_password(
    ground: CloudGround, fault: Callable[[CloudGround], str]
) -> None:
    wanted = fault(ground)
    told = await probed(ground)
    assert isinstance(told, str)
    assert told.startswith(wanted)
    assert PASSWORD not in told


async def test_everything_of_a_node_has_its_name_and_goes_with_it(ground: CloudGround) -> None:
    everything = replace(SERVER, floating_network="public", security_groups=("ssh",), zone="nova", volume=4)
    yard = await yard_of(ground, server=everything)
    node = await yard.node()
    name = f"gatebot-{ground.instance}-{node.name}"
    assert ground.cloud.left() == {kind: [name] for kind in ("servers", "ports", "floatingips", "volumes", "keypairs")}
    [server] = ground.cloud.parts["servers"].values()
    assert server["metadata"] == {
        "gatebot.instance": ground.instance, "gatebot.node": node.name, "gatebot.site": "site.example.org",
    }  # fmt: skip
    assert (server["flavorRef"], server["imageRef"], server["availability_zone"]) == ("1", "", "nova")
    [port] = ground.cloud.parts["ports"].values()
    assert (port["network_id"], port["security_groups"]) == ("n-in", ["g-ssh"])
    await yard.provider.destroy(node.name)
    await gone(yard, ground)


async def test_a_label_says_what_its_servers_are_and_else_the_smallest_flavor_that_has_enough(
    ground: CloudGround,
) -> None:
    yard = await yard_of(ground)
    for label in (replace(LABEL, memory=2 << 30), replace(LABEL, server=Server(flavor="large"))):
        node = uuid4().hex
        await yard.provider.create(NodeRequest(node, label, "", "x86_64", KVM))
        await yard.provider.wait_ready(node, 60)
    assert [one["flavorRef"] for one in ground.cloud.parts["servers"].values()] == ["2", "3"]
    told = await refused(yard, memory=64 << 30)
    assert told.startswith("No flavor of the cloud has 65536 MiB of memory, 1 processors and 1 GiB of disk.")
    told = await refused(yard, image="debian-arm")
    assert told.startswith("The image debian-arm is for arm64, and a node of x86_64 was asked for.")
    await gone(yard, ground)


async def test_playbooks_reach_a_server_by_the_key_that_it_was_given(ground: CloudGround) -> None:
    yard = await yard_of(ground)
    node = await yard.node()
    reach = node.connection.reach
    assert isinstance(reach, Ssh)
    told = ground.cloud.bodies[-1]["server"]["user_data"]
    assert reach.host_key.startswith("ssh-ed25519 ")
    assert reach.host_key not in told
    assert (reach.user, reach.port) == (SERVER.user, ground.cloud.port)
    await gone(yard, ground)


async def test_a_node_that_was_kept_is_entered_by_the_process_that_comes_after(ground: CloudGround) -> None:
    yard = await yard_of(ground)
    node = await yard.node()
    await node.ran("echo kept > file")
    await yard.provider.close()
    after = await yard_of(ground)
    again = replace(node, provider=after.provider, connection=after.provider.connect(node.name))
    assert (await again.ran("cat file"))[1] == "kept\n"
    with pytest.raises(Unavailable):
        after.provider.connect(uuid4().hex)
    await gone(after, ground)


async def test_a_server_without_cloud_init_is_known_by_the_key_on_its_console(ground: CloudGround) -> None:
    ground.cloud.cloud_init = False
    yard = await yard_of(ground)
    assert (await (await yard.node()).ran("echo in"))[1] == "in\n"
    await gone(yard, ground)


async def test_a_server_that_nothing_speaks_for_is_not_entered_unless_the_settings_say_so(ground: CloudGround) -> None:
    ground.cloud.cloud_init = ground.cloud.console = False
    yard = await yard_of(ground)
    assert "has a host key that nothing speaks for." in await waits_for(yard, "executor.cloud-host-key")
    await gone(yard, ground)
    yard = await yard_of(ground, first=True)
    assert (await (await yard.node()).ran("echo in"))[1] == "in\n"
    await gone(yard, ground)


async def test_what_nova_says_of_a_server_that_failed_is_told(ground: CloudGround) -> None:
    ground.cloud.fault = "Build of instance 1 aborted: the image is broken"
    yard = await yard_of(ground)
    assert await refused(yard) == (
        "The node could not be made: ERROR: Build of instance 1 aborted: the image is broken. The build is tried again."
    )
    await gone(yard, ground)


async def making(yard: Yard) -> tuple[str, asyncio.Task[None]]:
    node = uuid4().hex
    await yard.provider.create(NodeRequest(node, LABEL, "", "x86_64", KVM))
    return node, asyncio.create_task(yard.provider.wait_ready(node, 60))


async def heard(ground: CloudGround, call: str, times: int) -> None:
    """Wait until the cloud was asked so often."""
    async with asyncio.timeout(60):
        while ground.cloud.calls.count(call) < times:
            await asyncio.sleep(0.02)


async def test_no_room_in_the_cloud_is_waited_for_and_no_broken_server_is_left(ground: CloudGround) -> None:
    ground.cloud.fault = "No valid host was found. There are not enough hosts available."
    yard = await yard_of(ground)
    assert (await waits_for(yard, "executor.cloud-full")).startswith(
        "The cloud has no room for this server now: ERROR: No valid host"
    )
    node, ready = await making(yard)
    before = ground.cloud.calls.count("POST /compute/v2.1/servers")
    await heard(ground, "POST /compute/v2.1/servers", before + 2)
    ground.cloud.fault = ""
    await ready
    assert len(ground.cloud.parts["servers"]) == 1
    await yard.provider.destroy(node)
    await gone(yard, ground)


async def test_quota_that_is_used_up_is_waited_for_beyond_the_deadline(ground: CloudGround) -> None:
    yard = await yard_of(ground)
    ground.cloud.instances = 0
    node = uuid4().hex
    await yard.provider.create(NodeRequest(node, LABEL, "", "x86_64", KVM))
    await heard(ground, "POST /compute/v2.1/servers", 2)
    ready = asyncio.create_task(yard.provider.wait_ready(node, 0.2))
    await heard(ground, "POST /compute/v2.1/servers", 7)
    assert not ready.done()
    ready.cancel()
    ground.cloud.instances = 1
    await yard.provider.wait_ready(node, 60)
    assert len(ground.cloud.parts["ports"]) == 1
    await yard.provider.destroy(node)
    await gone(yard, ground)


async def test_a_cloud_that_is_away_for_a_while_is_asked_again_and_makes_one_server(ground: CloudGround) -> None:
    yard = await yard_of(ground)
    ground.cloud.lose = True
    node, ready = await making(yard)
    await heard(ground, "POST /compute/v2.1/servers", 1)
    ground.cloud.away = {"compute": 503, "image": 503}
    found = await yard.provider.probe()
    assert isinstance(found, Capacity)
    assert [one.kind for one in found.problems] == ["executor.cloud-away"]
    ground.cloud.away = {}
    await ready
    assert len(ground.cloud.parts["servers"]) == 1
    ground.cloud.away = {"compute": 503}
    with pytest.raises(Unavailable):
        await yard.provider.destroy(node)
    ground.cloud.away = {}
    await gone(yard, ground)


async def test_a_node_that_is_given_up_while_it_is_made_leaves_nothing(ground: CloudGround) -> None:
    yard = await yard_of(ground)
    for call in ("POST /network/v2.0/ports", "POST /compute/v2.1/servers"):
        before = ground.cloud.calls.count(call)
        node, ready = await making(yard)
        await heard(ground, call, before + 1)
        await yard.provider.destroy(node)
        await asyncio.wait([ready])
        ready.exception() if not ready.cancelled() else None
        assert ground.cloud.left() == {}
    await gone(yard, ground)


async def test_whatever_part_a_killed_executor_left_is_found_and_taken_away_but_nobody_elses(
    ground: CloudGround,
) -> None:
    name = f"gatebot-{ground.instance}-{uuid4().hex}"
    other = name.replace(ground.instance, "0" * 12)
    for one in (name, other):
        number = uuid4().hex
        ground.cloud.parts["keypairs"][one] = {"name": one, "public_key": ""}
        ground.cloud.parts["floatingips"][number] = {"id": number, "description": one}
        ground.cloud.parts["volumes"][number] = {"id": number, "name": one, "status": "error"}
        ground.cloud.parts["ports"][number] = {"id": number, "name": one}
    yard = await yard_of(ground)
    [node] = await yard.provider.list_owned()
    await yard.provider.destroy(node)
    assert await yard.provider.list_owned() == ()
    kinds = ("ports", "floatingips", "volumes", "keypairs")
    assert ground.cloud.left() == {kind: [other] for kind in kinds}
    await yard.provider.close()


async def test_a_cloud_without_volumes_has_nodes_all_the_same(ground: CloudGround) -> None:
    ground.cloud.volumes = False
    yard = await yard_of(ground)
    await yard.node()
    told = await refused(yard, server=Server(volume=1))
    assert told.startswith("The catalog of the cloud has no service block_storage for us.")
    await gone(yard, ground)


def test_the_settings_describe_the_provider(tmp_path: Path) -> None:
    loaded = settings.load(
        '[providers.sky]\nkind = "openstack"\ncloud = "test"\nimage = "debian"\nuser = "ci"\nvolume = 8\n'
        'security_groups = ["ssh"]\nboot_timeout = 300\nslots = 2\n',
        "gatebot.toml",
    )
    around = providing.Around(tmp_path, tmp_path, "h", lambda path: str(tmp_path / path))
    source = providing.sources(loaded.providers, around)["sky"]
    assert (source.making, source.changing, source.lasting) == (300, True, True)
    provider = source.provider
    assert isinstance(provider, OpenStack)
    assert provider.server == Server("", "", "", ("ssh",), "", 8, "ci")
    assert (provider.wanted, provider.starting.holding.cloud.clouds) == (2, tmp_path / "clouds.yaml")

# SPDX-License-Identifier: Apache-2.0
"""Pods of Kubernetes: the contract of providers against its API with real containers, and what is only theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot.errors import Unavailable
from gatebot.executor.providers.cluster import Cluster
from gatebot.executor.providers.container import Podman
from gatebot.executor.providers.kubernetes import Kubernetes
from gatebot.executor.providers.model import Capacity, NodeRequest, Platform
from gatebot.executor.providers.ports import Provider
from gatebot.reasons import Reason
from gatebot.words import say
from tests.fakes.cluster import TOKEN, FakeCluster
from tests.fakes.provider_contract import LABEL, ProviderContract


@dataclass
class PodGround:
    layers: Path
    cluster: FakeCluster
    token: Path
    image: str
    instance: str

    def provider(self) -> Kubernetes:
        cluster = Cluster(self.cluster.url, self.cluster.namespace, self.token)
        return Kubernetes(cluster, self.instance, "h", self.image)

    async def crash(self, provider: Provider) -> None:
        """Its connections break; the pods hear nothing of it."""
        await provider.close()


@pytest.fixture
async def ground(tmp_path: Path, podman: tuple[Podman, str]) -> AsyncIterator[PodGround]:
    (tmp_path / "layers").mkdir()
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    cluster = FakeCluster(podman[0])
    runner = await cluster.start()
    yield PodGround(tmp_path / "layers", cluster, token, podman[1], uuid4().hex[:12])
    for name in cluster.pods:
        await podman[0].ask("rm", "--force", "--ignore", "--time", "0", name)
    await runner.cleanup()


class TestPods(ProviderContract):
    pass


async def probed(ground: PodGround, **more: object) -> str | Capacity:
    provider = replace(ground.provider(), **more)  # type: ignore[arg-type]
    found = await provider.probe()
    await provider.close()
    return say(found) if isinstance(found, Reason) else found


async def test_the_architectures_of_the_cluster_are_asked_for_or_written(ground: PodGround) -> None:
    found = await probed(ground)
    assert isinstance(found, Capacity)
    assert found.platforms == (Platform("x86_64"), Platform("arm64"))
    ground.cluster.machines = None
    assert await probed(ground) == (
        "The service account may not list the machines of the cluster. Let it (docs/nodes.md), or name their "
        'architectures in the settings: architectures = ["x86_64"].'
    )
    written = await probed(ground, archs=("aarch64",))
    assert isinstance(written, Capacity)
    assert written.platforms == (Platform("arm64"),)


def lacks_rights(ground: PodGround) -> str:
    ground.cluster.may -= {"delete pods", "create exec"}
    return (
        "The service account lacks rights in the namespace gatebot: delete pods, create pods/exec. "
        "docs/nodes.md has the role that gives them."
    )


def is_old(ground: PodGround) -> str:
    ground.cluster.minor = "29+"
    return (
        "The cluster is Kubernetes 1.29; 1.30 is the oldest whose commands can be told that their input ended. "
        "Bring it up to date."
    )


def has_another_token(ground: PodGround) -> str:
    ground.token.write_text("another")
    return "The cluster did not do what it was asked: 401 Unauthorized"


def has_no_token(ground: PodGround) -> str:
    ground.token.unlink()
    return (
        f"The token of the cluster cannot be read from {ground.token}: No such file or directory. "
        "Put it there, readable by the server's user."
    )


@pytest.mark.parametrize("fault", [lacks_rights, is_old, has_another_token, has_no_token])
async def test_a_cluster_that_cannot_be_used_says_why(ground: PodGround, fault: Callable[[PodGround], str]) -> None:
    wanted = fault(ground)
    assert await probed(ground) == wanted


async def test_a_cluster_that_is_away_says_so_without_the_token(ground: PodGround) -> None:
    ground.cluster.url = "http://127.0.0.1:1"
    told = await probed(ground)
    assert isinstance(told, str)
    assert told == (
        "The cluster at http://127.0.0.1:1 does not answer (Connection refused). "
        "Look at `server`, and whether this machine may reach it."
    )
    assert TOKEN not in told


async def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    cluster = Cluster("https://127.0.0.1:1", "gatebot", token, tmp_path / "ca.crt")
    with pytest.raises(Unavailable) as found:
        await cluster.ask("GET", "/version")
    assert found.value.reason is not None
    assert say(found.value.reason) == (
        f"The certificates of the cluster cannot be read from {tmp_path}/ca.crt: No such file or directory. "
        "Put them there, readable by the server's user."
    )


async def test_a_pod_may_nothing_but_run_the_job_and_is_placed_by_architecture(ground: PodGround) -> None:
    provider, node = ground.provider(), uuid4().hex
    await provider.create(NodeRequest(node, LABEL, "", "x86_64", (await _platform(provider)).execution))
    await provider.wait_ready(node, 30)
    [pod] = ground.cluster.seen
    spec, container = pod["spec"], pod["spec"]["containers"][0]
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["memory"] == str(LABEL.memory)
    await provider.destroy(node)
    assert ground.cluster.pods == {}
    await provider.close()


async def _platform(provider: Kubernetes) -> Platform:
    found = await provider.probe()
    assert isinstance(found, Capacity)
    return found.platforms[0]


async def test_what_a_pod_waits_for_is_said_when_that_takes_too_long(ground: PodGround) -> None:
    ground.cluster.unschedulable = "0/3 nodes are available: 3 Insufficient memory."
    provider, node = ground.provider(), uuid4().hex
    await provider.create(NodeRequest(node, LABEL, "", "x86_64", (await _platform(provider)).execution))
    with pytest.raises(Unavailable) as problem:
        await provider.wait_ready(node, 1)
    assert problem.value.reason is not None
    assert "0/3 nodes are available: 3 Insufficient memory." in say(problem.value.reason)
    await provider.destroy(node)
    await provider.close()


async def test_an_image_that_nobody_has_is_told_at_once(ground: PodGround) -> None:
    provider, node = replace(ground.provider(), image="localhost/nowhere:1"), uuid4().hex
    await provider.create(NodeRequest(node, LABEL, "", "x86_64", (await _platform(provider)).execution))
    with pytest.raises(Unavailable) as problem:
        await provider.wait_ready(node, 30)
    assert problem.value.reason is not None
    assert "ErrImagePull: localhost/nowhere:1: not found" in say(problem.value.reason)
    await provider.destroy(node)
    assert await provider.list_owned() == ()
    await provider.close()

# SPDX-License-Identifier: Apache-2.0
"""Hosts that are there already: the contract of providers against a real server of SSH, and what is only theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot import settings
from gatebot.executor import providing
from gatebot.executor.labels import site_labels
from gatebot.executor.providers.model import Capacity, Ssh
from gatebot.executor.providers.ports import Provider
from gatebot.executor.providers.static import Policy, Static
from gatebot.executor.providers.user import current_user
from gatebot.reasons import Reason
from gatebot.words import say
from tests.fakes.executor import job, script
from tests.fakes.provider_contract import ProviderContract, Yard
from tests.fakes.ssh_host import LoopbackHost, loopback_host, new_key
from tests.fakes.workshop import processes_of, workshop


@dataclass
class StaticGround:
    layers: Path
    host: LoopbackHost
    policy: Policy

    def provider(self) -> Static:
        return Static([self.host.host()], self.policy, site="h")

    async def crash(self, provider: Provider) -> None:
        """The host hears nothing of it."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackHost]:
    with loopback_host(tmp_path_factory.mktemp("host")) as made:
        yield made


@pytest.fixture
def ground(tmp_path: Path, host: LoopbackHost) -> StaticGround:
    (tmp_path / "layers").mkdir()
    return StaticGround(tmp_path / "layers", host, Policy(str(tmp_path / "nodes"), slots=2))


async def yard_of(ground: StaticGround, **policy: object) -> Yard:
    made = replace(ground, policy=replace(ground.policy, **policy))  # type: ignore[arg-type]
    yard = Yard(made.provider(), made.layers)
    await yard.begin()
    return yard


class TestStatic(ProviderContract):
    pass


async def test_a_host_whose_key_is_not_known_is_refused_with_what_makes_it_known(ground: StaticGround) -> None:
    strange = ground.host.host()
    strange.known_hosts = ground.layers / "known_hosts"
    strange.known_hosts.touch()
    found = await Static([strange], ground.policy, site="h").probe()
    assert isinstance(found, Reason)
    assert f"The key of the host 127.0.0.1:{ground.host.port} is not in {strange.known_hosts}." in say(found)
    assert f"`ssh-keyscan -p {ground.host.port} 127.0.0.1 >> {strange.known_hosts}`" in say(found)


async def test_a_host_with_another_key_than_the_known_one_is_refused(ground: StaticGround) -> None:
    other = ground.host.host()
    other.known_hosts = ground.layers / "known_hosts"
    other.known_hosts.write_text(f"[127.0.0.1]:{ground.host.port} {new_key(ground.layers / 'another')}\n")
    found = await Static([other], ground.policy, site="h").probe()
    assert isinstance(found, Reason)
    assert "has another key than the known one: it was made anew, or somebody is in between." in say(found)
    assert f"`ssh-keygen -R [127.0.0.1]:{ground.host.port} -f {other.known_hosts}`" in say(found)


async def test_a_key_that_the_host_does_not_take_is_told(ground: StaticGround) -> None:
    stranger = ground.host.host()
    new_key(stranger.key.with_name("stranger"))
    stranger.key = stranger.key.with_name("stranger")
    found = await Static([stranger, ground.host.host()], ground.policy, site="h").probe()
    assert isinstance(found, Capacity)
    assert found.slots == 2
    assert [say(one) for one in found.problems] == [
        f"The host 127.0.0.1:{ground.host.port} does not let the key {stranger.key} in. "
        f"Put the line of {stranger.key}.pub into ~/.ssh/authorized_keys of that user there."
    ]


async def test_a_key_that_the_executor_cannot_read_is_told_and_not_the_host_blamed(ground: StaticGround) -> None:
    host = ground.host.host()
    host.key = host.key.with_name("of-somebody-else")
    found = await Static([host], ground.policy, site="h").probe()
    assert isinstance(found, Reason)
    assert f"the key {host.key} cannot be read by {current_user()}, as whom this executor runs." in say(found)
    assert say(found).endswith(f"chown {current_user()} {host.key}")


async def test_playbooks_reach_the_host_by_ssh_with_the_key_that_it_is_known_by(ground: StaticGround) -> None:
    yard = await yard_of(ground)
    node = await yard.node()
    assert isinstance(node.connection.reach, Ssh)
    assert (node.connection.reach.host, node.connection.reach.port) == ("127.0.0.1", ground.host.port)
    assert f"[127.0.0.1]:{ground.host.port} {node.connection.reach.host_key}" in ground.host.known_hosts.read_text()
    await yard.provider.destroy(node.name)
    await yard.provider.close()


async def test_where_the_user_is_there_for_builds_alone_also_what_hides_ends(ground: StaticGround) -> None:
    yard = await yard_of(ground, slots=1, alone=True)
    node = await yard.node()
    marker = f"300.{uuid4().int % 10**12}"
    hidden = f"env -i PATH=/usr/bin:/bin setsid sh -c 'sleep {marker} & echo $! > pipe; wait' > /dev/null 2>&1 &"
    ended, _ = await node.ran(f"mkfifo pipe; {hidden} read pid < pipe; kill -0 $pid")
    assert ended.status == 0
    await yard.provider.destroy(node.name)
    assert processes_of(marker) == []
    await yard.provider.close()


async def test_a_host_is_cleaned_between_builds_and_takes_none_until_that_succeeded(ground: StaticGround) -> None:
    left, block = ground.layers / "left", ground.layers / "block"
    yard = await yard_of(ground, cleanup=f"test ! -e {block} && rm -f {left} || {{ echo it is blocked; exit 1; }}")
    node = await yard.node()
    await node.ran(f"touch {left}")
    await yard.provider.destroy(node.name)
    assert not left.exists()
    block.touch()
    await yard.provider.destroy((await yard.node()).name)
    found = await yard.provider.probe()
    assert isinstance(found, Reason)
    assert "it is blocked" in say(found)
    block.unlink()
    assert isinstance(await yard.provider.probe(), Capacity)
    await yard.provider.close()


async def test_a_playbook_cleans_too(ground: StaticGround, tmp_path: Path) -> None:
    left, book = ground.layers / "left", tmp_path / "cleanup.yaml"
    book.write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        f"    - raw: rm {left}; echo {{{{ gatebot_node }}}} > {left}-by\n"
    )
    left.touch()
    yard = await yard_of(ground, cleanup=str(book))
    node = await yard.node()
    await yard.provider.destroy(node.name)
    assert not left.exists()
    assert (ground.layers / "left-by").read_text() == f"{node.name}\n"
    await yard.provider.close()


async def test_a_host_that_is_not_used_again_waits_until_it_was_made_new(ground: StaticGround) -> None:
    yard = await yard_of(ground, reuse=False)
    found = await yard.provider.probe()
    assert isinstance(found, Capacity)
    assert found.slots == 1
    await yard.provider.destroy((await yard.node()).name)
    found = await yard.provider.probe()
    assert isinstance(found, Reason)
    assert "had its one build" in say(found)
    Path(ground.policy.directory, "used").unlink()
    assert isinstance(await yard.provider.probe(), Capacity)
    await yard.provider.close()


async def test_scripts_of_a_build_run_on_a_host_of_the_settings(ground: StaticGround, tmp_path: Path) -> None:
    found = settings.load(
        f"""
        [providers.boards]
        kind = "static"
        hosts = ["127.0.0.1:{ground.host.port}"]
        key = "{ground.host.key}"
        known_hosts = "{ground.host.known_hosts}"
        directory = "{ground.policy.directory}"
        [labels.board]
        provider = "boards"
        """,
        str(tmp_path / "gatebot.toml"),
    )
    labels = site_labels(found.labels, providing.kinds(found.providers))
    around = providing.Around(tmp_path, tmp_path, "git.example.org", lambda path: path)
    given = providing.sources(found.providers, around)
    async with workshop(tmp_path, labels=labels, providers=given) as shop:
        body = "pwd; ls $HOME/src/*/*/*; echo kept > $GATEBOT_ARTIFACTS/file; echo '{\"a\": 1}' > $GATEBOT_RESULT"
        refused, _ = await shop.script(body, label="board")
        assert refused.result == "NODE_FAILURE"
        files = {"run.sh": f"#!/bin/sh\n{body}; true\n"}
        completed = await shop.run(shop.assignment(files, job(label="board"), post_review=True))
        text = shop.text(completed.build)
        assert completed.result == "SUCCESS", text
        assert f"{ground.policy.directory}/{completed.build}/home/job/src/git.example.org/demo/api\nrun.sh\n" in text
        assert "gatebot: The node has the label board; the provider boards gives it: " in text
        assert completed.data == '{"a": 1}'
        assert (shop.logs.directory(completed.build) / "artifacts/file").read_text() == "kept\n"
        assert list(Path(ground.policy.directory).iterdir()) == []
        assert list((tmp_path / "site/executor/layers").iterdir()) == []


async def test_an_aborted_build_leaves_nothing_on_the_host(ground: StaticGround, tmp_path: Path) -> None:
    marker = f"300.{uuid4().int % 10**12}"
    given = {"boards": providing.Source(ground.provider())}
    labels = site_labels({"board": {"provider": "boards"}}, {"boards": "static"})
    async with workshop(tmp_path, labels=labels, providers=given) as shop:
        body = f"#!/bin/sh\nsetsid sleep {marker} &\nsleep {marker}\n"
        assigned = shop.assignment({"run.sh": body}, job(script("run.sh"), label="board"))
        await shop.executor.assign(assigned)
        await shop.reports.begun(assigned.build)
        await shop.executor.abort(assigned.build, assigned.fence)
        completed = await asyncio.wait_for(shop.reports.of(assigned.build), 10)
        assert completed.result == "ABORTED"
        assert processes_of(marker) == []
        assert list(Path(ground.policy.directory).iterdir()) == []

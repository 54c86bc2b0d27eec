# SPDX-License-Identifier: Apache-2.0
"""What commands of playbooks print is in the log while they run: on the node itself, on several, on another machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.assignment import NodeSpec, SecretRef
from gatebot.executor.labels import site_labels
from gatebot.executor.providers.model import Command
from gatebot.executor.providers.static import Policy, Static
from gatebot.executor.providing import Source
from tests.fakes.executor import PROJECT, job, script
from tests.fakes.ssh_host import LoopbackHost, loopback_host
from tests.fakes.workshop import LABELS, Workshop, workshop

HEAD = "- hosts: all\n  gather_facts: false\n  tasks:\n"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackHost]:
    with loopback_host(tmp_path_factory.mktemp("host")) as made:
        yield made


async def text_until(shop: Workshop, build: str, *wanted: str) -> str:
    """What the log says as soon as it has all these lines, the build running."""

    async def read() -> str:
        lines = b""
        async for _, piece in shop.logs.follow(build, 0):
            lines += piece
            if all(one.encode() in lines for one in wanted):
                break
        return lines.decode()

    await shop.reports.begun(build)
    text = await asyncio.wait_for(read(), 60)
    assert build not in shop.reports.completions, text
    return text


async def ended(shop: Workshop, build: str) -> str:
    """What the log says in the end of a build that succeeds."""
    completed = await shop.reports.of(build)
    assert completed.result == "SUCCESS", shop.text(build)
    return shop.text(build)


#: Prints, and goes on only when it is freed.
WAITS = "mkfifo go; echo early; echo aside >&2; read line < go; echo late"


async def free(shop: Workshop, provider: str, *nodes: str) -> None:
    """Let commands that wait go on."""
    for node in nodes:
        made = shop.executor.supply.provider(provider)
        home = made.places(node).home
        ended = await made.connect(node).run(Command(("sh", "-c", "echo > go"), {}, home), lambda _: None)
        assert ended.status == 0


async def test_lines_of_a_command_are_there_while_it_runs_and_once(shop: Workshop) -> None:
    first = f"    - shell: '{WAITS}'\n      register: said\n"
    second = "    - ansible.builtin.command: echo {{ said.stdout_lines | length }} {{ said.stderr }} {{ said.rc }}\n"
    given = shop.assignment({"run.yaml": HEAD + first + second}, job(script("run.yaml"), label="large"))
    await shop.executor.assign(given)
    await text_until(shop, given.build, "|     early\n", "|     aside\n")
    await free(shop, "local", given.build)
    lines = (await ended(shop, given.build)).splitlines()
    assert [lines.count(f"    {word}") for word in ("early", "aside", "late", "2 aside 0")] == [1, 1, 1, 1], lines
    assert lines.index("    late") < lines.index("  node: changed")


async def test_where_several_nodes_print_each_line_names_its_node(shop: Workshop) -> None:
    nodes = (NodeSpec(("one",), "large"), NodeSpec(("two",), "large"))
    frozen = replace(job(script("run.yaml")), nodes=nodes)
    given = shop.assignment({"run.yaml": HEAD + f"    - shell: '{WAITS}'\n"}, frozen)
    await shop.executor.assign(given)
    await text_until(shop, given.build, "|     one | early\n", "|     two | early\n")
    await free(shop, "local", given.build, f"{given.build}-1")
    lines = (await ended(shop, given.build)).splitlines()
    assert sorted(line for line in lines if line.endswith("late")) == ["    one | late", "    two | late"]


async def test_lines_come_from_a_host_that_is_reached_by_ssh(tmp_path: Path, host: LoopbackHost) -> None:
    boards = Source(Static([host.host()], Policy(str(tmp_path / "nodes"), slots=2), site="h"))
    labels = {**LABELS, **site_labels({"board": {"provider": "boards"}}, {"boards": "static"})}
    async with workshop(tmp_path, labels=labels, providers={"boards": boards}) as shop:
        second = "    - slurp: {src: bytes}\n      register: got\n    - debug: {msg: '{{ got.content }}'}\n"
        playbook = HEAD + f"    - shell: '{WAITS}; printf \"\\037\\n\\037x\" > bytes; cat bytes'\n" + second
        given = shop.assignment({"run.yaml": playbook}, job(script("run.yaml"), label="board"), post_review=True)
        await shop.executor.assign(given)
        await text_until(shop, given.build, "|     early\n", "|     aside\n")
        await free(shop, "boards", given.build)
        lines = (await ended(shop, given.build)).splitlines()
        assert [lines.count(f"    {word}") for word in ("early", "aside", "late")] == [1, 1, 1], lines
        assert "    HwofeA==" in lines


async def test_secrets_are_covered_in_lines_and_tasks_that_must_not_be_logged_are_silent(shop: Workshop) -> None:
    playbook = HEAD + "    - shell: printf s3cret-; sleep 0; echo value; echo open\n"
    playbook += "    - {command: echo silent, no_log: true, register: said}\n"
    playbook += "    - {command: echo loud, no_log: '{{ said.rc == 0 }}'}\n"
    book = replace(script("run.yaml"), secrets=(SecretRef("login", "upload", PROJECT),))
    given = shop.assignment(
        {"run.yaml": playbook}, job(book, label="large"), secrets={"upload": {"token": "s3cret-value"}}
    )
    await shop.executor.assign(given)
    text = await ended(shop, given.build)
    assert "    *****\n    open\n" in text
    assert all(word not in text for word in ("s3cret", "silent", "loud"))


async def test_loops_retries_failures_and_tasks_in_the_background_say_everything_once(shop: Workshop) -> None:
    playbook = HEAD + "    - {command: 'echo item-{{ item }}', loop: [1, 2]}\n"
    playbook += "    - {shell: 'echo try >> tries; wc -l < tries; test $(wc -l < tries) = 2', register: r, until: r is success, delay: 0}\n"  # noqa: E501
    playbook += "    - {shell: 'echo broken; exit 3', ignore_errors: true}\n"
    playbook += "    - {command: echo behind, async: 30, poll: 1}\n"
    playbook += "    - {command: echo never, args: {creates: tries}}\n"
    given = shop.assignment({"run.yaml": playbook}, job(script("run.yaml"), label="large"))
    await shop.executor.assign(given)
    lines = (await ended(shop, given.build)).splitlines()
    words = ("item-1", "item-2", "1", "2", "broken", "behind", "skipped, since tries exists")
    assert [lines.count(f"    {word}") for word in words] == [1] * len(words), lines
    assert "    never" not in lines

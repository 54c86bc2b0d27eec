# SPDX-License-Identifier: Apache-2.0
"""Playbooks that take too long or are aborted: what ends, how soon, and what still runs afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot.executor.model import Sandbox
from gatebot.words import say
from tests.fakes.executor import job, script
from tests.fakes.workshop import Workshop, processes_of, workshop

HEAD = "- hosts: all\n  gather_facts: false\n  tasks:\n"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as made:
        yield made


def says(word: str) -> str:
    return f"{HEAD}    - command: echo {word}\n"


def sleeps(marker: str) -> str:
    return f"{HEAD}    - shell: exec sleep {marker}\n"


TIDY = f"{HEAD}    - debug: {{msg: 'tidy {{{{ zuul_execution_phase }}}} {{{{ zuul_success }}}}'}}\n"


async def test_a_run_playbook_that_takes_too_long_is_ended_and_what_comes_after_it_runs(shop: Workshop) -> None:
    frozen = job(
        script("run.yaml"),
        label="large",
        timeout=4,
        post_run=(script("post.yaml"),),
        cleanup_run=(script("tidy.yaml"),),
    )
    files = {"run.yaml": sleeps("86391"), "post.yaml": says("after"), "tidy.yaml": TIDY}
    completed = await shop.run(shop.assignment(files, frozen))
    lines = shop.text(completed.build).splitlines()
    assert completed.result == "TIMED_OUT", lines
    assert completed.reason is not None
    assert say(completed.reason).startswith("The step run run.yaml took longer than its limit of 4 seconds")
    assert completed.error_line == 0, "what was printed last is no error"
    assert "    after" in lines
    assert "    tidy post False" in lines
    assert processes_of("86391") == []


async def test_pre_run_and_post_run_have_limits_of_their_own(shop: Workshop) -> None:
    frozen = job(script("run.yaml"), label="large", pre_timeout=3, pre_run=(script("slow.yaml"),), timeout=600)
    files = {"run.yaml": says("run"), "slow.yaml": sleeps("86392"), "tidy.yaml": TIDY}
    early = await shop.run(shop.assignment(files, frozen))
    assert (early.result, early.retry) == ("RETRY", True)
    assert "    run" not in shop.text(early.build).splitlines()
    late = job(
        script("run.yaml"),
        label="large",
        post_timeout=3,
        post_run=(script("slow.yaml"),),
        cleanup_run=(script("tidy.yaml"),),
    )
    ended = await shop.run(shop.assignment({**files, "late": ""}, late))
    assert ended.result == "POST_FAILURE"
    assert "    tidy post False" in shop.text(ended.build).splitlines()
    assert processes_of("86392") == []


async def test_an_aborted_playbook_is_gone_within_two_seconds_and_cleanup_playbooks_still_run(shop: Workshop) -> None:
    frozen = job(script("run.yaml"), label="large", post_run=(script("post.yaml"),), cleanup_run=(script("tidy.yaml"),))
    files = {"run.yaml": sleeps("86393"), "post.yaml": says("after"), "tidy.yaml": TIDY}
    given = shop.assignment(files, frozen)
    await shop.executor.assign(given)
    while not processes_of("86393"):
        await asyncio.sleep(0.02)
    began = time.monotonic()
    aborting = asyncio.ensure_future(shop.executor.abort(given.build, given.fence))
    while processes_of("86393"):
        await asyncio.sleep(0.02)
    assert time.monotonic() - began < 2.0
    await aborting
    completed = await shop.reports.of(given.build)
    lines = shop.text(given.build).splitlines()
    assert completed.result == "ABORTED"
    assert "    tidy post False" in lines
    assert "    after" not in lines


@pytest.mark.parametrize(("sandbox", "label"), [(Sandbox.AUTO, "large"), (Sandbox.AUTO, ""), (Sandbox.NONE, "large")])
async def test_commands_begin_in_the_home_directory_also_without_a_sandbox_or_a_nodeset(
    sandbox: Sandbox, label: str, tmp_path: Path
) -> None:
    playbook = HEAD + "    - {command: cat note, args: {chdir: '{{ zuul.project.src_dir }}'}}\n"
    playbook += "    - {command: cat note, args: {chdir: '{{ zuul.project.src_dir }}'}, become: true}\n"
    playbook += "    - copy: {src: '{{ zuul.project.src_dir }}/note', dest: taken, remote_src: true}\n"
    async with workshop(tmp_path, sandbox) as shop:
        given = shop.assignment({"run.yaml": playbook, "note": "found"}, job(script("run.yaml"), label=label))
        completed = await shop.run(given)
        text = shop.text(given.build)
        assert completed.result == "SUCCESS", text
        assert text.splitlines().count("    found") == 2

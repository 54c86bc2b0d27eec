# SPDX-License-Identifier: Apache-2.0
"""Builds that wait in the middle: paused for the jobs that depend on them, and for semaphores of a playbook."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.reasons import reason
from tests.fakes.executor import job, script
from tests.fakes.workshop import Workshop, workshop

PAUSING = '#!/bin/sh\necho \'{"port": 5000, "zuul": {"pause": true, "child_jobs": ["uses-it"]}}\' > $GATEBOT_RESULT\n'


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path) as made:
        yield made


async def test_a_job_that_asked_to_pause_waits_with_its_data_told_and_then_runs_its_post_steps(shop: Workshop) -> None:
    frozen = job(post_run=(script("post.sh"),), timeout=60)
    given = shop.assignment({"run.sh": PAUSING, "post.sh": "#!/bin/sh\necho after\n"}, frozen)
    await shop.executor.assign(given)
    await shop.reports.waiting(given.build)
    told = shop.reports.pauses[given.build]
    assert json.loads(told.data)["port"] == 5000
    assert told.child_jobs == ("uses-it",)
    assert "after" not in shop.text(given.build)
    await shop.executor.resume(given.build, given.fence)
    completed = await shop.reports.of(given.build)
    assert (completed.result, completed.child_jobs) == ("SUCCESS", ("uses-it",))
    assert shop.text(given.build).splitlines()[-5:] == [
        "gatebot: paused until the jobs that depend on this one have ended",
        "gatebot: resumed",
        "post-run: demo/api post.sh",
        "after",
        "result: SUCCESS",
    ]


async def test_a_paused_job_can_be_aborted(shop: Workshop) -> None:
    given = shop.assignment({"run.sh": PAUSING})
    await shop.executor.assign(given)
    await shop.reports.waiting(given.build)
    await shop.executor.abort(given.build, given.fence, reason("pipeline.aborted-by-person", username="bob"))
    assert (await shop.reports.of(given.build)).result == "CANCELED"
    assert shop.text(given.build).endswith("\nresult: CANCELED. bob stopped it.")


async def test_a_failed_job_does_not_pause(shop: Workshop) -> None:
    completed = await shop.run(shop.assignment({"run.sh": PAUSING + "exit 1\n"}))
    assert completed.result == "FAILURE"
    assert shop.reports.pauses == {}


@pytest.mark.zuul(107)
async def test_a_playbook_waits_for_its_semaphores_and_gives_them_back_when_it_ends(shop: Workshop) -> None:
    pre = replace(script("pre.sh"), semaphores=("licence", "licence"))
    given = shop.assignment({"pre.sh": "#!/bin/sh\necho has it\n", "run.sh": "#!/bin/sh\n"}, job(pre_run=(pre,)))
    await shop.executor.assign(given)
    await shop.reports.waiting(given.build)
    assert shop.reports.asked == [("licence", "licence")]
    assert "has it" not in shop.text(given.build)
    await shop.executor.grant(given.build, given.fence, ("licence", "licence"))
    completed = await shop.reports.of(given.build)
    assert completed.result == "SUCCESS"
    assert shop.reports.given_back == [("licence", "licence")]


@pytest.mark.zuul(107)
async def test_waiting_for_a_semaphore_before_a_pre_run_playbook_counts_in_its_timeout(shop: Workshop) -> None:
    pre = replace(script("pre.sh"), semaphores=("licence",))
    files = {"pre.sh": "#!/bin/sh\necho ran\n", "run.sh": "#!/bin/sh\n"}
    given = shop.assignment(files, job(pre_run=(pre,), pre_timeout=1))
    completed = await shop.run(given)
    assert (completed.result, completed.retry) == ("RETRY", True)
    assert "ran" not in shop.text(given.build).splitlines()
    assert shop.reports.given_back == [("licence",)]


@pytest.mark.zuul(106)
async def test_semaphores_that_come_after_the_nodes_are_asked_for_before_pre_run_and_kept(shop: Workshop) -> None:
    frozen = job(semaphores=("licence",), resources_first=("licence",))
    given = shop.assignment({"run.sh": "#!/bin/sh\n"}, frozen)
    await shop.executor.assign(given)
    await shop.reports.waiting(given.build)
    assert shop.reports.starts == []
    await shop.executor.grant(given.build, given.fence, ("licence",))
    assert (await shop.reports.of(given.build)).result == "SUCCESS"
    assert shop.reports.given_back == []

# SPDX-License-Identifier: Apache-2.0
"""The jobs of one change on a real database: what they hand on, wait for and say; only executors are faked."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gatebot.app.build_rows import BuildRows
from gatebot.assignment import ProvidedArtifact
from gatebot.change import TextRange
from gatebot.events import SemaphoresAsked, SemaphoresReleased
from gatebot.pipeline import history
from gatebot.pipeline.waiting import Waiting
from gatebot.reasons import reason
from gatebot.review import conversation
from tests.fakes.pipeline_house import PipelineHouse

LOGS = "https://review.example.org/logs"


@pytest.fixture
async def house(room_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    made = await asyncio.to_thread(PipelineHouse, room_url, tmp_path / "git")
    async with made:
        yield made


async def configure(house: PipelineHouse, project: str, text: str) -> None:
    house.commit_to(project, {".zuul.yaml": textwrap.dedent(text), "run.sh": "true\n"})
    await asyncio.to_thread(house.layouts.refresh)


@pytest.mark.zuul(108, 109)
async def test_a_paused_job_hands_its_data_and_artifacts_to_the_jobs_it_chose_and_goes_on_after_them(
    house: PipelineHouse,
) -> None:
    await configure(
        house,
        "api",
        """
        - job: {name: registry, run: run.sh}
        - job: {name: deploy, run: run.sh, dependencies: [registry], success-message: It is up}
        - job: {name: measure, run: run.sh, dependencies: [registry]}
        - project: {queue: shared, check: {jobs: [registry, deploy, measure]}}
        """,
    )
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    registry = house.dispatch.of(1, "registry")
    told = {"address": {"port": 5000}, "zuul": {"artifacts": [{"name": "image", "url": "artifacts/i.tar"}]}}
    await house.dispatch.pause(registry, json.dumps(told), ("deploy", "nonsense"))
    await house.settle()
    deploy = house.dispatch.of(1, "deploy")
    assert deploy.inherited == {"address": {"port": 5000}}
    image = ProvidedArtifact("image", f"{LOGS}/{registry.build}/artifacts/i.tar", "api", "registry", 1, 1, "main")
    assert deploy.provided == (image,)
    assert house.dispatch.resumed == []
    await house.dispatch.finish(deploy, "SUCCESS", data=json.dumps({"zuul": {"warnings": ["It was slow."]}}))
    await house.settle()
    assert house.dispatch.resumed == [registry.build]
    await house.dispatch.finish(registry, "SUCCESS", data=json.dumps(told))
    await house.settle()
    assert house.said(1)[-1] == (
        "Patch Set 1: Verified+1\n\n"
        "Build succeeded.\n\n"
        f"- registry https://review.example.org/build/{registry.build} : SUCCESS in 0s\n"
        f"- deploy https://review.example.org/build/{deploy.build} : It is up in 0s\n"
        "Skipped 1 job\n\n"
        "Warning: The job registry chose the job nonsense to run after it, but no such job depends on it; "
        "the name is ignored.\n"
        "Warning: It was slow."
    )


@pytest.mark.zuul(109)
async def test_remarks_of_a_job_on_lines_become_inline_comments_on_the_files_of_the_change(
    house: PipelineHouse,
) -> None:
    house.push("api", {"a.txt": "a\nb\n"}, "Add a")
    await house.settle()
    remarks = {
        "a.txt": [
            {"line": 2, "message": "b is no word"},
            {"line": 0, "message": "no heading"},
            {"line": 3, "message": "no end"},
        ],
        "c.txt": [{"line": 1, "message": "of another change"}, {"line": 2, "message": "it too"}],
    }
    unit = house.dispatch.of(1)
    await house.dispatch.finish(unit, "FAILURE", data=json.dumps({"zuul": {"file_comments": remarks}}))
    await house.settle()
    said = house.said(1)[-1]
    assert said.startswith("Patch Set 1: Verified-1\n\n(3 comments)\n\nBuild failed.")
    assert said.endswith(
        "\nWarning: The job unit commented on the file c.txt, which this change does not touch; "
        "what it said of it is left out."
    )
    found = house.review.read(conversation.list_comments, 1)
    assert {(one.file, one.line, one.text) for one in found} == {
        ("a.txt", None, "no heading"),
        ("a.txt", 2, "b is no word"),
        ("a.txt", None, "no end"),
    }


@pytest.mark.zuul(109)
async def test_remarks_are_on_the_lines_of_the_change_where_those_ahead_of_it_moved_them(house: PipelineHouse) -> None:
    lines = [f"{number}\n" for number in range(1, 11)]
    base = house.commit_to("api", {"a.txt": "".join(lines)})
    ahead = house.push("api", {"a.txt": "".join(["new\n", "newer\n", *lines])}, "Begin anew", onto=base)
    behind = house.push("api", {"a.txt": "".join([*lines[:-1], "ten\n"])}, "Spell ten", onto=base)
    await house.approve(ahead, behind)
    await house.settle()
    span = {"start_line": 11, "start_character": 0, "end_line": 12, "end_character": 3}
    across = {**span, "start_line": 2}
    said = [{"range": span, "message": "ten is fine"}, {"line": 2, "message": "newer than what?"}]
    remarks = {"a.txt": [*said, {"range": across, "message": "from new to ten"}]}
    await house.dispatch.finish(
        house.dispatch.of(behind.number), "FAILURE", data=json.dumps({"zuul": {"file_comments": remarks}})
    )
    await house.passes(ahead.number)
    await house.settle()
    found = house.review.read(conversation.list_comments, behind.number)
    assert {(one.line, one.range, one.text) for one in found} == {
        (10, TextRange(9, 0, 10, 3), "ten is fine"),
        (None, None, "newer than what?"),
        (10, None, "from new to ten"),
    }


@pytest.mark.zuul(111)
async def test_in_check_a_job_gets_the_artifact_of_the_change_that_its_own_depends_on_while_that_runs_and_later(
    house: PipelineHouse,
) -> None:
    await configure(
        house,
        "api",
        """
        - job: {name: image, run: run.sh, provides: image}
        - project: {queue: shared, check: {jobs: [image]}}
        """,
    )
    await configure(
        house,
        "client",
        """
        - job: {name: deploy, run: run.sh, requires: image}
        - project: {queue: shared, check: {jobs: [deploy]}}
        """,
    )
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    footer = "Depends-On: https://review.example.org/1\n"
    house.push("client", {"b.txt": "b\n"}, "Add b", body=footer)
    await house.settle()
    assert house.running == {"check": [1]}
    image = house.dispatch.of(1)
    told = {"zuul": {"artifacts": [{"name": "image", "url": "i.tar", "metadata": {"type": "container_image"}}]}}
    await house.dispatch.finish(image, "SUCCESS", data=json.dumps(told))
    await house.settle()
    where = (f"{LOGS}/{image.build}/i.tar", "api", "image", 1, 1, "main")
    expected = ProvidedArtifact("image", *where, metadata={"type": "container_image"})
    assert house.dispatch.of(2).provided == (expected,)
    await house.passes(2)
    house.push("client", {"c.txt": "c\n"}, "Add c", body=footer)
    await house.settle()
    assert house.dispatch.of(3).provided == (expected,)
    rows = BuildRows(house.db, Waiting(lambda: house.driver.queues.values(), house.db, house.clock, dict))
    assert await rows.wanted() == {image.build}, "of an open change"
    await rows.take([image.build], reason("executor.artifacts-aged", at="2026-01-09", days=1))
    assert await rows.wanted() == frozenset()
    house.push("client", {"d.txt": "d\n"}, "Add d", body=footer)
    await house.settle()
    told = f"Its artifact image, of build {image.build}, is not kept any more: recheck change 1 to build it anew"
    assert told in house.said(4)[-1]
    assert house.running == {"check": [3]}


@pytest.mark.zuul(111)
async def test_in_check_a_job_fails_with_the_reason_when_what_it_requires_could_not_be_built(
    house: PipelineHouse,
) -> None:
    await configure(
        house,
        "api",
        """
        - job: {name: image, run: run.sh, provides: image}
        - job: {name: deploy, run: run.sh, requires: image}
        - project: {queue: shared, check: {jobs: [image, deploy]}}
        """,
    )
    first = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    await house.fails(1, "image")
    await house.passes(1, "deploy")
    house.push("api", {"b.txt": "b\n"}, "Add b", onto=house.review.commit_of(first))
    await house.settle()
    await house.passes(2, "image")
    assert "It requires image of change 1, but the job image that provides it ended with FAILURE." in house.said(2)[-1]
    [row] = await house.db.read(history.find_builds, change=2, job="deploy")
    assert (row.result, row.started) == ("FAILURE", None)


@pytest.mark.zuul(106, 107)
async def test_a_semaphore_is_passed_on_between_jobs_and_playbooks_of_all_changes(house: PipelineHouse) -> None:
    await configure(
        house,
        "api",
        """
        - job: {name: whole, run: run.sh, semaphores: [cloud]}
        - job: {name: part, run: {name: run.sh, semaphores: [cloud]}}
        - project: {queue: shared, check: {jobs: [whole, part]}}
        """,
    )
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()  # merges of two queues go side by side: the first has the semaphore
    house.push("api", {"b.txt": "b\n"}, "Add b", onto=house.review.tip("api"))
    await house.settle()
    assert sorted((one.changes[-1].number, one.job.name) for one in house.dispatch.running.values()) == [
        (1, "part"),
        (1, "whole"),
        (2, "part"),
    ]
    parts = [house.dispatch.of(number, "part") for number in (1, 2)]
    house.dispatch.slots = len(house.dispatch.running)
    for part in parts:
        house.append(SemaphoresAsked(part.build, part.fence, ("cloud",)))
    await house.settle()
    assert house.dispatch.granted == []
    await house.passes(1, "whole")
    assert house.dispatch.granted == [(parts[0].build, ("cloud",))]
    house.append(SemaphoresReleased(parts[0].build, parts[0].fence, ("cloud",)))
    await house.settle()
    assert [build for build, _ in house.dispatch.granted] == [part.build for part in parts]
    await house.passes(2, "part")
    assert house.dispatch.of(2).job.name == "whole"


@pytest.mark.zuul(109)
async def test_what_a_job_returns_as_secret_reaches_the_jobs_after_it_and_lies_nowhere_in_the_clear(
    house: PipelineHouse,
) -> None:
    await configure(
        house,
        "api",
        """
        - job: {name: cloud, run: run.sh}
        - job: {name: deploy, run: run.sh, dependencies: [cloud]}
        - project: {queue: shared, check: {jobs: [cloud, deploy]}}
        """,
    )
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    cloud = house.dispatch.of(1, "cloud")
    assert await house.results.secret_data(cloud.build, cloud.fence, {"password": "before"})
    assert await house.results.secret_data(cloud.build, cloud.fence, {"password": "s3cret"})
    assert not await house.results.secret_data(cloud.build, cloud.fence - 1, {"password": "of a stale executor"})
    await house.dispatch.finish(cloud, "SUCCESS")
    await house.settle()
    deploy = house.dispatch.of(1, "deploy")
    assert (deploy.secret_data, deploy.inherited) == ({"password": "s3cret"}, {})
    rows = await house.db.read(lambda session: session.execute(sa.text("select * from pipeline_secret_data")).all())
    entries = await house.db.read(lambda session: session.execute(sa.text("select * from journal")).all())
    assert len(rows) == 1
    assert "s3cret" not in f"{rows} {entries}"


async def test_secret_data_of_items_that_left_goes_when_the_next_is_written(house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    house.push("client", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    one, two = house.dispatch.of(1), house.dispatch.of(2)
    await house.results.secret_data(one.build, one.fence, {"password": "s3cret"})
    await house.passes(1)
    await house.results.secret_data(two.build, two.fence, {"password": "other"})
    kept = await house.db.read(house.secrets.of, (one.build, two.build))
    assert kept == {two.build: {"password": "other"}}

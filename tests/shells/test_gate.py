# SPDX-License-Identifier: Apache-2.0
"""The gate on real repositories and databases, with the real review room: what people see when they push and vote."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.events import BuildCompleted
from gatebot.pipeline import history
from gatebot.repo.model import ZERO
from gatebot.review import hosting
from gatebot.review.model import SubmitType
from tests.fakes.pipeline_house import PROJECT, PipelineHouse


@pytest.fixture
async def house(room_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    made = await asyncio.to_thread(PipelineHouse, room_url, tmp_path / "git")
    async with made:
        yield made


async def test_a_pushed_change_is_checked_and_voted_on(house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    assert house.running == {"check": [1]}
    build = house.dispatch.of(1)
    await house.passes(1)
    assert house.said(change.number)[-1] == (
        "Patch Set 1: Verified+1\n\n"
        "Build succeeded.\n\n"
        f"- unit https://review.example.org/build/{build.build} : SUCCESS in 0s"
    )


async def test_approved_changes_merge_in_order_as_the_very_commits_that_were_tested(house: PipelineHouse) -> None:
    base = house.review.tip("api")
    one = house.push("api", {"a.txt": "a\n"}, "Add a", onto=base)
    two = house.push("api", {"b.txt": "b\n"}, "Add b", onto=base)
    await house.approve(one, two)
    await house.settle()
    assert house.running == {"gate": [1, 2]}
    tested = house.dispatch.of(2).commit
    await house.passes(2)
    assert house.status(2) == "NEW"
    await house.passes(1)
    assert (house.status(1), house.status(2)) == ("MERGED", "MERGED")
    assert house.review.tip("api") == tested
    assert (house.content("api", "a.txt"), house.content("api", "b.txt")) == ("a\n", "b\n")


async def test_a_change_that_collides_is_told_which_job_which_line_and_with_what(house: PipelineHouse) -> None:
    base = house.review.tip("api")
    one = house.push("api", {"a.txt": "a\n"}, "Add a", onto=base)
    two = house.push("api", {"b.txt": "b\n"}, "Add b", onto=base)
    await house.settle()
    await house.passes(1)
    await house.passes(2)
    await house.approve(one, two)
    await house.settle()
    failed = house.dispatch.of(2)
    await house.fails(2)
    await house.passes(1)
    assert house.said(2)[-1] == (
        "Patch Set 1: Verified-2\n\n"
        "Build failed.\n\n"
        "The job unit ended with FAILURE; line 12 of its log says: “E   assert 2 == 3”. "
        "The job unit passed for this patch set alone, and fails on top of the changes ahead of it (1): "
        "they collide.\n\n"
        f"- unit https://review.example.org/build/{failed.build} : FAILURE in 0s"
    )


@pytest.mark.zuul(88, 90)
async def test_a_conflict_with_what_is_ahead_is_told_with_its_paths_when_it_is_decided(house: PipelineHouse) -> None:
    base = house.review.tip("api")
    one = house.push("api", {"a.txt": "one\n"}, "One", onto=base)
    two = house.push("api", {"a.txt": "two\n"}, "Two", onto=base)
    await house.approve(one, two)
    await house.settle()
    assert house.running == {"gate": [1]}
    await house.passes(1)
    assert house.said(2)[-1] == (
        "Patch Set 1: Verified-2\n\n"
        "Merge failed.\n\n"
        "git cannot merge it into main as it will be: conflicts in a.txt. "
        "Rebase the change, resolve them, and push it again."
    )


async def test_a_change_upon_an_outdated_patch_set_does_not_carry_it_in(house: PipelineHouse) -> None:
    below = house.push("api", {"a.txt": "old\n"}, "Below")
    above = house.push("api", {"b.txt": "b\n"}, "Above", onto=house.review.commit_of(below))
    await asyncio.to_thread(house.review.new_patch_set, below, {"a.txt": "new\n"})
    await house.approve(above)
    await house.settle()
    assert house.running.get("gate") is None
    assert house.status(above.number) == "NEW"
    assert house.content("api", "a.txt") is None


@pytest.mark.zuul(91, 94)
async def test_a_merge_is_tested_for_what_it_brings_whichever_of_its_parents_comes_first(house: PipelineHouse) -> None:
    only = PROJECT.replace("gate: {jobs: [unit]}", "gate: {jobs: [style, {unit: {files: ^src/}}]}")
    await house.configure("api", {".zuul.yaml": only, "docs.txt": "d\n"})
    repositories, begin = house.review.repositories, house.review.tip("api")
    side = house.review.commit("api", {"src/a.c": "a\n"}, "Side\n", begin)
    assert repositories.update_ref("api", "refs/heads/side", "0" * 40, side)
    main = house.commit_to("api", {"docs.txt": "more\n"})
    merge = house.push("api", {"docs.txt": "more\n"}, "Merge main into side", onto=side, merging=main)
    await house.approve(merge)
    await house.settle()
    facts = await house.room.for_gate.change(merge.number)
    assert facts is not None
    assert facts.files == ("src/a.c",)
    assert house.dispatch.of(merge.number, "unit").pipeline == "gate"


async def test_builds_get_the_speculative_state_of_every_repository_they_need(house: PipelineHouse) -> None:
    config = """
    - job: {name: both, required-projects: [client, gatebot-config]}
    - project: {queue: shared, check: {jobs: [both]}, gate: {jobs: [both]}}
    """
    house.commit_to("api", {".zuul.yaml": textwrap.dedent(config)})
    await asyncio.to_thread(house.layouts.refresh)
    ahead = house.push("client", {"c.txt": "c\n"}, "Add c")
    behind = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.approve(ahead, behind)
    await house.settle()
    first, second = house.dispatch.of(1), house.dispatch.of(2)
    found = {one.project: one for one in second.checkouts if one.required}
    assert found["api"].commit == second.commit
    assert found["client"].commit == first.commit
    assert found["gatebot-config"].commit == house.review.tip("gatebot-config")
    assert found["gatebot-config"].store == "gatebot-config"
    assert [change.number for change in second.changes] == [1, 2]
    for one in second.checkouts:
        assert house.repositories.commit(one.store, one.commit).id == one.commit


async def test_a_repository_is_checked_out_at_the_tag_that_the_job_names(house: PipelineHouse) -> None:
    config = """
    - job: {name: both, required-projects: [{name: client, override-checkout: v1}]}
    - project: {queue: shared, check: {jobs: [both]}, gate: {jobs: [both]}}
    """
    house.commit_to("api", {".zuul.yaml": textwrap.dedent(config)})
    await asyncio.to_thread(house.layouts.refresh)
    old = house.review.tip("client")
    house.repositories.update_ref("client", "refs/tags/v1", ZERO, old)
    house.commit_to("client", {"later.txt": "later\n"})
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.approve(change)
    await house.settle()
    (client,) = [one for one in house.dispatch.of(1).checkouts if one.project == "client"]
    assert (client.branch, client.commit) == ("refs/tags/v1", old)
    await house.passes(1)
    assert house.status(change.number) == "MERGED"


async def test_an_executor_without_room_gets_the_gates_build_first_and_check_waits(house: PipelineHouse) -> None:
    house.dispatch.slots = 0
    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    two = house.push("api", {"b.txt": "b\n"}, "Add b", onto=house.review.tip("api"))
    await house.approve(two)
    await house.settle()
    assert house.running == {}
    house.dispatch.slots = 1
    await house.settle()
    assert house.running == {"gate": [2]}
    await house.passes(2)
    assert house.running == {"check": [one.number]}


async def test_a_build_lost_with_its_node_is_a_new_build_of_the_same_buildset(house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    lost = house.dispatch.of(1)
    await house.dispatch.finish(lost, "", retry=True)
    await house.settle()
    again = house.dispatch.of(1)
    assert (again.buildset, again.attempt) == (lost.buildset, 2)
    assert again.build != lost.build
    rows = await house.db.read(history.find_builds, change=1)
    assert sorted((row.build, row.result, row.final) for row in rows) == sorted(
        [(lost.build, "RETRY", False), (again.build, "", True)]
    )


@pytest.mark.zuul(103)
@pytest.mark.parametrize("killed", [False, True])
async def test_the_build_after_which_no_attempt_is_left_has_the_result_retry_limit(
    house: PipelineHouse, *, killed: bool
) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    for attempt in (1, 2, 3):
        await house.dispatch.finish(house.dispatch.of(1), "", retry=True)
        if killed and attempt == 3:
            await house.restart()  # nobody has read yet how it ended
        await house.settle()
    assert house.said(1)[-1].split(" : ")[1].startswith("RETRY_LIMIT")
    rows = await house.db.read(history.find_builds, change=1)
    assert sorted((row.attempt, row.result, row.final) for row in rows) == [
        (1, "RETRY", False),
        (2, "RETRY", False),
        (3, "RETRY_LIMIT", True),
    ]


async def test_a_message_from_an_executor_that_lost_the_build_is_refused(house: PipelineHouse) -> None:
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    build = house.dispatch.of(1)
    assert await house.results.started(build.build, build.fence + 1, ()) is False
    assert await house.results.alive({build.build: build.fence, "0" * 32: 1}) == ("0" * 32,)
    await house.passes(1)
    assert await house.results.completed(BuildCompleted(build.build, build.fence, "FAILURE")) is False


@pytest.mark.parametrize("submit_type", list(SubmitType))
@pytest.mark.zuul(93)
async def test_every_submit_type_lands_the_very_commit_that_was_tested(
    house: PipelineHouse, submit_type: SubmitType
) -> None:
    project = house.review.read(hosting.get_project, "api")
    house.review.write(hosting.change_project, replace(project, submit_type=submit_type))
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.approve(change)
    await house.settle()
    tested = house.dispatch.of(1).commit
    await house.passes(1)
    assert house.status(1) == "MERGED"
    assert house.review.tip("api") == tested
    message = house.review.repositories.commit("api", tested).message
    told = [
        line.split(":")[0] for line in message.splitlines() if line.startswith(("Reviewed-", "Workflow", "Tested-"))
    ]
    picked = submit_type in (SubmitType.CHERRY_PICK, SubmitType.REBASE_ALWAYS)
    assert told == (["Reviewed-on", "Reviewed-by", "Workflow"] if picked else [])

# SPDX-License-Identifier: Apache-2.0
"""The gate while its configuration changes and builds run, and while the world around it moves."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot import words
from gatebot.events import BranchMoved, RefEnqueueRequested
from gatebot.pipeline.queue.facts import ItemReset
from tests.fakes.pipeline_house import CONFIG, PROJECT, PipelineHouse
from tests.fakes.review_house import SITE

ZERO = "0" * 40


@pytest.fixture
async def house(room_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    made = await asyncio.to_thread(PipelineHouse, room_url, tmp_path / "git")
    async with made:
        yield made


@pytest.mark.zuul(116)
async def test_builds_go_on_over_a_new_configuration(house: PipelineHouse) -> None:
    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.approve(one)
    await house.settle()
    build = house.dispatch.of(1).build
    await house.configure("gatebot-config", {"zuul.yaml": CONFIG + "- job: {name: more}\n"})
    assert house.dispatch.of(1).build == build
    await house.passes(1)
    assert house.status(1) == "MERGED"


async def test_nothing_lands_without_a_job_that_its_project_asks_for_since_its_builds_ran(house: PipelineHouse) -> None:
    one, two = house.push("api", {"a.txt": "a\n"}, "Add a"), house.push("api", {"b.txt": "b\n"}, "Add b")
    await house.approve(one, two)
    await house.settle()
    more = "- job: {name: must}\n- project: {name: api, gate: {jobs: [must, {style: {voting: false}}]}}\n"
    await house.configure("gatebot-config", {"zuul.yaml": CONFIG + more})
    await house.passes(1)
    assert house.status(1) == "NEW"
    resets = house.review.facts(ItemReset)
    assert next(words.say(one.reason) for one in resets if isinstance(one, ItemReset)) == (
        "Restarted because its project asks for another job by now: must."
    )
    for number in (1, 2):
        for job in ("unit", "must", "style"):
            await house.passes(number, job)
    assert (house.status(1), house.status(2)) == ("MERGED", "MERGED")
    assert len(house.review.facts(ItemReset)) == 2
    # Configuration that takes no part in what it passed costs nothing.
    three = house.push("api", {"c.txt": "c\n"}, "Add c")
    await house.approve(three)
    await house.settle()
    await house.configure("gatebot-config", {"zuul.yaml": CONFIG})
    for job in ("unit", "must", "style"):
        await house.passes(3, job)
    assert house.status(3) == "MERGED"


@pytest.mark.zuul(118)
async def test_when_its_pipeline_is_gone_a_change_leaves_with_a_word_and_its_builds_end(house: PipelineHouse) -> None:
    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.approve(one)
    await house.settle()
    build = house.dispatch.of(1).build
    await house.configure("gatebot-config", {"zuul.yaml": CONFIG.replace("name: gate", "name: entrance")})
    assert house.dispatch.aborted == [build]
    assert house.status(1) == "NEW"
    assert (
        "The pipeline gate of the tenant main is not there any more, or works in another way now." in house.said(1)[-1]
    )


@pytest.mark.zuul(116, 4)
async def test_a_change_whose_project_gets_a_queue_of_its_own_moves_there_and_merges(house: PipelineHouse) -> None:
    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    two = house.push("client", {"b.txt": "b\n"}, "Add b")
    await house.approve(one, two)
    await house.settle()
    await house.configure("client", {".zuul.yaml": PROJECT.replace("    queue: shared\n", "")})
    assert house.running["gate"] == [1, 2]
    await house.passes(2)
    assert (house.status(1), house.status(2)) == ("NEW", "MERGED")
    await house.passes(1)
    assert house.status(1) == "MERGED"


@pytest.mark.zuul(94)
async def test_all_jobs_of_a_buildset_see_the_same_commits_wherever_branches_move_meanwhile(
    house: PipelineHouse,
) -> None:
    await house.configure(
        "gatebot-config",
        {
            "zuul.yaml": CONFIG.replace("- job: {name: unit}", "- job: {name: unit, required-projects: [client]}")
            + "- job: {name: later, parent: unit, dependencies: [unit]}\n"
        },
    )
    await house.configure(
        "api", {".zuul.yaml": PROJECT.replace("check: {jobs: [unit]}", "check: {jobs: [unit, later]}")}
    )
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    first = {(one.project, one.branch): one.commit for one in house.dispatch.of(1, "unit").checkouts}
    for project in ("client", "gatebot-config"):
        await house.configure(project, {"moved.txt": "moved\n"})
    await house.passes(1, "unit")
    later = {(one.project, one.branch): one.commit for one in house.dispatch.of(1, "later").checkouts}
    assert later == first
    assert first["client", "main"] != house.review.tip("client")


@pytest.mark.zuul(89)
async def test_a_build_uses_the_commits_that_were_merged_for_it_although_they_would_conflict_now(
    house: PipelineHouse,
) -> None:
    house.dispatch.slots = 0
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    await house.configure("api", {"a.txt": "another\n"})
    house.dispatch.slots = 10
    await house.settle()
    assert house.running["check"] == [change.number]
    await house.passes(1)
    assert "Verified+1" in house.said(1)[-1]


@pytest.mark.zuul(98)
async def test_a_branch_as_an_item_is_not_merged_but_tested_as_it_is(house: PipelineHouse) -> None:
    await house.configure("api", {".zuul.yaml": PROJECT + "    post: {jobs: [unit]}\n"})
    for build in list(house.dispatch.running.values()):
        await house.dispatch.finish(build, "SUCCESS")
    await house.settle()
    old = house.review.tip("api")
    new = house.commit_to("api", {"b.txt": "b\n"})
    house.append(BranchMoved("api", "main", old, new, "push", account=1))
    await house.settle()
    (build,) = house.dispatch.running.values()
    assert (build.commit, build.old_commit, build.changes) == (new, old, ())


@pytest.mark.zuul(95, 43)
async def test_a_chain_in_check_is_merged_once_each_and_only_the_live_change_runs_jobs(
    house: PipelineHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged: list[int] = []
    real = house.merger.merge

    def merge(queue, change, onto, when):
        merged.append(change.number)
        return real(queue, change, onto, when)

    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    two = house.push("client", {"b.txt": "b\n"}, "Add b", body=f"Depends-On: {SITE}c/api/+/{one.number}\n")
    await house.settle()
    monkeypatch.setattr(house.merger, "merge", merge)
    three = house.push("api", {"c.txt": "c\n"}, "Add c", body=f"Depends-On: {SITE}c/client/+/{two.number}\n")
    await house.settle()
    assert merged == [one.number, two.number, three.number]
    assert [change.number for change in house.dispatch.of(three.number).changes] == merged
    assert house.running["check"] == [1, 2, 3]


@pytest.mark.zuul(122)
async def test_when_the_branch_of_a_waiting_change_is_deleted_the_change_is_told(house: PipelineHouse) -> None:
    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.approve(one)
    await house.settle()
    tip = house.review.tip("api")
    assert house.repositories.update_ref("api", "refs/heads/main", tip, ZERO)
    house.append(BranchMoved("api", "main", tip, ZERO, "push", account=1))
    await house.settle()
    assert house.dispatch.running == {}
    assert house.status(1) == "NEW"
    assert "main" in house.said(1)[-1]


def git(house: PipelineHouse, project: str, *arguments: str) -> None:
    """What an administrator does to a bare repository."""
    subprocess.run(["git", "-C", house.repositories.path(project), *arguments], check=True, capture_output=True)


@pytest.mark.zuul(97)
async def test_repositories_that_were_repacked_meanwhile_are_merged_and_landed_as_before(house: PipelineHouse) -> None:
    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.approve(one)
    await house.settle()
    for project in ("api", "client", "gatebot-config"):
        await asyncio.to_thread(git, house, project, "repack", "-a", "-d", "-q")
        await asyncio.to_thread(git, house, project, "pack-refs", "--all")
    two = house.push("api", {"b.txt": "b\n"}, "Add b")
    await house.approve(two)
    await house.settle()
    await house.passes(2)
    await house.passes(1)
    assert (house.status(1), house.status(2)) == ("MERGED", "MERGED")
    assert (house.content("api", "a.txt"), house.content("api", "b.txt")) == ("a\n", "b\n")


@pytest.mark.zuul(96, 97)
@pytest.mark.parametrize("name", ["HEAD", "refs/heads/main", "FETCH_HEAD", "config.lock", "-oops", "ünïcode 파일.txt"])
async def test_files_named_like_things_of_git_are_merged_like_others(house: PipelineHouse, name: str) -> None:
    one = house.push("api", {name: "one\n"}, f"Add {name}")
    two = house.push("api", {"b.txt": "b\n"}, "Add b")
    await house.approve(one, two)
    await house.settle()
    await house.passes(1)
    await house.passes(2)
    assert (house.status(1), house.status(2)) == ("MERGED", "MERGED")
    assert house.content("api", name) == "one\n"


@pytest.mark.zuul(96)
async def test_a_tag_or_branch_that_moves_or_goes_meanwhile_disturbs_nobody(house: PipelineHouse) -> None:
    tip = house.review.tip("api")
    for ref in ("refs/tags/v1", "refs/heads/feature/x"):
        assert house.repositories.update_ref("api", ref, ZERO, tip)
    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.approve(one)
    await house.settle()
    moved = house.review.commit("api", {"t.txt": "t\n"}, "Elsewhere\n", tip)
    assert house.repositories.update_ref("api", "refs/tags/v1", tip, moved)
    assert house.repositories.update_ref("api", "refs/heads/feature/x", tip, ZERO)
    house.append(BranchMoved("api", "feature/x", tip, ZERO, "push", account=1))
    await house.settle()
    await house.passes(1)
    assert house.status(1) == "MERGED"


@pytest.mark.zuul(130, 131, differs="one process drives a site; another one finds everything in the journal")
async def test_another_process_takes_over_at_any_step_with_the_same_result(house: PipelineHouse) -> None:
    changes = [house.push("api", {f"{name}.txt": f"{name}\n"}, f"Add {name}") for name in "abc"]
    await house.approve(*changes)
    for number, result in ((1, "SUCCESS"), (2, "FAILURE"), (3, "SUCCESS"), (3, "SUCCESS")):
        await house.settle()
        await house.restart()
        await house.settle()
        running = house.running.get("gate", [])
        if number in running:
            await house.passes(number, result=result)
    await house.settle()
    assert [house.status(number) for number in (1, 2, 3)] == ["MERGED", "NEW", "MERGED"]
    assert house.content("api", "b.txt") is None


@pytest.mark.zuul(133)
async def test_after_failures_in_a_row_only_the_reporters_of_disabled_speak_until_the_configuration_is_another(
    house: PipelineHouse,
) -> None:
    strict = CONFIG.replace(
        "    failure: {gatebot: {Verified: -1}}\n",
        "    failure: {gatebot: {Verified: -1}}\n"
        "    disable-after-consecutive-failures: 2\n"
        "    disabled: {gatebot: {comment: true}}\n",
    )
    await house.configure("gatebot-config", {"zuul.yaml": strict})
    for number in (1, 2, 3):
        house.review.clock.advance(1)
        house.push("api", {f"{number}.txt": "x\n"}, f"Change {number}")
        await house.settle()
        await house.fails(number)
    assert ["Verified-1" in house.said(number)[-1] for number in (1, 2, 3)] == [True, True, False]
    assert "Build failed." in house.said(3)[-1]
    house.review.clock.advance(1)
    await house.configure("gatebot-config", {"zuul.yaml": strict + "- job: {name: more}\n"})
    house.review.clock.advance(1)
    house.push("api", {"4.txt": "x\n"}, "Change 4")
    await house.settle()
    await house.fails(4)
    assert "Verified-1" in house.said(4)[-1]


async def test_the_parameters_of_a_branch_that_a_person_enqueues_are_variables_of_its_jobs(
    house: PipelineHouse,
) -> None:
    asking = CONFIG.replace("    name: post\n", "    name: post\n    allow-parameters: true\n")
    await house.configure("gatebot-config", {"zuul.yaml": asking})
    post = "    post: {jobs: [unit], parameters: [{name: release, type: string, default: none}]}\n"
    await house.configure("api", {".zuul.yaml": PROJECT + post})
    for build in list(house.dispatch.running.values()):
        assert build.job.vars["release"] == "none"
        await house.dispatch.finish(build, "SUCCESS")
    await house.settle()
    house.append(RefEnqueueRequested("api", "refs/heads/main", "post", 2, parameters={"release": "1.4"}))
    await house.settle()
    (build,) = house.dispatch.running.values()
    assert build.job.vars["release"] == "1.4"

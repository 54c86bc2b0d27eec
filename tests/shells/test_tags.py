# SPDX-License-Identifier: Apache-2.0
"""Tags, and branches that come and go, as items of pipelines: which jobs they run, and on what."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot.assignment import Assignment
from gatebot.events import BranchMoved, RefEnqueueRequested, TagMoved
from tests.fakes.pipeline_house import CONFIG, PROJECT, PipelineHouse

ZERO = "0" * 40
RELEASE = """
- pipeline:
    name: release
    manager: independent
    post-review: true
    trigger: {gatebot: [{event: ref-updated, ref: ^refs/tags/.*$}]}
- pipeline:
    name: removed
    manager: independent
    trigger: {gatebot: [{event: ref-updated, ignore-deletes: false}]}
"""
RELEASED = PROJECT + "    release: {jobs: [unit]}\n"


@pytest.fixture
async def house(room_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    made = await asyncio.to_thread(PipelineHouse, room_url, tmp_path / "git")
    async with made:
        await made.configure("gatebot-config", {"zuul.yaml": CONFIG + RELEASE})
        await made.configure("api", {".zuul.yaml": RELEASED})
        yield made


def git(house: PipelineHouse, *arguments: str) -> str:
    """git in the repository of `api`."""
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    command = ["git", "-C", house.repositories.path("api"), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


async def tag(house: PipelineHouse, name: str, commit: str, *options: str) -> str:
    """Somebody pushes a tag; what it is."""
    await asyncio.to_thread(git, house, "tag", *options, name, commit)
    new = await asyncio.to_thread(git, house, "rev-parse", f"refs/tags/{name}")
    house.append(TagMoved("api", name, ZERO, new, 1))
    await house.settle()
    return new


def only(house: PipelineHouse) -> Assignment:
    (build,) = house.dispatch.running.values()
    return build


async def branch_off(house: PipelineHouse, name: str, files: dict[str, str]) -> str:
    """A branch with a commit of its own."""
    new = house.review.commit("api", files, "Branch off\n", house.review.tip("api"))
    assert house.repositories.update_ref("api", f"refs/heads/{name}", ZERO, new)
    house.append(BranchMoved("api", name, ZERO, new, "push", account=1))
    await house.settle()
    return new


async def test_a_pushed_tag_runs_the_release_jobs_on_its_commit(house: PipelineHouse) -> None:
    tip = house.review.tip("api")
    later = house.commit_to("api", {"later.txt": "later\n"})
    house.append(BranchMoved("api", "main", tip, later, "push", account=1))
    await tag(house, "1.0", tip)
    build = only(house)
    assert (build.pipeline, build.project, build.branch, build.commit) == ("release", "api", "refs/tags/1.0", tip)
    assert (build.old_commit, build.new_commit, build.changes) == (ZERO, tip, ())
    (own,) = [one for one in build.checkouts if one.required]
    assert (own.branch, own.commit) == ("refs/tags/1.0", tip)
    # The playbook comes from the branch that its job is defined on, as it is now.
    assert ("gatebot-config", "main") in [(one.project, one.branch) for one in build.checkouts]


async def test_a_tag_with_a_message_is_told_as_it_is_and_tested_where_it_is(house: PipelineHouse) -> None:
    tip = house.review.tip("api")
    new = await tag(house, "1.0", tip, "-a", "-m", "The first")
    assert new != tip
    assert (only(house).commit, only(house).new_commit) == (tip, new)


async def test_a_tag_has_the_jobs_of_the_branches_that_it_is_part_of(house: PipelineHouse) -> None:
    old = house.review.tip("api")
    stable = await branch_off(house, "stable", {".zuul.yaml": PROJECT + "    release: {jobs: [style]}\n"})
    await tag(house, "2.0", stable)
    assert [build.job.name for build in house.dispatch.running.values()] == ["style"]
    # The older commit is part of both branches: what both list is run.
    await tag(house, "1.0", old)
    found = [build.job.name for build in house.dispatch.running.values() if build.branch == "refs/tags/1.0"]
    assert sorted(found) == ["style", "unit"]


async def test_a_tag_that_is_part_of_no_branch_runs_what_is_listed_for_its_name(house: PipelineHouse) -> None:
    alone = house.review.commit("api", {"a.txt": "a\n"}, "Alone\n", house.review.tip("api"))
    await tag(house, "try", alone)
    assert house.dispatch.running == {}
    listed = "- project: {name: api, release: {jobs: [{unit: {branches: ^refs/tags/v}}]}}\n"
    await house.configure("gatebot-config", {"zuul.yaml": CONFIG + RELEASE + listed})
    await tag(house, "w1", alone)
    await tag(house, "v1", alone)
    assert only(house).branch == "refs/tags/v1"


async def test_a_deleted_tag_or_branch_wakes_only_pipelines_that_ask_for_deletions(house: PipelineHouse) -> None:
    listed = "- project: {name: api, release: {jobs: [unit]}, removed: {jobs: [style]}}\n"
    await house.configure("gatebot-config", {"zuul.yaml": CONFIG + RELEASE + listed})
    tip = house.review.tip("api")
    house.append(TagMoved("api", "1.0", tip, ZERO, 1))
    house.append(BranchMoved("api", "gone", tip, ZERO, "push", account=1))
    await house.settle()
    builds = sorted(house.dispatch.running.values(), key=lambda build: build.branch)
    assert [(build.job.name, build.branch, build.commit) for build in builds] == [
        ("style", "gone", ""),
        ("style", "refs/tags/1.0", ""),
    ]
    for build in builds:
        assert (build.old_commit, build.new_commit) == (tip, ZERO)
        # There is nothing to check out of it: the job finds the project as its default branch has it.
        assert [(one.branch, one.commit) for one in build.checkouts if one.required] == [("main", tip)]


async def test_a_new_branch_is_an_item_of_its_own_and_its_configuration_counts(house: PipelineHouse) -> None:
    await house.configure("api", {".zuul.yaml": PROJECT + "    post: {jobs: [unit]}\n"})
    for build in list(house.dispatch.running.values()):
        await house.dispatch.finish(build, "SUCCESS")
    new = await branch_off(house, "stable", {".zuul.yaml": PROJECT + "    post: {jobs: [style]}\n"})
    build = only(house)
    assert (build.job.name, build.branch, build.commit) == ("style", "stable", new)
    assert (build.old_commit, build.new_commit) == (ZERO, new)


async def test_a_person_enqueues_a_tag_that_was_pushed_before(house: PipelineHouse) -> None:
    tip = house.review.tip("api")
    await asyncio.to_thread(git, house, "tag", "-a", "-m", "The first", "1.0", tip)
    house.append(RefEnqueueRequested("api", "refs/tags/1.0", "release", 1))
    await house.settle()
    assert (only(house).branch, only(house).commit) == ("refs/tags/1.0", tip)


async def test_a_tag_that_is_not_a_commit_runs_nothing_and_stops_nobody(house: PipelineHouse) -> None:
    tree = await asyncio.to_thread(git, house, "rev-parse", "HEAD^{tree}")
    await tag(house, "files", tree)
    assert house.dispatch.running == {}
    await tag(house, "1.0", house.review.tip("api"))
    assert only(house).branch == "refs/tags/1.0"

# SPDX-License-Identifier: Apache-2.0
"""What events make of the queues on a real database: patch sets, votes, merges, timers, new configuration."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot.access import Actor
from gatebot.change import ChangeFacts
from gatebot.events import BranchMoved
from gatebot.identity import CORE
from gatebot.pipeline.model import TimerFired
from gatebot.review.gate_side import ReviewForGate
from tests.fakes.pipeline_house import CONFIG, PROJECT, PipelineHouse
from tests.fakes.review_house import BOB

ZERO = "0" * 40
NIGHTLY = """
- pipeline: {name: periodic, manager: independent, post-review: true, trigger: {timer: [{time: "0 3 * * *"}]}}
"""
AT_NIGHT = PROJECT + "    periodic: {jobs: [unit]}\n"


@pytest.fixture
async def house(migrated_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    made = await asyncio.to_thread(PipelineHouse, migrated_url, tmp_path / "git")
    async with made:
        yield made


async def configure(house: PipelineHouse, config: str, project: str = PROJECT) -> None:
    """Other configuration of the site and of `api`, without review."""
    house.commit_to("gatebot-config", {"zuul.yaml": config})
    house.commit_to("api", {".zuul.yaml": project})
    await asyncio.to_thread(house.layouts.refresh)


async def abandon(house: PipelineHouse, number: int) -> None:
    await house.room.states.abandon(Actor(BOB, frozenset({CORE})), number)
    await house.settle()


@pytest.mark.zuul(75)
async def test_where_a_pipeline_keeps_old_patch_sets_both_are_tested_side_by_side(house: PipelineHouse) -> None:
    kept = CONFIG.replace("name: check\n", "name: check\n    dequeue-on-new-patchset: false\n", 1)
    await configure(house, kept)
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    house.review.new_patch_set(change, {"a.txt": "b\n"})
    await house.settle()
    assert house.running == {"check": [1, 1]}
    assert house.dispatch.aborted == []


@pytest.mark.zuul(78)
async def test_abandoning_a_change_leaves_the_periodic_item_of_its_project_alone(house: PipelineHouse) -> None:
    await configure(house, CONFIG + NIGHTLY, AT_NIGHT)
    house.append(TimerFired("main", "periodic", 0, False))
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    assert house.running == {"periodic": [0], "check": [1]}
    await abandon(house, 1)
    assert house.running == {"periodic": [0]}


@pytest.mark.zuul(79)
async def test_a_build_that_no_executor_took_yet_is_withdrawn_with_its_change(house: PipelineHouse) -> None:
    house.dispatch.slots = 0
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    await abandon(house, 1)
    house.dispatch.slots = 9
    house.push("api", {"b.txt": "b\n"}, "Add b")
    await house.settle()
    assert [one.changes[-1].number for one in house.dispatch.assigned] == [2]


@pytest.mark.zuul(81)
async def test_an_approved_change_leaves_check_for_the_gate(house: PipelineHouse) -> None:
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    build = house.dispatch.of(1).build
    await house.approve(change)
    await house.settle()
    assert house.running == {"gate": [1]}
    assert house.dispatch.aborted == [build]


@pytest.mark.zuul(85)
async def test_a_timer_enqueues_every_branch_with_jobs_once(house: PipelineHouse) -> None:
    await configure(house, CONFIG + NIGHTLY, AT_NIGHT)
    assert house.repositories.update_ref("api", "refs/heads/stable", ZERO, house.review.tip("api"))
    await asyncio.to_thread(house.layouts.refresh)
    house.append(TimerFired("main", "periodic", 0, False))
    await house.settle()
    found = sorted((one.project, one.branch) for one in house.dispatch.running.values())
    assert found == [("api", "main"), ("api", "stable")]


@pytest.mark.zuul(86)
async def test_when_the_branch_has_moved_the_next_tick_tests_it_beside_the_item_that_runs(house: PipelineHouse) -> None:
    await configure(house, CONFIG + NIGHTLY, AT_NIGHT)
    first = house.review.tip("api")
    house.append(TimerFired("main", "periodic", 0, True))
    await house.settle()
    second = house.commit_to("api", {"a.txt": "a\n"})
    house.append(BranchMoved("api", "main", first, second, "push", account=1))
    house.append(TimerFired("main", "periodic", 0, True))
    await house.settle()
    assert {one.commit for one in house.dispatch.running.values() if one.pipeline == "periodic"} == {first, second}


@pytest.mark.zuul(87)
async def test_pipelines_are_triggered_by_what_enters_another_and_by_what_merges(house: PipelineHouse) -> None:
    more = """
- pipeline: {name: follow, manager: independent, trigger: {zuul: [{event: parent-change-enqueued, pipeline: gate}]}}
- pipeline: {name: conflicts, manager: independent, trigger: {zuul: [{event: project-change-merged}]}}
"""
    await configure(house, CONFIG + more, PROJECT + "    follow: {jobs: [unit]}\n    conflicts: {jobs: [unit]}\n")
    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    two = house.push("api", {"b.txt": "b\n"}, "Add b", onto=house.review.commit_of(one))
    await house.settle()
    await house.approve(one)
    await house.settle()
    assert house.running["follow"] == [two.number]
    gate = next(build for build in house.dispatch.running.values() if build.pipeline == "gate")
    await house.dispatch.finish(gate, "SUCCESS")
    await house.settle()
    assert house.status(1) == "MERGED"
    assert house.running["conflicts"] == [two.number]


@pytest.mark.zuul(119)
async def test_a_merged_change_without_configuration_is_no_reason_to_read_it_again(house: PipelineHouse) -> None:
    refreshed: list[bool] = []
    house.layouts.on_refresh(lambda: refreshed.append(True))

    async def read_again(files: dict[str, str], subject: str) -> bool:
        """Whether the branch that moves for an item in the gate is reason enough."""
        change = house.push("api", files, subject)
        await house.approve(change)
        await house.settle()
        gate = next(build for build in house.dispatch.running.values() if build.pipeline == "gate")
        tip = house.review.tip("api")
        refreshed.clear()
        house.append(BranchMoved("api", "main", tip, tip, "gate", item=gate.item))
        await house.settle()
        told = bool(refreshed)
        await house.dispatch.finish(gate, "SUCCESS")
        await house.settle()
        assert house.status(change.number) == "MERGED"
        return told

    assert not await read_again({"a.txt": "a\n"}, "Add a")
    assert await read_again({".zuul.yaml": PROJECT + "\n"}, "Configure")


@pytest.mark.zuul(120, 121)
async def test_an_event_right_after_new_configuration_meets_it_and_several_moves_are_read_once(
    house: PipelineHouse,
) -> None:
    refreshed: list[bool] = []
    house.layouts.on_refresh(lambda: refreshed.append(True))
    for project, files in (
        ("gatebot-config", {"zuul.yaml": CONFIG + "- job: {name: docs}\n"}),
        ("api", {".zuul.yaml": PROJECT.replace("check: {jobs: [unit]}", "check: {jobs: [docs]}")}),
    ):
        old = house.review.tip(project)
        house.append(BranchMoved(project, "main", old, house.commit_to(project, files), "push", account=1))
    house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    assert [one.job.name for one in house.dispatch.running.values() if one.pipeline == "check"] == ["docs"]
    assert len(refreshed) == 1


@pytest.mark.zuul(132)
async def test_a_queue_whose_merge_takes_long_keeps_no_other_waiting(house: PipelineHouse, monkeypatch) -> None:
    go_on, merge = threading.Event(), house.merger.prepare

    def slow(queue, *orders):
        assert queue.pipeline != "gate" or go_on.wait(60)
        return merge(queue, *orders)

    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.settle()
    monkeypatch.setattr(house.merger, "prepare", slow)
    await house.approve(one)
    house.push("api", {"b.txt": "b\n"}, "Add b")
    while 2 not in house.running.get("check", []):
        await house.driver.step()
        await asyncio.sleep(0.001)
    assert house.running == {"check": [2]}
    go_on.set()
    await house.settle()
    assert house.running == {"check": [2], "gate": [1]}


@pytest.mark.zuul(18)
async def test_a_change_that_lacks_what_the_review_room_needs_for_merging_does_not_enter_the_gate(
    house: PipelineHouse,
) -> None:
    asked = CONFIG.replace("        approval: [{Code-Review: 2}, {Workflow: 1}]\n", "")
    await configure(house, asked.replace("approval: [{Workflow: 1}]}]", "comment: merge it}]"))
    change = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.say(change, "merge it")
    await house.settle()
    assert "gate" not in house.running
    await house.approve(change)
    await house.say(change, "merge it")
    await house.settle()
    assert house.running["gate"] == [1]


@pytest.mark.zuul(37)
async def test_a_change_id_that_several_changes_have_names_all_of_them(house: PipelineHouse) -> None:
    tip, shared = house.review.tip, "I" + "5" * 40
    for project in ("api", "client"):
        house.review.push(project, {"a.txt": "a\n"}, "Add a", tip(project), change_id=shared)
    house.push("api", {"b.txt": "b\n"}, "Add b", body=f"Depends-On: {shared}\n")
    await house.settle()
    assert [change.number for change in house.dispatch.of(3).changes] == [1, 2, 3]


async def test_no_approval_is_forgotten_because_of_a_moments_trouble_and_no_event_stops_all_others(
    house: PipelineHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = house.push("api", {"a.txt": "a\n"}, "Add a"), house.push("client", {"b.txt": "b\n"}, "Add b")
    await house.settle()
    real, troubles = ReviewForGate.change, [OSError("Too many open files")]

    async def troubled(self: ReviewForGate, number: int, patch_set: int | None = None) -> ChangeFacts | None:
        if number == one.number and troubles:
            raise troubles.pop()
        return await real(self, number, patch_set)

    monkeypatch.setattr(ReviewForGate, "change", troubled)
    await house.approve(one)
    with pytest.raises(OSError, match="Too many open files"):
        await house.settle()
    await house.settle()
    assert house.running["gate"] == [1]
    troubles += [ValueError("nobody thought of this")] * 3
    await house.say(one, "recheck")
    await house.approve(two)
    for _ in range(2):
        with pytest.raises(ValueError, match="nobody thought"):
            await house.settle()
    await house.settle()
    assert house.running["gate"] == [1, 2]

# SPDX-License-Identifier: Apache-2.0
"""Changes that need others, on real repositories and databases: who waits, who comes along, who enters as one item."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.access import Actor
from gatebot.identity import CORE
from gatebot.review.model import Change
from tests.fakes.pipeline_house import CONFIG, PROJECT, PipelineHouse
from tests.fakes.review_house import BOB, ROOT, SITE

CYCLES = CONFIG.replace("{name: shared}", "{name: shared, allow-circular-dependencies: true}")
TOPICS = CONFIG.replace(
    "{name: shared}", "{name: shared, allow-circular-dependencies: true, dependencies-by-topic: true}"
)
CORE_MEMBER = Actor(BOB, frozenset({CORE}))
ALONE = PROJECT.replace("    queue: shared\n", "")


@pytest.fixture
async def house(room_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    made = await asyncio.to_thread(PipelineHouse, room_url, tmp_path / "git")
    async with made:
        yield made


def needs(*changes: Change | int) -> str:
    """Footers that name changes by their addresses."""
    return "".join(f"Depends-On: {SITE}{one if isinstance(one, int) else one.number}\n" for one in changes)


def add(house: PipelineHouse, name: str, *, project: str = "api", body: str = "", onto: Change | None = None) -> Change:
    """A change that adds a file."""
    base = house.review.commit_of(onto) if onto is not None else ""
    return house.push(project, {f"{name}.txt": f"{name}\n"}, f"Add {name}", body=body, onto=base)


async def approve_silently(house: PipelineHouse, *changes: Change) -> None:
    """Everything that the gate asks for is there, and nothing was said that would start it."""
    await asyncio.to_thread(house.review.approve, *changes)
    await house.settle()


async def cycle(house: PipelineHouse, config: str = CYCLES) -> tuple[Change, Change]:
    """Two changes in two projects that name each other."""
    await house.configure("gatebot-config", {"zuul.yaml": config})
    one = add(house, "a", body=needs(2))
    two = add(house, "b", project="client", body=needs(one))
    await house.settle()
    return one, two


def gate(house: PipelineHouse) -> list[list[int]]:
    """The items of the gate, in order."""
    queues = [queue for queue in house.driver.queues.values() if queue.pipeline == "gate"]
    return [list(item.numbers) for queue in queues for item in queue.items.values()]


def counted(house: PipelineHouse, monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How often the gate asks for each change from now on."""
    asked = Counter[int]()
    real = house.room.for_gate.change

    async def change(number: int, patch_set: int | None = None):
        asked[number] += 1
        return await real(number, patch_set)

    monkeypatch.setattr(house.room.for_gate, "change", change)
    return asked


# One after the other


@pytest.mark.zuul(30)
async def test_a_chain_that_is_approved_from_its_end_is_tested_and_merged_from_its_beginning(
    house: PipelineHouse,
) -> None:
    one = add(house, "a")
    two = add(house, "b", onto=one)
    three = add(house, "c", onto=two)
    for change in (three, two, one):
        await house.approve(change)
        await house.settle()
    assert gate(house) == [[1], [2], [3]]
    for number in (3, 2, 1):
        await house.passes(number, "unit")
    assert [house.status(number) for number in (1, 2, 3)] == ["MERGED"] * 3


@pytest.mark.zuul(31)
async def test_when_the_tip_is_approved_all_that_it_needs_and_that_is_approved_comes_along(
    house: PipelineHouse,
) -> None:
    one = add(house, "a")
    two = add(house, "b", onto=one)
    three = add(house, "c", onto=two)
    await approve_silently(house, one, two)
    assert gate(house) == []
    await house.approve(three)
    await house.settle()
    assert gate(house) == [[1], [2], [3]]


@pytest.mark.zuul(32)
async def test_an_old_patch_set_under_another_change_is_no_obstacle_for_the_new_one(house: PipelineHouse) -> None:
    below = add(house, "a")
    above = add(house, "b", onto=below)
    await asyncio.to_thread(house.review.new_patch_set, below, {"a.txt": "new\n"})
    await house.approve(house.review.change(below.number), above)
    await house.settle()
    assert house.running["gate"] == [below.number]
    await house.passes(below.number)
    assert (house.status(below.number), house.status(above.number)) == ("MERGED", "NEW")


@pytest.mark.parametrize("merges", [False, True], ids=["stands on it", "merges it"])
async def test_nothing_brings_an_outdated_patch_set_along_once_the_newer_one_is_merged(
    house: PipelineHouse, merges: bool
) -> None:
    below = add(house, "a")
    old = house.review.commit_of(below)
    side = {"onto": "", "merging": old} if merges else {"onto": old}
    above = house.push("api", {"b.txt": "b\n"}, "Add b", **side)
    await asyncio.to_thread(house.review.new_patch_set, below, {"a.txt": "new\n"})
    await house.approve(house.review.change(below.number))
    await house.settle()
    await house.passes(below.number)
    await house.approve(above)
    await house.settle()
    assert (house.status(above.number), gate(house)) == ("NEW", [])
    assert house.said(above.number)[-1].endswith(
        f"It stands on commit {old[:12]}, which is neither merged nor the newest patch set of a change ahead. "
        "Rebase it onto main or onto the newest patch set, and push it again."
    )


@pytest.mark.zuul(33)
async def test_in_a_long_chain_each_change_is_asked_for_a_few_times(
    house: PipelineHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = [add(house, "a")]
    for name in "bcdefghij":
        changes.append(add(house, name, onto=changes[-1]))
    await approve_silently(house, *changes[:-1])
    asked = counted(house, monkeypatch)
    await house.approve(changes[-1])
    await house.settle()
    assert gate(house) == [[change.number] for change in changes]
    assert max(asked.values()) <= 4


@pytest.mark.zuul(34)
@pytest.mark.parametrize(
    "form", ["{site}1", "{site}c/client/+/1", "{site}#/c/1", "{site}c/client/+/1/1", "<{site}1>", "{id}"]
)
async def test_every_form_of_a_dependency_puts_the_other_change_ahead_and_jobs_see_both(
    house: PipelineHouse, form: str
) -> None:
    other = add(house, "b", project="client")
    named = form.format(site=SITE, id=other.change_id)
    change = add(house, "a", body=f"Depends-On: {named}\n")
    await house.approve(other, change)
    await house.settle()
    assert gate(house) == [[other.number], [change.number]]
    assert [one.number for one in house.dispatch.of(change.number).changes] == [1, 2]


@pytest.mark.zuul(35)
async def test_a_change_waits_for_what_it_needs_and_comes_in_behind_it(house: PipelineHouse) -> None:
    other = add(house, "b", project="client")
    change = add(house, "a", body=needs(other))
    await house.approve(change)
    await house.settle()
    assert gate(house) == []
    assert f"needs change {other.number}" in house.said(change.number)[-1].replace("waits for", "needs")
    await house.approve(other)
    await house.settle()
    assert gate(house) == [[other.number], [change.number]]


@pytest.mark.zuul(36)
async def test_in_a_triangle_of_needs_each_change_enters_once_behind_what_it_needs(house: PipelineHouse) -> None:
    three = add(house, "c")
    two = add(house, "b", project="client", body=needs(three))
    one = add(house, "a", body=needs(two, three))
    await approve_silently(house, three, two)
    await house.approve(one)
    await house.settle()
    assert gate(house) == [[three.number], [two.number], [one.number]]


@pytest.mark.zuul(38)
async def test_several_footers_all_count(house: PipelineHouse) -> None:
    two, three = add(house, "b", project="client"), add(house, "c", project="client")
    one = add(house, "a", body=needs(two, three))
    await house.approve(one, three, two)
    await house.settle()
    assert sorted(gate(house)[:2]) == [[two.number], [three.number]]
    assert gate(house)[2] == [one.number]


@pytest.mark.zuul(39)
async def test_a_dependency_in_another_queue_keeps_a_change_out_until_it_has_merged_and_is_told_once(
    house: PipelineHouse,
) -> None:
    await house.configure("client", {".zuul.yaml": ALONE})
    other = add(house, "b", project="client")
    change = add(house, "a", body=needs(other))
    await house.approve(other, change)
    await house.settle()
    assert gate(house) == [[other.number]]
    told = [text for text in house.said(change.number) if "Not enqueued in gate" in text]
    assert len(told) == 1
    await house.passes(other.number)
    await house.say(change, votes={"Workflow": 1})
    await house.settle()
    assert gate(house) == [[change.number]]


@pytest.mark.zuul(40, 47)
async def test_a_dependency_that_nobody_knows_keeps_a_change_out_of_the_gate_and_not_of_check(
    house: PipelineHouse,
) -> None:
    change = add(house, "a", body="Depends-On: https://elsewhere.example.org/c/other/+/7\n")
    await house.settle()
    assert house.running["check"] == [change.number]
    await house.approve(change)
    await house.settle()
    assert gate(house) == []
    assert "https://elsewhere.example.org/c/other/+/7" in house.said(change.number)[-1]


@pytest.mark.zuul(44)
async def test_a_change_and_what_it_needs_are_both_checked_each_in_its_own_item(house: PipelineHouse) -> None:
    other = add(house, "b", project="client")
    change = add(house, "a", body=needs(other))
    await house.settle()
    assert house.running["check"] == [other.number, change.number]
    await house.passes(other.number)
    assert house.running["check"] == [change.number]


@pytest.mark.zuul(46)
async def test_a_pipeline_that_ignores_dependencies_tests_a_change_without_them(house: PipelineHouse) -> None:
    ignoring = CONFIG.replace("manager: independent", "manager: independent\n    ignore-dependencies: true", 1)
    await house.configure("gatebot-config", {"zuul.yaml": ignoring})
    other = add(house, "b", project="client")
    change = add(house, "a", body=needs(other))
    await house.settle()
    assert [one.number for one in house.dispatch.of(change.number).changes] == [change.number]


@pytest.mark.zuul(50)
async def test_a_change_with_more_dependencies_than_the_tenant_allows_stays_out(house: PipelineHouse) -> None:
    house.tenant = replace(house.tenant, max_dependencies=1)
    await asyncio.to_thread(house.layouts.refresh)
    one = add(house, "a")
    two = add(house, "b", onto=one)
    three = add(house, "c", onto=two)
    await approve_silently(house, one, two)
    await house.approve(three)
    await house.settle()
    assert gate(house) == []
    assert "1" in house.said(three.number)[-1]


@pytest.mark.zuul(51)
async def test_a_pipeline_that_is_full_refuses_with_both_numbers(house: PipelineHouse) -> None:
    house.tenant = replace(house.tenant, max_changes_per_pipeline=1)
    await asyncio.to_thread(house.layouts.refresh)
    one = add(house, "a")
    two = add(house, "b", onto=one)
    await approve_silently(house, one)
    await house.approve(two)
    await house.settle()
    assert gate(house) == []
    assert "2" in house.said(two.number)[-1]
    assert "1" in house.said(two.number)[-1]


@pytest.mark.zuul(52)
async def test_a_change_to_a_config_project_that_needs_configuration_of_another_is_checked_with_it(
    house: PipelineHouse,
) -> None:
    own = CONFIG + "- project: {name: gatebot-config, check: {jobs: [unit]}}\n"
    await house.configure("gatebot-config", {"zuul.yaml": own})
    job = PROJECT.replace("check: {jobs: [unit]}", "check: {jobs: [unit, more]}") + "- job: {name: more}\n"
    other = house.push("api", {".zuul.yaml": job}, "Add a job")
    change = house.push("gatebot-config", {"zuul.yaml": own + "- job: {name: other}\n"}, "Add", body=needs(other))
    await house.settle()
    assert sorted(one.job.name for one in house.dispatch.running.values()) == ["more", "unit", "unit"]
    assert [one.number for one in house.dispatch.of(change.number).changes] == [other.number, change.number]


# Each other


@pytest.mark.zuul(41, 55)
async def test_where_cycles_are_not_allowed_nobody_enters_and_both_are_told(house: PipelineHouse) -> None:
    one, two = await cycle(house, CONFIG)
    await house.approve(one, two)
    await house.settle()
    assert gate(house) == []
    assert "need each other" in house.said(two.number)[-1]


@pytest.mark.zuul(53, 56)
async def test_a_cycle_is_checked_and_gated_as_one_item_and_merges_together(house: PipelineHouse) -> None:
    one, two = await cycle(house)
    await house.approve(one, two)
    await house.settle()
    assert gate(house) == [[1, 2]] or gate(house) == [[2, 1]]
    for build in list(house.dispatch.running.values()):
        if build.pipeline == "gate":
            assert sorted(change.number for change in build.changes) == [1, 2]
            assert (house.status(1), house.status(2)) == ("NEW", "NEW")
            await house.dispatch.finish(build, "SUCCESS")
            await house.settle()
    assert (house.status(1), house.status(2)) == ("MERGED", "MERGED")
    assert (house.content("api", "a.txt"), house.content("client", "b.txt")) == ("a\n", "b\n")


async def test_those_behind_a_cycle_are_tested_on_each_of_its_changes_once(house: PipelineHouse) -> None:
    one, two = await cycle(house)
    behind = [add(house, name) for name in "cde"]
    await house.approve(one, two, *behind)
    await house.settle()
    (queue,) = [queue for queue in house.driver.queues.values() if queue.pipeline == "gate"]
    ahead = [item.prepared.ahead for item in queue.items.values() if item.prepared is not None]
    assert [sorted(numbers) for numbers in ahead] == [[], [1, 2], [1, 2, 3], [1, 2, 3, 4]]
    changes = [sorted(change.number for change in build.changes) for build in house.dispatch.running.values()]
    assert [1, 2, 3, 4, 5] in changes


@pytest.mark.zuul(58)
async def test_when_one_job_of_a_cycle_fails_nothing_merges_and_both_changes_are_told(house: PipelineHouse) -> None:
    one, two = await cycle(house)
    await house.approve(one, two)
    await house.settle()
    builds = [build for build in house.dispatch.running.values() if build.pipeline == "gate"]
    for build, result in zip(builds, ("SUCCESS", "FAILURE"), strict=True):
        await house.dispatch.finish(build, result)
        await house.settle()
    assert (house.status(1), house.status(2)) == ("NEW", "NEW")
    for number in (1, 2):
        assert "Verified-2" in house.said(number)[-1]


@pytest.mark.zuul(62, differs="a cycle merges all or nothing")
async def test_when_one_branch_of_a_cycle_was_moved_by_others_nothing_of_it_merges_untested(
    house: PipelineHouse,
) -> None:
    one, two = await cycle(house)
    await house.approve(one, two)
    await house.settle()
    builds = [build for build in house.dispatch.running.values() if build.pipeline == "gate"]
    house.commit_to("client", {"c.txt": "somebody else\n"})  # nobody was told yet
    for build in builds:
        await house.dispatch.finish(build, "SUCCESS")
    await house.settle()
    assert house.content("api", "a.txt") is None
    assert (house.status(1), house.status(2)) == ("NEW", "NEW")


@pytest.mark.zuul(66)
async def test_changes_of_a_cycle_that_change_configuration_run_jobs_of_the_joint_layout(
    house: PipelineHouse,
) -> None:
    await house.configure("gatebot-config", {"zuul.yaml": CYCLES})
    project = PROJECT.replace("[unit]", "[joint]")
    one = house.push("api", {".zuul.yaml": project}, "Use the joint job", body=needs(2))
    two = house.push(
        "client", {".zuul.yaml": PROJECT + "- job: {name: joint}\n"}, "Define the joint job", body=needs(one)
    )
    await house.approve(one, two)
    await house.settle()
    gated = [build for build in house.dispatch.running.values() if build.pipeline == "gate"]
    assert sorted((build.project, build.job.name) for build in gated) == [("api", "joint"), ("client", "unit")]


@pytest.mark.zuul(48)
async def test_a_new_patch_set_that_closes_a_forbidden_cycle_takes_the_change_out_until_it_is_open_again(
    house: PipelineHouse,
) -> None:
    one = add(house, "a")
    two = add(house, "b", project="client", body=needs(one))
    await house.settle()
    closed = await asyncio.to_thread(lambda: house.review.new_patch_set(one, {"a.txt": "a\n"}, body=needs(two)))
    await house.settle()
    assert one.number not in house.running.get("check", [])
    assert "need each other" in house.said(one.number)[-1]
    await asyncio.to_thread(house.review.new_patch_set, closed, {"a.txt": "aa\n"}, body="")
    await house.settle()
    assert "need each other" in house.said(one.number)[-1]


@pytest.mark.zuul(70)
async def test_a_change_that_was_enqueued_alone_is_replaced_by_the_joint_item_when_the_cycle_is_closed(
    house: PipelineHouse,
) -> None:
    await house.configure("gatebot-config", {"zuul.yaml": CYCLES})
    one = add(house, "a")
    two = add(house, "b", project="client", body=needs(one))
    await house.approve(one, two)
    await house.settle()
    assert gate(house) == [[1], [2]]
    closed = await asyncio.to_thread(lambda: house.review.new_patch_set(one, {"a.txt": "a\n"}, body=needs(two)))
    await house.settle()
    await house.approve(closed, two)
    await house.settle()
    assert [sorted(numbers) for numbers in gate(house)] == [[1, 2]]


@pytest.mark.zuul(72)
async def test_changes_of_one_topic_are_one_item_where_the_queue_says_so(house: PipelineHouse) -> None:
    await house.configure("gatebot-config", {"zuul.yaml": TOPICS})
    one, two = add(house, "a"), add(house, "b", project="client")
    for change in (one, two):
        await house.room.states.set_topic(CORE_MEMBER, change.number, "together")
    await house.settle()
    await house.approve(one, two)
    await house.settle()
    assert len(gate(house)) == 1
    assert sorted(gate(house)[0]) == [1, 2]


@pytest.mark.zuul(71)
async def test_a_storm_of_changes_of_one_topic_asks_for_each_of_them_a_few_times(
    house: PipelineHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.configure("gatebot-config", {"zuul.yaml": TOPICS})
    changes = [add(house, name, project="api" if name < "e" else "client") for name in "abcdefgh"]
    await house.settle()
    asked = counted(house, monkeypatch)
    for one in changes:
        await house.room.states.set_topic(CORE_MEMBER, one.number, "storm")
    await house.settle()
    assert max(asked.values()) <= 3


# Requirements


@pytest.mark.zuul(18)
async def test_a_change_that_lacks_what_its_project_asks_for_does_not_enter_whatever_the_pipeline_says(
    house: PipelineHouse,
) -> None:
    asks = "    require:\n      gatebot:\n        open: true\n        current-patchset: true\n"
    lax = CONFIG.replace(f"{asks}        approval: [{{Code-Review: 2}}, {{Workflow: 1}}]\n", "")
    assert lax != CONFIG
    await house.configure("gatebot-config", {"zuul.yaml": lax})
    change = add(house, "a")
    await house.say(change, votes={"Workflow": 1})
    await house.settle()
    assert gate(house) == []
    await house.approve(change)
    await house.settle()
    assert gate(house) == [[change.number]]


async def test_no_job_of_a_change_is_given_what_its_owner_may_not_see(house: PipelineHouse) -> None:
    await house.configure("gatebot-config", {"zuul.yaml": TOPICS})
    push, tip = house.review.push, house.review.tip("client")
    push("client", {"secret.txt": "sesame\n"}, "Secret", tip, owner=ROOT, private=True, topic="plans")
    on_secret = f"Depends-On: {SITE}c/client/+/1\n"
    push("client", {"open.txt": "o\n"}, "Open upon it", tip, on_secret, owner=ROOT)
    for number, (body, topic) in enumerate([(on_secret, ""), ("", "plans"), (f"Depends-On: {SITE}c/client/+/2\n", "")]):
        push("api", {f"{number}.txt": "c\n"}, f"Curious {number}", house.review.tip("api"), body, topic=topic)
    await house.settle()
    told = {
        build.changes[-1].number: [one.number for one in build.changes] for build in house.dispatch.running.values()
    }
    assert told == {1: [4, 1], 2: [4, 1, 2], 3: [3], 4: [4], 5: [2, 5]}
    shown = [one for number in (3, 4) for one in house.dispatch.of(number).checkouts]
    assert {one.project for one in shown} == {"api", "gatebot-config"}
    (seen,) = [one for one in house.dispatch.of(5).checkouts if one.project == "client"]
    assert house.repositories.read_file(seen.store, seen.commit, "open.txt") == b"o\n"
    assert house.repositories.read_file(seen.store, seen.commit, "secret.txt") is None
    two, five = house.review.change(2), house.review.change(5)
    await house.approve(house.review.change(3), two, five)
    await house.settle()
    assert "gate" not in house.running
    assert "is not the address of a change here" in house.said(3)[-1]
    assert "It needs change \u2022\u2022\u2022, which cannot enter yet" in house.said(2)[-1]

# SPDX-License-Identifier: Apache-2.0
"""Changes of a real Gerrit are checked, gated and merged there."""

from __future__ import annotations

import pytest

from gatebot.events import BranchMoved, ChangeMerged
from tests.gerrit.house import Author, House

both = pytest.mark.parametrize("landing", ["submit", "push"], indirect=True)


async def test_an_uploaded_change_is_checked_and_voted_on(house: House, author: Author) -> None:
    change = author.push("api", {"a.txt": "a\n"}, "Add a")
    await house.runs("check", change)
    await house.ends("check", change)
    await house.until(lambda: author.vote(change) == 1, "the gate voted")
    assert any("Build succeeded" in text for text in author.said(change))


async def test_a_new_patch_set_is_checked_in_place_of_the_old_one(house: House, author: Author) -> None:
    change = author.push("api", {"a.txt": "a\n"}, "Add a")
    await house.runs("check", change)
    author.push("api", {"a.txt": "better\n"}, "Add a")
    await house.until(
        lambda: [one.changes[-1].patch_set for one in house.dispatch.running.values()] == [2], "patch set 2 is checked"
    )
    assert len(house.dispatch.aborted) == 1


async def test_recheck_as_a_comment_on_the_whole_patch_set_is_heard(house: House, author: Author) -> None:
    change = author.push("api", {"a.txt": "a\n"}, "Add a")
    await house.runs("check", change)
    await house.ends("check", change, "FAILURE")
    await house.until(lambda: author.vote(change) == -1, "the gate voted")
    author.say(change, comments={"/PATCHSET_LEVEL": [{"message": "recheck", "unresolved": False}]})
    await house.runs("check", change)


@both
async def test_approved_changes_are_tested_together_and_merge_as_tested(house: House, author: Author) -> None:
    one, two = author.push("api", {"a.txt": "a\n"}, "Add a"), author.push("api", {"b.txt": "b\n"}, "Add b")
    three = author.push("client", {"c.txt": "c\n"}, "Add c")
    author.approve(one)
    await house.runs("gate", one)
    author.approve(two)
    await house.runs("gate", one, two)
    author.approve(three)
    await house.runs("gate", one, two, three)
    tested = {number: house.build("gate", number).commit for number in (one, two, three)}
    for change in (three, two, one):
        await house.ends("gate", change)
    await house.merged(one, two, three)
    assert [author.content("api", name) for name in ("a.txt", "b.txt")] == ["a\n", "b\n"]
    # Nothing was tested twice: the second build stood on the first change, however Gerrit merged it.
    assert len([build for build in house.dispatch.assigned if build.pipeline == "gate"]) == 3
    if house.settings.connections["hub"].landing == "push":
        assert author.tip("api") == tested[two]
    for change in (one, two, three):
        await house.until(lambda c=change: author.vote(c) == 2, f"the gate voted on {change.number}")
    merged = await house.facts(ChangeMerged)
    assert [event.change for event in merged] == [house.local(change) for change in (one, two, three)]
    assert all(event.item for event in merged)
    moved = [event for event in await house.facts(BranchMoved) if event.cause == "gate"]
    assert [event.project for event in moved] == [one.project, two.project, three.project]


@both
async def test_what_fails_is_left_behind_and_those_behind_it_are_tested_without_it(
    house: House, author: Author
) -> None:
    one, two = author.push("api", {"a.txt": "a\n"}, "Add a"), author.push("api", {"b.txt": "b\n"}, "Add b")
    author.approve(one)
    await house.runs("gate", one)
    author.approve(two)
    await house.runs("gate", one, two)
    await house.ends("gate", one, "FAILURE")
    await house.until(lambda: author.vote(one) == -2, "the first was voted down")
    await house.runs("gate", two)
    await house.ends("gate", two)
    await house.merged(two)
    assert author.content("api", "a.txt") == ""
    assert author.content("api", "b.txt") == "b\n"


@pytest.mark.zuul(49)
async def test_depends_on_names_changes_of_gerrit_by_their_address(house: House, author: Author) -> None:
    api = author.push("api", {"a.txt": "a\n"}, "Add a")
    client = author.push("client", {"b.txt": "b\n"}, "Use a", body=f"Depends-On: {api.url}")
    await house.runs("check", api, client)
    assert [house.number(c) for c in house.build("check", client).changes] == [api.number, client.number]
    author.approve(client)
    await house.until(lambda: f"needs change {api.number}," in author.last(client), "the reason is told")
    author.approve(api)
    await house.runs("gate", api, client)
    await house.ends("gate", api)
    await house.ends("gate", client)
    await house.merged(api, client)


async def test_the_parent_of_a_stack_goes_first(house: House, author: Author) -> None:
    one = author.push("api", {"a.txt": "a\n"}, "Add a")
    two = author.push("api", {"b.txt": "b\n"}, "Add b", onto=one.commit)
    author.approve(two, one)
    await house.runs("gate", one, two)
    await house.ends("gate", two)
    await house.ends("gate", one)
    await house.merged(one, two)


async def test_taking_an_approval_back_takes_the_change_out_of_the_gate(house: House, author: Author) -> None:
    change = author.push("api", {"a.txt": "a\n"}, "Add a")
    author.approve(change)
    await house.runs("gate", change)
    author.say(change, votes={"Code-Review": -2})
    await house.runs("gate")
    assert author.info(change)["status"] == "NEW"

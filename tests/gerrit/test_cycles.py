# SPDX-License-Identifier: Apache-2.0
"""Changes that need each other, in a real Gerrit: all merge, or none as far as Gerrit can be asked before."""

from __future__ import annotations

import pytest

from gatebot.events import BranchMoved, ChangeMerged
from tests.fakes.pipeline_house import CONFIG
from tests.gerrit.house import Author, House, Pushed

both = pytest.mark.parametrize("landing", ["submit", "push"], indirect=True)
CYCLES = "- queue: {name: shared, allow-circular-dependencies: true%s}\n"


async def allow(house: House, author: Author, more: str = "") -> None:
    """Let the queue take changes that need each other."""
    text = CONFIG.replace("gatebot:", "hub:").replace("- queue: {name: shared}\n", CYCLES % more)
    assert text != CONFIG
    author.commit_directly("config", {"zuul.yaml": text})
    await house.look()
    await house.until(lambda: "circular" in str(house.app.gate.layouts.current("main").queues), "it is allowed")


async def passes(house: House, *changes: Pushed) -> None:
    """All builds of the changes of one item pass in the gate."""
    numbers = {house.local(change) for change in changes}
    builds = [one for one in house.dispatch.running.values() if one.pipeline == "gate" and one.subject in numbers]
    assert {one.subject for one in builds} == numbers
    for build in builds:
        await house.dispatch.finish(build, "SUCCESS")


async def gated(house: House, author: Author, *changes: Pushed) -> None:
    author.approve(*changes)
    await house.until(
        lambda: (
            {one.subject for one in house.dispatch.running.values() if one.pipeline == "gate"}
            == {house.local(change) for change in changes}
        ),
        "the gate tests them together",
    )


@both
async def test_a_cycle_of_two_projects_is_tested_as_one_and_merges_whole(house: House, author: Author) -> None:
    await allow(house, author)
    pair = author.circle()
    await house.look()
    await gated(house, author, *pair)
    await passes(house, *pair)
    await house.merged(*pair)
    assert (author.content("api", "a.txt"), author.content("client", "b.txt")) == ("a\n", "b\n")
    merged = await house.facts(ChangeMerged)
    assert {event.change for event in merged} == {house.local(change) for change in pair}
    assert len({event.item for event in merged}) == 1


async def test_nothing_of_a_cycle_is_submitted_while_gerrit_would_refuse_a_part_of_it(
    house: House, author: Author
) -> None:
    await allow(house, author)
    author.forbid_submit("client")
    pair = author.circle()
    await house.look()
    await gated(house, author, *pair)
    await passes(house, *pair)
    for change in pair:
        await house.until(lambda c=change: author.vote(c) == -2, f"{change.number} was refused")
        assert f"Insufficient permission to submit change {pair[1].number}" in author.last(change)
        assert author.info(change)["status"] == "NEW"
    assert [event for event in await house.facts(BranchMoved) if event.cause == "gate"] == []


@both
async def test_a_topic_that_gerrit_submits_whole_is_one_item_where_the_queue_takes_topics(
    house: House, author: Author
) -> None:
    await allow(house, author, ", dependencies-by-topic: true")
    pair = author.circle(topic=author.name("together"))
    await house.look()
    await gated(house, author, *pair)
    await passes(house, *pair)
    await house.merged(*pair)
    assert len({event.item for event in await house.facts(ChangeMerged)}) == 1


async def test_a_topic_that_gerrit_submits_whole_is_not_merged_change_by_change(house: House, author: Author) -> None:
    one, other = author.circle(topic=author.name("apart"))
    await house.look()
    author.approve(one)
    await house.runs("gate", one)
    await house.ends("gate", one)
    await house.until(lambda: author.vote(one) == -2, "it was refused")
    assert f"that were not tested with it: {other.number}." in author.last(one)
    assert [author.info(change)["status"] for change in (one, other)] == ["NEW", "NEW"]


@pytest.mark.parametrize("submit_type", ["MERGE_ALWAYS", "CHERRY_PICK", "REBASE_ALWAYS"], indirect=True)
async def test_whatever_commits_gerrit_makes_what_merged_has_the_files_that_were_tested(
    house: House, author: Author
) -> None:
    one, two = author.push("api", {"a.txt": "a\n"}, "Add a"), author.push("api", {"b.txt": "b\n"}, "Add b")
    author.approve(one)
    await house.runs("gate", one)
    author.approve(two)
    await house.runs("gate", one, two)
    tested = house.build("gate", two).commit
    await house.ends("gate", two)
    await house.ends("gate", one)
    await house.merged(one, two)
    assert [author.content("api", name) for name in ("a.txt", "b.txt")] == ["a\n", "b\n"]
    assert author.tree_of("api", author.tip("api")) == house.hub.mirror.tree(author.name("api"), tested)
    assert len([build for build in house.dispatch.assigned if build.pipeline == "gate"]) == 2

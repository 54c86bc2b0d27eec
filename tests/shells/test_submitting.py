# SPDX-License-Identifier: Apache-2.0
"""Submitting without a gate: each submit type on real git, with what a change stands on, and whole topics."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from gatebot import words
from gatebot.access import Actor
from gatebot.change import LandRefused
from gatebot.db import Session
from gatebot.errors import Conflict
from gatebot.identity import CORE, Identity
from gatebot.repo import ZERO
from gatebot.review import conversation, hosting, store
from gatebot.review.landing import Lander
from gatebot.review.model import Change, Kind, Status, SubmitType
from gatebot.review.room import ReviewRoom, furnish
from gatebot.review.verdict import PARENT
from tests.fakes.review_house import BOB, ROOT, SITE, ReviewHouse

BOBS = Actor(BOB, frozenset({CORE}), "bob")


@pytest.fixture
async def house(room_url: str, tmp_path: Path) -> AsyncIterator[ReviewHouse]:
    house = await asyncio.to_thread(ReviewHouse, room_url, tmp_path / "git")
    yield house
    await asyncio.to_thread(house.close)


def room(house: ReviewHouse, *, whole_topic: bool = False) -> ReviewRoom:
    identity = Identity(house.db, house.clock)
    return furnish(house.db, house.repositories, identity, house.clock, house.gates, SITE, whole_topic=whole_topic)


def ready(house: ReviewHouse, *changes: Change) -> None:
    house.approve(*changes)


async def submit(house: ReviewHouse, change: Change, *, whole_topic: bool = False) -> None:
    await room(house, whole_topic=whole_topic).submission.submit(BOBS, change.number)


async def refused(house: ReviewHouse, change: Change, *, whole_topic: bool = False) -> str:
    with pytest.raises(Conflict) as told:
        await submit(house, change, whole_topic=whole_topic)
    assert told.value.reason is not None
    return words.say(told.value.reason)


def strays(parent: str) -> str:
    """What a change needs that stands on a commit that is not in its branch."""
    return (
        f"Not ready to be merged. Its parent commit {parent[:12]} is not in main: unless it is rebased, commits would "
        "come along that were not reviewed for that branch."
    )


def messages(house: ReviewHouse, change: Change) -> list[str]:
    return [message.text for message in house.read(conversation.list_messages, change.number)]


def history(house: ReviewHouse, project: str = "api") -> list[tuple[str, int]]:
    """The first-parent line of `main`, newest first: subject and number of parents."""
    found: list[tuple[str, int]] = []
    commit = house.tip(project)
    while True:
        info = house.repositories.commit(project, commit)
        found.append((info.subject, len(info.parents)))
        if not info.parents:
            return found
        commit = info.parents[0]


def chain(house: ReviewHouse) -> tuple[Change, Change]:
    first = house.push("api", {"a.txt": "a\n"}, "Add a", house.tip("api"))
    return first, house.push("api", {"b.txt": "b\n"}, "Add b", house.commit_of(first))


@pytest.mark.parametrize(
    ("submit_type", "line"),
    [
        (SubmitType.MERGE_IF_NECESSARY, [("Add b", 1), ("Add a", 1)]),
        (SubmitType.MERGE_ALWAYS, [('Merge "Add b"', 2), ('Merge "Add a"', 2)]),
        (SubmitType.FAST_FORWARD_ONLY, [("Add b", 1), ("Add a", 1)]),
        (SubmitType.REBASE_IF_NECESSARY, [("Add b", 1), ("Add a", 1)]),
        (SubmitType.REBASE_ALWAYS, [("Add b", 1), ("Add a", 1)]),
    ],
)
async def test_a_change_is_merged_with_what_it_stands_on(
    house: ReviewHouse, submit_type: SubmitType, line: list[tuple[str, int]]
) -> None:
    house.project("api", submit_type)
    first, second = chain(house)
    ready(house, first, second)
    await submit(house, second)
    assert history(house) == [*line, ("Begin", 0)]
    assert [house.change(one.number).status for one in (first, second)] == [Status.MERGED] * 2
    picked = submit_type is SubmitType.REBASE_ALWAYS
    assert house.change(second.number).current == (2 if picked else 1)
    merged = house.change(second.number).merged_as
    assert messages(house, second)[-1] == (
        f"Change has been successfully rebased and submitted as {merged}"
        if picked
        else "Change has been successfully merged"
    )


async def test_cherry_pick_ignores_what_a_change_stands_on_and_says_who_reviewed_it(house: ReviewHouse) -> None:
    house.project("api", SubmitType.CHERRY_PICK)
    first, second = chain(house)
    ready(house, second)
    house.vote(second.number, "Verified", 1, BOB)
    await submit(house, second)
    assert history(house) == [("Add b", 1), ("Begin", 0)]
    assert house.change(first.number).status is Status.NEW
    merged = house.change(second.number)
    made = house.read(store.get_patch_set, second.number, 2)
    assert (made.commit, made.kind) == (merged.merged_as, Kind.TRIVIAL_REBASE_WITH_MESSAGE_UPDATE)
    assert house.tip("api", made.ref) == house.tip("api") == made.commit
    assert (
        made.message
        == (
            f"Add b\n\nChange-Id: {second.change_id}\n"
            f"Reviewed-on: {SITE}c/api/+/{second.number}\n"
            "Reviewed-by: Bob <bob@example.org>\n"
            "Workflow: Bob <bob@example.org>\n"
            "Tested-by: Bob <bob@example.org>\n"
        )
        or "Tested-by: Bob" in made.message
    )
    assert messages(house, second)[-1] == f"Change has been successfully cherry-picked as {made.commit}"
    assert "Uploaded patch set 2" not in "".join(messages(house, second))
    votes = {vote.label: vote.value for vote in house.read(conversation.list_votes, second.number, 2)}
    assert votes == {"Code-Review": 2, "Workflow": 1, "Verified": 1}


@pytest.mark.parametrize("submit_type", [SubmitType.REBASE_IF_NECESSARY, SubmitType.REBASE_ALWAYS])
async def test_a_change_beside_the_tip_is_rebased(house: ReviewHouse, submit_type: SubmitType) -> None:
    begin = house.project("api", submit_type)
    first = house.push("api", {"a.txt": "a\n"}, "Add a", begin)
    second = house.push("api", {"b.txt": "b\n"}, "Add b", begin)
    ready(house, first, second)
    await submit(house, first)
    await submit(house, second)
    assert history(house) == [("Add b", 1), ("Add a", 1), ("Begin", 0)]
    made = house.read(store.get_patch_set, second.number, 2)
    always = submit_type is SubmitType.REBASE_ALWAYS
    assert made.kind is (Kind.TRIVIAL_REBASE_WITH_MESSAGE_UPDATE if always else Kind.TRIVIAL_REBASE)
    assert ("Reviewed-on:" in made.message) is always


async def test_two_branches_of_history_are_merged_and_the_merge_names_the_change(house: ReviewHouse) -> None:
    begin = house.project("api")
    first = house.push("api", {"a.txt": "a\n"}, "Add a", begin)
    second = house.push("api", {"b.txt": "b\n"}, "Add b", begin)
    ready(house, first, second)
    await submit(house, first)
    await submit(house, second)
    assert history(house) == [('Merge "Add b"', 2), ("Add a", 1), ("Begin", 0)]


async def test_fast_forward_only_says_what_to_do_when_it_cannot(house: ReviewHouse) -> None:
    begin = house.project("api", SubmitType.FAST_FORWARD_ONLY)
    first = house.push("api", {"a.txt": "a\n"}, "Add a", begin)
    second = house.push("api", {"b.txt": "b\n"}, "Add b", begin)
    ready(house, first, second)
    await submit(house, first)
    assert "fast-forward" in await refused(house, second)
    assert history(house) == [("Add a", 1), ("Begin", 0)]


@pytest.mark.parametrize("submit_type", [one for one in SubmitType if one is not SubmitType.FAST_FORWARD_ONLY])
async def test_a_conflict_changes_nothing(house: ReviewHouse, submit_type: SubmitType) -> None:
    begin = house.project("api", submit_type)
    first = house.push("api", {"a.txt": "a\n"}, "Add a", begin)
    second = house.push("api", {"a.txt": "other\n"}, "Add another a", begin)
    ready(house, first, second)
    await submit(house, first)
    before = house.tip("api")
    assert (await refused(house, second)).startswith("The change cannot be submitted. It conflicts with main in a.txt.")
    assert (house.tip("api"), house.change(second.number).status) == (before, Status.NEW)


async def test_nothing_is_merged_when_a_change_below_is_not_ready(house: ReviewHouse) -> None:
    begin = house.project("api")
    first, second = chain(house)
    ready(house, second)
    assert await refused(house, second) == (
        f"Change {second.number} must be submitted with change {first.number}, and change {first.number} is not ready. "
        "Not ready to be merged. It needs Code-Review +2. It needs Workflow +1."
    )
    assert house.tip("api") == begin


async def test_a_change_on_an_outdated_patch_set_has_to_be_rebased_first(house: ReviewHouse) -> None:
    begin = house.project("api")
    first, second = chain(house)
    first = house.new_patch_set(first, {"a.txt": "better\n"})
    ready(house, second)
    assert await refused(house, second) == (
        "The change cannot be submitted. "
        f"Change {second.number} stands on patch set 1 of change {first.number}, which has patch set 2 by now. "
        "Rebase it, and upload it again."
    )
    assert house.tip("api") == begin


@pytest.mark.parametrize("merges", [False, True], ids=["stands on it", "merges it"])
async def test_a_patch_set_that_was_replaced_does_not_come_along_once_its_change_is_merged(
    house: ReviewHouse, merges: bool
) -> None:
    begin = house.project("api")
    below = house.push("api", {"a.txt": "a\n"}, "Add a", begin)
    old = house.commit_of(below)
    above = house.push("api", {"b.txt": "b\n"}, "Add b", begin if merges else old, also=old if merges else "")
    below = house.new_patch_set(below, {"a.txt": "better\n"})
    for label, value in (("Code-Review", 2), ("Workflow", 1)):
        house.vote(below.number, label, value, patch_set=2)
    await submit(house, below)
    merged = house.tip("api")
    ready(house, above)
    told = (
        f"It stands on commit {old[:12]}, which is neither merged nor the newest patch "
        "set of a change that is merged with it. Rebase it onto main, and upload it again."
    )
    assert await refused(house, above) == f"The change cannot be submitted. {told if merges else strays(old)}"
    assert house.tip("api") == merged


def with_topic(house: ReviewHouse, *changes: Change) -> None:
    for change in changes:
        house.write(_put_under, change.number, house.clock.now())


def _put_under(session: Session, number: int, at: datetime) -> None:
    store.update_change(session, number, at, topic="t")


async def test_a_topic_is_merged_as_a_whole_across_projects_where_the_site_wants_it(house: ReviewHouse) -> None:
    tips = {name: house.project(name) for name in ("api", "web")}
    api = house.push("api", {"a.txt": "a\n"}, "Add a", tips["api"])
    web = house.push("web", {"w.txt": "w\n"}, "Add w", tips["web"])
    with_topic(house, api, web)
    ready(house, api)
    said = await refused(house, api, whole_topic=True)
    assert re.match(rf"Change {api.number} must be submitted with change {web.number}, and", said)
    assert house.tip("api") == tips["api"]
    ready(house, web)
    await submit(house, api, whole_topic=True)
    assert [history(house, name)[0][0] for name in ("api", "web")] == ["Add a", "Add w"]
    assert house.change(web.number).status is Status.MERGED


async def test_a_topic_takes_no_change_past_its_gate_with_one_that_has_none(house: ReviewHouse) -> None:
    tips = {name: house.project(name) for name in ("api", "web")}
    api = house.push("api", {"a.txt": "a\n"}, "Add a", tips["api"])
    web = house.push("web", {"w.txt": "w\n"}, "Add w", tips["web"])
    with_topic(house, api, web)
    ready(house, api, web)
    house.vote(web.number, "Verified", 2)  # as a check that passed may vote
    house.gates.branches.add(("web", "main"))
    assert await refused(house, api, whole_topic=True) == (
        f"Change {api.number} must be submitted with change {web.number}, and change {web.number} is merged by its "
        "gate alone. Take one of them out of the topic, or submit the other one first."
    )
    assert {name: house.tip(name) for name in tips} == tips


async def test_of_a_change_of_the_topic_that_the_asker_may_not_see_nothing_is_told(house: ReviewHouse) -> None:
    tips = [house.project(name) for name in ("api", "client")]
    house.push("client", {"secret.txt": "s\n"}, "Secret", tips[1], owner=ROOT, private=True, topic="plans")
    change = house.push("api", {"a.txt": "a\n"}, "Add a", tips[0], topic="plans")
    ready(house, change)
    told = "Change 2 must be submitted together with a change that you may not see. "
    told += "Its owner or a reviewer of that one can submit both."
    assert await refused(house, change, whole_topic=True) == told
    count, why = await room(house, whole_topic=True).submission.asked_of(BOBS, change)
    assert (count, words.say(why) if why else "") == (1, told)
    house.gates.branches = {("api", "main"), ("client", "main")}
    assert await refused(house, change, whole_topic=True) == told
    await submit(house, change)
    assert house.change(1).is_open


async def test_elsewhere_a_topic_is_only_a_word(house: ReviewHouse) -> None:
    begin = house.project("api")
    first = house.push("api", {"a.txt": "a\n"}, "Add a", begin)
    second = house.push("api", {"b.txt": "b\n"}, "Add b", begin)
    with_topic(house, first, second)
    ready(house, first)
    await submit(house, first)
    assert house.change(second.number).status is Status.NEW


async def test_a_merge_commit_is_merged_whatever_the_submit_type_picks(house: ReviewHouse) -> None:
    begin = house.project("api", SubmitType.CHERRY_PICK)
    side = house.commit("api", {"s.txt": "s\n"}, "Side\n", begin)
    tip = house.commit("api", {"m.txt": "m\n"}, "Main\n", begin)
    assert house.repositories.update_ref("api", "refs/heads/main", begin, tip)
    assert house.repositories.update_ref("api", "refs/heads/side", ZERO, side)
    tree = house.repositories.merge("api", tip, side)
    change = house.push("api", {"x.txt": "x\n"}, "Add x", tip)
    person = house.repositories.commit("api", tip).author
    message = f"Merge side\n\nChange-Id: {change.change_id}\n"
    merge = house.repositories.write_commit("api", tree.tree, (tip, side), person, person, message)  # type: ignore[union-attr]
    upload = store.upload_of(house.repositories.commit("api", merge), change.owner)
    rules = house.read(house.judge.rules, "api")
    house.write(store.add_patch_set, change.number, upload, Kind.REWORK, rules, house.clock.now())
    for label, value in (("Code-Review", 2), ("Workflow", 1)):
        house.vote(change.number, label, value, patch_set=2)
    await submit(house, change)
    assert house.tip("api") == merge


async def test_a_change_that_was_moved_from_another_branch_does_not_bring_that_branch_along(house: ReviewHouse) -> None:
    begin = house.project("api")
    side = house.commit("api", {"side.txt": "s\n"}, "Side\n", begin)
    assert house.repositories.update_ref("api", "refs/heads/side", ZERO, side)
    change = house.push("api", {"a.txt": "a\n"}, "Add a", side)
    above = house.push("api", {"b.txt": "b\n"}, "Add b", house.commit_of(change))
    reading = room(house).reading
    told = [(await reading.view(BOBS, one.number)).verdict.find(PARENT) for one in (change, above)]
    assert [one is not None for one in told] == [True, False]  # before anybody has voted
    ready(house, change)
    assert await refused(house, change) == f"The change cannot be submitted. {strays(side)}"
    # Whoever lands asks once more: the branch may have been set back meanwhile.
    lander = Lander(house.db, house.repositories, house.judge, house.clock)
    refusal = await asyncio.to_thread(lander.land, house.order("i1", (change, begin, house.commit_of(change))))
    assert isinstance(refusal, LandRefused)
    assert words.say(refusal.reason) == (
        f"Change {change.number} stands on commit {side[:12]} of another branch and "
        "would bring that branch along without a merge that was reviewed. Rebase it onto main, and upload it again."
    )
    assert house.tip("api") == begin
    project = house.read(hosting.get_project, "api")
    house.write(hosting.change_project, replace(project, submit_type=SubmitType.REBASE_ALWAYS))
    assert (await reading.view(BOBS, change.number)).verdict.find(PARENT) is None


@pytest.mark.parametrize("default", [True, False], ids=["of the default branch", "of another branch"])
async def test_where_a_branch_is_gone_nothing_comes_back_with_what_was_replaced(
    house: ReviewHouse, default: bool
) -> None:
    begin = house.project("api")
    below = house.push("api", {"a.txt": "a\n"}, "Add a", begin)
    old = house.commit_of(below)
    above = house.push("api", {"b.txt": "b\n"}, "Add b", begin, also=old)
    below = house.new_patch_set(below, {"a.txt": "better\n"})
    for label, value in (("Code-Review", 2), ("Workflow", 1)):
        house.vote(below.number, label, value, patch_set=2)
    await submit(house, below)
    assert house.repositories.update_ref("api", "refs/heads/main", house.tip("api"), ZERO)
    assert house.repositories.update_ref("api", "refs/heads/stable", ZERO, begin)
    if not default:
        house.repositories.set_head("api", "stable")
    ready(house, above)
    said = await refused(house, above)
    told = f"It stands on commit {old[:12]}" if default else "main of api is not there."
    assert told in said
    assert list(house.repositories.branches("api")) == ["stable"]

# SPDX-License-Identifier: Apache-2.0
"""The rows of the review room, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pytest
from sqlalchemy import Engine, event

from gatebot.access import Actor
from gatebot.errors import Conflict, NotFound
from gatebot.events import PatchSetCreated, ProjectCreated
from gatebot.review import conversation, hosting, intents, search, store
from gatebot.review.model import (
    InlineComment,
    Kind,
    Project,
    RefMove,
    ReviewerState,
    Side,
    Status,
    SubmitType,
    TextRange,
)
from gatebot.review.query import parse
from gatebot.review.reading import Reading
from tests.fakes.review_house import ANN, BOB, SITE, WRITER, ReviewHouse


@pytest.fixture
def house(migrated_url: str, tmp_path: Path) -> Iterator[ReviewHouse]:
    house = ReviewHouse(migrated_url, tmp_path / "git")
    yield house
    house.close()


def test_change_numbers_begin_at_one_and_are_never_given_twice(house: ReviewHouse) -> None:
    assert house.write(intents.allocate_changes) == 1
    assert house.write(intents.allocate_changes, 3) == 2
    assert house.write(intents.allocate_changes) == 5


def test_an_intent_is_opened_once_and_closed_once(house: ReviewHouse) -> None:
    now = house.clock.now()
    moves = (RefMove("demo/api", "refs/heads/main", "0" * 40, "1" * 40, "demo/api"),)
    intent = house.write(intents.open_intent, "push", "k1", moves, '{"n":1}', now)
    assert house.write(intents.open_intent, "push", "k1", (), "{}", now) == intent
    assert house.read(intents.open_intents) == (intent,)
    assert house.read(intents.open_intents, "land") == ()
    assert house.write(intents.close_intent, intent.id, '"done"', now)
    assert not house.write(intents.close_intent, intent.id, '"again"', now)
    assert house.read(intents.open_intents) == ()
    assert house.read(intents.intent_of, "push", "k1").outcome == '"done"'


def test_a_project_is_hosted_once_in_order(house: ReviewHouse) -> None:
    house.project("demo/b")
    house.project("demo/a", SubmitType.CHERRY_PICK, "team-of-one")
    listed = house.read(hosting.list_projects)
    assert [(p.name, p.submit_type.value, p.rules, p.position) for p in listed] == [
        ("demo/b", "MERGE_IF_NECESSARY", "default", 1),
        ("demo/a", "CHERRY_PICK", "team-of-one", 2),
    ]
    with pytest.raises(Conflict):
        house.write(hosting.create_project, Project("demo/a"), None, house.clock.now())
    assert house.facts(ProjectCreated) == [ProjectCreated("demo/b"), ProjectCreated("demo/a")]


def test_a_change_comes_back_as_it_was_made(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    change = house.push("demo/api", {"a": "a\n"}, "Add a", base)
    assert (change.number, change.status, change.owner, change.current) == (1, Status.NEW, ANN, 1)
    (patch_set,) = house.read(store.list_patch_sets, 1)
    assert (patch_set.parents, patch_set.ref, patch_set.kind) == ((base,), "refs/changes/01/1/1", Kind.REWORK)
    assert patch_set.author.when.isoformat() == "2026-01-05T17:00:00+09:00"
    assert (patch_set.author.name, patch_set.message) == (WRITER.name, f"Add a\n\nChange-Id: {change.change_id}\n")
    assert house.facts(PatchSetCreated) == [PatchSetCreated(1, 1, "demo/api", "main", patch_set.commit, ANN)]
    assert house.read(store.find_by_id, change.change_id, "demo/api", "main") == (change,)
    assert house.read(store.find_by_commits, "demo/api", [patch_set.commit, base]) == {patch_set.commit: change}
    with pytest.raises(NotFound):
        house.read(store.get_change, 2)


def test_whatever_a_commit_says_of_its_people_can_be_kept(house: ReviewHouse) -> None:
    change = house.push("demo/api", {"a": "a\n"}, "Add a", house.project("demo/api"))
    (before,) = house.read(store.list_patch_sets, 1)
    info = house.repositories.commit("demo/api", before.commit)
    author = replace(info.author, name=token_hex(3000), email=token_hex(3000), time=10**15, offset=9999)
    committer = replace(info.committer, name=token_hex(3000), email="é" * 3000, time=-(10**15), offset=-9999)
    upload = store.upload_of(replace(info, author=author, committer=committer), ANN)
    house.write(store.insert_patch_set, change.number, 2, upload, Kind.REWORK, house.clock.now())
    after = house.read(store.list_patch_sets, 1)[1]
    assert (after.author.when.year, after.committer.when.year) == (9999, 1)
    assert author.name.startswith(after.author.name)
    assert len(after.author.name) == len(after.committer.email) == 500


def test_a_change_needs_the_one_of_its_own_branch_where_its_parent_is_a_change_of_two(house: ReviewHouse) -> None:
    below = house.push("demo/api", {"a": "a\n"}, "Add a", house.project("demo/api"))
    above = house.push("demo/api", {"b": "b\n"}, "Add b", house.commit_of(below))
    elsewhere = house.also_for(below, "stable")
    commit = house.commit_of(below)
    current = house.read(store.get_patch_set, above.number, 1)
    assert house.read(house.judge.needs, above, current) == (below.number,)
    assert house.read(store.find_by_commits, "demo/api", [commit], "main") == {commit: below}
    assert house.read(store.find_by_commits, "demo/api", [commit], "stable") == {commit: elsewhere}


def test_a_new_patch_set_keeps_the_votes_that_outlive_it(house: ReviewHouse) -> None:
    change = house.push("demo/api", {"a": "a\n"}, "Add a", house.project("demo/api"))
    house.approve(change)
    changed = house.new_patch_set(change, {"a": "a\n", "b": "b\n"}, Kind.NO_CODE_CHANGE)
    assert changed.current == 2
    votes = house.read(conversation.list_votes, 1, 2)
    assert [(v.label, v.value, v.account, v.copied) for v in votes] == [("Code-Review", 2, BOB, True)]
    assert len(house.read(conversation.list_votes, 1, 1)) == 2
    texts = [message.text for message in house.read(conversation.list_messages, 1)]
    assert texts == [
        "Uploaded patch set 1.",
        "Uploaded patch set 2: Commit message was updated.\n\n"
        'Copied Votes:\n* Code-Review+2 (copy condition: "**changekind:NO_CODE_CHANGE** OR '
        'changekind:TRIVIAL_REBASE OR is:MIN")\n\n'
        'Outdated Votes:\n* Workflow+1 (copy condition: "changekind:NO_CHANGE")\n',
    ]


def test_a_vote_replaces_the_one_before_and_zero_takes_it_back(house: ReviewHouse) -> None:
    house.push("demo/api", {"a": "a\n"}, "Add a", house.project("demo/api"))
    assert [house.vote(1, "Code-Review", value) for value in (1, -2, 0, 2)] == [0, 1, -2, 0]
    assert [vote.value for vote in house.read(conversation.list_votes, 1)] == [2]
    assert {n: [v.value for v in votes] for n, votes in house.read(conversation.votes_of, [1, 2]).items()} == {1: [2]}


def test_comments_and_reviewers_come_back_as_they_were_stored(house: ReviewHouse) -> None:
    house.push("demo/api", {"a": "a\n"}, "Add a", house.project("demo/api"))
    now = house.clock.now()
    span = TextRange(1, 0, 2, 3)
    comment = InlineComment("c1", 1, 1, BOB, "a", "Why?", now, 1, 2, Side.PARENT, span, "", True, "tag")
    house.write(conversation.add_comment, comment)
    assert house.read(conversation.list_comments, 1) == (comment,)
    assert house.write(conversation.set_reviewer, 1, BOB, ReviewerState.CC, now)
    assert not house.write(conversation.set_reviewer, 1, BOB, ReviewerState.CC, now)
    assert house.write(conversation.set_reviewer, 1, BOB, ReviewerState.REVIEWER, now)
    assert [(r.account, r.state) for r in house.read(conversation.list_reviewers, 1)] == [(BOB, "REVIEWER")]
    house.vote(1, "Code-Review", 1)
    assert [vote.value for vote in house.write(conversation.remove_reviewer, 1, BOB, 1, ANN, house.clock.now())] == [1]
    assert house.write(conversation.remove_reviewer, 1, BOB, 1, ANN, house.clock.now()) is None


def test_dependencies_are_known_from_both_ends(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    house.project("demo/client")
    first = house.push("demo/api", {"a": "a\n"}, "Add a", base)
    second = house.push("demo/api", {"b": "b\n"}, "Add b", house.commit_of(first))
    body = f"Depends-On: {SITE}c/demo/api/+/1\nDepends-On: https://elsewhere.example.org/2\n"
    third = house.push("demo/client", {"c": "c\n"}, "Add c", house.tip("demo/client"), body)
    fourth = house.push(
        "demo/client", {"d": "d\n"}, "Add d", house.tip("demo/client"), f"Depends-On: {first.change_id}\n"
    )
    assert house.read(house.judge.needed_by, 1) == (second.number, third.number, fourth.number)
    assert house.read(house.judge.needed_by, 2) == ()
    for change in (second, third, fourth):
        assert house.read(house.judge.needs, change, house.read(store.get_patch_set, change.number, 1)) == (1,)
    house.write(lambda session: store.update_change(session, 1, house.clock.now(), status=Status.MERGED.value))
    assert house.read(house.judge.needs, third, house.read(store.get_patch_set, third.number, 1)) == ()


async def test_a_patch_set_whose_rows_are_not_written_yet_is_hidden_from_all(house: ReviewHouse) -> None:
    """Whether it is private is not known before."""
    base = house.project("demo/api")
    house.push("demo/api", {"a": "a\n"}, "Add a", base)
    reading, begun = Reading(house.db, house.judge, house.clock), []
    for number in (1, 7):  # the next patch set of a change that is here, and a new change
        moves = (RefMove("demo/api", f"refs/changes/{number:02d}/{number}/2", "0" * 40, base, "demo/api"),)
        now = house.clock.now()
        begun.append(house.write(intents.open_intent, "push", str(number), moves, "{}", now))
    assert await reading.hidden_in(Actor(ANN, frozenset()), "demo/api") == (7,)
    for one in begun:
        house.write(intents.close_intent, one.id, "{}", house.clock.now())
    assert await reading.hidden_in(Actor(ANN, frozenset()), "demo/api") == ()


async def test_a_longer_list_takes_no_more_queries(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    reading = Reading(house.db, house.judge, house.clock)
    asked: list[int] = []
    for upto in (2, 9):
        while (number := len(house.read(store.open_changes, "demo/api", "main"))) < upto:
            change = house.push("demo/api", {f"f{number}": "x\n"}, f"Change {number}", base)
            house.vote(change.number, "Code-Review", 1)
        with statements() as told:
            found, _ = await reading.search(Actor(ANN, frozenset()), "status:open")
        assert [view.change.number for view in found] == list(range(upto, 0, -1))
        assert {vote.value for view in found for vote in view.votes} == {1}
        asked.append(len(told))
    assert asked[0] == asked[1]


@contextmanager
def statements() -> Iterator[list[str]]:
    """What any engine is asked meanwhile."""
    told: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        told.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_page_of_a_query_says_whether_there_is_more(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    for name in "abc":
        house.push("demo/api", {name: "x\n"}, f"Add {name}", base)
    asking = search.Asking(None, False, house.clock.now())
    first = house.read(search.search, parse(""), asking, 2)
    second = house.read(search.search, parse(""), asking, 2, 2)
    assert ([c.number for c in first.changes], first.more) == ([3, 2], True)
    assert ([c.number for c in second.changes], second.more) == ([1], False)

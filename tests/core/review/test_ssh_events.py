# SPDX-License-Identifier: Apache-2.0
"""Facts of the journal as events of Gerrit's stream, and changes as text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from gatebot.errors import NotPermitted
from gatebot.events import BranchMoved, CommentAdded, ProjectCreated, ReviewerAdded, TagMoved, VoteCast
from gatebot.fact import Event
from gatebot.review.model import HeadMoved, ReviewerRemoved
from gatebot.review.ssh import attributes, happenings, streaming, text_form
from gatebot.review.ssh.model import Call
from gatebot.review.ssh.streaming import Streaming
from tests.core.review.test_gerrit_json import Somebody, view

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ZERO = "0" * 40


@dataclass(frozen=True)
class Placed:
    id: int
    event: Event
    at: datetime = NOON


def placed(*facts: Event) -> list[Placed]:
    return [Placed(id, fact) for id, fact in enumerate(facts, 1)]


def grouped(*facts: Event) -> list[tuple[int, dict[str, tuple[int, int]]]]:
    return [(entry.id, cast) for entry, cast in happenings.grouped(placed(*facts))]


def comment(account: int, *votes: tuple[str, int], change: int = 1) -> CommentAdded:
    return CommentAdded(change, 1, account, 7, "text", votes=votes)


def test_the_votes_of_a_review_belong_to_its_message() -> None:
    said = comment(10, ("Code-Review", 2), ("Workflow", 1))
    asked = ReviewerAdded(1, 10, 10)
    votes = {"Code-Review": (2, -1), "Workflow": (1, 1)}
    assert grouped(VoteCast(1, 1, "Code-Review", 2, 10, -1), asked, said) == [(2, {}), (3, votes)]


def test_votes_of_a_push_are_an_event_of_their_own() -> None:
    cast = (VoteCast(1, 1, "Code-Review", 1, 10), VoteCast(1, 1, "Workflow", 1, 10))
    assert grouped(*cast, comment(11, change=2)) == [(2, {"Code-Review": (1, 0), "Workflow": (1, 0)}), (3, {})]
    assert grouped(*cast) == [(2, {"Code-Review": (1, 0), "Workflow": (1, 0)})]


def test_a_removed_reviewer_takes_his_votes_along_and_a_deleted_vote_stands_alone() -> None:
    assert grouped(VoteCast(1, 1, "Code-Review", 0, 10, 2), ReviewerRemoved(1, 10, 11)) == [
        (2, {"Code-Review": (0, 2)})
    ]
    assert grouped(VoteCast(1, 1, "Code-Review", 0, 10, 2, by=11)) == [(1, {})]


def test_what_comes_later_is_not_taken_for_the_same_review() -> None:
    vote = Placed(1, VoteCast(1, 1, "Code-Review", 1, 10))
    said = Placed(2, comment(10), NOON + timedelta(minutes=1))
    assert [(entry.id, cast) for entry, cast in happenings.grouped([vote, said])] == [
        (1, {"Code-Review": (1, 0)}), (2, {}),
    ]  # fmt: skip


def test_who_becomes_a_reviewer_by_voting_is_told_with_the_vote_alone() -> None:
    whole = view()
    scene = happenings.Scene(whole.change, whole.current, {}, "http://x")
    assert happenings.of_change(ReviewerAdded(1, 10, 10), scene, {}) is None
    told = happenings.of_change(ReviewerAdded(1, 10, 11), scene, {})
    assert told is not None
    assert told["type"] == "reviewer-added"


def test_a_removed_reviewer_is_told_with_what_is_left_of_his_votes() -> None:
    whole = view()
    scene = happenings.Scene(whole.change, whole.current, {10: Somebody(10, "bob", "Bob")}, "http://x", ("A", "B"))
    told: dict[str, Any] = happenings.of_change(ReviewerRemoved(1, 10, 11), scene, {"B": (0, 2)}) or {}
    assert told["approvals"] == [
        {"type": "B", "description": "B", "value": "0", "oldValue": "2"},
        {"type": "A", "description": "A", "value": "0"},
    ]
    assert told["comment"].startswith("Removed reviewer Bob <")


def test_a_picked_change_says_of_what() -> None:
    whole = view()
    picked = replace(whole.change, cherry_pick_of=(7, 2))
    told = attributes.change(picked, {}, "http://x")
    assert (told["cherryPickOfChange"], told["cherryPickOfPatchSet"]) == (7, 2)


def test_references_and_projects_are_told_without_a_change() -> None:
    assert happenings.of_project(BranchMoved("p", "main", ZERO, "1" * 40, "push", 9), {}, "") == {
        "refUpdate": {"oldRev": ZERO, "newRev": "1" * 40, "refName": "refs/heads/main", "project": "p"},
        "type": "ref-updated",
    }
    for fact, name in (
        (BranchMoved("p", "refs/meta/config", ZERO, "1" * 40, "push"), "refs/meta/config"),
        (TagMoved("p", "1.0", ZERO, "1" * 40), "refs/tags/1.0"),
    ):
        told: dict[str, Any] = happenings.of_project(fact, {}, "") or {}
        assert told["refUpdate"]["refName"] == name
    assert happenings.of_project(HeadMoved("p", "main", "dev", 1), {}, "") == {
        "projectName": "p",
        "oldHead": "refs/heads/main",
        "newHead": "refs/heads/dev",
        "type": "project-head-updated",
    }
    assert happenings.of_project(ProjectCreated("p"), {}, "main") == {
        "projectName": "p", "headName": "refs/heads/main", "type": "project-created",
    }  # fmt: skip
    assert happenings.of_project(comment(1), {}, "") is None


def test_a_change_as_text_looks_as_gerrits() -> None:
    told: dict[str, Any] = {
        "id": "I1",
        "number": 55,
        "owner": {"name": "Administrator"},
        "commitMessage": "New one\n\nChange-Id: I1\n",
        "hashtags": [],
        "createdOn": 1795936904,
        "open": True,
        "comments": [{"timestamp": 1795936904, "message": "Uploaded patch set 1."}],
        "currentPatchSet": {"number": 1, "parents": ["dfd5ec91"]},
    }
    assert text_form.change_text(told) == (
        "change I1\n"
        "  id: I1\n"
        "  number: 55\n"
        "  owner:\n"
        "    name: Administrator\n"
        "  commitMessage: New one\n"
        "                 \n"
        "                 Change-Id: I1\n"
        "  hashtags:\n"
        "  createdOn: 2026-11-29 07:21:44 UTC\n"
        "  open: true\n"
        "  comments:\n"
        "    timestamp: 2026-11-29 07:21:44 UTC\n"
        "    message: Uploaded patch set 1.\n"
        "  currentPatchSet:\n"
        "    number: 1\n"
        "    parents:\n"
        " [dfd5ec91]\n"
        "\n"
    )
    assert text_form.plain_text({"type": "error", "message": "no"}) == "type: error\nmessage: no\n\n"


class Known(Somebody):
    groups: frozenset[str] = frozenset()


class Told:
    """What a stream stands on: two batches of one event each, and a terminal that keeps what is said."""

    url, rules = "", None

    def __init__(self) -> None:
        self.said: list[str] = []

    async def last(self) -> int:
        return 0

    async def follow(self, *_: object) -> AsyncIterator[list[int]]:
        for batch in ([1], [2]):
            yield batch

    async def by_id(self, id: int) -> Known:
        return Known(id, "ci", "CI", "ci@example.org")

    async def events(self, _actor: object, entries: list[int]) -> AsyncIterator[tuple[int, dict[str, object]]]:
        for id in entries:
            yield id, {"type": "ref-updated"}

    async def say(self, text: str) -> None:
        self.said.append(text)

    async def interrupted(self) -> None:
        await asyncio.Event().wait()


async def test_a_stream_ends_when_the_right_to_hear_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    at_first, then = (True, True), (False,)
    answers = iter((*at_first, *then))
    monkeypatch.setattr(streaming, "may", lambda *_: next(answers))
    stream = Streaming(*cast("Any", (told, told, told, told)))
    who = cast("Any", Known(1, "ci", "CI", "ci@example.org"))
    with pytest.raises(NotPermitted):
        await stream.run(Call(who, (), cast("Any", told)))
    assert told.said == ['{"type":"ref-updated"}\n']

# SPDX-License-Identifier: Apache-2.0
"""Dashboards: the lists that an address describes, the order in which changes wait, and why in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot import words
from gatebot.errors import Invalid
from gatebot.review.attention.model import ADDED, OUTDATED, Attention
from gatebot.review.dashboards.model import Turn
from gatebot.review.dashboards.order import ordered, promise, reachable, told
from gatebot.review.dashboards.sections import of_address, of_person
from gatebot.review.model import Status
from gatebot.review.query import parse
from gatebot.review.rules import TEAM_OF_ONE
from gatebot.review.verdict import Situation, explain

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_an_address_names_lists_in_its_order() -> None:
    said = [("title", "Team"), ("Ready", "label:Verified=1"), ("foreach", "status:open"), ("Old", "age:4w")]
    found = of_address(said)
    assert found is not None
    assert found.title == "Team"
    assert [(one.title, one.query) for one in found.sections] == [
        ("Ready", "label:Verified=1 status:open"), ("Old", "age:4w status:open"),
    ]  # fmt: skip
    assert of_address([("title", "Nothing")]) is None
    with pytest.raises(Invalid) as error:
        of_address([(f"list {number}", "status:open") for number in range(21)])
    assert error.value.reason is not None
    assert words.say(error.value.reason) == "A dashboard has at most 20 lists. Take some out of the address."


@pytest.mark.parametrize("who", ["self", "ann", 'o"dd name'])
def test_the_lists_of_a_person_are_queries_that_can_be_asked(who: str) -> None:
    for section in of_person(who).sections:
        assert parse(section.query)


def test_what_lets_most_others_go_on_comes_first_then_what_waits_longest() -> None:
    hour = timedelta(hours=1)
    turns = [
        Turn(1, NOW, ()), Turn(2, NOW - hour, ()), Turn(3, NOW, (), unblocks=2), Turn(4, NOW, (), last=True),
        Turn(5, NOW + hour, (), unblocks=2, last=True),
    ]  # fmt: skip
    assert [one.change for one in ordered(turns)] == [5, 3, 4, 2, 1]


@pytest.mark.parametrize(
    ("below", "inside", "gated", "sentence"),
    [
        ((), (), True, "With your Code-Review +2 it enters the gate."),
        (
            (7,), (), True,
            "With your Code-Review +2 it enters the gate, as soon as change 7, which it needs, is in it.",
        ),
        ((7,), (7,), True, "With your Code-Review +2 it enters the gate."),
        (
            (7, 8, 9), (8,), True,
            "With your Code-Review +2 it enters the gate, as soon as changes 7, 9, which it needs, are in it.",
        ),
        (
            (7,), (), False,
            "With your Code-Review +2 it can be submitted, "
            "as soon as change 7, which it needs, is ready too or merged.",
        ),
    ],
)  # fmt: skip
def test_what_a_vote_brings_depends_on_the_changes_below(
    below: tuple[int, ...], inside: tuple[int, ...], gated: bool, sentence: str
) -> None:
    verdict = explain(Situation(Status.NEW, 1, 1, gated, waits_for=below), (), TEAM_OF_ONE)
    why = promise(verdict, "Code-Review +2", inside, gated=gated)
    assert why is not None
    assert words.say(why) == sentence
    assert words.say(why, "ko") != words.say(why)


def test_no_vote_helps_a_change_that_names_what_is_not_there_or_not_to_be_seen() -> None:
    unknown = explain(Situation(Status.NEW, 1, 1, gated=True, unknown=("https://x/7",)), (), TEAM_OF_ONE)
    assert promise(unknown, "Code-Review +2", (), gated=True) is None


edges = st.dictionaries(st.integers(1, 8), st.sets(st.integers(1, 8)), max_size=8)


@given(edges, st.integers(1, 8))
def test_who_waits_for_a_change_waits_through_others_too(edges: dict[int, set[int]], start: int) -> None:
    found = reachable(edges, start)
    assert start not in found
    direct = edges.get(start, set()) - {start}
    assert direct <= found
    for one in found:
        assert edges.get(one, set()) - {start} <= found


@pytest.mark.parametrize(
    ("stored", "sentence", "korean"),
    [
        (ADDED, "You were asked for a review.", "리뷰를 요청받았습니다."),
        ("Bob replied on the change", "Bob replied.", "Bob 님이 답했습니다."),
        (
            OUTDATED.format(label="Code-Review"),
            "A new patch set took your Code-Review back.",
            "새 패치 세트로 Code-Review 투표가 무효가 되었습니다.",
        ),
        ("because 100%", "because 100%", "because 100%"),
    ],
)
def test_why_it_is_somebodys_turn_is_said_in_his_language(stored: str, sentence: str, korean: str) -> None:
    why = told(Attention(1, True, NOW, stored))
    assert words.say(why) == sentence
    assert words.say(why, "ko") == korean

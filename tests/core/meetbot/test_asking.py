# SPDX-License-Identifier: Apache-2.0
"""Questions to the bot, and its answers: one line each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.meetbot.sisters import asking
from gatebot.meetbot.sisters.announcing import LONGEST
from gatebot.meetbot.sisters.asking import Asked
from gatebot.meetbot.sisters.model import Found, Standing, Waits
from gatebot.meetbot.sisters.patience import Patience, Turn

NICKS = ("gatebot", "gatebot_")
STATUS = "https://gate.example.org/status"


def english(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("gatebot: why 42", Asked("why", "42")),
        ("GateBot, WHY  42 ", Asked("why", "42")),
        ("gatebot_: queue gate", Asked("queue", "gate")),
        ("gatebot: help", Asked("help", "")),
        ("gatebot: search \x02port\x0f conflict", Asked("search", "port conflict")),
        ("gatebot:", None),
        ("gatebot is here", None),
        ("ann: why 42", None),
        ("ask gatebot: why 42", None),
    ],
)
def test_a_question_begins_with_the_nick(text: str, question: Asked | None) -> None:
    assert asking.asked(NICKS, text) == question


@pytest.mark.parametrize(
    ("rest", "number"),
    [
        ("42", 42),
        ("#42", 42),
        ("https://gate.example.org/c/demo/api/+/42", 42),
        ("", None),
        ("door", None),
        ("-1", None),
    ],
)
def test_a_change_is_named_by_number_or_address(rest: str, number: int | None) -> None:
    assert Asked("why", rest).number == number


@given(text=st.text(max_size=600))
def test_no_text_breaks_the_reading_of_questions(text: str) -> None:
    question = asking.asked(NICKS, f"gatebot: {text}")
    assert question is None or (question.word and "\n" not in question.rest)


def test_a_nick_has_three_answers_at_once_and_then_one_each_ten_seconds_and_is_told_so_once() -> None:
    patience, turns = Patience(), list[Turn]()
    for second in (0, 0, 0, 0, 5, 10, 11, 12):
        patience, one = patience.ask("oftc", "#demo", "ann", second)
        turns.append(one)
    yes, no = Turn(answered=True), Turn(answered=False)
    assert turns == [yes, yes, yes, Turn(False, 10), no, yes, Turn(False, 9), no]
    assert asking.too_much(9, english) == "That was much at once: I answer again in 9 s."


def test_a_channel_has_six_answers_at_once_whoever_asks_and_one_of_them_is_told() -> None:
    patience, turns = Patience(), list[Turn]()
    for number in range(9):
        patience, one = patience.ask("oftc", "#demo", f"ann{number}", 0)
        turns.append(one)
    assert turns == [Turn(answered=True)] * 6 + [Turn(False, 4), Turn(answered=False), Turn(answered=False)]
    assert patience.ask("oftc", "#other", "ann9", 0)[1].answered


@given(asks=st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 1)), max_size=200))
def test_answers_and_refusals_together_are_no_flood(asks: list[tuple[str, float]]) -> None:
    patience, now, said = Patience(), 1000.0, 0
    for nick, pause in asks:
        now += pause
        patience, turn = patience.ask("oftc", "#demo", nick, now)
        said += turn.answered or turn.again > 0
    # Six at once, one each four seconds, and of the whole channel one refusal each ten.
    assert said <= 6 + (now - 1000) / 4 + (now - 1000) / 10 + 2


def test_a_change_says_its_queues_before_what_it_waits_for() -> None:
    told = Standing(
        42, "Add a door", "demo/api main", "It needs Code-Review.", "https://x/42", (("check", "It runs."),)
    )
    assert (
        asking.standing(told) == "42 Add a door (demo/api main): check: It runs.; It needs Code-Review.  https://x/42"
    )


def test_queues_are_counted_and_one_is_told_in_order() -> None:
    gate = Waits("gate", (("42 Add a door", "It runs."), ("", "A private change.")))
    told = [gate, Waits("check", (("43 Add a bell", "It runs."),)), Waits("post", ())]
    assert asking.queues(told, "", STATUS, english) == f"gate: 2 in it; check: 1 in it  {STATUS}"
    assert asking.queues(told, "gate", STATUS, english) == (
        f"gate: 2 in it: 42 Add a door (It runs.), A private change.  {STATUS}"
    )
    assert asking.queues(told, "post", STATUS, english) == f"Nothing is in the queues.  {STATUS}"
    assert asking.queues(told, "gaet", STATUS, english) == "There is no pipeline gaet. There are: gate, check, post."


@given(subject=st.text(max_size=700), why=st.text(max_size=700))
def test_every_answer_is_one_line_of_irc(subject: str, why: str) -> None:
    answers = [
        asking.standing(Standing(42, subject, "demo/api main", why, "https://x/42")),
        asking.queues([Waits("gate", ((subject, why),) * 6)], "gate", STATUS, english),
        asking.found(Found(3, subject, "https://x/log#l1", "https://x/search?q=a"), english),
    ]
    for answer in answers:
        assert len(answer.encode()) <= LONGEST + 3
        assert not any(ord(character) < 32 for character in answer)

# SPDX-License-Identifier: Apache-2.0
"""What is said to the bot alone, and what goes out first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.meetbot.irc import hearing, session
from gatebot.meetbot.irc.messages import parse
from gatebot.meetbot.irc.model import Network
from gatebot.meetbot.irc.outbox import Outbox
from gatebot.meetbot.irc.session import Session, Whispers
from gatebot.meetbot.model import Priority, Reply
from gatebot.meetbot.sisters import asking
from gatebot.meetbot.sisters.announcing import clean
from gatebot.meetbot.sisters.asking import Asked
from tests.fakes.clock import FakeClock

NOW = FakeClock().now()


def connected(*, accounts: bool = False) -> Session:
    one = session.start(Network("irc.example.org", channels=("#demo",)), {}, NOW)[0]
    return replace(one, since=NOW, scene=replace(one.scene, tells_accounts=accounts))


def whispers(raw: str, *, accounts: bool = False) -> list[Whispers]:
    message = parse(raw)
    if message is None:
        return []
    return [one for one in session.receive(connected(accounts=accounts), message, NOW)[1] if isinstance(one, Whispers)]


def test_what_somebody_says_to_the_bot_alone_is_heard_with_his_account_and_is_no_line_of_a_channel() -> None:
    message = parse("@account=ann :ann!a@host PRIVMSG GATEBOT :why \x0242\x02")
    assert message is not None
    state = connected(accounts=True)
    found = session.receive(state, message, NOW)[1]
    assert [(one.line.nick, one.line.text, one.line.account) for one in found if isinstance(one, Whispers)] == [
        ("ann", "why 42", "ann")
    ]
    assert hearing.spoken(state.scene, message, NOW) == []


@pytest.mark.parametrize(
    "raw",
    [
        ":ann!a@host PRIVMSG #demo :why 42",
        ":ann!a@host PRIVMSG other :why 42",
        ":ann!a@host NOTICE gatebot :why 42",
        ":ann!a@host PRIVMSG gatebot :\x01VERSION\x01",
        ":ann!a@host PRIVMSG gatebot :\x01ACTION whys 42\x01",
        ":irc.example.org PRIVMSG gatebot :why 42",
        ":gatebot!g@host PRIVMSG gatebot :why 42",
    ],
)
def test_notices_servers_and_the_bot_itself_whisper_nothing(raw: str) -> None:
    assert whispers(raw) == []


def test_a_question_to_the_bot_alone_needs_no_nick_and_may_have_it() -> None:
    assert asking.whispered(["gatebot"], "why 42") == asking.whispered(["gatebot"], "gatebot: why 42")
    assert asking.whispered(["gatebot"], "Queue gate") == Asked("queue", "gate")
    assert asking.whispered(["gatebot"], " \x02 ") is None


def test_answers_do_not_wait_for_what_matters_to_one_voter_nor_for_news() -> None:
    out = Outbox()
    for kind in (Priority.NEWS, Priority.ASIDE, Priority.STATUS, Priority.ANSWER, Priority.MEETING):
        out.put("#demo", Reply(kind.name), kind)
    said: list[str] = []
    while (found := out.next(lambda _: True)) is not None:
        said.append(found[1].text)
    assert said == ["MEETING", "ANSWER", "STATUS", "ASIDE", "NEWS"]


@given(text=st.text(st.characters(codec="utf-8") | st.sampled_from("\u202a\u202e\u2066\u2069\x02\x03"), max_size=200))
def test_nothing_that_the_bot_repeats_turns_text_around(text: str) -> None:
    assert not set(clean(text)) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_what_turns_text_around_is_told_by_its_name() -> None:
    assert clean("port \u202etrop") == "port \u27e6U+202E\u27e7trop"

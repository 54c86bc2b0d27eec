# SPDX-License-Identifier: Apache-2.0
"""What people say from the web: under which nick, as one harmless line, and not too fast."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatebot.meetbot.irc.messages import parse
from gatebot.meetbot.model import Line
from gatebot.meetbot.sisters.proofs import proved
from gatebot.meetbot.webchat import words

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def test_a_nick_from_the_web_is_marked_and_is_nobodys_on_irc() -> None:
    assert words.of_account("ann") == "ann/web"
    long = "a" * 63
    assert words.of_account(f"{long}b") != words.of_account(f"{long}c")
    assert words.of_guest("민수") == "민수/guest"


@pytest.mark.parametrize("source", ["ann/web!relay@r", "ann/WEB", "ann/guest!a@b"])
def test_no_relay_on_a_network_makes_a_nick_from_the_web(source: str) -> None:
    for raw in (
        f":{source} PRIVMSG #c :#status log x",
        f"@account=x :{source} JOIN #c",
        f":a!a@b NICK {source.partition('!')[0]}",
    ):
        message = parse(raw)
        assert message is not None
        name = message.target if message.command == "NICK" else message.nick
        assert words.username_of(name) == ""
        assert "/" not in name
    relayed = parse(":ann/discord!r@r PRIVMSG #c :hi")
    assert relayed is not None
    assert relayed.nick == "ann/discord"


def test_only_what_the_bot_said_for_somebody_proves_that_he_has_signed_in() -> None:
    line = Line(NOON, "ann/web", "recheck 1", account="")
    assert proved(line, trusts_nicks=False) == "web:ann"
    assert proved(replace(line, nick="ann/guest"), trusts_nicks=True) == ""
    assert proved(replace(line, nick="ann"), trusts_nicks=True) == ""
    taken_in = replace(line, account=None)  # from an old log
    assert proved(taken_in, trusts_nicks=False) == ""
    assert proved(taken_in, trusts_nicks=True) == "nick:ann/web"


@pytest.mark.parametrize("name", ["", "a b", "ann/web", "x" * 21, "<b>", "a\n", "#gate"])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert words.of_guest(name) is None


def test_what_is_said_is_one_line_without_colours() -> None:
    assert words.said("hi\r\nQUIT :x\0 \x0304red\x03") == "hi QUIT :x red"
    assert words.said(" \n\x02 ") == ""


def test_a_person_may_say_four_things_at_once_and_then_one_each_four_seconds() -> None:
    brake = words.Brake()
    for person, most, later in (("guest 1", 4, 4), ("account 1", 8, 2)):
        assert [brake.wait(person, "#c", NOON) for _ in range(most)] == [0] * most
        assert brake.wait(person, "#c", NOON) == pytest.approx(later, abs=0.01)
        assert brake.wait(person, "#c", NOON + timedelta(seconds=later)) == 0
    assert brake.wait("account 2", "#c", NOON) == 0


def test_many_guests_together_do_not_flood_a_channel() -> None:
    brake = words.Brake()
    waits = [brake.wait(f"guest {number}", "#c", NOON) for number in range(30)]
    assert [bool(wait) for wait in waits] == [False] * 20 + [True] * 10
    assert brake.wait("guest 99", "#other", NOON) == 0

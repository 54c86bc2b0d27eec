# SPDX-License-Identifier: Apache-2.0
"""Who is answered, and as whom: by the account that a network tells, never by a nick that anybody can take."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from gatebot.errors import Invalid
from gatebot.meetbot.model import Line, LineKind, Priority
from gatebot.meetbot.sisters.answering import Answering, Voice
from gatebot.meetbot.sisters.model import Done, Found, Standing, Waits
from gatebot.meetbot.store import Heard
from gatebot.reasons import reason
from tests.fakes.clock import FakeClock

SITE = "https://gate.example.org"


@dataclass
class Told:
    """Answers as a test tells them, and who asked for what."""

    links: dict[str, str] = field(default_factory=dict[str, str])
    rechecked: list[int] = field(default_factory=list[int])

    async def standing(self, number: int, language: str) -> Standing | None:
        if number == 13:
            raise RuntimeError("a defect")
        return Standing(number, "Add a door", "api main", "It waits.", f"{SITE}/{number}") if number == 42 else None

    async def waits(self, language: str) -> Sequence[Waits]:
        return []

    async def search(self, text: str) -> Found | None:
        if text.startswith("before:"):
            raise Invalid(reason=reason("meetbot.bad-search-day", day="yesterday"))
        return None

    async def line(self, network: str, channel: str, nick: str, text: str) -> str:
        return "/irclogs/here#l1"

    async def newest(self, network: str, channel: str) -> str:
        return "/irclogs/newest#l9" if channel == "#demo" else ""

    async def confirm(self, network: str, name: str, code: str) -> str:
        if code != "CODE":
            return ""
        self.links[name] = "ann"
        return "ann"

    async def recheck(self, network: str, name: str, number: int) -> Done | None:
        if name not in self.links:
            return None
        self.rechecked.append(number)
        return Done(self.links[name], f"{SITE}/{number}") if number == 42 else Done(self.links[name])


class Channel:
    """A channel with the bot in it."""

    def __init__(self, *, trusts_nicks: bool = False, language: str = "en") -> None:
        self.clock = FakeClock()
        self.told = Told()
        self.said: list[str] = []
        voice = Voice(lambda: ("gatebot",), language, trusts_nicks, ("#demo", "#dev"))
        self.alone: list[tuple[str, str]] = []
        self.answering = Answering(self.clock, {"oftc": voice}, self.told, self._say, self._settled, SITE)

    def _say(self, network: str, channel: str, text: str, priority: Priority) -> None:
        assert (network, priority) == ("oftc", Priority.ANSWER)
        if channel == "#demo":
            self.said.append(text)
        else:
            self.alone.append((channel, text))

    async def _settled(self) -> None:
        return

    async def hears(self, text: str, nick: str = "ann", account: str | None = None, **more: object) -> list[str]:
        """What the bot says to a line."""
        self.clock.advance(60)
        line = replace(Line(self.clock.now(), nick, text, account=account), **more)  # type: ignore[arg-type]
        before = len(self.said)
        self.answering.heard(Heard("oftc", "#demo", line))
        await self.answers()
        return self.said[before:]

    async def is_whispered(self, text: str, account: str | None = None) -> list[tuple[str, str]]:
        """What the bot says, to whom alone, when ann says something to it alone."""
        self.clock.advance(60)
        before = len(self.alone)
        self.answering.whispered("oftc", Line(self.clock.now(), "ann", text, account=account))
        await self.answers()
        return self.alone[before:]

    async def answers(self) -> None:
        task = asyncio.create_task(self.answering.run())
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()


async def test_a_linked_account_rechecks_under_any_nick_and_no_other_does() -> None:
    channel = Channel()
    unknown = [
        "ann: I do not know whose account you are. Make a code here and say it to me:  https://gate.example.org/settings/irc"
    ]
    assert await channel.hears("gatebot: recheck 42", account="Ann_Services") == unknown
    assert await channel.hears("gatebot: confirm CODE", account="Ann_Services") == [
        "ann: You are ann here from now on."
    ]
    assert await channel.hears("gatebot: recheck 42", "annie", account="ann_services") == [
        "annie: Change 42 is checked again, asked by ann.  https://gate.example.org/42"
    ]
    assert await channel.hears("gatebot: recheck 42", account="eve") == unknown
    assert await channel.hears("gatebot: recheck 42", account="") == unknown
    assert channel.told.rechecked == [42]
    assert await channel.hears("gatebot: recheck 7", account="ann_services") == [
        "ann: There is no change 7 that everybody here may see."
    ]


@pytest.mark.parametrize(
    ("account", "answer"),
    [
        ("", "Log in to the services of this network first, then say it again."),
        (
            None,
            "This network does not tell who is logged in, so that nobody can be linked here, unless an administrator "
            "makes a nick a proof by trust_nicks.",
        ),
    ],
)
async def test_a_code_links_nobody_without_a_proved_name(account: str | None, answer: str) -> None:
    channel = Channel()
    assert await channel.hears("gatebot: confirm CODE", account=account) == [f"ann: {answer}"]
    assert channel.told.links == {}


async def test_a_guest_from_the_web_is_told_to_sign_in() -> None:
    channel = Channel()
    told = "eve/guest: You speak from the web without an account. Sign in, then say it again:  https://gate.example.org"
    for text in ("gatebot: recheck 42", "gatebot: confirm CODE"):
        assert await channel.hears(text, "eve/guest", account="") == [f"{told}/login"]


async def test_a_nick_is_a_proof_only_where_settings_say_so_and_no_accounts_are_told() -> None:
    channel = Channel(trusts_nicks=True)
    assert await channel.hears("gatebot: confirm CODE", account="") == [
        "ann: Log in to the services of this network first, then say it again."
    ]
    assert await channel.hears("gatebot: confirm code", account=None) == [
        "ann: This code is none of mine, or it is older than ten minutes. Make a new one here:  "
        "https://gate.example.org/settings/irc"
    ]
    assert await channel.hears("gatebot: confirm CODE", account=None) == ["ann: You are ann here from now on."]


async def test_what_is_old_or_the_bots_own_or_no_speech_is_not_answered() -> None:
    channel = Channel()
    assert await channel.hears("gatebot: help", at=channel.clock.now() - timedelta(minutes=3)) == []
    assert await channel.hears("gatebot: help", own=True) == []
    assert await channel.hears("gatebot: help", kind=LineKind.NOTICE) == []
    assert await channel.hears("gatebot is nice") == []


async def test_a_question_that_fails_ends_nothing() -> None:
    channel = Channel()
    assert await channel.hears("gatebot: why 13") == []
    assert await channel.hears("gatebot: why 42") == [
        "ann: 42 Add a door (api main): It waits.  https://gate.example.org/42"
    ]
    assert await channel.hears("gatebot: why door") == ["ann: Say it like this: why 42"]


async def test_who_asks_the_bot_alone_is_answered_alone() -> None:
    channel = Channel()
    told = "42 Add a door (api main): It waits.  https://gate.example.org/42"
    assert await channel.is_whispered("why 42") == [("ann", told)]
    assert await channel.is_whispered("gatebot: why 42") == [("ann", told)]
    assert await channel.is_whispered("confirm CODE", account="ann") == [("ann", "You are ann here from now on.")]
    assert await channel.is_whispered("recheck 7", account="ann") == [
        ("ann", "There is no change 7 that everybody here may see.")
    ]
    assert await channel.is_whispered("link") == [("ann", "Say it like this: link #channel")]
    assert await channel.is_whispered("link demo") == [("ann", f"{SITE}/irclogs/newest#l9")]
    assert await channel.is_whispered("link #away") == [("ann", "I know no log of #away.")]
    assert channel.said == []


async def test_a_word_that_is_no_question_is_answered_by_those_that_are() -> None:
    channel = Channel()
    help_text = (await channel.hears("gatebot: help"))[0].removeprefix("ann: ")
    assert help_text.startswith("Ask me: why NUMBER (what a change waits for), queue [PIPELINE], ")
    assert await channel.hears("gatebot: dance 42") == [f"ann: I do not know dance. {help_text}"]
    assert help_text.endswith("without my name: #status, #success, #thanks; where there is a board #TRACK, #in, ~list.")
    assert await channel.is_whispered("#Status log x") == [
        ("ann", "Say #status in a channel where I am: it is for everybody, and nothing comes of it here.")
    ]
    assert await channel.is_whispered("#info hello") == [("ann", f"I do not know #info. {help_text}")]


async def test_answers_may_be_korean() -> None:
    channel = Channel(language="ko")
    assert await channel.hears("gatebot: why 7") == ["ann: 여기 모두가 볼 수 있는 변경 7은 없습니다."]


async def test_a_search_that_cannot_be_read_is_told_why() -> None:
    (told,) = await Channel().hears("gatebot: search before:yesterday")
    assert told.startswith("ann: “yesterday” is no")


async def test_who_asks_too_much_is_told_once_when_he_is_answered_again() -> None:
    channel = Channel(language="ko")
    channel.clock.advance(60)
    for _ in range(6):
        channel.answering.heard(Heard("oftc", "#demo", Line(channel.clock.now(), "ann", "gatebot: why 7")))
    await channel.answers()
    assert channel.said[0] == "ann: 한꺼번에 너무 많습니다: 10초 뒤에 다시 대답합니다."
    assert channel.said[1:] == ["ann: 여기 모두가 볼 수 있는 변경 7은 없습니다."] * 3

# SPDX-License-Identifier: Apache-2.0
"""Answers those who speak to the bot by its nick, in the channel and as a stranger may know; or to the bot alone.

Lines that come from the network's history are too old for an answer. Questions are answered one after the other, after
the line itself is stored, so that it can be pointed at. Who asks the bot alone is answered alone, and nothing of it is
kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ... import words
from ...clock import Clock
from ...errors import Invalid
from ..model import Line, LineKind, Priority
from ..store import Heard
from ..webchat.words import is_guest
from . import asking
from .asking import Asked
from .patience import Patience
from .ports import Answers
from .proofs import WEB, proved

log = logging.getLogger(__name__)

_FRESH = timedelta(minutes=2)
_WAITING = 50

Say = Callable[[str, str, str, Priority], None]


@dataclass(frozen=True, slots=True)
class Voice:
    """How the bot is called on a network, and in which language it answers there; `channels` are those it is in."""

    nicks: Callable[[], Sequence[str]]
    language: str = "en"
    trusts_nicks: bool = False
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks, and where; without a channel he asks the bot alone."""

    network: str
    channel: str
    line: Line
    asked: Asked


class Answering:
    """Answers. `settled` waits until what was heard is stored; `site` is the address of the site."""

    def __init__(
        self, clock: Clock, voices: dict[str, Voice], answers: Answers, say: Say,
        settled: Callable[[], Awaitable[None]], site: str,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._voices = voices
        self._answers = answers
        self._say = say
        self._settled = settled
        self._site = site.rstrip("/")
        self._patience = Patience()
        self._questions: asyncio.Queue[Question] = asyncio.Queue(_WAITING)

    def heard(self, heard: Heard) -> None:
        """A line of a channel: a question, or not."""
        line, voice = heard.line, self._voices.get(heard.network)
        if voice is None or line.own or line.kind is not LineKind.SAID:
            return
        if (asked := asking.asked(voice.nicks(), line.text)) is not None:
            self._take(Question(heard.network, heard.channel, line, asked))

    def whispered(self, network: str, line: Line) -> bool:
        """What somebody says to the bot alone is always a question."""
        voice = self._voices.get(network)
        asked = asking.whispered(voice.nicks(), line.text) if voice is not None else None
        if asked is not None:
            self._take(Question(network, "", line, asked))
        return asked is not None

    def _take(self, question: Question) -> None:
        now = self._clock.now()
        if now - question.line.at > _FRESH or self._questions.full():
            return
        place = (question.network, question.channel, question.line.nick)
        self._patience, turn = self._patience.ask(*place, now.timestamp())
        if turn.answered:
            self._questions.put_nowait(question)
        elif turn.again:
            gettext = words.translations(self._voices[question.network].language).gettext
            self._reply(question, asking.too_much(turn.again, gettext))

    async def run(self) -> None:
        """Answer for ever."""
        while True:
            question = await self._questions.get()
            try:
                text = await self.answer(question)
            except Invalid as error:  # others are not for a channel: they may tell how the site is built
                language = self._voices[question.network].language
                text = asking.refused(words.say(error.reason, language) if error.reason else str(error))
            except Exception:
                # One question that cannot be answered must not end the site. What is asked alone is told nobody.
                asked = repr(question.line.text) if question.channel else "what somebody asked alone"
                log.exception("no answer to %s", asked)
                continue
            self._reply(question, text)

    def _reply(self, question: Question, text: str) -> None:
        nick = question.line.nick
        if question.channel:
            self._say(question.network, question.channel, f"{nick}: {text}", Priority.ANSWER)
        else:
            self._say(question.network, nick, text, Priority.ANSWER)

    async def answer(self, question: Question) -> str:
        """The answer to a question."""
        language, asked = self._voices[question.network].language, question.asked
        gettext = words.translations(language).gettext
        match asked.word, asked.number:
            case "why", int(number):
                told = await self._answers.standing(number, language)
                return asking.standing(told) if told is not None else asking.no_change(number, gettext)
            case "queue", _:
                waits = await self._answers.waits(language)
                return asking.queues(waits, asked.rest, f"{self._site}/status", gettext)
            case "search", _ if asked.rest:
                return asking.found(await self._answers.search(asked.rest), gettext)
            case "link", _:
                return await self._link(question, gettext)
            case "recheck", int(number):
                return await self._recheck(question, number, gettext)
            case "confirm", _ if asked.rest:
                return await self._confirm(question, asked.rest, gettext)
            case ("why" | "search" | "recheck" | "confirm") as word, _:
                return asking.not_so(word, gettext)
            case "help", _:
                return asking.help_text(gettext)
            case word, _ if word in asking.FOR_ALL and not question.channel:
                return asking.in_a_channel(word, gettext)
            case word, _:
                return asking.no_such(word, gettext)

    async def _link(self, question: Question, gettext: asking.Gettext) -> str:
        """The address of this moment: of the line that asks, or alone of the newest line of a channel."""
        network, channel, line = question.network, question.channel, question.line
        await self._settled()
        if channel:
            return f"{self._site}{await self._answers.line(network, channel, line.nick, line.text)}"
        known = self._voices[network].channels
        wanted = question.asked.rest or (known[0] if len(known) == 1 else "")
        if not wanted:
            return asking.not_so("link", gettext)
        wanted = wanted if wanted[0] in "#&+!" else f"#{wanted}"
        path = await self._answers.newest(network, wanted)
        return f"{self._site}{path}" if path else asking.not_heard(wanted, gettext)

    async def _recheck(self, question: Question, number: int, gettext: asking.Gettext) -> str:
        """Ask for new checks of a change as the account that somebody proved to be."""
        name = self._name(question)
        done = await self._answers.recheck(question.network, name, number) if name else None
        if done is None:
            if is_guest(question.line.nick):
                return asking.guest(f"{self._site}/login", gettext)
            return asking.unknown(f"{self._site}/settings/irc", gettext)
        return asking.done(done, number, gettext)

    async def _confirm(self, question: Question, code: str, gettext: asking.Gettext) -> str:
        name = self._name(question)
        if is_guest(question.line.nick):
            return asking.guest(f"{self._site}/login", gettext)
        if not name:
            return asking.not_logged_in(gettext, told=question.line.account is not None)
        if name.startswith(WEB):
            return asking.signed_in(name.removeprefix(WEB), gettext)
        username = await self._answers.confirm(question.network, name, code)
        return asking.confirmed(username, f"{self._site}/settings/irc", gettext)

    def _name(self, question: Question) -> str:
        return proved(question.line, trusts_nicks=self._voices[question.network].trusts_nicks)

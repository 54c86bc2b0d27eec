# SPDX-License-Identifier: Apache-2.0
"""Answers those who speak to the bot by its nick, in the channel and as a stranger may know.

Lines that come from the network's history are too old for an answer. Questions are answered one after the other, after
the line itself is stored, so that it can be pointed at.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ... import words
from ...clock import Clock
from ..model import LineKind, Priority
from ..store import Heard
from . import asking
from .asking import Asked, Patience
from .ports import Answers

log = logging.getLogger(__name__)

_FRESH = timedelta(minutes=2)
_WAITING = 50

Say = Callable[[str, str, str, Priority], None]


@dataclass(frozen=True, slots=True)
class Voice:
    """How the bot is called on a network, and in which language it answers there."""

    nicks: Callable[[], Sequence[str]]
    language: str = "en"
    trusts_nicks: bool = False


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
        self._questions: asyncio.Queue[tuple[Heard, Asked]] = asyncio.Queue(_WAITING)

    def heard(self, heard: Heard) -> None:
        """A line of a channel: a question, or not."""
        line, voice, now = heard.line, self._voices.get(heard.network), self._clock.now()
        if voice is None or line.own or line.kind is not LineKind.SAID or now - line.at > _FRESH:
            return
        question = asking.asked(voice.nicks(), line.text)
        if question is None or self._questions.full():
            return
        self._patience, answered = self._patience.ask(heard.network, heard.channel, line.nick, now.timestamp())
        if answered:
            self._questions.put_nowait((heard, question))

    async def run(self) -> None:
        """Answer for ever."""
        while True:
            heard, question = await self._questions.get()
            try:
                text = await self.answer(heard, question)
            except Exception:
                # One question that cannot be answered must not end the site.
                log.exception("no answer to %r", heard.line.text)
                continue
            self._say(heard.network, heard.channel, f"{heard.line.nick}: {text}", Priority.ANSWER)

    async def answer(self, heard: Heard, question: Asked) -> str:
        """The answer to a question."""
        language = self._voices[heard.network].language
        gettext = words.translations(language).gettext
        match question.word, question.number:
            case "why", int(number):
                told = await self._answers.standing(number, language)
                return asking.standing(told) if told is not None else asking.no_change(number, gettext)
            case "queue", _:
                waits = await self._answers.waits(language)
                return asking.queues(waits, question.rest, f"{self._site}/status", gettext)
            case "search", _ if question.rest:
                return asking.found(await self._answers.search(question.rest), gettext)
            case "link", _:
                await self._settled()
                line = heard.line
                path = await self._answers.line(heard.network, heard.channel, line.nick, line.text)
                return f"{self._site}{path}"
            case "recheck", int(number):
                return await self._recheck(heard, number, gettext)
            case "confirm", _ if question.rest:
                return await self._confirm(heard, question.rest, gettext)
            case ("why" | "search" | "recheck" | "confirm") as word, _:
                return asking.not_so(word, gettext)
            case _:
                return asking.help_text(gettext)

    async def _recheck(self, heard: Heard, number: int, gettext: asking.Gettext) -> str:
        """Ask for new checks of a change as the account that somebody proved to be."""
        name = self._name(heard)
        done = await self._answers.recheck(heard.network, name, number) if name else None
        if done is None:
            return asking.unknown(f"{self._site}/settings/irc", gettext)
        return asking.done(done, number, gettext)

    async def _confirm(self, heard: Heard, code: str, gettext: asking.Gettext) -> str:
        name = self._name(heard)
        if not name:
            return asking.not_logged_in(gettext, told=heard.line.account is not None)
        username = await self._answers.confirm(heard.network, name, code)
        return asking.confirmed(username, f"{self._site}/settings/irc", gettext)

    def _name(self, heard: Heard) -> str:
        """By what a network proves who speaks: the account of its services; nothing where it does not."""
        line = heard.line
        if line.account:
            return f"account:{line.account.lower()}"
        trusted = line.account is None and self._voices[heard.network].trusts_nicks
        return f"nick:{line.nick.lower()}" if trusted else ""

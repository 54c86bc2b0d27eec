# SPDX-License-Identifier: Apache-2.0
"""The bot on one network: it stays connected, keeps its nick and its channels, hears, and speaks in measure.

All decisions are in the pure modules beside this one; here are the tasks, the clock and the wire. What is heard
goes to the `hear` callback in order; what the bot says is heard too, at the moment it really goes out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ...clock import Clock
from ..model import Act, Line, LineKind, Priority, Reply
from ..store import Heard
from . import hearing, pace, session, wire
from .messages import Message
from .model import ChannelHealth, Health, Network
from .outbox import Outbox, Unheard
from .session import Effect, Ends, Hears, Sends, Whispers
from .stream import Stream

log = logging.getLogger(__name__)

_TICK = 15.0
_STABLE = 3600.0

Marks = Mapping[str, datetime]


async def _no_marks() -> Marks:
    return {}


def _deaf(_network: str, _line: Line) -> None:
    """Nobody listens to what is said to the bot alone."""


def _as_it_is(_network: str, _channel: str, topic: str) -> str | None:
    """Nobody knows more of topics than who sets them."""
    return topic


class Client:
    """One network; a `Speaker` for the service."""

    def __init__(
        self,
        network: Network,
        hear: Callable[[Heard], None],
        clock: Clock,
        marks: Callable[[], Awaitable[Marks]] = _no_marks,
        whispered: Callable[[str, Line], None] = _deaf,
    ) -> None:
        """`marks` tells, once, when each channel was heard last before this start; `whispered` is given, with the
        network, what somebody says to the bot alone: no log has that. `judge` is asked, when a topic is about to go
        out, what it is to be by now; None: it stays as it is."""
        self.network = network
        self._hear = hear
        self._clock = clock
        self._load = marks
        self._whispered = whispered
        self.judge: Callable[[str, str, str], str | None] = _as_it_is
        self._marks: Marks = {}
        self._heard_at: dict[str, datetime] = {}
        self._out = Outbox()
        self._unheard = Unheard()
        self._voices: deque[tuple[str, str, str]] = deque(maxlen=100)
        self._work = asyncio.Event()
        self._spoken = asyncio.Event()
        self._lost = asyncio.Event()
        self._stream: Stream | None = None
        self._session = session.start(network, {}, clock.now())[0]
        self._started = clock.now()
        self._problem = ""

    def send(self, channel: str, reply: Reply, priority: Priority = Priority.MEETING) -> None:
        """Queue a line or a topic, or a line for a person; it waits for the connection and for the flood limits."""
        self._out.put(channel, reply, priority)
        self._spoken.clear()
        self._work.set()

    async def spoken(self) -> None:
        """Wait until everything has gone out that a meeting says and that can go out."""
        if self._stream is not None:
            await self._spoken.wait()

    def nicks(self) -> tuple[str, str]:
        """How the bot is called here: as it wants, and as it is now."""
        return self.network.nick, self._session.scene.nick

    def tells_accounts(self) -> bool | None:
        """Whether the network tells who is logged in; None while it is not known."""
        return self._session.scene.tells_accounts if self._session.since is not None else None

    def topic(self, channel: str) -> str | None:
        """The topic of a channel; None where the bot is not in it, or was not told yet."""
        present = self._session.scene.roster.get(channel) if self._stream is not None else None
        # A server tells the topic before it tells who is there, and the bot is.
        return present.topic if present is not None and present.nicks else None

    def health(self) -> Health:
        """How this network is."""
        now, fold = self._clock.now(), self._session.features.fold
        told: list[ChannelHealth] = []
        for channel in self.network.channels:
            key = fold(channel)
            last = self._heard_at.get(key) or self._marks.get(key)
            joined = self._stream is not None and self._session.scene.roster.get(channel) is not None
            quiet = self.network.quiet
            silent = quiet is not None and now - (last or self._started) > quiet
            told.append(ChannelHealth(channel, joined, last, self._session.refused.get(key, ""), silent))
        problem = self._session.problem or self._problem
        since = self._session.since if self._stream is not None else None
        return Health(self.network.name, since, self._session.scene.nick, tuple(told), problem, self._out.dropped)

    async def run(self) -> None:
        """Stay connected for ever."""
        self._marks = {**await self._load(), **self._marks}
        failures = 0
        while True:
            started = self._clock.now()
            try:
                await self._connection()
            except ssl.SSLCertVerificationError as error:
                self._problem = f"the server's certificate is not trusted: {error.verify_message}"
            except (OSError, TimeoutError) as error:
                self._problem = str(error) or "the server did not answer"
            except Exception:
                self._problem = "a defect of gatebot; its log has more"
                log.exception("the connection to %s failed", self.network.name)
            finally:
                self._hang_up()
            lasted = (self._clock.now() - started).total_seconds()
            failures = 0 if lasted > _STABLE else failures + 1
            # Not for secrets: it only keeps many bots from coming back at one moment.
            wait = pace.back_off(failures, random.random(), self.network.patience)  # noqa: S311
            log.info("IRC network %s is away (%s); next try in %.0f s", self.network.name, self._problem, wait)
            await self._clock.sleep(wait)

    async def _connection(self) -> None:
        """One connection, from its beginning to its end."""
        self._lost.clear()
        async with asyncio.timeout(session.REGISTER.total_seconds()):
            self._stream = await Stream.open(self.network)
        self._problem = ""
        self._session, effects = session.start(self.network, self._marks, self._clock.now())
        self._do(effects)
        async with asyncio.TaskGroup() as tasks:
            ours = [tasks.create_task(work) for work in (self._read(self._stream), self._speak(), self._look_after())]
            await self._lost.wait()
            for task in ours:
                task.cancel()

    def _hang_up(self) -> None:
        connection, self._stream = self._stream, None
        if connection is None:
            return
        now = self._clock.now()
        for effect in session.lost(self._session, now):
            self._do([effect])
        self._unheard.put_back(self._out, self._seconds())
        self._voices.clear()  # what did not come back by now never will: it is said, and known, anew
        problem = self._session.problem
        self._session = replace(session.start(self.network, self._marks, now)[0], problem=problem)
        with contextlib.suppress(OSError, RuntimeError):
            connection.close()

    async def _read(self, stream: Stream) -> None:
        try:
            while (messages := await stream.read()) is not None:
                self._take(messages)
        except OSError as error:
            # Told here: a group of tasks wraps what ends it, and a broken connection is no defect.
            self._end(str(error) or "the connection broke")
        self._end("the server closed the connection")

    def _take(self, messages: Sequence[Message]) -> None:
        for message in messages:
            try:
                self._session, effects = session.receive(self._session, message, self._clock.now())
            except Exception:
                # One message that we cannot take must not cost the others.
                log.exception("a message of %s was passed over: %r", self.network.name, message)
                continue
            self._do(effects)

    async def _look_after(self) -> None:
        while True:
            await self._clock.sleep(_TICK)
            self._session, effects = session.tick(self._session, self._clock.now())
            self._do(effects)

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Sends(raw):
                    self._send(raw)
                case Hears(channel, line):
                    self._heard(channel, line)
                case Whispers(line):
                    self._whispered(self.network.name, line)
                case Ends(why):
                    self._end(why)
        if self._session.since is not None:
            self._work.set()

    def _end(self, why: str) -> None:
        self._problem = self._problem or why
        self._lost.set()

    def _heard(self, channel: str, line: Line) -> None:
        present = self._session.scene.roster.get(channel)
        topic, nicks = (present.topic, present.nicks) if present else (None, None)
        if line.own and self._session.scene.echoes:
            self._unheard.forget(channel, line.text)
        key, line = self._session.features.fold(channel), self._of_speaker(line)
        if not hearing.is_logged(line.text):  # as for everybody, also for who speaks from the web
            return
        if line.kind is not LineKind.GAP:
            self._heard_at[key] = line.at
        self._marks = session.marked(self._marks, key, line)
        self._hear(Heard(self.network.name, channel, line, topic, nicks))

    def _of_speaker(self, line: Line) -> Line:
        """What the bot said for somebody is that person's line."""
        for voice in self._voices if line.own else ():
            if voice[0] == line.text:
                self._voices.remove(voice)
                return replace(line, nick=voice[1], text=voice[2], own=False, account="")
        return line

    # -- speaking --------------------------------------------------------------------------------

    async def _speak(self) -> None:
        """Send what is queued, as fast as the network bears; lines for channels we are not in wait."""
        bucket = pace.bucket(self.network.burst, self.network.rate, self._seconds())
        while True:
            self._work.clear()
            while self._out.waits(self._ready):
                if not self._out.waits(self._ready, Priority.MEETING):
                    self._spoken.set()
                if (wait := bucket.wait(self._seconds())) > 0:
                    await self._clock.sleep(wait)
                    continue  # What is most urgent may be another by now.
                if (ready := self._out.next(self._ready)) is not None and self._say(*ready):
                    bucket = bucket.take(self._seconds())
            self._spoken.set()
            await self._work.wait()

    def _ready(self, target: str) -> bool:
        if not self._session.features.is_channel(target):
            return self._session.since is not None
        return self._session.scene.roster.get(target) is not None

    def _say(self, channel: str, reply: Reply, priority: Priority) -> bool:
        """Send a reply's first line, and queue its others before all of their kind; false: there is nothing to send."""
        if reply.act is Act.TOPIC:
            return self._set_topic(channel, reply.text)
        scene = self._session.scene
        source = scene.source or f"{scene.nick}!{'x' * 10}@{'x' * 63}"
        command = "NOTICE" if reply.act is Act.NOTICE else "PRIVMSG"
        named = f"<{reply.speaker}> " if reply.speaker else ""
        first, *rest = wire.split(reply.text, wire.room(source, command, channel) - len(named.encode()))
        self._out.put_back(channel, [replace(reply, text=part) for part in rest], priority)
        if named:
            self._voices.append((named + first, reply.speaker, first))
        self._send(f"{command} {channel} :{named}{first}")
        if not self._session.features.is_channel(channel):
            return True
        if scene.echoes:
            self._unheard.keep(channel, replace(reply, text=first), priority, named + first, self._seconds())
        else:
            kind = LineKind.NOTICE if reply.act is Act.NOTICE else LineKind.SAID
            self._heard(channel, Line(self._clock.now(), scene.nick, named + first, kind, own=True))
        return True

    def _set_topic(self, channel: str, wanted: str) -> bool:
        told = self.judge(self.network.name, channel, wanted)
        if told is None:
            return False
        # The server keeps what we send whole; only what it passes on to others may be cut.
        most = min(self._session.features.topic_length or wire.LINE, wire.room("", "TOPIC", channel))
        topic = next(wire.split(told, most))
        self._send(
            f"PRIVMSG ChanServ :TOPIC {channel} {topic}" if self.network.chanserv else f"TOPIC {channel} :{topic}"
        )
        return True

    def _send(self, raw: str) -> None:
        if self._stream is not None:
            self._stream.send(raw)

    def _seconds(self) -> float:
        return self._clock.now().timestamp()

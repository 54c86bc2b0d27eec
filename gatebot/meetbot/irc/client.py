# SPDX-License-Identifier: Apache-2.0
"""The bot on one network: it stays connected, keeps its nick and its channels, hears, and speaks in measure.

All decisions are in the pure modules beside this one; here are the tasks, the clock and the wire. What is heard
goes to the `hear` callback in order; what the bot says is heard too, at the moment it really goes out.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from ...clock import Clock
from ..model import Act, Line, LineKind, Reply
from ..store import Heard
from . import handshake, pace, wire
from .hearing import Message, Scene, hear
from .library import Wire
from .model import Health, Network

log = logging.getLogger(__name__)

_REGISTER = 60.0
_LOOK_AFTER = 30.0
_SILENCE = 150.0
_STABLE = 3600.0
_QUEUE = 1000
_NO_NICK = {"432", "433", "437"}
_REFUSED = {"403", "405", "471", "473", "474", "475", "476", "477"}


class Client:
    """One network; a `Speaker` for the service."""

    def __init__(self, network: Network, hear: Callable[[Heard], None], clock: Clock) -> None:
        self.network = network
        self._hear = hear
        self._clock = clock
        self._out: deque[tuple[str, Reply]] = deque(maxlen=_QUEUE)
        self._work = asyncio.Event()
        self._lost = asyncio.Event()
        self._wire: Wire | None = None
        self._scene = Scene(network.nick)
        self._handshake = handshake.Handshake()
        self._since: datetime | None = None
        self._last_sign: datetime = clock.now()
        self._last_line: datetime | None = None
        self._problem = ""
        self._topic_length = 0

    def send(self, channel: str, reply: Reply) -> None:
        """Queue a line or a topic; it waits for the connection and for the flood limits."""
        self._out.append((channel, reply))
        self._work.set()

    def health(self) -> Health:
        """How this network is."""
        joined = tuple(present.name for present in self._scene.roster.channels.values())
        missing = tuple(channel for channel in self.network.channels if self._scene.roster.get(channel) is None)
        return Health(self.network.name, self._since, self._scene.nick, joined, missing, self._last_line, self._problem)

    async def run(self) -> None:
        """Stay connected for ever."""
        failures = 0
        while True:
            started = self._clock.now()
            try:
                await self._session()
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

    async def _session(self) -> None:
        """One connection, from its beginning to its end."""
        network = self.network
        self._lost.clear()
        self._scene = Scene(network.nick)
        self._handshake = handshake.Handshake(network.account, network.secret, network.external)
        self._problem, self._last_sign = "", self._clock.now()
        self._wire = Wire(network, self._take, self._lost.set)
        async with asyncio.timeout(_REGISTER):
            await self._wire.connect()
        async with asyncio.TaskGroup() as tasks:
            ours = [tasks.create_task(self._speak()), tasks.create_task(self._look_after())]
            await self._lost.wait()
            for task in ours:
                task.cancel()

    def _hang_up(self) -> None:
        connection, self._wire, self._since = self._wire, None, None
        self._scene = Scene(self.network.nick)
        if connection is not None:
            connection.close()

    async def _look_after(self) -> None:
        """Notice a silent death, get the nick back, and knock at channels that are closed to us."""
        while True:
            await self._clock.sleep(_LOOK_AFTER)
            silent = (self._clock.now() - self._last_sign).total_seconds()
            if silent > _SILENCE or (self._since is None and silent > _REGISTER):
                self._problem = f"nothing was heard for {silent:.0f} seconds"
                self._lost.set()
                return
            self._send(f"PING :{self.network.name}")
            if self._since is not None:
                if self._scene.nick != self.network.nick:
                    self._send(f"NICK {self.network.nick}")
                self._join()

    def _join(self) -> None:
        for channel in self.network.channels:
            if self._scene.roster.get(channel) is None:
                self._send(f"JOIN {wire.clean(channel)}")

    # -- hearing ---------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        """One message of the server."""
        self._last_sign = self._clock.now()
        self._negotiate(message)
        self._registration(message)
        told = replace(self._scene, tells_accounts="account-tag" in self._handshake.enabled)
        self._scene, lines = hear(told, message, self._last_sign)
        for channel, line in lines:
            self._heard(channel, line)

    def _heard(self, channel: str, line: Line) -> None:
        present = self._scene.roster.get(channel)
        topic, nicks = (present.topic, present.nicks) if present else (None, None)
        self._last_line = line.at
        self._hear(Heard(self.network.name, channel, line, topic, nicks))

    def _negotiate(self, message: Message) -> None:
        """Capabilities and login."""
        arguments = message.arguments if message.command != "AUTHENTICATE" else (message.target,)
        self._handshake, lines = handshake.advance(self._handshake, message.command, arguments)
        self._problem = self._handshake.problem or self._problem
        for line in lines:
            self._send(line)

    def _registration(self, message: Message) -> None:
        """Being let in, under which nick, and being kept out of channels."""
        match message.command:
            case "001":
                self._since = self._clock.now()
                self._scene = replace(self._scene, nick=message.target)
                self._join()
                self._work.set()
            case "005":
                for feature in message.arguments:
                    name, _, value = feature.partition("=")
                    if name == "TOPICLEN" and value.isdigit():
                        self._topic_length = int(value)
            case number if number in _NO_NICK and self._since is None:
                nick = replace(self._scene, nick=self._scene.nick + "_")
                self._scene = nick if len(nick.nick) <= len(self.network.nick) + 6 else Scene(f"{self.network.nick}-")
                self._send(f"NICK {self._scene.nick}")
            case number if number in _REFUSED and message.arguments:
                self._problem = f"{message.arguments[0]}: {message.arguments[-1]} ({number})"
            case "900":
                self._join()
            case _:
                pass

    # -- speaking --------------------------------------------------------------------------------

    async def _speak(self) -> None:
        """Send what is queued, as fast as the network bears; lines for channels we are not in wait."""
        bucket = pace.bucket(self.network.burst, self.network.rate, self._seconds())
        while True:
            self._work.clear()
            while (ready := self._next()) is not None:
                channel, reply = ready
                for raw, line in self._lines(channel, reply):
                    bucket, wait = bucket.take(self._seconds())
                    if wait > 0:
                        await self._wait(wait, ready)
                    self._send(raw)
                    if line is not None:
                        self._heard(channel, replace(line, at=self._clock.now()))
            await self._work.wait()

    async def _wait(self, seconds: float, ready: tuple[str, Reply]) -> None:
        """Let the flood limit pass; what a lost connection interrupts is said again on the next one."""
        try:
            await self._clock.sleep(seconds)
        except asyncio.CancelledError:
            self._out.appendleft(ready)
            raise

    def _next(self) -> tuple[str, Reply] | None:
        for queued in self._out:
            if self._scene.roster.get(queued[0]) is not None:
                self._out.remove(queued)
                return queued
        return None

    def _lines(self, channel: str, reply: Reply) -> Sequence[tuple[str, Line | None]]:
        """The raw lines of one reply, each with what the log keeps of it."""
        now, source = self._clock.now(), self._scene.source or f"{self._scene.nick}!{'x' * 10}@{'x' * 63}"
        if reply.act is Act.TOPIC:
            limit = wire.room(source, "TOPIC", channel)
            topic = next(wire.split(reply.text[: self._topic_length or None], limit))
            return [(f"TOPIC {channel} :{topic}", None)]
        limit = wire.room(source, "PRIVMSG", channel)
        return [
            (f"PRIVMSG {channel} :{part}", Line(now, self._scene.nick, part, LineKind.SAID, own=True))
            for part in wire.split(reply.text, limit)
        ]

    def _send(self, raw: str) -> None:
        if self._wire is not None:
            self._wire.send(raw)

    def _seconds(self) -> float:
        return self._clock.now().timestamp()

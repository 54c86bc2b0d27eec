# SPDX-License-Identifier: Apache-2.0
"""The executor's connection to NATS: words of the server come in, beats go out and are answered.

Outgoing only, and nothing but the executor's own subjects. A word that could not be followed is not acknowledged, so
the stream says it again. A lost connection is made anew with a new pass, not by the library.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from ...errors import Unavailable
from ...reasons import reason
from ..fleet.model import ANSWER_SECONDS, BEAT, DELIVER, Answer, Beat, Session, Word

log = logging.getLogger(__name__)


class Line:
    """One connection at a time."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._client: Client | None = None
        self._name = ""
        self._gone = asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()

    async def connect(self, session: Session, word: Callable[[Word], Awaitable[bool]]) -> None:
        """Connect, and hear words from now on."""
        await self.close()
        client, self._gone = Client(), asyncio.Event()

        async def gone() -> None:
            self._gone.set()

        async def wrong(problem: Exception) -> None:
            log.info("NATS: %s", problem)

        async def heard(message: Msg) -> None:
            task = asyncio.create_task(_follow(message, word))
            self._working.add(task)
            task.add_done_callback(self._working.discard)

        try:
            await client.connect(
                session.nats, user=session.name, password=session.nats_pass, allow_reconnect=False, closed_cb=gone,
                error_cb=wrong, tls=self._tls, inbox_prefix=f"_INBOX.{session.name}", connect_timeout=5,
                name=session.name, ping_interval=5, max_outstanding_pings=2,
            )  # fmt: skip
            await client.subscribe(f"{DELIVER}.{session.name}", cb=heard)  # pyright: ignore[reportUnknownMemberType]
            await client.flush(5)
        except (nats.errors.Error, OSError, TimeoutError) as problem:
            with contextlib.suppress(Exception):
                await client.close()
            told = str(problem) or type(problem).__name__
            raise Unavailable(reason=reason("executor.nats-away", url=session.nats, told=told)) from None
        self._client, self._name = client, session.name

    async def beat(self, beat: Beat) -> Answer:
        """Say that we live; what the server says to it. Raises `Unavailable` when nobody answers."""
        client = self._client
        if client is None or not self.connected():
            raise Unavailable(reason=reason("executor.nobody-answers"))
        try:
            answer = await client.request(f"{BEAT}.{self._name}", msgspec.json.encode(beat), timeout=ANSWER_SECONDS)
        except (nats.errors.Error, OSError, TimeoutError):
            raise Unavailable(reason=reason("executor.nobody-answers")) from None
        return msgspec.json.decode(answer.data, type=Answer)

    def connected(self) -> bool:
        """Whether beats get through, as far as is known here."""
        return self._client is not None and self._client.is_connected

    async def closed(self) -> None:
        """Return when the connection is lost."""
        await self._gone.wait()

    async def close(self) -> None:
        """Hang up."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        for task in self._working:
            task.cancel()


async def _follow(message: Msg, word: Callable[[Word], Awaitable[bool]]) -> None:
    try:
        done = await word(msgspec.json.decode(message.data, type=Word))
    except msgspec.MsgspecError as problem:
        log.warning("the server said something that we do not understand: %s", problem)
        done = True
    with contextlib.suppress(nats.errors.Error):
        await (message.ack() if done else message.nak())

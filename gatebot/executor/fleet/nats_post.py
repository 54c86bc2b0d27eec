# SPDX-License-Identifier: Apache-2.0
"""The server's connection to NATS: words to executors go out by a stream, their beats come in and are answered.

The stream forgets after a lease: what is due then was given away or is said again. The server makes a consumer for each
executor, which needs no right but to hear it and to acknowledge.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable

import msgspec
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, StorageType, StreamConfig

from ...errors import Unavailable
from ...reasons import reason
from .model import BEAT, DELIVER, LEASE_SECONDS, STREAM, TO, Answer, Beat, Word

log = logging.getLogger(__name__)
Heard = Callable[[str, Beat], Awaitable[Answer]]
_ACK_SECONDS = 10.0
_MOST_BEAT = 256 * 1024


class NatsPost:
    """`url` is where NATS is; `user` and `password` are the server's own."""

    def __init__(self, url: str, user: str, password: str, tls: ssl.SSLContext | None = None) -> None:
        self._url = url
        self._user = user
        self._password = password
        self._tls = tls
        self._client = Client()
        self._stream: JetStreamContext | None = None
        self._known: set[str] = set()

    @property
    def client(self) -> Client:
        """The connection, for what else goes by it."""
        return self._client

    async def connect(self) -> None:
        """Connect; the library keeps it so. Raises `Unavailable`."""

        async def wrong(problem: Exception) -> None:
            log.info("NATS: %s", problem)

        async def again() -> None:
            self._known.clear()  # it may have lost everything
            log.info("NATS is back")

        try:
            await self._client.connect(
                self._url, user=self._user, password=self._password, name="gatebot", tls=self._tls,
                max_reconnect_attempts=-1, reconnect_time_wait=1, error_cb=wrong, reconnected_cb=again,
                connect_timeout=5, allow_reconnect=True,
            )  # fmt: skip
        except (nats.errors.Error, OSError, TimeoutError) as problem:
            told = str(problem) or type(problem).__name__
            raise Unavailable(reason=reason("executor.nats-away", url=self._url, told=told)) from None
        self._stream = self._client.jetstream()  # pyright: ignore[reportUnknownMemberType]

    async def listen(self, heard: Heard) -> None:
        """Answer beats from now on."""

        async def beat(message: Msg) -> None:
            try:
                if len(message.data) > _MOST_BEAT:
                    return
                told = msgspec.json.decode(message.data, type=Beat)
                answer = await heard(message.subject.removeprefix(f"{BEAT}."), told)
                await message.respond(msgspec.json.encode(answer))
            except (msgspec.MsgspecError, nats.errors.Error) as problem:
                log.info("a beat on %s: %s", message.subject, problem)
            except Exception:
                log.exception("a beat on %s could not be taken", message.subject)

        await self._client.subscribe(f"{BEAT}.*", cb=beat)  # pyright: ignore[reportUnknownMemberType]

    async def send(self, executor: str, word: Word) -> None:
        """Send a word; where that does not work it is lost, and said again when it is due."""
        if self._stream is None:
            return
        try:
            if executor not in self._known:
                await self._prepare(self._stream, executor)
                self._known.add(executor)
            await self._stream.publish(f"{TO}.{executor}", msgspec.json.encode(word), timeout=2)
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as problem:
            self._known.discard(executor)
            log.warning("%s was not told to %s: %s", word.verb, executor, problem)

    async def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(nats.errors.Error, asyncio.TimeoutError):
            await self._client.close()

    async def _prepare(self, stream: JetStreamContext, executor: str) -> None:
        """The stream, and the consumer of an executor, made where they are not there."""
        wanted = StreamConfig(
            name=STREAM, subjects=[f"{TO}.*"], max_age=LEASE_SECONDS, storage=StorageType.MEMORY,
            discard=DiscardPolicy.OLD, max_msgs_per_subject=1000,
        )  # fmt: skip
        try:
            await stream.add_stream(wanted)  # pyright: ignore[reportUnknownMemberType]
        except nats.js.errors.BadRequestError:  # it is there, made by another version
            await stream.update_stream(wanted)  # pyright: ignore[reportUnknownMemberType]
        await stream.add_consumer(  # pyright: ignore[reportUnknownMemberType]
            STREAM,
            ConsumerConfig(
                durable_name=executor, deliver_subject=f"{DELIVER}.{executor}", filter_subject=f"{TO}.{executor}",
                ack_policy=AckPolicy.EXPLICIT, ack_wait=_ACK_SECONDS, max_deliver=3,
                deliver_policy=DeliverPolicy.ALL, inactive_threshold=3600,
            ),
        )  # fmt: skip

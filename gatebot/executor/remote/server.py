# SPDX-License-Identifier: Apache-2.0
"""The server, as an executor on another machine speaks to it: by HTTP, with its token or with the pass of a build.

Refusals of the server become our errors, with its words; that nobody answers is `Unavailable`.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec

from ...errors import (
    Conflict,
    GatebotError,
    Invalid,
    NotFound,
    NotPermitted,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from ...reasons import reason
from ...words import say
from ..fleet.model import BUILD, EXECUTOR, VISITS, Claimed, Session
from ..model import MIB

_ERRORS: Mapping[int, type[GatebotError]] = {
    400: Invalid, 401: Unauthenticated, 403: NotPermitted, 404: NotFound, 409: Conflict, 413: TooLarge,
}  # fmt: skip
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_read=60)
_BASE = "/api/executor/"
_HEARTBEAT = 20.0


def words_of(error: GatebotError) -> str:
    """What an error says, for the log."""
    return say(error.reason) if error.reason is not None else str(error)


class Server:
    """`token` is the executor's; empty before it was admitted."""

    def __init__(self, url: str, token: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def admit(self, token: str, key: str, version: str) -> tuple[str, str]:
        """Come for the first time: the executor's name, and the token that it keeps."""
        told = await self._call("POST", "enrol", {EXECUTOR: token}, {"key": key, "version": version})
        return str(told["name"]), str(told["token"])

    async def session(self) -> Session:
        """What is needed to begin."""
        return msgspec.convert(await self._call("POST", "session", {EXECUTOR: self.token}), Session)

    async def claim(self, build: str, fence: int) -> Claimed:
        """Take a build that was offered."""
        headers = {EXECUTOR: self.token}
        return msgspec.convert(await self._call("POST", f"builds/{build}/claim", headers, {"fence": fence}), Claimed)

    async def report(self, build: str, shown: str, name: str, value: object) -> Any:
        """Tell something of a build."""
        return (await self._call("POST", f"builds/{build}/reports/{name}", {BUILD: shown}, value))["answer"]

    async def log(self, build: str, shown: str, offset: int, data: bytes) -> int:
        """Bring a piece of a log; how much of it the server has then."""
        return int((await self._call("PUT", f"builds/{build}/log?offset={offset}", {BUILD: shown}, data))["size"])

    async def log_size(self, build: str, shown: str) -> int:
        """How much of a log the server has."""
        return int((await self._call("GET", f"builds/{build}/log", {BUILD: shown}))["size"])

    async def file(self, build: str, shown: str, name: str, pieces: AsyncIterable[bytes]) -> None:
        """Bring a file."""
        await self._call("PUT", f"builds/{build}/files/{quote(name)}", {BUILD: shown}, pieces)

    @contextlib.asynccontextmanager
    async def visit(self, visit: str) -> AsyncGenerator[aiohttp.ClientWebSocketResponse, None]:
        """Come for somebody who visits a node that is kept here."""
        address = f"{self.url}{VISITS}{visit}"
        try:
            async with self._connections.ws_connect(
                address, headers={EXECUTOR: self.token}, ssl=self._tls or True, heartbeat=_HEARTBEAT, max_msg_size=MIB
            ) as socket:
                yield socket
        except (aiohttp.ClientError, OSError, TimeoutError) as problem:
            raise self._away(problem) from None

    def store(self, shown: str, store: str) -> str:
        """Where git finds a store, with the pass of a build."""
        address = urlsplit(self.url)
        return f"{address.scheme}://build:{shown}@{address.netloc}{address.path}{_BASE}git/{quote(store)}"

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()

    async def _call(self, method: str, path: str, headers: Mapping[str, str], body: object = None) -> Any:
        data: Any = body
        if not isinstance(data, bytes | AsyncIterable):
            data = msgspec.json.encode(body)
        try:
            async with self._connections.request(
                method, f"{self.url}{_BASE}{path}", data=data, headers=dict(headers), ssl=self._tls or True
            ) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError) as problem:
            raise self._away(problem) from None
        if answer.status >= 400:
            raise _ERRORS.get(answer.status, Unavailable)(text.strip() or answer.reason)
        return msgspec.json.decode(text) if text else None

    @property
    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        return self._session

    def _away(self, problem: Exception) -> Unavailable:
        told = str(problem) or type(problem).__name__
        return Unavailable(reason=reason("executor.server-away", url=self.url, told=told))

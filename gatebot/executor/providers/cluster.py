# SPDX-License-Identifier: Apache-2.0
"""A cluster's API over HTTPS: questions as JSON, and commands in pods as streams of a web socket.

The token is read anew for each question, because it is changed while the server runs; neither it nor what is told to a
pod is ever part of an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode

import aiohttp
import msgspec
from aiohttp import hdrs

from ...errors import Unavailable
from ...reasons import reason
from .answers import Object
from .pods import CONTAINER, name_of
from .ports import Output

#: Streams with a word for "that was all": since Kubernetes 1.30.
PROTOCOL = "v5.channel.k8s.io"
_STDIN, _STDOUT, _STDERR, _ERROR, _CLOSE = 0, 1, 2, 3, 255
_PIECE = 64 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=60)
_BEAT = 20.0
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Cluster:
    """Where a cluster is, and who asks. `token` and `ca` are files; without `ca` the machine's certificates count."""

    server: str
    namespace: str
    token: Path
    ca: Path | None = None
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def ask(
        self, method: str, path: str, body: Object | None = None, query: Mapping[str, str] = _NOTHING
    ) -> Object:
        """One question; `Unavailable` says what the cluster answered."""
        found = await self.try_ask(method, path, body, query=query)
        if isinstance(found, Unavailable):
            raise found
        return found

    async def try_ask(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        missing: Object | None = None,
        query: Mapping[str, str] = _NOTHING,
    ) -> Object | Unavailable:
        """The same with the error as a value; `missing` is the answer where there is no such thing."""
        content = None if body is None else msgspec.json.encode(body)
        headers = {**self._who(), hdrs.CONTENT_TYPE: "application/json", hdrs.ACCEPT: "application/json"}
        try:
            async with self._open().request(
                method, f"{self.server}{path}", params=query, data=content, headers=headers, timeout=_TIMEOUT
            ) as answer:
                text = await answer.read()
                if answer.status == HTTPStatus.NOT_FOUND and missing is not None:
                    return missing
                told = _decoded(text)
                if answer.ok and told is not None:
                    return told
                return _failed(f"{answer.status} {(told or {}).get('message') or answer.reason}")
        except aiohttp.ClientSSLError as problem:
            return _failed(str(problem))
        except (aiohttp.ClientConnectorError, TimeoutError) as problem:
            return Unavailable(reason=reason("executor.kubernetes-away", server=self.server, told=_unheard(problem)))
        except (aiohttp.ClientError, OSError) as problem:
            return _failed(str(problem) or type(problem).__name__)

    def pods(self, node: str = "") -> str:
        """The path of this namespace's pods, or of one."""
        place = f"/api/v1/namespaces/{self.namespace}/pods"
        return f"{place}/{name_of(node)}" if node else place

    async def run(
        self, node: str, argv: tuple[str, ...], first: bytes, source: int | None, output: Output
    ) -> SocketChannel:
        """Run a command in the pod of a node: it reads `first`, and then what comes from `source`."""
        words = [("command", word) for word in argv]
        query = urlencode([*words, ("container", CONTAINER), ("stdin", "true"), ("stdout", "true"), ("stderr", "true")])
        try:
            socket = await self._open().ws_connect(
                f"{self.server}{self.pods(node)}/exec?{query}", protocols=(PROTOCOL,), headers=self._who(),
                max_msg_size=0, heartbeat=_BEAT,
            )  # fmt: skip
        except aiohttp.WSServerHandshakeError as problem:
            raise _gone(f"{problem.status} {problem.message}") from problem
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise _gone(str(problem) or type(problem).__name__) from problem
        if socket.protocol != PROTOCOL:
            await socket.close()
            raise _gone(f"the cluster does not speak {PROTOCOL}")
        return SocketChannel(socket, first, None if source is None else os.dup(source), output)

    async def close(self) -> None:
        """Let go of all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            secure = self._trusted() if self.server.startswith("https:") else False
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=secure, limit=0))
        return self._session

    def _trusted(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca)
        except OSError as problem:  # also what is no certificate
            told = problem.strerror or str(problem)
            raise Unavailable(reason=reason("executor.kubernetes-ca", path=str(self.ca), told=told)) from problem

    def _who(self) -> dict[str, str]:
        try:
            return {hdrs.AUTHORIZATION: f"Bearer {self.token.read_text().strip()}"}
        except OSError as problem:
            raise Unavailable(
                reason=reason("executor.kubernetes-token", path=str(self.token), told=problem.strerror or "")
            ) from problem


class SocketChannel:
    """A channel that is a web socket to a pod."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, first: bytes, source: int | None, output: Output
    ) -> None:
        """Begin to feed and to listen; `source` is ours to close."""
        self._socket = socket
        self._said = b""
        self._listening = asyncio.ensure_future(self._listen(output))
        self._feeding = asyncio.ensure_future(self._feed(first, source))

    async def closed(self) -> str:
        """Return when nothing more comes, with the end of what was said besides."""
        await asyncio.shield(self._listening)
        return self._said.decode("utf-8", "replace").strip()

    async def close(self) -> None:
        """Close the socket; what runs in the pod is ended by other means."""
        self._feeding.cancel()
        await self._socket.close()
        await asyncio.gather(self._listening, self._feeding, return_exceptions=True)

    async def _listen(self, output: Output) -> None:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel, piece = message.data[0], message.data[1:]
            if channel == _STDOUT and piece:
                output(piece)
            elif channel == _STDERR:
                self._said = (self._said + piece)[-4000:]
            elif channel == _ERROR:
                told = _decoded(piece) or {}
                if told.get("status") != "Success":
                    self._said = (self._said + str(told.get("message", "")).encode())[-4000:]

    async def _feed(self, first: bytes, source: int | None) -> None:
        try:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                for start in range(0, len(first), _PIECE):
                    await self._socket.send_bytes(bytes([_STDIN]) + first[start : start + _PIECE])
                while source is not None and (piece := await asyncio.to_thread(os.read, source, _PIECE)):
                    await self._socket.send_bytes(bytes([_STDIN]) + piece)
                await self._socket.send_bytes(bytes([_CLOSE, _STDIN]))
        finally:
            if source is not None:
                os.close(source)


def _decoded(text: bytes) -> Object | None:
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.MsgspecError:
        return None


def _unheard(problem: Exception) -> str:
    """Why nobody answered, in a few words."""
    if not isinstance(problem, aiohttp.ClientConnectorError):
        return "timeout"
    number = problem.os_error.errno or 0
    return os.strerror(number) if number > 0 else problem.os_error.strerror or str(problem)


def _failed(told: str) -> Unavailable:
    return Unavailable(reason=reason("executor.kubernetes-failed", told=told[:500]))


def _gone(told: str) -> Unavailable:
    return Unavailable(reason=reason("executor.node-gone", told=told[:500]))

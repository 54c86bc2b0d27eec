# SPDX-License-Identifier: Apache-2.0
"""The egress proxy: the only way out of a node with `network: mirrors`.

It runs in the server's event loop and listens inside each node, on a socket that the privileged process made
there. It knows CONNECT and plain HTTP by proxy; names are resolved here, outside the sandbox. A refusal says
which setting would allow the host, both to the program and in the build's log.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable
from urllib.parse import urlsplit

from ..reasons import Reason, reason
from ..words import say
from .mirrors import Mirrors

#: Called with a node and the socket that listens for it where it finds its way out.
Listening: TypeAlias = Callable[[str, socket.socket], None]
#: Where programs on a node find the proxy.
PROXY = "http://127.0.0.1:3128"
_HEAD_LIMIT = 64 * 1024
_PATIENCE = 30.0
_PIECE = 64 * 1024
#: Of each of the client's headers that are not passed on; the host is said by us, as it is in the address.
_HOP = {b"proxy-connection", b"proxy-authorization", b"connection", b"keep-alive", b"host"}
#: Connections of one node at once: each takes descriptors of the server.
_MOST = 100
_ODD = re.compile(rb"[\r\n\0]")


@runtime_checkable
class Proxied(Protocol):
    """A provider whose nodes are not made of this machine's files, and have the proxy for their only way out."""

    def through(self, listening: Listening, bundle: str) -> None:
        """From now on: who serves the way out of a node, and the file with the certificates that it is to trust."""
        ...


class _Refused(Exception):
    def __init__(self, why: Reason) -> None:
        super().__init__(why.kind)
        self.why = why


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where a request goes; `told` is what is said there first, nothing for a tunnel."""

    host: str
    port: int
    told: bytes = b""


class Egress:
    """One proxy for all nodes."""

    def __init__(self, mirrors: Mirrors) -> None:
        self._mirrors = mirrors
        self._servers: dict[str, asyncio.Server] = {}
        self._listening: dict[str, socket.socket] = {}
        self._tasks: dict[str, set[asyncio.Task[None]]] = {}

    def listening(self, node: str, listener: socket.socket) -> None:
        """A node has a socket for us; it is served from `open` on."""
        self._listening[node] = listener

    async def open(self, node: str, refused: Callable[[str], None]) -> None:
        """Serve a node; `refused` gets a sentence for each connection that is not let through."""
        listener = self._listening.pop(node, None)
        if listener is None:
            return
        tasks = self._tasks.setdefault(node, set())
        said: set[str] = set()

        def once(told: str) -> None:
            if told not in said:  # tools try again and again; the log says it once
                said.add(told)
                refused(told)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            crowded = len(tasks) >= _MOST
            tasks.add(task)
            try:
                if crowded:
                    once(say(reason("executor.proxy-crowded", most=_MOST)))
                else:
                    await self._serve(reader, writer, once)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
                pass  # either side went away: the other learns it by the closed connection
            finally:
                tasks.discard(task)
                writer.close()

        self._servers[node] = await asyncio.start_server(handle, sock=listener, limit=_HEAD_LIMIT)

    async def close(self, node: str) -> None:
        """The node is gone."""
        listener = self._listening.pop(node, None)
        if listener is not None:
            listener.close()
        server = self._servers.pop(node, None)
        if server is not None:
            server.close()
        tasks = self._tasks.pop(node, set())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, refused: Callable[[str], None]
    ) -> None:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _PATIENCE)
        try:
            asked = _asked(head)
        except _Refused as refusal:
            refused(say(refusal.why))
            await _answer(writer, "403 Forbidden", say(refusal.why))
            return
        try:
            upstream = await self._connect(asked.host, asked.port)
            if asked.told:
                upstream[1].write(asked.told)
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        except _Refused as refusal:
            told = say(refusal.why)
            refused(told)
            await _answer(writer, "403 Forbidden", told)
            return
        except (OSError, TimeoutError, UnicodeError) as problem:  # the last: no name that can be looked up
            await _answer(writer, "502 Bad Gateway", f"{asked.host}: {problem or 'no answer'}")
            return
        await _both_ways(reader, writer, *upstream)

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        why = self._mirrors.refuse_host(host, port)
        if why is not None:
            raise _Refused(why)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        refusals = {address: self._mirrors.refuse_address(host, port, address) for address in addresses}
        allowed = [address for address in addresses if refusals[address] is None]
        if not allowed:
            raise _Refused(next(why for why in refusals.values() if why is not None))
        last: Exception = OSError("no address")
        for address in allowed:
            try:
                return await asyncio.wait_for(asyncio.open_connection(address, port), _PATIENCE)
            except (OSError, TimeoutError) as problem:
                last = problem
        raise last


def _asked(head: bytes) -> _Asked:
    """What the head of a request asks for; raises `_Refused` where that is not clear, or nothing for a proxy."""
    line, _, rest = head.partition(b"\r\n")
    method, target, *_version = (*line.decode("latin-1").split(" "), "", "")
    refusal = _Refused(reason("executor.proxy-request", target=target[:200]))
    try:
        address = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = address.hostname or "", address.port or (443 if method == "CONNECT" else 80)
    except ValueError:
        raise refusal from None
    odd = _ODD.search(head.replace(b"\r\n", b"")) is not None
    if odd or not host or address.username is not None or address.scheme != ("" if method == "CONNECT" else "http"):
        raise refusal
    if method == "CONNECT":
        return _Asked(host, port)
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    return _Asked(
        host, port, f"{method} {path} HTTP/1.1\r\nHost: {address.netloc}\r\n".encode("latin-1") + _headers(rest)
    )


def _headers(rest: bytes) -> bytes:
    """The request's headers without those that are for us; one request a connection keeps this simple."""
    kept = [line for line in rest.split(b"\r\n") if line and line.partition(b":")[0].strip().lower() not in _HOP]
    return b"\r\n".join([*kept, b"Connection: close", b"", b""])


async def _answer(writer: asyncio.StreamWriter, status: str, text: str) -> None:
    body = f"{text}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
    await writer.drain()


async def _both_ways(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    try:
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
    finally:
        far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    with contextlib.suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()

# SPDX-License-Identifier: Apache-2.0
"""Attacks through the only way out of a node, the egress proxy: to hosts that are not listed, and on itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from gatebot.executor.egress import Egress
from gatebot.executor.mirrors import Mirrors


@dataclass
class Ways:
    """A proxy before a listed service, at 127.0.0.2, and one that is not, at 127.0.0.1; both at one port."""

    proxy: int
    port: int
    heard: list[bytes] = field(default_factory=list[bytes])
    robbed: list[bytes] = field(default_factory=list[bytes])
    told: list[str] = field(default_factory=list[str])

    async def ask(self, request: str) -> bytes:
        """The whole answer to a request."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy)
        with suppress(ConnectionError):
            writer.write(request.replace("PORT", str(self.port)).encode("latin-1"))
            await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer


@asynccontextmanager
async def ways() -> AsyncGenerator[Ways]:
    made = Ways(0, 0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = made.heard if writer.get_extra_info("sockname")[0] == "127.0.0.2" else made.robbed
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.2") as listed:
        made.port = listed.sockets[0].getsockname()[1]
        async with await asyncio.start_server(serve, "127.0.0.1", made.port):
            names = (f"127.0.0.2:{made.port}", "localhost", "index.example.org", "*.files.example.org")
            egress, listener = Egress(Mirrors.of(names)), socket.create_server(("127.0.0.1", 0))
            made.proxy = listener.getsockname()[1]
            egress.listening("node", listener)
            await egress.open("node", made.told.append)
            try:
                yield made
            finally:
                await egress.close("node")


HOSTS = (
    "127.0.0.1:PORT", "[::1]:PORT", "[::ffff:127.0.0.1]:PORT", "[::7f00:1]:PORT", "2130706433:PORT", "0x7f.1:PORT",
    "0:PORT", "127.1:PORT", "localhost:PORT", "LOCALHOST.:PORT", "169.254.169.254:80", "[fd00:ec2::254]:80",
    "metadata.google.internal:80", "10.0.0.1:80", "127.0.0.2:22", "index.example.org@127.0.0.1:PORT",
    "127.0.0.1:PORT#@index.example.org:443", "127.0.0.1:PORT/@index.example.org", "files.example.org:443",
    "127.0.0.1:PORT\\.files.example.org:443", "a..b.files.example.org:443", "evil.org?.files.example.org:443",
    "127.0.0.2:99999999", "127.0.0.2:-1", f"127.0.0.2:{'9' * 5000}", "[", "[::1", "", ":PORT", "\u00b2:PORT",
)  # fmt: skip
REQUESTS = (
    "GET / HTTP/1.1\r\nHost: index.example.org", "GET /", "GET", "", "\x00\x01\x02", "GET file:///etc/passwd HTTP/1.1",
    "GET ftp://index.example.org/ HTTP/1.1", "GET https://127.0.0.2:PORT/ HTTP/1.1", "GET gopher://127.0.0.1:PORT/_ x",
    "GET http://127.0.0.2:PORT/ HTTP/1.1\r\nA: b\nHost: 127.0.0.1", "GET http://127.0.0.2:PORT/\rHost:x HTTP/1.1",
    "GET http://127.0.0.2:PORT/ HTTP/1.1\r\nA: \x00", "GET http://index.example.org:pw@127.0.0.2:PORT/ HTTP/1.1",
)  # fmt: skip


async def test_no_spelling_of_a_host_leads_to_one_that_is_not_listed() -> None:
    async with ways() as there:
        for host in HOSTS:
            for request in (f"CONNECT {host} HTTP/1.1", f"GET http://{host}/x HTTP/1.1\r\nHost: index.example.org"):
                answer = await there.ask(f"{request}\r\n\r\n")
                assert answer.startswith((b"HTTP/1.1 403 Forbidden", b"HTTP/1.1 502 Bad Gateway")), (request, answer)
        assert there.robbed == there.heard == []
        assert len(there.told) > len(HOSTS) // 2


async def test_what_is_no_clear_request_to_a_proxy_is_refused() -> None:
    async with ways() as there:
        for request in REQUESTS:
            answer = await there.ask(f"{request}\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 403 Forbidden"), (request, answer)
        assert await there.ask("GET http://127.0.0.2:PORT/ HTTP/1.1\r\nA: " + "x" * 100_000) == b""
        assert there.robbed == there.heard == []


async def test_a_listed_server_is_asked_for_the_host_that_was_checked_and_redirects_are_not_followed() -> None:
    """One machine serves many names: the name in a header of the client's own would be another than the one checked."""
    async with ways() as there:
        request = "GET http://127.0.0.2:PORT/a?b HTTP/1.1\r\nHost: secret.internal\r\nhOST : x\r\nA: b\r\n\r\n"
        answer = await there.ask(request)
        assert answer.startswith(b"HTTP/1.1 302 Found"), "the client may follow it, through the proxy, which refuses"
        first, *headers = there.heard[0].decode().split("\r\n")
        assert first == "GET /a?b HTTP/1.1"
        assert headers == [f"Host: 127.0.0.2:{there.port}", "A: b", "Connection: close", "", ""]
        assert there.robbed == []


async def test_a_flood_of_connections_is_bounded_and_leaves_the_next_one_served() -> None:
    """Each connection takes descriptors of the server, which all builds and pages share."""
    async with ways() as there:
        many = [await asyncio.open_connection("127.0.0.1", there.proxy) for _ in range(300)]
        closed = [asyncio.create_task(reader.read()) for reader, _ in many]
        while sum(task.done() for task in closed) < 200:
            await asyncio.wait([task for task in closed if not task.done()], return_when=asyncio.FIRST_COMPLETED)
        assert there.told == [
            "This node has 100 connections to the proxy at once; more are closed until some of them end."
        ]
        for _, writer in many:
            writer.close()
        await asyncio.wait(closed)
        assert (await there.ask("GET http://127.0.0.2:PORT/ HTTP/1.1\r\n\r\n")).endswith(b"ok")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.169.254", "10.1.2.3", "192.168.0.1", "fd00:ec2::254"])
def test_a_listed_name_that_leads_inside_is_refused_when_it_does(address: str) -> None:
    """DNS rebinding: what a name leads to is checked each time, and the address that was checked is connected to."""
    assert Mirrors.of(["index.example.org"]).refuse_address("index.example.org", 443, address) is not None

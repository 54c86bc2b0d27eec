# SPDX-License-Identifier: Apache-2.0
"""Attacks over the network from a node that has none: the machine's services, its neighbours, a cloud's metadata."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.chaos.escape.forts import Fort

pytestmark = pytest.mark.asyncio(loop_scope="package")


@asynccontextmanager
async def listening(callers: list[str], place: Path, name: str) -> AsyncGenerator[int]:
    """Services of this machine at every kind of address, at one port; `callers` are those that were reached."""

    def heard(where: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def hear(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            callers.append(where)
            writer.close()

        return hear

    async with AsyncExitStack() as stack:
        first = await asyncio.start_server(heard("every address"), "0.0.0.0")
        port = first.sockets[0].getsockname()[1]
        servers = [first, await asyncio.start_unix_server(heard("path"), place)]
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind(f"\0{name}")
        servers.append(await asyncio.start_unix_server(heard("abstract"), sock=abstract))
        if socket.has_ipv6:
            servers.append(await asyncio.start_server(heard("IPv6"), "::1", port))
        for server in servers:
            await stack.enter_async_context(server)
        yield port


async def test_no_service_of_the_machine_or_its_network_is_reached(attacked: Fort) -> None:
    callers: list[str] = []
    name, path = f"gatebot-{uuid4().hex}", attacked.yard.layers.parent / f"{uuid4().hex[:8]}.socket"
    async with listening(callers, path, name) as port:
        path.chmod(0o777)
        found = await attacked.attacked(
            """
def abstract(address):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(address)
for where in ('127.0.0.1', own, '::1', '169.254.169.254', 'fd00:ec2::254', '10.0.2.2', '10.0.0.1', '192.168.0.1',
              '172.17.0.1', '100.100.100.200', '192.0.2.1'):
    attempt(where, lambda: socket.create_connection((where, 80 if where[:3] in ('169', 'fd0') else port), 2))
attempt('abstract', lambda: abstract('\\0' + name))
attempt('path', lambda: abstract(path))
attempt('names', lambda: socket.getaddrinfo('metadata.google.internal', 80))
print('devices: ' + ' '.join(sorted(name for _, name in socket.if_nameindex())))
""",
            port=port,
            name=name,
            path=str(path),
            own=_own_address(),
        )
    assert callers == []
    assert found.pop("devices") == "lo"
    assert found.pop("names") == "[Errno -3] Temporary failure in name resolution"
    assert set(found.values()) <= {"ECONNREFUSED", "ENETUNREACH", "EADDRNOTAVAIL", "ENOENT", "EACCES"}, found


async def test_only_sockets_that_a_network_namespace_keeps_apart_can_be_made(attacked: Fort) -> None:
    """Others lead past it: vsock to the host of a virtual machine, packets and raw ones to the wire."""
    found = await attacked.attacked("""
for family in range(46):
    if family not in (1, 2, 10, 16):
        attempt(f'family {family}', lambda: socket.socket(family, socket.SOCK_STREAM))
        attempt(f'family {family} by packet', lambda: socket.socket(family, socket.SOCK_RAW))
attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
""")
    assert {name: told for name, told in found.items() if told not in {"EPERM", "ENOSYS", "EACCES"}} == {}


def _own_address() -> str:
    """An address of this machine that is not its loopback, where it has one: no packet is sent for that."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"
        return str(probe.getsockname()[0])

# SPDX-License-Identifier: Apache-2.0
"""Attacks on the executor by a playbook in a control sandbox, which may say anything at its only door."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from gatebot.executor.providers.model import Door
from gatebot.executor.switchboard import Line, Switchboard
from tests.chaos.escape.forts import Fort
from tests.fakes.provider_contract import PATH, Node

pytestmark = pytest.mark.asyncio(loop_scope="package")
SIZE = 100_000_000


@asynccontextmanager
async def open_to(node: Node) -> AsyncGenerator[int]:
    """A door that leads to a node; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    switchboard = Switchboard({"node": Line(node.connection, {**PATH, "HOME": node.home})})
    await switchboard.open(Door(listener.detach(), str(port)))
    try:
        yield port
    finally:
        await switchboard.close()


async def called(port: int, asked: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
    writer.write(asked + b"\n")
    return reader, writer


async def told_to(reader: asyncio.StreamReader) -> bytes:
    """All that comes; a call that is cut off while it is still being made ends with nothing."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def test_who_does_not_read_makes_the_command_wait_and_not_the_executor_swell(attacked: Fort) -> None:
    async with attacked.node() as node, open_to(node) as port:
        command = f"head -c {SIZE} /dev/zero; touch printed"
        reader, writer = await called(port, json.dumps({"host": "node", "command": command}).encode())
        head = await reader.readexactly(5)
        for _ in range(5 if attacked.kind == "container" else 20):  # each takes longer than to print all of it would
            assert (await node.ran("head -c 20000000 /dev/zero | wc -c > /dev/null; test ! -e printed"))[0].status == 0
        taken = 0
        while head[:1] != b"x":
            taken += len(await reader.readexactly(int.from_bytes(head[1:], "big"))) if head[:1] == b"o" else 0
            head = await reader.readexactly(5)
        assert taken == SIZE
        assert (await node.ran("test -e printed"))[0].status == 0
        writer.close()


async def test_what_is_no_call_is_cut_off_and_only_the_builds_nodes_answer(attacked: Fort) -> None:
    async with attacked.node() as node, open_to(node) as port:
        for asked in (b"", b"{", b"[]", b"1", b"\xff", b"x" * 3_000_000, b"[" * 100_000):
            reader, writer = await called(port, asked)
            assert await told_to(reader) == b""
            writer.close()
        for host in ("localhost", "127.0.0.1", "-oProxyCommand=id", "NODE", "", "other"):
            reader, writer = await called(port, json.dumps({"host": host, "command": "id"}).encode())
            told = await reader.read()
            assert b"is no node of this build; there are node" in told
            assert told.endswith(b"255")
            writer.close()
        many = [await asyncio.open_connection("127.0.0.1", port) for _ in range(150)]
        assert await asyncio.wait_for(told_to(many[-1][0]), 10) == b""
        for _, writer in many:
            writer.close()

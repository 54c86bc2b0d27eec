# SPDX-License-Identifier: Apache-2.0
"""Commands for a shell that is elsewhere: what a real shell makes of the line, however its answer is cut."""

from __future__ import annotations

import asyncio
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from gatebot.executor.providers.model import Broker, Command
from gatebot.executor.providers.ports import Output
from gatebot.executor.providers.remote_shell import BOOT, Splitter, line
from gatebot.executor.providers.shells import Line, ShellConnection

TOKEN = "0" * 32
texts = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=20)


def heard(pieces: list[bytes]) -> tuple[bytes, list[object]]:
    """What is printed, and what is told between."""
    printed, told = bytearray(), list[object]()
    splitter = Splitter(TOKEN, printed.extend, lambda: told.append("begun"), told.append)
    for piece in pieces:
        splitter.take(piece)
    return bytes(printed), told


def spoken(command: Command) -> bytes:
    return subprocess.run(BOOT, input=line(command, TOKEN, {}), capture_output=True, check=True).stdout


@settings(max_examples=30, deadline=None)
@given(texts, texts, texts)
def test_words_variables_and_files_arrive_as_they_are(word: str, value: str, tail: str) -> None:
    argv = ("printf", "%s|%s", word, tail)
    printed, told = heard([spoken(Command(argv, {"PATH": "/usr/bin:/bin", "V": value}, "/"))])
    assert printed == f"{word}|{tail}".encode()
    assert told == ["begun", 0]
    seen = Command(("sh", "-c", 'printf %s "$V"'), {"PATH": "/usr/bin:/bin", "V": value}, "/")
    assert heard([spoken(seen)])[0] == value.encode()


@given(st.lists(st.binary(max_size=9), max_size=4), st.integers(0, 255), st.integers(1, 9))
def test_an_answer_means_the_same_however_it_is_cut(parts: list[bytes], status: int, size: int) -> None:
    frame = b"\036" + TOKEN.encode()
    body = b"\036".join(parts)
    whole = frame + b" begun\036" + body + frame + b" %d\036" % status + body
    assert heard([whole[at : at + size] for at in range(0, len(whole), size)]) == heard([whole])
    assert heard([whole]) == (body + body, ["begun", status])


def test_the_status_is_the_commands_and_a_directory_that_is_not_there_is_told() -> None:
    assert heard([spoken(Command(("sh", "-c", "exit 7"), {}, "/"))])[1] == ["begun", 7]
    printed, told = heard([spoken(Command(("true",), {}, "/nowhere"))])
    assert b"/nowhere" in printed
    assert told == ["begun", 126]


class Channel:
    """One to a node that goes while somebody waits for its answer."""

    def __init__(self, gone: asyncio.Event) -> None:
        self._gone = gone

    async def closed(self) -> str:
        await self._gone.wait()
        return "Connection closed by remote host"

    async def close(self) -> None:
        self._gone.set()


async def test_a_command_is_cancelled_also_where_its_node_went_before_it_could_be_ended_there() -> None:
    asked, gone = asyncio.Semaphore(0), asyncio.Event()

    async def opened(_begin: bytes, _source: int | None, _output: Output) -> Channel:
        asked.release()
        return Channel(gone)

    connection = ShellConnection(Line("node", opened, Broker()))
    running = asyncio.create_task(connection.run(Command(("sleep", "300"), {}, "/"), lambda _: None))
    await asked.acquire()
    running.cancel()
    await asked.acquire()  # to end it
    gone.set()
    await asyncio.wait([running])
    assert running.cancelled()

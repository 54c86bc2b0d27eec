# SPDX-License-Identifier: Apache-2.0
"""How processes that served a request are let go of: nothing of them stays, whoever is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import PIPE, Process

import pytest

from gatebot.repo.ending import end


async def talker() -> Process:
    """Prints without an end, so that its pipe is full and paused."""
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", "yes & exec yes", stdin=PIPE, stdout=PIPE, start_new_session=True, limit=1024
    )
    assert process.stdout is not None
    await process.stdout.readexactly(4096)
    return process


async def test_a_process_that_still_talks_ends_and_its_pipe_is_closed() -> None:
    process = await talker()
    await end(process, receives=False)
    assert process.returncode == -signal.SIGTERM
    assert process.stdout is not None
    assert process.stdout.at_eof()


async def test_a_process_ends_whole_though_who_waits_for_it_is_cancelled() -> None:
    process = await talker()
    ending = asyncio.create_task(end(process, receives=False))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert process.returncode == -signal.SIGTERM
    assert process.stdout is not None
    assert process.stdout.at_eof()


async def test_what_a_process_left_unread_keeps_no_pipe_open() -> None:
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", "echo said", stdin=PIPE, stdout=PIPE, start_new_session=True
    )
    await process.wait()
    await end(process, receives=False)
    assert process.stdout is not None
    assert process.stdout.at_eof()

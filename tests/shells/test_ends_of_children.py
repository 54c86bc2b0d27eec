# SPDX-License-Identifier: Apache-2.0
"""Processes that the event loop started: it alone asks how they ended."""

# pyright: reportDeprecated=false

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gatebot.executor.providers.processes import kill_child


@contextmanager
def without_a_thread() -> Iterator[None]:
    """The loop itself waits for children, as later versions of Python do it: nothing of what follows is chance."""
    if sys.version_info >= (3, 12):
        yield
        return
    watcher, policy = asyncio.PidfdChildWatcher(), asyncio.get_event_loop_policy()
    watcher.attach_loop(asyncio.get_running_loop())
    policy.set_child_watcher(watcher)
    try:
        yield
    finally:
        watcher.close()
        policy.set_child_watcher(None)  # pyright: ignore[reportArgumentType]


async def test_how_a_process_ended_is_known_also_where_it_is_killed_just_then() -> None:
    with without_a_thread():
        process = await asyncio.create_subprocess_exec("sleep", "1000")
        os.kill(process.pid, signal.SIGTERM)
        while _state(process.pid) != "Z":  # the loop hears of it when this function lets it
            pass
        kill_child(process)
        assert await process.wait() == -signal.SIGTERM


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0]

# SPDX-License-Identifier: Apache-2.0
"""Ends a git process that served somebody's request, with everything that it started.

Floor 2. Here lives how such a process is let go of: its input closed, its output read to the end, nothing of it left
in the event loop. Who starts one, and what it serves, is the matter of the doors of git.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

_GRACE = 2.0  # seconds for git to end when asked


async def end(process: asyncio.subprocess.Process, *, receives: bool) -> None:
    """End a process that leads a session of its own; it may have ended by itself.

    One that receives is left to find the end of its input: it then removes what it had received so far. Who waits
    here may be cancelled (the server goes): the process is ended all the same, before that is passed on.
    """
    ending = asyncio.ensure_future(_end(process, receives=receives))
    try:
        await asyncio.shield(ending)
    except asyncio.CancelledError:
        await ending
        raise


async def _end(process: asyncio.subprocess.Process, *, receives: bool) -> None:
    if process.stdin is not None:
        process.stdin.close()
    if (receives or (process.stdout is not None and process.stdout.at_eof())) and await _gone(process):
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        if await _gone(process):
            return


async def _gone(process: asyncio.subprocess.Process) -> bool:
    """Whether it ended in time. Python sees the end of a process only once what it printed was read to the end."""
    try:
        async with asyncio.timeout(_GRACE):
            if process.stdout is not None:
                await process.stdout.read()
            await process.wait()
    except TimeoutError:
        return False
    return True

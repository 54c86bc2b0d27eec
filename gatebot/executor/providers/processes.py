# SPDX-License-Identifier: Apache-2.0
"""Ends a process with everything that it started and that still belongs to it.

What a process let go of (a daemon, whose parent is the first process of its space) is not touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import defaultdict
from pathlib import Path


def kill_child(process: asyncio.subprocess.Process) -> None:
    """Kill a process that the event loop started, unless it has ended.

    `Process.kill` asks first whether it has, and then the loop, which alone should, hears nothing of how it ended.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def kill_tree(process: int) -> None:
    """Kill a process and its descendants; each is stopped before its children are looked for, so that none escapes."""
    tree = [process]
    for parent in tree:
        with contextlib.suppress(ProcessLookupError):
            os.kill(parent, signal.SIGSTOP)
        tree += [child for child in _children()[parent] if child not in tree]
    for one in reversed(tree):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def _children() -> dict[int, list[int]]:
    """All processes of this machine by their parent."""
    found: dict[int, list[int]] = defaultdict(list)
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                state = Path("/proc", name, "stat").read_text(errors="replace").rpartition(") ")[2].split()
                found[int(state[1])].append(int(name))
    return found

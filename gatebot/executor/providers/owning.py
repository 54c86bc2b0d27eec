# SPDX-License-Identifier: Apache-2.0
"""Whose a directory of control groups is: of the living process that holds the lock on it, or nobody's.

The kernel lets the lock go with its holder, however that ends: no number of a process is trusted, which may be
another's by now. What is nobody's is taken away by whoever comes next, whichever site it is of. That kills nothing, for
jobs have ended with whoever held their groups; groups in which something still runs stay.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterable
from pathlib import Path


class Occupied(Exception):
    """A directory belongs to somebody who lives, and does not end."""


#: How long whoever was here before may take to end.
_PATIENCE = 30.0
#: How long processes that were killed may take to end.
ENDING = 2.0
#: Files that say that processes were stopped with their group, and what lets them go on: only then do they end.
_FROZEN = (("freezer.state", ("FROZEN", "FREEZING"), "THAWED"), ("cgroup.freeze", ("1",), "0"))


def hold(directory: Path) -> int:
    """Make a directory, if it is not there, and own it for as long as the answer, a descriptor, is open.

    Raises `OSError` where it cannot be made, `Occupied` where it does not get free.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        directory.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            if _locked(descriptor) and _is(directory, descriptor):
                return descriptor
            os.close(descriptor)
        if time.monotonic() > deadline:
            raise Occupied(f"the control groups {directory} are those of another server that runs")
        time.sleep(0.01)


def take_away_abandoned(directories: Iterable[Path]) -> None:
    """Remove those that are nobody's, with all groups in them; `directories` are of all hierarchies."""
    with contextlib.ExitStack() as locks:
        abandoned = [directory for directory in directories if _abandoned(directory, locks)]
        # What was frozen in one hierarchy ends in all of them, which takes a moment.
        thawed = [thaw(group) for directory in abandoned for group in directory.rglob("*/")]
        deadline = time.monotonic() + (ENDING if any(thawed) else 0)
        for directory in abandoned:
            remove(directory, deadline)


def thaw(group: Path) -> bool:
    """Let its processes go on, where they were stopped; whether they were."""
    for name, still, word in _FROZEN:
        with contextlib.suppress(OSError):
            if (group / name).read_text().strip() in still:
                (group / name).write_text(word)
                return True
    return False


def remove(group: Path, deadline: float) -> bool:
    """Remove a group whose processes were killed before, with those in it; whether it is gone."""
    while group.exists():
        try:
            for below in (*sorted(group.rglob("*/"), reverse=True), group):  # what a job made comes before its own
                thaw(below)
                below.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)  # the last process is still being reaped, which takes long on a busy machine
    return True


def _abandoned(directory: Path, locks: contextlib.ExitStack) -> bool:
    """Whether it is nobody's; then it is ours for as long as the locks."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # somebody else was faster
        return False
    locks.callback(os.close, descriptor)
    return _locked(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is(directory: Path, descriptor: int) -> bool:
    """Whether nobody took it away between the making and the locking."""
    return os.path.samestat(os.stat(directory), os.fstat(descriptor))

# SPDX-License-Identifier: Apache-2.0
"""Removes trees of files for good: what somebody still writes into while it is removed is removed again.

A process that was just killed, or a git that nobody waits for any more, may add a file to a directory at the moment at
which that is to go; so what is left is looked at until nothing is. Of what the trees are, nothing is known here.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import sys
import time
from dataclasses import dataclass

_SUFFIX = ".gone"
_PATIENCE = 5.0
#: Seconds to the next look at what could not be removed: longer after each, up to a limit.
_PAUSE, _LONGEST = 0.1, 5.0
#: After so many looks it is said what is in the way.
_STUBBORN = 10


def removed(tree: str | os.PathLike[str]) -> bool:
    """Remove a tree into which somebody may just be writing his last; whether it is gone."""
    deadline = time.monotonic() + _PATIENCE
    while _in_the_way(tree) is not None:
        if time.monotonic() > deadline:
            return False
        _open(tree)
        time.sleep(0.01)
    return True


def _open(tree: str | os.PathLike[str]) -> None:
    """Let the owner into directories that were closed also to him."""
    for path, directories, _ in os.walk(tree):
        for closed in (path, *(os.path.join(path, name) for name in directories)):
            with contextlib.suppress(OSError):
                if not os.path.islink(closed):
                    os.chmod(closed, 0o700)


def _in_the_way(tree: str | os.PathLike[str]) -> OSError | None:
    """Remove a tree; why it is still there."""
    remove = shutil.rmtree if os.path.isdir(tree) and not os.path.islink(tree) else os.unlink
    try:
        remove(tree)
    except OSError as problem:
        return problem if os.path.lexists(tree) else None
    return None


@dataclass(frozen=True, slots=True)
class _Process:
    """What removes, as its parent sees it: its number, and the pipe that wakes it."""

    number: int
    wake: int

    def end(self) -> None:
        """It looks once more, if it lives; then it is no more."""
        os.close(self.wake)
        os.waitpid(self.number, 0)


class Sweeper:
    """Removes trees of one directory in a process of its own: a large one must not make other jobs wait.

    Which are to go can be seen by their names, so none is forgotten when that process ends, alone or with this one.
    """

    def __init__(self, directory: str) -> None:
        """Nothing is removed yet."""
        self._directory = directory
        self._process: _Process | None = None

    def take(self, name: str) -> None:
        """A tree is not wanted any more, if it is there; another of its name may be made at once."""
        with contextlib.suppress(FileNotFoundError):
            self._mark(name)
        self._look()

    def take_all(self) -> None:
        """Nothing that is there is wanted any more."""
        for name in os.listdir(self._directory):
            if not name.endswith(_SUFFIX):
                self._mark(name)
        self._look()

    def close(self) -> None:
        """Look once more, and end."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _mark(self, name: str) -> None:
        os.rename(f"{self._directory}/{name}", f"{self._directory}/{name}.{time.monotonic_ns()}{_SUFFIX}")

    def _look(self) -> None:
        """Wake the process; one that was killed is begun again."""
        try:
            if self._process is not None:
                os.write(self._process.wake, b".")
        except BlockingIOError:
            return  # it was woken so often already
        except BrokenPipeError:
            self.close()
        if self._process is None:
            self._process = _begun(self._directory)


def _begun(directory: str) -> _Process:
    wakes, wake = os.pipe()
    try:
        number = os.fork()
        if number == 0:
            _sweep(directory, wakes)
    except OSError:
        os.close(wake)
        raise
    finally:
        os.close(wakes)
    os.set_blocking(wake, False)
    return _Process(number, wake)


def _sweep(directory: str, wakes: int) -> None:
    """In the child, which keeps open nothing else that its parent has; never returns."""
    try:
        os.dup2(wakes, 3)
        os.closerange(4, 4096)
        looks, woken = 0, True
        while woken:
            left = _look(directory)
            looks = looks + 1 if left else 0
            if looks == _STUBBORN:
                print(
                    f"gatebot: cannot be removed yet: {'; '.join(map(str, left))}"[:4000], file=sys.stderr, flush=True
                )
            pause = min(looks * _PAUSE, _LONGEST) if left else None
            if select.select([3], [], [], pause)[0]:
                woken = bool(os.read(3, 4096))
        _look(directory)
    finally:
        os._exit(0)


def _look(directory: str) -> list[OSError]:
    """Remove what is marked; why of some of it something is still there."""
    marked = [f"{directory}/{name}" for name in os.listdir(directory) if name.endswith(_SUFFIX)]
    return [problem for tree in marked if (problem := _in_the_way(tree)) is not None]

# SPDX-License-Identifier: Apache-2.0
"""Packs the store of a project again, and counts what is in it.

No object is ever dropped: queues and builds borrow objects that no reference of the project names.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from ...repo import GitError, Repositories
from ...repo.program import environment, git_output
from .tasks import Tasks

QUEUE = "Garbage Collection"
# `-k` keeps what no reference reaches and is in a pack; what lies loose is never taken away.
_STEPS = (
    ("pack references", ("pack-refs", "--all")),
    ("pack objects", ("repack", "-a", "-d", "-l", "-k", "-q")),
    ("write the graph of commits", ("commit-graph", "write", "--reachable")),
)


class Collecting:
    """Packs stores, each at most once at a time."""

    def __init__(self, repositories: Repositories, tasks: Tasks) -> None:
        self._repositories = repositories
        self._tasks = tasks
        self._busy: set[str] = set()

    def is_busy(self, project: str) -> bool:
        """Whether somebody packs it now."""
        return project in self._busy

    async def collect(self, project: str, account: int | None, *, aggressive: bool = False) -> AsyncIterator[str]:
        """Pack; each step tells a line when it is done."""
        store = self._repositories.path(project)
        self._busy.add(project)
        try:
            with self._tasks.running(f"gc {project}", QUEUE, account=account, project=project):
                for name, command in _STEPS:
                    more = ("-f", "--depth=50", "--window=250") if aggressive and command[0] == "repack" else ()
                    await _run(store, (*command, *more))
                    yield name
        finally:
            self._busy.discard(project)

    def statistics(self, project: str) -> Mapping[str, int]:
        """Gerrit's RepositoryStatistics."""
        store = self._repositories.path(project)
        lines = (line.partition(": ") for line in git_output(store, ["count-objects", "-v"]).splitlines())
        counted = {name: int(number) for name, _, number in lines if number.isdecimal()}
        packed = store / "packed-refs"
        names = packed.read_text("utf-8", "replace").splitlines() if packed.exists() else []
        return {
            "number_of_loose_objects": counted.get("count", 0),
            "number_of_loose_refs": sum(one.is_file() for one in (store / "refs").rglob("*")),
            "number_of_pack_files": counted.get("packs", 0),
            "number_of_packed_objects": counted.get("in-pack", 0),
            "number_of_packed_refs": sum(line[:1] not in ("#", "^") for line in names),
            "number_of_bitmaps": sum(1 for _ in (store / "objects" / "pack").glob("*.bitmap")),
            "size_of_loose_objects": counted.get("size", 0) * 1024,
            "size_of_packed_objects": counted.get("size-pack", 0) * 1024,
        }


async def _run(store: Path, command: tuple[str, ...]) -> None:
    """A git process that does not outlive who waits for it."""
    process = await asyncio.create_subprocess_exec(
        "git", f"--git-dir={store}", *command, env=environment(), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        _, said = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise GitError(f"git {command[0]} ended with status {process.returncode}: {said.decode('utf-8', 'replace')}")

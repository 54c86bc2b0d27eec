# SPDX-License-Identifier: Apache-2.0
"""What happens to the files of builds after their end: they are understood, moved to the far store, and taken away.

One task in the background. A build's files are moved when its row says that it ended; they leave this machine only
after the far store has them all, and what it refuses stays here, is tried again, and is told in the site's health.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from pathlib import Path

from ...clock import Clock
from ...errors import GatebotError
from ..logs import BUILD_ID, Logs
from ..ports import Builds
from .ageing import Left, Policy, due, reasons
from .model import ARTIFACTS, INDEX, OUTPUT
from .outcomes import write_kept
from .requests import KEPT as REQUESTS
from .service import BuildFiles
from .shelf import MOVED

log = logging.getLogger(__name__)
_ROUND = 60.0
_SWEEP = 3_600.0
#: The builds whose nodes are held for somebody.
Held = Callable[[], Awaitable[Collection[str]]]


class Keeper:
    """Looks after the files of builds that ended."""

    def __init__(self, files: BuildFiles, builds: Builds, held: Held, policy: Policy, clock: Clock) -> None:
        self._files = files
        self._logs: Logs = files.logs
        self._shelf = files.logs.shelf
        self._builds = builds
        self._held = held
        self._policy = policy
        self._clock = clock
        self._ended: set[str] = set()
        self._swept = datetime.min.replace(tzinfo=UTC)
        self.trouble = ""
        self._logs.on_end = self._ended.add

    @property
    def waiting(self) -> int:
        """How many builds' files wait to be moved to the far store."""
        return len(self._ended) if self._shelf.far is not None else 0

    async def run(self) -> None:
        """Look after everything for ever."""
        if self._shelf.far is not None:
            self._ended |= await asyncio.to_thread(self._here)
        while True:
            await self.look()
            await self._clock.sleep(_ROUND)

    async def look(self) -> None:
        """One round: understand and move what ended, and now and then take away what is due."""
        for build in sorted(self._ended):
            try:
                if await self._settle(build):
                    self._ended.discard(build)
            except Exception as problem:
                self.trouble = f"{type(problem).__name__}: {problem}"
                log.warning("the files of build %s cannot be looked after, and stay: %s", build, self.trouble)
                if isinstance(problem, GatebotError):
                    break  # the store is away: the others would only wait for it too
        else:
            self.trouble = ""
        now = self._clock.now()
        if (now - self._swept).total_seconds() >= _SWEEP:
            self._swept = now
            try:
                await self.sweep()
            except Exception:
                log.exception("old logs cannot be deleted; again in an hour")

    async def sweep(self) -> tuple[int, int]:
        """Take away what the policy says; of how many builds everything, of how many the artifacts."""
        held, wanted = set(await self._held()), set(await self._builds.wanted())
        left: list[Left] = []
        for build, size, artifacts, changed in await asyncio.to_thread(self._all):
            young = self._clock.now() - changed < self._policy.shortest
            if self._logs.live(build) or (young and not self._policy.total):
                continue
            row = await self._builds.build(build)
            ended = (row.ended if row else None) or changed
            passed = row is not None and row.result == "SUCCESS"
            left.append(Left(build, ended, passed, size, artifacts, build in held, build in wanted))
        going = due(self._policy, left, self._clock.now())
        for why, builds in reasons(self._policy, going, self._clock.now()).items():
            await self._builds.take(builds, why)  # before it is done: nobody is handed what will be gone
        whole = (*going.whole, *going.crowding)
        for one in whole:
            await asyncio.to_thread(self._remove, one.build)
        stripped = 0
        for one in going.artifacts:
            stripped += await asyncio.to_thread(self._strip, one.build)
        if whole or stripped:
            log.info("took away the files of %d builds, and the artifacts of %d", len(whole), stripped)
        return len(whole), stripped

    async def _settle(self, build: str) -> bool:
        """Whether nothing more is to be done for a build."""
        if self._logs.live(build):
            return False
        await self._files.finish(build)
        if self._shelf.far is None:
            return True
        row = await self._builds.build(build)
        if row is not None and row.ended is None:
            return False  # it will be run again, and its log goes on
        await asyncio.to_thread(self._move, build)
        return True

    def _move(self, build: str) -> None:
        far, root = self._shelf.far, self._shelf.root / build
        if far is None or not root.is_dir():
            return
        names = [name for name in (OUTPUT, INDEX) if (root / name).is_file()]
        names += [file.name for file in self._shelf.list(build, ARTIFACTS) if (root / file.name).is_file()]
        moved = dict(self._shelf.moved(build))
        for name in names:
            far.put(f"{build}/{name}", root / name)
            moved[name] = (root / name).stat().st_size
        (root / MOVED).unlink(missing_ok=True)
        write_kept(root / MOVED, json.dumps(moved).encode())
        self._shelf.forget(build)
        if self._shelf.moved(build) != moved:
            raise OSError(f"{root / MOVED} cannot be written")
        for name in names:
            (root / name).unlink(missing_ok=True)
        shutil.rmtree(root / ARTIFACTS, ignore_errors=True)

    def _remove(self, build: str) -> None:
        if self._shelf.moved(build) and self._shelf.far is not None:
            self._shelf.far.remove(f"{build}/")
        shutil.rmtree(self._shelf.root / build, ignore_errors=True)
        self._shelf.forget(build)

    def _strip(self, build: str) -> bool:
        """Take the artifacts away; whether there were any."""
        root, moved = self._shelf.root / build, self._shelf.moved(build)
        there = (root / ARTIFACTS).is_dir()
        shutil.rmtree(root / ARTIFACTS, ignore_errors=True)
        (root / REQUESTS).unlink(missing_ok=True)
        if self._shelf.far is not None and any(name.startswith(f"{ARTIFACTS}/") for name in moved):
            there = True
            self._shelf.far.remove(f"{build}/{ARTIFACTS}/")
            stay = {name: size for name, size in moved.items() if not name.startswith(f"{ARTIFACTS}/")}
            moved_at = (root / MOVED).stat().st_mtime
            write_kept(root / MOVED, json.dumps(stay).encode())
            os.utime(root / MOVED, (moved_at, moved_at))  # its age is that of the build
            self._shelf.forget(build)
        return there

    def _here(self) -> set[str]:
        """The builds whose log lies on this machine."""
        root = self._shelf.root
        return {one.name for one in _builds_in(root) if (one / OUTPUT).is_file()}

    def _all(self) -> list[tuple[str, int, int, datetime]]:
        """All builds with files: their bytes, those of their artifacts, when they last changed."""
        found: list[tuple[str, int, int, datetime]] = []
        for directory in _builds_in(self._shelf.root):
            build = directory.name
            last = next((path for path in (directory / OUTPUT, directory / MOVED) if path.exists()), directory)
            changed = datetime.fromtimestamp(last.stat().st_mtime, UTC)
            artifacts = size = 0
            if self._policy.total:
                artifacts = sum(file.size for file in self._shelf.list(build, ARTIFACTS))
                size = artifacts + (self._shelf.size(build, OUTPUT) or 0) + (self._shelf.size(build, INDEX) or 0)
            found.append((build, size, artifacts, changed))
        return found


def _builds_in(root: Path) -> list[Path]:
    return [one for one in root.iterdir() if BUILD_ID.fullmatch(one.name)] if root.is_dir() else []

# SPDX-License-Identifier: Apache-2.0
"""A scheduler's ear that remembers, and assignments written shortly."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from gatebot.assignment import (
    AssignedChange,
    Assignment,
    Checkout,
    FrozenJob,
    GivenNode,
    Json,
    NodeHold,
    NodeSpec,
    Playbook,
)
from gatebot.events import BuildCompleted, BuildPaused
from gatebot.reasons import Reason

PROJECT = "demo/api"
UNTIL = datetime(2026, 11, 28, 20, 10, tzinfo=UTC)


@dataclass
class WantedNodes:
    """The requests for nodes of an executor: those of `wanted` builds are kept, those `over` may go.

    `thought` is what the rows say of builds whose nodes are kept; `let` are those that are not any more.
    """

    ended: list[str] = field(default_factory=list)
    wanted: set[str] = field(default_factory=set)
    over: set[str] = field(default_factory=set)
    thought: set[str] = field(default_factory=set)
    let: list[str] = field(default_factory=list)

    async def tokens(self, build: str, fence: int, playbook: Playbook) -> dict[str, str]:
        return {"cloud": f"token-for-{playbook.path}"} if any(ref.secret == "cloud" for ref in playbook.secrets) else {}

    async def hold(self, build: str, fence: int, result: str) -> NodeHold | None:
        self.ended.append(result)
        if build not in self.wanted:
            return None
        self.thought.add(build)
        return NodeHold("7", UNTIL)

    async def kept(self, builds: Collection[str]) -> Collection[str]:
        await self.let_go(self.thought.difference(builds))
        return self.over.intersection(builds)

    async def let_go(self, builds: Collection[str]) -> None:
        self.let += sorted(self.thought.intersection(builds))
        self.thought.difference_update(builds)


@dataclass
class HeardReports(WantedNodes):
    """Reports of an executor; `stale` makes it answer that the fence is old."""

    stale: bool = False
    starts: list[str] = field(default_factory=list)
    given: dict[str, tuple[GivenNode, ...]] = field(default_factory=dict)
    failings: list[Reason] = field(default_factory=list)
    pauses: dict[str, BuildPaused] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    given_back: list[tuple[str, ...]] = field(default_factory=list)
    secrets: dict[str, dict[str, Json]] = field(default_factory=dict)
    completions: dict[str, BuildCompleted] = field(default_factory=dict)
    _done: dict[str, asyncio.Event] = field(default_factory=dict)
    _waiting: dict[str, asyncio.Event] = field(default_factory=dict)
    _failed: dict[str, asyncio.Event] = field(default_factory=dict)
    _begun: dict[str, asyncio.Event] = field(default_factory=dict)

    async def started(self, build: str, fence: int, nodes: Sequence[GivenNode]) -> bool:
        self.starts.append(build)
        self.given[build] = tuple(nodes)
        self._begun.setdefault(build, asyncio.Event()).set()
        return not self.stale

    async def failing(self, build: str, fence: int, reason: Reason) -> bool:
        self.failings.append(reason)
        self._failed.setdefault(build, asyncio.Event()).set()
        return not self.stale

    async def paused(self, event: BuildPaused) -> bool:
        self.pauses[event.build] = event
        self._waiting.setdefault(event.build, asyncio.Event()).set()
        return not self.stale

    async def semaphores(self, build: str, fence: int, names: Sequence[str]) -> bool:
        self.asked.append(tuple(names))
        self._waiting.setdefault(build, asyncio.Event()).set()
        return not self.stale

    async def released(self, build: str, fence: int, names: Sequence[str]) -> bool:
        self.given_back.append(tuple(names))
        return not self.stale

    async def waiting(self, build: str) -> None:
        """Until the build paused, or asked for semaphores."""
        await asyncio.wait_for(self._waiting.setdefault(build, asyncio.Event()).wait(), 30)

    async def secret_data(self, build: str, fence: int, data: Mapping[str, Json]) -> bool:
        self.secrets[build] = dict(data)
        return not self.stale

    async def completed(self, event: BuildCompleted) -> bool:
        self.completions[event.build] = event
        self._done.setdefault(event.build, asyncio.Event()).set()
        return not self.stale

    async def failed(self, build: str) -> None:
        """Until it was told that the build can no longer succeed."""
        await asyncio.wait_for(self._failed.setdefault(build, asyncio.Event()).wait(), 60)

    async def begun(self, build: str) -> None:
        await asyncio.wait_for(self._begun.setdefault(build, asyncio.Event()).wait(), 30)

    async def of(self, build: str, patience: float = 300) -> BuildCompleted:
        await asyncio.wait_for(self._done.setdefault(build, asyncio.Event()).wait(), patience)
        return self.completions[build]


@dataclass
class Stores:
    """Bare repositories below a directory."""

    root: Path

    def locate(self, store: str, build: str = "") -> str:
        return str(self.root / f"{store}.git")

    def make(self, project: str, files: dict[str, str]) -> str:
        """A repository with one commit; its id."""
        work = self.root / "work" / project
        work.mkdir(parents=True)
        git("init", "-q", "-b", "main", cwd=work)
        commit = self.commit(project, files)
        target = Path(self.locate(project))
        target.parent.mkdir(parents=True, exist_ok=True)
        git("clone", "-q", "--bare", str(work), str(target), cwd=work)
        return commit

    def commit(self, project: str, files: dict[str, str]) -> str:
        """Another commit in the work tree of a project; its id."""
        work = self.root / "work" / project
        for name, text in files.items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if text.startswith("#!") else 0o644)
        git("add", ".", cwd=work)
        git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", "Change", cwd=work)
        return git("rev-parse", "HEAD", cwd=work)

    def speculate(self, project: str, queue: str) -> str:
        """Put the newest commit of a project's work tree into a speculation repository only; the store's name."""
        target = Path(self.locate(f"speculation/{queue}"))
        git("init", "-q", "--bare", str(target), cwd=self.root)
        (target / "objects/info/alternates").write_text(f"{self.locate(project)}/objects\n")
        git("fetch", "-q", str(self.root / "work" / project), "main:refs/items/1", cwd=target)
        return f"speculation/{queue}"


def git(*arguments: str, cwd: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


def script(path: str = "run.sh", *, trusted: bool = False, project: str = PROJECT) -> Playbook:
    return Playbook(project, "main", path, trusted=trusted)


def assignment(commit: str, job: FrozenJob, *, store: str = PROJECT, **more: object) -> Assignment:
    change = AssignedChange(7, 2, PROJECT, "main", commit, "I" + "0" * 40, "Change", "http://localhost/c/demo/api/+/7")
    values: dict[str, object] = {
        "build": uuid4().hex,
        "buildset": uuid4().hex,
        "item": uuid4().hex,
        "fence": 1,
        "tenant": "main",
        "pipeline": "check",
        "post_review": False,
        "project": PROJECT,
        "branch": "main",
        "commit": commit,
        "job": job,
        "checkouts": (Checkout(PROJECT, "main", commit, store),),
        "changes": (change,),
    }
    return Assignment(**(values | more))  # type: ignore[arg-type]


def job(*run: Playbook, label: str = "", **more: object) -> FrozenJob:
    nodes = (NodeSpec(("node",), label),) if label else ()
    return FrozenJob("unit", "hash", run=run or (script(),), **{"nodes": nodes, **more})  # type: ignore[arg-type]

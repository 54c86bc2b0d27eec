# SPDX-License-Identifier: Apache-2.0
"""What the executor's room needs from elsewhere: whom it reports to, where sources lie, what a build is.

Protocols and the values they speak in; `app.py` plugs in what implements them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..assignment import GivenNode, Json, NodeHold, Playbook
from ..events import BuildCompleted, BuildPaused
from ..reasons import Reason


class Reports(Protocol):
    """The scheduler's ear. False means the fence is stale: the build is no longer ours and is killed."""

    async def started(self, build: str, fence: int, nodes: Sequence[GivenNode]) -> bool:
        """The first process of the build runs, on the first of these nodes."""
        ...

    async def failing(self, build: str, fence: int, reason: Reason) -> bool:
        """The build can no longer succeed, though it goes on."""
        ...

    async def paused(self, event: BuildPaused) -> bool:
        """The run playbooks ended and asked to wait; `Dispatch.resume` lets the build go on."""
        ...

    async def semaphores(self, build: str, fence: int, names: Sequence[str]) -> bool:
        """A playbook waits for these; `Dispatch.grant` lets it run."""
        ...

    async def released(self, build: str, fence: int, names: Sequence[str]) -> bool:
        """The playbook that had these ended."""
        ...

    async def tokens(self, build: str, fence: int, playbook: Playbook) -> Mapping[str, str]:
        """The OpenID Connect tokens of a playbook that begins now, by the names of its secrets."""
        ...

    async def hold(self, build: str, fence: int, result: str) -> NodeHold | None:
        """The autohold request that keeps the nodes of a build that ended so; None: none does."""
        ...

    async def kept(self, builds: Collection[str]) -> Collection[str]:
        """Nodes of these builds are kept here, and of no others that ended; those that may go.

        `builds` may grow meanwhile.
        """
        ...

    async def secret_data(self, build: str, fence: int, data: Mapping[str, Json]) -> bool:
        """What the build returned for nobody but the jobs after it; told before it is paused or completed."""
        ...

    async def completed(self, event: BuildCompleted) -> bool:
        """The build ended; its log and artifacts are all there."""
        ...


class Sources(Protocol):
    """Where the bare repositories of the server can be fetched from."""

    def locate(self, store: str, build: str) -> str:
        """The path or URL of a store for a build: of a project's name, or of `speculation/QUEUE`."""
        ...


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """A build's row as its page shows it; `result` is empty while it waits (`reason` says for what) or runs.

    `taken` says when and why what it left, or its artifacts, were taken away.
    """

    build: str
    buildset: str
    item: str
    job: str
    tenant: str
    pipeline: str
    project: str
    branch: str
    change: int | None
    patch_set: int | None
    voting: bool
    result: str = ""
    attempt: int = 1
    nodes: tuple[GivenNode, ...] = ()
    reason: Reason | None = None
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    error_line: int = 0
    error_text: str = ""
    artifacts: tuple[tuple[str, str], ...] = ()
    final: bool = True
    held: NodeHold | None = None
    taken: Reason | None = None


class Builds(Protocol):
    """The rows of builds, which the pipeline room keeps."""

    async def build(self, uuid: str) -> BuildFacts | None:
        """One build, or None."""
        ...

    async def builds(
        self,
        *,
        change: int | None = None,
        project: str = "",
        job: str = "",
        result: str = "",
        item: str = "",
        limit: int = 50,
    ) -> tuple[BuildFacts, ...]:
        """The newest builds that fit, newest first."""
        ...

    async def of_branch(self, build: str, limit: int) -> tuple[BuildFacts, ...]:
        """The builds before one of the same job that show its branch without its change, newest first."""
        ...

    async def wanted(self) -> Collection[str]:
        """The builds whose artifacts builds of open changes may still be given."""
        ...

    async def take(self, builds: Collection[str], why: Reason) -> None:
        """What these left is taken away now, or their artifacts, as the reason says."""
        ...

# SPDX-License-Identifier: Apache-2.0
"""A whole executor on this machine, with stores, an ear, and a short way to run one script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gatebot.assignment import Assignment, FrozenJob
from gatebot.clock import SystemClock
from gatebot.events import BuildCompleted
from gatebot.executor import assembly
from gatebot.executor.logs import Logs
from gatebot.executor.model import MIB, Label, Network, Sandbox, Sizes
from gatebot.executor.service import Executor
from gatebot.executor.supply import Source

from .executor import PROJECT, HeardReports, Stores, assignment, job

#: Small limits, so that attacks on them end soon; the host's own /usr, so that no image is needed.
SMALL = Label("small", image="host", memory=96 * MIB, disk=48 * MIB, cpus=1.0, processes=64)
LABELS = {
    "small": replace(SMALL, network=Network.NONE),
    "mirrors": replace(SMALL, name="mirrors", network=Network.MIRRORS, memory=512 * MIB, disk=256 * MIB),
    "large": replace(SMALL, name="large", network=Network.NONE, memory=1024 * MIB, disk=512 * MIB, processes=512),
    "trusted": replace(SMALL, name="trusted", privileged=True),
}


@dataclass
class Workshop:
    executor: Executor
    logs: Logs
    reports: HeardReports
    stores: Stores

    def assignment(self, files: Mapping[str, str], frozen: FrozenJob | None = None, **more: object) -> Assignment:
        """A build of a change that has these files; the job runs `run.sh` unless told otherwise."""
        made = (self.stores.root / "work" / PROJECT).exists()
        commit = self.stores.commit(PROJECT, dict(files)) if made else self.stores.make(PROJECT, dict(files))
        if made:
            store = self.stores.speculate(PROJECT, commit[:12])
            return assignment(commit, frozen or job(), **({"store": store} | more))  # type: ignore[arg-type]
        return assignment(commit, frozen or job(), **more)  # type: ignore[arg-type]

    async def run(self, given: Assignment) -> BuildCompleted:
        await self.executor.assign(given)
        return await self.reports.of(given.build)

    async def script(self, body: str, *, label: str = "", **more: object) -> tuple[BuildCompleted, str]:
        """Run a shell script as a job; its result and what it printed."""
        given = self.assignment({"run.sh": f"#!/bin/sh\n{body}\n"}, job(label=label, **more))
        completed = await self.run(given)
        return completed, self.text(given.build)

    def text(self, build: str) -> str:
        """What the log says, without times."""
        lines = self.logs.read(build, 0, 1 << 20).decode().splitlines()
        return "\n".join(line.partition(" | ")[2] for line in lines)


@asynccontextmanager
async def workshop(
    root: Path,
    sandbox: Sandbox = Sandbox.AUTO,
    *,
    mirrors: Iterable[str] | None = None,
    wheelhouse: str = "",
    labels: Mapping[str, Label] = LABELS,
    providers: Mapping[str, Source] | None = None,
    images: Path | None = None,
    sizes: Sizes | None = None,
) -> AsyncIterator[Workshop]:
    site = root / "site"
    site.mkdir(exist_ok=True)
    prepared = assembly.prepare(site, sandbox=sandbox, labels=labels, wheelhouse=wheelhouse, images=images)
    reports, stores = HeardReports(), Stores(root / "stores")
    executor, logs = assembly.executor(
        prepared,
        reports=reports,
        sources=stores,
        clock=SystemClock(),
        host="git.example.org",
        mirrors=mirrors,
        slots=4,
        providers=providers,
        sizes=sizes,
    )
    try:
        await executor.start()
        yield Workshop(executor, logs, reports, stores)
    finally:
        await executor.close()


def processes_of(marker: str) -> list[int]:
    """Processes of this machine whose command line has the marker."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in line.split(b"\0"):
                found.append(int(entry.name))
    return found


def started_by(process: int) -> list[int]:
    """What a process has started, and what that has."""
    try:
        children = [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:  # it has ended
        return []
    return [*children, *(one for child in children for one in started_by(child))]

# SPDX-License-Identifier: Apache-2.0
"""What a build costs more when it runs on another machine: from the assignment to the result, and its log on the way.

Both executors are of this machine and without a sandbox, in turns; the far one is reached over a real NATS server and
HTTP, as from anywhere, and fetches its repositories. A log counts when the last byte of it is on the server.
Usage: `python -m bench.remote_build [RUNS]`.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from gatebot import db
from gatebot.assignment import Assignment
from gatebot.executor.model import MIB, Sandbox, Sizes
from tests.fakes.executor import HeardReports, assignment, job, script
from tests.fakes.far import far_workshop
from tests.fakes.workshop import workshop

TRUE = "#!/bin/sh\nexec true\n"
LOUD = "#!/bin/sh\nhead -c 64000000 /dev/zero | tr '\\0' 'x' | fold -w 99\n"
_MB = 1_000_000


async def timed(
    give: Callable[[Assignment], Awaitable[None]], reports: HeardReports, first: Assignment, path: str = "run.sh"
) -> float:
    """Seconds from the assignment of a build to its result."""
    given = replace(first, build=uuid4().hex, job=job(script(path)))
    began = time.monotonic()
    await give(given)
    completed = await reports.of(given.build)
    took = time.monotonic() - began
    assert completed.result == "SUCCESS", completed
    return took


async def measure(runs: int, directory: Path) -> None:
    """Print both figures."""
    url = f"sqlite:///{directory / 'gatebot.db'}"
    db.migrate(url)
    far: list[float] = []
    near: list[float] = []
    async with (
        workshop(directory, Sandbox.NONE) as shop,
        far_workshop(directory, url, sizes=Sizes(200 * MIB, MIB)) as away,
    ):
        machine = await away.machine("far")
        machine.begin()
        await away.lives("far")
        commit = shop.stores.make("demo/api", {"run.sh": TRUE, "loud.sh": LOUD})
        first = assignment(commit, job())
        for _ in range(runs + 1):
            near.append(await timed(shop.executor.assign, shop.reports, first))
            far.append(await timed(away.give, away.reports, first))
        loud = [await timed(away.give, away.reports, first, "loud.sh") for _ in range(3)]
        quiet = [await timed(shop.executor.assign, shop.reports, first, "loud.sh") for _ in range(3)]
        size = max(len(away.logs.read(build, 0, 1 << 30)) for build in away.reports.completions) / _MB
        await machine.stop()
    took, peer = statistics.median(far[1:]), statistics.median(near[1:])
    speed, local = size / statistics.median(loud), size / statistics.median(quiet)
    for figure, value, unit, peer_value in (
        ("remote.build.overhead", took, "s", peer),
        ("remote.log.speed", speed, "MB/s", local),
    ):
        told = {"figure": figure, "value": round(value, 4), "unit": unit, "n": runs if unit == "s" else 3}
        print(json.dumps({**told, "peer": round(peer_value, 4), "ratio": round(value / peer_value, 3)}), flush=True)


def main(arguments: list[str]) -> None:
    """Measure in a directory of its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        asyncio.run(measure(int(arguments[0]) if arguments else 20, Path(directory)))


if __name__ == "__main__":
    main(sys.argv[1:])

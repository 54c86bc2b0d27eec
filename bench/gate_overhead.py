# SPDX-License-Identifier: Apache-2.0
"""What one change costs in the gate: CPU of all processes from the last approval until everything is merged.

N changes of one project, three node-less jobs each, which an executor that is faked answers at once; real review room,
merges, references and database. With a `!` after the number the job `one` of the first change fails: how many merges
that adds is told too. The peer figures are Zuul 14.3 with its own thin executor, measured once on a machine of this
kind; it is not run here. Usage: `python -m bench.gate_overhead [N | N! ...]`.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gatebot import db, journal
from gatebot.assignment import Assignment
from gatebot.db import Session
from gatebot.events import ChangeMerged
from gatebot.pipeline.driver import READER
from gatebot.pipeline.queue.facts import Prepared
from tests.fakes.pipeline_house import PipelineHouse

JOBS = """
- project:
    queue: shared
    check: {jobs: [one, two, three]}
    gate: {jobs: [one, two, three]}
- job: {name: one}
- job: {name: two}
- job: {name: three}
"""
PEER = {"20": 1.0, "100": 2.4, "20!": 1.78}


def goal(count: int) -> float:
    """CPU seconds for each of so many changes."""
    return 0.05 if count <= 100 else 0.06


def cpu() -> float:
    """CPU seconds of this process and of its children that ended."""
    return sum(os.times()[:4])


def checked(session: Session) -> None:
    """All changes were checked before: only the gate is measured."""
    journal.move_cursor(session, READER, journal.last_in(session))


async def measure(count: int, root: Path, *, head_fails: bool) -> dict[str, float]:
    """One run; CPU and wall seconds and merges for each change."""
    url = f"sqlite:///{root / 'gatebot.db'}"
    await asyncio.to_thread(db.migrate, url)
    house = await asyncio.to_thread(lambda: PipelineHouse(url, root / "git", durable=True))
    house.commit_to("api", {".zuul.yaml": JOBS})
    base = house.review.tip("api")
    changes = [house.review.push("api", {f"file{n}": f"{n}\n"}, f"Change {n}", base) for n in range(count)]

    def ended(build: Assignment) -> str:
        broken = head_fails and build.job.name == "one" and build.changes[-1].number == changes[0].number
        return "FAILURE" if broken else "SUCCESS"

    house.dispatch.rule = ended
    house.review.write(checked)
    await house.approve(*changes)
    await house.driver.start()
    before, began = cpu(), time.monotonic()
    running = asyncio.create_task(house.driver.run())
    while house.driver.idle or not house.driver.queues:
        await asyncio.sleep(0.01)
    while not house.driver.idle or any(queue.items for queue in house.driver.queues.values()):
        await asyncio.sleep(0.1)
    spent, took = cpu() - before, time.monotonic() - began
    assert len(await house.db.read(journal.read_in, 0, (ChangeMerged,), 10_000)) == count - head_fails
    merges = len(await house.db.read(journal.read_in, 0, (Prepared,), 100_000))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await house.driver.close()
    await asyncio.to_thread(house.review.close)
    return {"cpu": spent / count, "wall": took / count, "merges": merges / count}


def main(runs: list[str]) -> None:
    """Measure each number of changes in a process of its own, so that none profits from another."""
    if len(runs) > 1:
        for run in runs:
            subprocess.run([sys.executable, "-m", "bench.gate_overhead", run], check=True)
        return
    count, head_fails = int(runs[0].rstrip("!")), runs[0].endswith("!")
    with tempfile.TemporaryDirectory() as directory:
        found = asyncio.run(measure(count, Path(directory), head_fails=head_fails))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    line = {
        "figure": "gate.overhead.head-fails" if head_fails else "gate.overhead.cpu-per-change",
        "value": round(found["cpu"], 4),
        "unit": "s",
        "n": count,
        "goal": goal(count),
        "merges_per_change": round(found["merges"], 3),
        "wall": round(found["wall"], 4),
        "memory_mb": memory,
    }
    peer = PEER.get(runs[0])
    if peer is not None:
        line |= {"peer": peer, "ratio": round(found["cpu"] / peer, 4)}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["20", "20!", "100", "500", "1000"])

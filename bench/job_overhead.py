# SPDX-License-Identifier: Apache-2.0
"""What a job costs beside its own work: a script `true`, and a playbook beside a bare ansible-playbook of the same.

The real executor of this machine, in its sandbox, from the assignment to the reported result: workspace, node, steps,
artifacts. The peer of the playbook is `ansible-playbook` with its default settings in a plain shell, in turns with it.
Usage: `python -m bench.job_overhead [RUNS]`.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from gatebot.assignment import Assignment, FrozenJob
from tests.fakes.executor import job, script
from tests.fakes.workshop import Workshop, workshop

PLAYBOOK = """\
- hosts: all
  tasks:
    - command: echo one
    - copy: {content: two, dest: two.txt}
    - shell: test "$(cat two.txt)" = two
"""
SCRIPT = "#!/bin/sh\nexec true\n"
INVENTORY = "node ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n"


async def build(shop: Workshop, first: Assignment, frozen: FrozenJob) -> float:
    """Seconds from the assignment of a build to its result."""
    given = replace(first, build=uuid4().hex, job=frozen)
    began = time.monotonic()
    completed = await shop.run(given)
    took = time.monotonic() - began
    assert completed.result == "SUCCESS", shop.text(given.build)
    return took


def bare(directory: Path) -> float:
    """Seconds that ansible-playbook takes alone."""
    (directory / "play.yaml").write_text(PLAYBOOK)
    (directory / "hosts").write_text(INVENTORY)
    line = [sys.executable, str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts", "play.yaml"]
    began = time.monotonic()
    subprocess.run(line, cwd=directory, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - began


async def measure(runs: int, directory: Path) -> None:
    """Print both figures."""
    playbooks: list[float] = []
    alone: list[float] = []
    async with workshop(directory) as shop:
        first = shop.assignment({"run.sh": SCRIPT, "run.yaml": PLAYBOOK})
        await shop.run(first)  # it makes the mirror
        scripts = [await build(shop, first, job()) for _ in range(runs)]
        for _ in range(max(runs // 4, 3)):
            playbooks.append(await build(shop, first, job(script("run.yaml"), label="large")))
            alone.append(await asyncio.to_thread(bare, directory))
    took, peer = statistics.median(playbooks), statistics.median(alone)
    for figure, value, more in (
        ("job.overhead.script", statistics.median(scripts), {"n": len(scripts), "goal": 0.1}),
        ("job.overhead.playbook", took, {"n": len(alone), "goal": 2.0, "peer": round(peer, 3)}),
    ):
        ratio = {"ratio": round(took / peer, 3)} if "peer" in more else {}
        print(json.dumps({"figure": figure, "value": round(value, 4), "unit": "s", **more, **ratio}), flush=True)


def main(arguments: list[str]) -> None:
    """Measure in a directory of its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        asyncio.run(measure(int(arguments[0]) if arguments else 20, Path(directory)))


if __name__ == "__main__":
    main(sys.argv[1:])

# SPDX-License-Identifier: Apache-2.0
"""Twenty builds at once on one executor beside the server, with its lease: is a beat ever missed?

A whole site and `gatebot serve --role executor` in processes of their own; each build computes as much as it gets, and
prints, in its sandbox. A beat is due every two seconds, and counts as missed when the next one comes later than after
two of them; after ten seconds without an answer the executor would end its builds. The peer is the same machine with no
build. Usage: `python -m bench.parallel_builds [BUILDS]`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from gatebot.cli.output import Client
from gatebot.executor.fleet.model import BEAT_SECONDS, SILENT_SECONDS
from gatebot.settings_file import init_text

from . import _ground
from ._ground import Ground, eventually, figure, free_port

BUSY = 15  # seconds that each build takes
CONFIGURATION = {
    ".zuul.yaml": """\
- job: {name: busy, run: ci/busy}
- project:
    check: {jobs: [busy]}
    gate: {jobs: [noop]}
""",
    "ci/busy": f"""\
#!/bin/bash
end=$((SECONDS + {BUSY}))
while [ $SECONDS -lt $end ]; do
    for number in {{1..20000}}; do :; done
    echo "$SECONDS: twenty thousand more"
done
""",
}


@contextmanager
def executor(ground: Ground, slots: int) -> Generator[None]:
    """One that is enrolled and lives."""
    token = (ground.directory / "site" / "admin.token").read_text().strip()
    admin = Client(ground.author.url, "admin", token)
    shown = admin.call("POST", "/api/executors", {"name": "far"})["token"]
    directory = ground.directory / "far"
    directory.mkdir()
    (directory / "gatebot.toml").write_text(init_text({"executor.slots": slots, "site.data": "data"}))
    line = [str(Path(sys.executable).parent / "gatebot"), "serve", str(directory), "--role", "executor"]
    with (ground.directory / "far.log").open("wb") as log:
        process = subprocess.Popen(
            [*line, "--connect", ground.author.url], env={**os.environ, "GATEBOT_TOKEN": str(shown)},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        eventually(lambda: _heard(ground), "the executor to come")
        yield
    finally:
        process.terminate()
        process.wait(30)


def gaps(ground: Ground, over: Callable[[], bool]) -> list[float]:
    """Seconds between the beats that the server heard, until it is over."""
    heard: list[datetime] = []
    while not over():
        at = _heard(ground)
        if at is not None and (not heard or heard[-1] != at):
            heard.append(at)
        time.sleep(0.05)
    return [(after - before).total_seconds() for before, after in pairwise(heard)]


def _heard(ground: Ground) -> datetime | None:
    rows = ground.rows("SELECT heard FROM executor_executors")
    return datetime.fromisoformat(str(rows[0][0])) if rows and rows[0][0] else None


def measure(ground: Ground, builds: int) -> None:
    """Print the figures."""
    until = time.monotonic() + 6 * BEAT_SECONDS
    idle = gaps(ground, lambda: time.monotonic() > until)
    began = time.monotonic()
    ground.push([f"file{number}" for number in range(builds)])
    query = "SELECT count(*), coalesce(max(fence), 0), sum(result = 'SUCCESS') FROM pipeline_builds WHERE job = 'busy'"

    def over() -> bool:
        ended = ground.rows("SELECT count(*) FROM pipeline_builds WHERE job = 'busy' AND result != ''")[0][0]
        return int(str(ended)) >= builds or time.monotonic() > began + 50

    busy = gaps(ground, over)
    count, fence, passed = (int(str(value or 0)) for value in ground.rows(query)[0])
    if (count, fence, passed) != (builds, 1, builds):
        raise SystemExit(f"{passed} of {count} builds passed at their first run (highest fence {fence})")
    missed = sum(gap > 2 * BEAT_SECONDS for gap in busy)
    figure("parallel-builds.beats-missed", missed, "", len(busy), goal=0, builds=builds)
    figure(
        "parallel-builds.longest-silence", max(busy), "s", len(busy), goal=SILENT_SECONDS, peer=round(max(idle), 3),
        ratio=round(max(busy) / max(idle), 2),
    )  # fmt: skip
    figure("parallel-builds.all-ended", time.monotonic() - began, "s", builds)


def main(arguments: list[str]) -> None:
    """Measure on a site of its own."""
    settings = {"executor.enabled": False, "dispatch.nats": "embedded", "dispatch.listen": f"127.0.0.1:{free_port()}"}
    builds = int(arguments[0]) if arguments else 20
    with _ground.site(CONFIGURATION, settings) as ground, executor(ground, builds):
        measure(ground, builds)


if __name__ == "__main__":
    main(sys.argv[1:])

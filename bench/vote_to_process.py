# SPDX-License-Identifier: Apache-2.0
"""From the vote that opens the gate to the first process of the gate's job, on an idle site.

A whole site as `gatebot serve` starts it: SQLite with synchronous=FULL, real git, the real sandbox
(as root its privileged helper, else rootless). The clock starts before the request with Workflow +1
is sent and stops at the job script's first act, which writes the time. `--stages` also prints where
the time goes, from the journal. Usage: `python -m bench.vote_to_process [-n 20] [--stages]`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from datetime import UTC, datetime

from gatebot.executor.providers.bubblewrap import HOME

from . import _ground
from ._ground import Ground, basic, eventually, figure, percentile

GOAL = 0.25
CONFIGURATION = {
    ".zuul.yaml": """\
- job: {name: stamp, run: ci/stamp}
- project:
    check: {jobs: [noop]}
    gate: {jobs: [stamp]}
""",
    "ci/stamp": '#!/bin/bash\necho "first act: $EPOCHREALTIME in $HOME"\n',
}
STAGES = ("VoteCast", "ItemEnqueued", "PrepareAsked", "Prepared", "BuildAssigned", "BuildStarted")


def measure(ground: Ground, number: int) -> tuple[float, dict[str, float]]:
    """Seconds from one change's last vote to its job's first act, and when each stage was reached."""
    connection = ground.connection()
    headers = {"Authorization": basic(ground.core), "Content-Type": "application/json"}
    path = f"/a/changes/{number}/revisions/current/review"
    last = int(str(ground.rows("SELECT max(id) FROM journal")[0][0]))
    began = time.time()
    connection.request("POST", path, json.dumps({"labels": {"Workflow": 1}}), headers)
    answer = connection.getresponse()
    answered = time.time() - began
    text = answer.read().decode()
    if answer.status != 200:
        raise SystemExit(f"the vote was refused: {text}")
    eventually(lambda: ground.status(number) == "MERGED", f"change {number} to merge")
    events = ground.rows("SELECT kind, at, body FROM journal WHERE id > ? ORDER BY id", last)
    stages = {"answered": answered}
    for kind, at, _ in events:
        if kind in STAGES:
            stages.setdefault(str(kind), _moment(str(at)) - began)
    build = next(json.loads(str(data))["build"] for kind, _, data in events if kind == "BuildStarted")
    log = (ground.data / "logs" / build / "job-output.txt").read_text()
    at, _, home = log.split("first act: ")[1].split()[:3]
    if home != HOME:
        raise SystemExit(f"the job did not run in a sandbox (its home is {home}): install bubblewrap, then measure")
    return float(at) - began, stages


def _moment(text: str) -> float:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=20, help="how many votes are measured")
    parser.add_argument("--stages", action="store_true", help="also print when each stage was reached")
    wanted = parser.parse_args()
    taken: list[float] = []
    stages: list[dict[str, float]] = []
    with _ground.site(CONFIGURATION) as ground:
        for number in ground.push([f"file{n}" for n in range(wanted.n + 2)]):
            eventually(lambda n=number: ground.verified(n), f"check of change {number}")
            ground.vote(ground.core, number, Code_Review=2)
            time.sleep(0.3)  # what follows the vote is over: the site is idle
            seconds, reached = measure(ground, number)
            taken.append(seconds)
            stages.append(reached)
            time.sleep(0.3)
    taken, stages = taken[2:], stages[2:]  # the first ones warm up
    if wanted.stages:
        for name in ("answered", *STAGES):
            reached = [one[name] for one in stages if name in one]
            if reached:
                figure(f"vote-to-process.reached.{name}", statistics.median(reached), "s", len(reached))
    figure("vote-to-process.p50", statistics.median(taken), "s", wanted.n, goal=GOAL)
    figure("vote-to-process.p95", percentile(taken, 0.95), "s", wanted.n)


if __name__ == "__main__":
    main()

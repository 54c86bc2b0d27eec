# SPDX-License-Identifier: Apache-2.0
"""How long pages and lists take, and what memory the server needs, with many changes in the gate.

A whole site with N changes of one project, all approved, in one gate queue whose jobs do not end.
Each address is fetched in turn over one connection, from the request's first byte to the answer's
last; nothing else happens on the site. Usage: `python -m bench.pages [-n 500] [--fetches 15]`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from . import _ground
from ._ground import Ground, eventually, figure, percentile

GOAL = 0.1
CONFIGURATION = {
    ".zuul.yaml": """\
- job: {name: endless, run: ci/endless}
- project:
    check: {jobs: [noop]}
    gate: {jobs: [endless]}
""",
    "ci/endless": "#!/bin/sh\nsleep 3600\n",
}


def settled(ground: Ground, quiet: float = 2.0) -> None:
    """Wait until the server has nothing to do."""
    while True:
        before = ground.cpu()
        time.sleep(quiet)
        if ground.cpu() - before < 0.1 * quiet:
            return


def fill(ground: Ground, count: int) -> list[int]:
    """Push, let check vote, approve all: everything waits in the gate."""
    numbers = ground.push([f"file{n:04}" for n in range(count)])
    query = "label:Verified=1 is:open"

    def checked() -> bool:
        return len(ground.core.get("/changes/", q=query, n=count)) == count

    settled(ground)
    eventually(checked, "all checks", 600)

    def approve(number: int) -> None:
        ground.vote(ground.core, number, Code_Review=2, Workflow=1)

    with ThreadPoolExecutor(4) as people:
        list(people.map(approve, numbers))
    settled(ground)
    return numbers


def fetch(ground: Ground, path: str, fetches: int) -> tuple[list[float], int]:
    """Seconds of each fetch, the first ones left out, and the size of the answer."""
    connection = ground.connection()
    taken: list[float] = []
    size = 0
    for _ in range(fetches + 2):
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        size = len(answer.read())
        taken.append(time.perf_counter() - began)
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {answer.reason}")
    return taken[2:], size


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=500, help="how many changes there are")
    parser.add_argument("--fetches", type=int, default=15, help="how often each address is fetched")
    wanted = parser.parse_args()
    with _ground.site(CONFIGURATION) as ground:
        settled(ground)
        figure("server.memory.new-site", ground.memory_mb(), "MB", 1)
        count: int = wanted.n
        middle = fill(ground, count)[count // 2]
        figure("server.memory.changes-in-gate", ground.memory_mb(), "MB", wanted.n)
        paths = {
            "home": "/",
            "status": "/status",
            "status-of-change": f"/status/change/{middle}",
            "change": f"/c/api/+/{middle}",
            "changes": "/q/status:open",
            "rest-changes": "/changes/?q=status:open",
            "rest-change-detail": f"/changes/{middle}/detail",
            "builds": "/builds",
        }
        for name, path in paths.items():
            taken, size = fetch(ground, path, wanted.fetches)
            more = {"p95": round(percentile(taken, 0.95), 4), "kb": size // 1024, "goal": GOAL}
            figure(f"page.{name}.p50", statistics.median(taken), "s", wanted.n, **more)
        figure("server.memory.after-pages", ground.memory_mb(), "MB", wanted.n)


if __name__ == "__main__":
    main()

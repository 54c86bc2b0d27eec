# SPDX-License-Identifier: Apache-2.0
"""How long the gate thinks: `plan` for a shared queue of 500 items in which everything is prepared and runs.

Three moments: a result arrives in the middle; the head fails, so that everything behind is tested again; and a
start, when nothing is remembered. Pure: no database, no git. Usage: `python -m bench.plan [ITEMS]`.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

from gatebot.events import BuildCompleted
from gatebot.pipeline.config.model import Window
from gatebot.pipeline.queue import verdict
from gatebot.pipeline.queue.model import PlannedJob, Queue
from gatebot.pipeline.queue.plan import plan
from gatebot.pipeline.queue.record import record
from tests.fakes.gate import NOW, Change, Gate

JOBS = tuple(PlannedJob(name, f"definition of {name}") for name in ("unit", "style", "docs"))
GOAL = 0.02
ROUNDS = 15


def full(items: int) -> Gate:
    """A queue of changes of ten projects, all of them merged onto each other, all of their builds running."""
    gate = Gate(window=Window(0))
    gate.enqueue(*(Change(number, f"project{number % 10}", jobs=JOBS) for number in range(1, items + 1)))
    gate.settle()
    return gate


def median(act: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """CPU seconds of an act, the middle of several."""
    taken: list[float] = []
    for _ in range(ROUNDS):
        before()
        began = time.process_time()
        act()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def main(items: int) -> None:
    """Measure and print."""
    gate = full(items)

    def after(number: int, result: str) -> Queue:
        build = gate.build(number)
        return record(gate.queue, BuildCompleted(build.build, build.fence, result))

    passed, failed = after(items // 2, "SUCCESS"), after(1, "FAILURE")
    plan(gate.queue, NOW)
    found = {
        "a-result": median(lambda: plan(passed, NOW)),
        "the-head-fails": median(lambda: plan(failed, NOW)),
        "at-start": median(lambda: plan(gate.queue, NOW), verdict.forget),
    }
    for moment, seconds in found.items():
        line = {"figure": f"plan.{moment}", "value": round(seconds, 4), "unit": "CPU s", "n": items, "goal": GOAL}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)

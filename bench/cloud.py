# SPDX-License-Identifier: Apache-2.0
"""How long the job `cloud` takes from a kept state, many times in a row or at once: up, guest ready, all proven, CPU.

A site of its own, one change: `cloud-cache` keeps the state, and each of the others begins from it. Where the image of
the label is not built nothing is measured. Usage: `python -m bench.cloud [RUNS] [AT_ONCE]`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench._ground import Ground, eventually, figure, percentile, site
from gatebot import assets
from gatebot.app import places
from gatebot.executor import images
from gatebot.executor.labels import label_from

PLACE = assets.path("jobs", "cloud", "image")
PATIENCE = 1200.0
#: What is told of each bring-up: when that step had ended, in seconds since the cloud began.
UP, GUEST, PROVEN = "compute host and network agents are there", "guest ready", "object put and got"


@dataclass(frozen=True, slots=True)
class BringUp:
    """One run of the job. `ends` are steps with when they had ended, `cpu` what all of them cost, in seconds."""

    result: str
    ends: Mapping[str, float]
    cpu: float


def configuration(runs: int) -> str:
    """Jobs that all begin from the state that the first one keeps."""
    jobs = [f"- job: {{name: cloud-{number}, parent: cloud}}" for number in range(1, runs + 1)]
    wanted = [f"        - cloud-{number}: {{dependencies: [cloud-cache]}}" for number in range(1, runs + 1)]
    return "\n".join([*jobs, "- project:", "    check:", "      jobs:", "        - cloud-cache", *wanted, ""])


def bring_up(result: str, timings: str) -> BringUp:
    """What a build kept of its steps; of steps within others the CPU is counted once."""
    rows = [line.split("\t") for line in timings.splitlines()]
    steps = sorted(((float(begin), float(took), name, float(cpu)) for name, begin, took, cpu in rows[1:]),
                   key=lambda step: (step[0], -step[1]))  # fmt: skip
    spent, until = 0.0, 0.0
    for begin, took, _, cpu in steps:
        if begin >= until:
            spent, until = spent + cpu, begin + took
    return BringUp(result, {name: begin + took for begin, took, name, _ in steps}, spent)


def ended(ground: Ground, change: int, known: int) -> list[dict[str, str]]:
    """The builds of clouds that have ended, in that order, as soon as there is one more than are known."""

    def more() -> list[dict[str, str]] | None:
        builds = ground.author.get("/api/tenant/main/builds", change=str(change), limit=200)
        over = [build for build in builds if build["result"] and build["job_name"] != "cloud-cache"]
        return over if len(over) > known else None

    return sorted(eventually(more, "a cloud to end", PATIENCE), key=lambda build: build["end_time"] or "")


def measure(runs: int, at_once: int) -> None:
    """Print a line for each cloud as it ends, then those of all."""
    with site({".zuul.yaml": configuration(runs)}, {"executor.slots": at_once}, PLACE / "gatebot.toml") as ground:
        (change,) = ground.push(["cloud"])
        clouds: list[BringUp] = []
        while len(clouds) < runs:
            for build in ended(ground, change, len(clouds))[len(clouds) :]:
                timings = f"/logs/{build['uuid']}/artifacts/cloud/timings.tsv"
                one = bring_up(build["result"], "".join(ground.author.text_lines(timings)))
                clouds.append(one)
                more = {"result": one.result, "cpu": round(one.cpu, 1), "run": len(clouds), "at-once": at_once}
                figure("cloud.proven", one.ends.get(PROVEN, -1), "s", 1, **more, up=one.ends.get(UP, -1))
    whole = [one for one in clouds if one.result == "SUCCESS"]
    figure("cloud.failed", len(clouds) - len(whole), "clouds", runs)
    for name, step in (("up", UP), ("guest-ready", GUEST), ("proven", PROVEN)) if whole else ():
        times = [one.ends[step] for one in whole]
        figure(f"cloud.{name}.p50", percentile(times, 0.5), "s", len(times), **{"at-once": at_once})
        figure(f"cloud.{name}.max", max(times), "s", len(times), **{"at-once": at_once})
    if whole:
        figure("cloud.cpu.p50", percentile([one.cpu for one in whole], 0.5), "s", len(whole))


def main(arguments: Sequence[str]) -> None:
    """Three in a row, unless told otherwise."""
    settings, _ = places.load(PLACE)
    if not images.is_built(images.definition_of(label_from("cloud", settings.labels["cloud"])), images.shared()):
        print("cloud: nothing measured; first: gatebot image build cloud --site jobs/cloud/image", file=sys.stderr)
        return
    runs, at_once, *_ = (*map(int, arguments), *(3, 1)[len(arguments) :])
    measure(runs, at_once)


if __name__ == "__main__":
    main(sys.argv[1:])

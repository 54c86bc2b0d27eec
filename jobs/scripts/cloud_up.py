#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Step of the cloud jobs: brings the cloud up and leaves it running for the steps after this one."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import cloud_job
import job

sys.path.insert(0, str(cloud_job.CODE))

from cloud import guest, speculative, variables
from cloud.options import Impossible, Options, Service


def children(process: int) -> list[int]:
    """The processes that one has made."""
    found: list[int] = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            state = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(state[1]) == process:
            found.append(int(place.parent.name))
    return found


def begin(options: Options) -> subprocess.Popen[bytes]:
    """Start the cloud in its namespaces; it stays when this step has ended."""
    line = [
        cloud_job.CODE / "enter",
        cloud_job.WORK,
        cloud_job.LOGS,
        f"{options.venv}/bin/python",
        "-m",
        "cloud",
        "serve",
    ]
    with (cloud_job.WORK / "said").open("wb") as said:
        return subprocess.Popen(
            line, env=cloud_job.ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )


def follow(process: subprocess.Popen[bytes]) -> None:
    """Show what the cloud says until it is up, or cannot be."""
    with (cloud_job.WORK / "said").open(encoding="utf-8", errors="replace") as said:
        over = False
        while not over:
            over = process.poll() is not None or cloud_job.READY.exists() or cloud_job.FAILED.exists()
            if not cloud_job.FIRST.exists() and (found := children(process.pid)):
                cloud_job.FIRST.write_text(str(found[0]))
            print(said.read(), end="", flush=True)
            time.sleep(0.2)


def install(venv: Path) -> None:
    """Install the projects of the cloud that this build has checkouts of."""
    projects = speculative.among(job.variables(), job.HOME, venv)
    if not projects:
        print("No repository of this build is part of the cloud; all of it is of the image.", flush=True)
        return
    print(f"From this build: {', '.join(project.package for project in projects)}.", flush=True)
    try:
        speculative.install(projects, venv, cloud_job.PROJECTS)
    except speculative.NotInstalled as problem:
        job.fail(str(problem))


def main() -> None:
    """Read what the job wants, make the guest, bring the cloud up."""
    cloud_job.WORK.mkdir()
    cloud_job.LOGS.mkdir(parents=True)
    try:
        options = variables.options_of(job.variables())
    except Impossible as problem:
        job.fail(str(problem))
    if not Path(options.venv, "bin/python").exists():
        job.fail(
            f"the node has no {options.venv}. The label of this job needs the image of docs/cloud.md: "
            "`gatebot image build LABEL`."
        )
    print(f"The cloud: {', '.join(sorted(options.services))}.", flush=True)
    install(Path(options.venv))
    cloud_job.OPTIONS.write_text(options.to_json(), "utf-8")
    if Service.GLANCE in options:
        guest.make(cloud_job.WORK / "guest.raw")
    process = begin(options)
    follow(process)
    if why := cloud_job.why_failed():
        job.fail(why)
    if process.poll() is not None:
        job.fail(
            f"the namespaces of the cloud ended with {process.returncode}. If they could not be made: the job needs "
            "a label with `nested = true`."
        )
    print("The cloud is up.", flush=True)


if __name__ == "__main__":
    main()

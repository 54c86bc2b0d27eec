#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Step of the cloud jobs: brings the cloud up and leaves it running for the steps after this one.

`cloud_up.py HOST CONTROLLER COMPUTE...` on each node of a cloud with several hosts: this is HOST.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import cloud_job
import job
from cloud import guest, link
from cloud.options import Options, Role, Service


def first(process: int) -> str:
    """The first process of the namespaces that one has made, as it is called out here; empty while it has made none."""
    for place in Path("/proc").glob("[0-9]*/status"):
        try:
            told = dict(line.split(":", 1) for line in place.read_text(errors="replace").splitlines())
        except OSError:
            continue  # it has ended meanwhile
        if int(told["PPid"]) == process and told["NSpid"].split()[1:] == ["1"]:
            return place.parent.name
    return ""


def begin(options: Options) -> subprocess.Popen[bytes]:
    """Start the cloud in its namespaces; it stays when this step has ended."""
    with (cloud_job.WORK / "said").open("wb") as said, ExitStack() as stack:
        ways = [] if options.role is Role.ALL else link.opened(options.hosts[options.host])
        sockets = [stack.enter_context(way).fileno() for way in ways]
        return subprocess.Popen(
            cloud_job.entering(options, "serve", *map(str, sockets)), env=cloud_job.ENVIRONMENT,
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, pass_fds=sockets,
        )  # fmt: skip


def follow(process: subprocess.Popen[bytes], patience: float) -> None:
    """Show what the cloud says until it is up, or cannot be."""
    with (cloud_job.WORK / "said").open(encoding="utf-8", errors="replace") as said:
        over = False
        while not over:
            over = process.poll() is not None or cloud_job.READY.exists() or cloud_job.FAILED.exists()
            if not cloud_job.FIRST.exists() and (found := first(process.pid)):
                cloud_job.FIRST.write_text(found)
            print(said.read(), end="", flush=True)
            time.sleep(0.2 * patience)


def lay_guest(options: Options) -> None:
    """The image that is booted in the cloud: the job's own, or ours."""
    target = cloud_job.WORK / "guest.image"
    if not options.guest.image:
        guest.make(target, options.machine)
        return
    image = job.HOME / options.guest.image
    if not image.is_file():
        job.fail(f"cloud_guest.image: there is no {image}. It is a file below the home of the job.")
    shutil.copy(image, target)


def lay_beginning(options: Options) -> None:
    """What the controller begins with."""
    kept = cloud_job.kept_state(options)
    if kept is not None:
        (cloud_job.WORK / "state").mkdir()
        shutil.copy(kept, cloud_job.WORK / "state")
    print(
        "It begins from a kept state." if kept else "Nobody kept what it begins with: all tables are made.", flush=True
    )
    if Service.GLANCE in options:
        lay_guest(options)


def main() -> None:
    """Make what the cloud needs, bring it up."""
    options = cloud_job.prepared(*sys.argv[1:2], hosts=sys.argv[2:])
    if options.role is not Role.COMPUTE:
        lay_beginning(options)
    process = begin(options)
    follow(process, options.patience)
    cloud_job.offer(options)
    if why := cloud_job.why_failed():
        job.fail(why)
    if process.poll() is not None:
        job.fail(
            f"the namespaces of the cloud ended with {process.returncode}. If they could not be made: the job needs "
            "a label with `nested = true`, or nodes on which it is root."
        )
    print("The cloud is up." if options.role is not Role.COMPUTE else f"{options.host} is part of it.", flush=True)


if __name__ == "__main__":
    main()

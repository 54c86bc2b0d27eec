#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job wheels: the wheel of a Python project for the architecture of the node, for people and for later jobs."""

from __future__ import annotations

import platform
from pathlib import Path

import job
import python_environment as python

if not python.is_package(Path()):
    job.fail("there is no pyproject.toml with [project] here, nor a setup.py: nothing to make a wheel of.")
target = job.ARTIFACTS / "wheels"
programs = python.make("build")
command = [programs / "python", "-m", "build", "--wheel", "--outdir", target, *job.words("wheel_build_args")]
if job.run(*command, SOURCE_DATE_EPOCH=job.moment()):
    job.fail("the wheel could not be built; the reason is above.")
for wheel in sorted(target.glob("*.whl")):
    arch = "any" if wheel.stem.endswith("-any") else platform.machine()
    job.artifact(wheel.name, f"wheels/{wheel.name}", type="python_wheel", arch=arch)

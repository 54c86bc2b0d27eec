#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job tox and its children: environments of tox; what pytest or stestr say in them is on the page of the build."""

from __future__ import annotations

import subprocess
from pathlib import Path

import job
import python_environment as python

if not any(Path(name).is_file() for name in ("tox.ini", "tox.toml", "setup.cfg", "pyproject.toml")):
    job.fail("there is no tox.ini here. Add one, or run the tests by the job pytest, which needs none.")
tox = python.make("tox") / "tox"
chosen = job.text("tox_envlist")
listed = subprocess.run([tox, "list", "--no-desc", "-q"], capture_output=True, text=True, check=False).stdout
own = {str(name): str(value) for name, value in job.variables().get("tox_environment", {}).items()}
if limits := job.text("tox_constraints_file"):
    place = str((job.HOME / limits).resolve())
    own |= {"TOX_CONSTRAINTS_FILE": place, "UPPER_CONSTRAINTS_FILE": place}
own["PYTEST_ADDOPTS"] = (
    f"{own.get('PYTEST_ADDOPTS', '')} --junitxml={job.ARTIFACTS}/testresults-{{env_name}}.xml".strip()
)
command: list[str | Path] = [tox, *(["-e", chosen] if chosen else [])]
for name in dict.fromkeys(["", *(chosen.split(",") if chosen else listed.split())]):
    section = f"testenv:{name.strip()}" if name else "testenv"
    command += [word for key, value in own.items() for word in ("-x", f"{section}.set_env+={key}={value}")]
after = job.words("tox_extra_args")
beside = python.siblings() if job.flag("tox_install_siblings") else []
if beside:
    job.must(*command, "--notest", *after)
    for interpreter in sorted(Path(".tox").glob("*/bin/python")):
        python.install(interpreter.parent, "--no-deps", "--force-reinstall", *beside)
    command.append("--skip-pkg-install")
code = job.run(*command, *after)
python.collect_stestr(sorted(Path(".tox").glob("*/bin")))
python.ended(code, "tox")

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job stestr: the tests of a Python project by stestr, in parallel, each listed on the page of the build."""

import os
from pathlib import Path

import job
import python_environment as python

programs = python.make("stestr")
python.install_project(programs)
where = job.text("stestr_test_path") or ("tests" if Path("tests").is_dir() else ".")
found = [] if Path(".stestr.conf").exists() else ["--test-path", where]
path = f"{programs}:{os.environ['PATH']}"
code = job.run(programs / "stestr", *found, "run", *job.words("stestr_extra_args"), PATH=path)
python.collect_stestr([programs])
python.ended(code, "stestr")

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job pytest: the tests of a Python project by pytest, each listed on the page of the build."""

import job
import python_environment as python

coverage = job.text("pytest_coverage")
programs = python.make("pytest", *(["pytest-cov"] if coverage else []))
python.install_project(programs)
options = [f"--junitxml={job.ARTIFACTS}/testresults.xml", *job.words("pytest_extra_args")]
if coverage:
    report = job.ARTIFACTS / "coverage"
    options += [f"--cov={coverage}", f"--cov-report=html:{report}", "--cov-report=term"]
code = job.run(programs / "python", "-m", "pytest", *options, *job.words("pytest_paths"))
if coverage and (job.ARTIFACTS / "coverage" / "index.html").exists():
    job.artifact("Coverage", "coverage/index.html", type="coverage_html")
if code == 5:
    job.fail("pytest found no tests. Name where they are in the variable pytest_paths, or take the job out.")
python.ended(code, "pytest")

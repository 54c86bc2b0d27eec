#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job docs: the documentation of a project by Sphinx, as pages that people read from the change."""

from __future__ import annotations

import sys
from pathlib import Path

import findings
import job
import python_environment as python

_PLACES = ("doc/source", "docs/source", "doc", "docs")


def source() -> Path:
    """Where the documentation is: the directory with `conf.py`."""
    named = job.text("sphinx_source_dir")
    for place in [named] if named else _PLACES:
        if (Path(place) / "conf.py").is_file():
            return Path(place)
    where = f"{named} has no conf.py" if named else f"none of {', '.join(_PLACES)} has a conf.py"
    job.fail(f"{where}. Name the directory of the documentation in the variable sphinx_source_dir.")


def main() -> None:
    """Build each kind of output; warnings become comments on their lines."""
    place = source()
    requirements = [one for one in (place / "requirements.txt", place.parent / "requirements.txt") if one.is_file()]
    programs = python.make("sphinx")
    python.install_project(programs, *requirements[:1])
    strict = ["-W", "--keep-going"] if job.flag("sphinx_warning_is_error") else []
    for builder in job.words("sphinx_builders"):
        output = job.ARTIFACTS / "docs" / builder
        command = [programs / "sphinx-build", "--no-color", "-b", builder, *strict]
        command += ["-d", job.HOME / "doctrees", place, output]
        code, said = job.heard(*command)
        told = findings.read(said)
        job.give_back(file_comments=told)
        if code:
            job.fail(f"Sphinx ({builder}) ended with exit code {code}, {findings.counted(told)}.")
        if (output / "index.html").is_file():
            name = "Documentation" if builder == "html" else f"Documentation ({builder})"
            job.artifact(name, f"docs/{builder}/index.html", type="docs_html")
    sys.exit(0)


main()

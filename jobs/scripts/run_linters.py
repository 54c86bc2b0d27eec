#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job linters: the linters that a project has settings for; each finding is a comment on its line of the change."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path

import findings
import job
import python_environment as python

_COMMANDS = {
    "ruff": ["ruff", "check", "--output-format=concise", "."],
    "flake8": ["flake8", "."],
    "pre-commit": ["pre-commit", "run", "--all-files", "--color=never"],
    "tox": ["tox", "-e", "linters"],
}


def sections(path: str) -> set[str]:
    """The sections of a file of settings, none where there is no such file."""
    found = configparser.RawConfigParser(strict=False, allow_no_value=True)
    found.read(path, "utf-8")
    return set(found.sections())


def chosen() -> list[str]:
    """Which linters the project has settings for; what stands for all of them is taken alone."""
    if Path(".pre-commit-config.yaml").is_file():
        return ["pre-commit"]
    if "testenv:linters" in sections("tox.ini"):
        return ["tox"]
    settings = Path("pyproject.toml")
    found = [name for name in ("ruff.toml", ".ruff.toml") if Path(name).is_file()]
    if found or (settings.is_file() and "[tool.ruff" in settings.read_text("utf-8")):
        return ["ruff"]
    if Path(".flake8").is_file() or "flake8" in sections("setup.cfg") | sections("tox.ini"):
        return ["flake8"]
    return ["ruff"]


def main() -> None:
    """Run each linter to its end, so that all findings are told at once."""
    wanted = job.words("linters") or chosen()
    unknown = [name for name in wanted if name not in _COMMANDS]
    if unknown:
        job.fail(f"the variable linters names {', '.join(unknown)}; there are {', '.join(_COMMANDS)}.")
    programs = python.make(*wanted)
    ended = {name: job.heard(programs / _COMMANDS[name][0], *_COMMANDS[name][1:]) for name in wanted}
    told = findings.read("\n".join(output for _, output in ended.values()))
    job.give_back(file_comments=told)
    failed = [name for name, (code, _) in ended.items() if code]
    if failed:
        job.fail(f"{', '.join(failed)} would not let this pass: {findings.counted(told)}.")
    sys.exit(0)


main()

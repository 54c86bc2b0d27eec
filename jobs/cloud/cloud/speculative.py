# SPDX-License-Identifier: Apache-2.0
"""Which repositories of a build are part of the cloud, and how they get into it before it starts.

A repository is part of it when the environment of the image has its package. All are installed at once, from their
checkouts, into a directory that goes before that environment; the environment itself stays as it is.
"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

_SEPARATORS = re.compile(r"[-_.]+")


class NotInstalled(Exception):
    """The checkouts do not go together, or one cannot be built; the message is the line that says why."""


@dataclass(frozen=True, slots=True)
class Project:
    """A package of the cloud whose checkout is among the build's repositories."""

    package: str
    checkout: Path
    tag: str = ""  # it is of this one, not of what is checked out

    def __str__(self) -> str:
        """For people."""
        return f"{self.package} {self.tag}".strip()


def among(variables: Mapping[str, Any], home: Path, venv: Path) -> list[Project]:
    """The build's repositories that are part of the cloud, by the name of their package."""
    known = installed(venv)
    checkouts = sorted(home / str(one["src_dir"]) for one in variables["zuul"]["projects"].values())
    found = (Project(package_of(checkout), checkout) for checkout in checkouts)
    return [project for project in found if project.package in known]


def at(projects: Iterable[Project], tags: Mapping[str, Any], place: Path) -> list[Project]:
    """Those projects that have a tag here, as they were at it, in new checkouts. Raises `NotInstalled`."""
    known = {project.package: project.checkout for project in projects}
    wanted = {normal(package): str(tag) for package, tag in tags.items()}
    if strange := sorted(set(wanted) - set(known)):
        raise NotInstalled(f"{strange[0]} has no checkout in this build, so it cannot be of {wanted[strange[0]]}.")
    found = [Project(package, place / package, tag) for package, tag in sorted(wanted.items())]
    for project in found:
        # With its history: tools that make versions ask for it.
        source, target = known[project.package], project.checkout
        line = ["git", "clone", "--quiet", "--shared", "--branch", project.tag, source, target]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotInstalled(f"{project} cannot be checked out: {done.stderr.strip()}")
    return found


def installed(venv: Path) -> frozenset[str]:
    """The packages of an environment, by their normal names."""
    places = venv.glob("lib/python3*/site-packages/*.dist-info")
    return frozenset(normal(place.name.removesuffix(".dist-info").rpartition("-")[0]) for place in places)


def package_of(checkout: Path) -> str:
    """The normal name of the package that a checkout is of; empty: it is no Python package."""
    try:
        told = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))
    except (FileNotFoundError, tomllib.TOMLDecodeError):
        told = {}
    name = cast("dict[str, Any]", told.get("project", {})).get("name", "")
    if not name:
        parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
        parser.read(checkout / "setup.cfg", "utf-8")
        name = parser.get("metadata", "name", fallback="")
    return normal(str(name))


def normal(name: str) -> str:
    """A name as package indexes compare it."""
    return _SEPARATORS.sub("-", name.strip()).lower()


def install(projects: Iterable[Project], venv: Path, target: Path) -> None:
    """Install all checkouts at once, then see whether everything still goes together. Raises `NotInstalled`."""
    # The build needs nothing that is not there, and asks nobody: what it would be given is not what is tested.
    line = ["install", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    line += [str(project.checkout) for project in projects]
    _pip(venv, line, {}, "cannot be installed from their checkouts")
    _pip(venv, ["check"], {"PYTHONPATH": str(target)}, "do not go together with the rest of the cloud")


def _pip(venv: Path, line: list[str], more: Mapping[str, str], lack: str) -> None:
    command = [str(venv / "bin/python"), "-m", "pip", "--disable-pip-version-check", *line]
    done = subprocess.run(
        command, env={**os.environ, **more}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print(done.stdout, end="", flush=True)
    if done.returncode:
        said = [row.strip() for row in done.stdout.splitlines() if row.strip()]
        wrong = [row for row in said if row.lower().startswith("error")] or said
        raise NotInstalled(f"The projects of this build {lack}: {wrong[0] if wrong else 'pip says nothing'}")

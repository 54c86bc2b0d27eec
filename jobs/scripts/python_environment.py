# SPDX-License-Identifier: Apache-2.0
"""Environments of Python for jobs: which interpreter, what is installed, what of other projects comes with it.

Imported by the scripts beside it. A project is installed so that its files are used where they lie.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import job

_REQUIREMENTS = (
    *("requirements.txt", "test-requirements.txt", "requirements-dev.txt", "requirements-test.txt"),
    *("tests/requirements.txt", "test/requirements.txt"),
)


def interpreter() -> str:
    """The Python that the job asks for by `python_version`; by default that of the node."""
    wanted = f"python{job.text('python_version') or '3'}"
    found = shutil.which(wanted)
    if found is None or subprocess.run([found, "--version"], capture_output=True, check=False).returncode:
        job.fail(
            f"{wanted} is not on this node. Give the job a nodeset whose image has it, or leave out python_version."
        )
    return found


def make(*packages: str) -> Path:
    """A new environment with these packages; the directory of its programs."""
    place = job.HOME / "venv"
    if job.run(interpreter(), "-m", "venv", place):
        job.fail("there is no module venv for this Python. Debian: python3-venv has to be in the image of the node.")
    if packages:
        install(place / "bin", *packages)
    return place / "bin"


def install(programs: Path, *what: str | Path) -> None:
    """Install into an environment; the job ends if that fails."""
    if job.run(programs / "python", "-m", "pip", "install", "--quiet", *what):
        job.fail(f"pip could not install {' '.join(map(str, what))}; it says why above.")


def install_project(programs: Path, *more: Path) -> None:
    """What the requirements files of the project name (and `more`), the project, and what it is to be tested with."""
    named = job.words("requirements_files") or [one for one in _REQUIREMENTS if Path(one).is_file()]
    wanted: list[str | Path] = [word for one in (*named, *more) for word in ("--requirement", one)]
    if is_package(Path()):
        extras = ",".join(job.words("python_extras"))
        wanted += ["--editable", f".[{extras}]" if extras else "."]
    beside = siblings()
    if beside:  # before what needs them: they need not be in any index
        install(programs, "--no-deps", *beside)
    if wanted:
        install(programs, *wanted)
    if beside:  # over what requirements may have pinned
        install(programs, "--no-deps", "--force-reinstall", *beside)


def is_package(directory: Path) -> bool:
    """Whether pip can install what lies there."""
    if any((directory / name).is_file() for name in ("setup.py", "setup.cfg")):
        return True
    settings = directory / "pyproject.toml"
    return settings.is_file() and any(
        line.strip() in ("[project]", "[build-system]") for line in settings.read_text("utf-8").splitlines()
    )


def siblings() -> list[Path]:
    """The Python projects among `required-projects`, and the wheels that jobs before this one have made."""
    zuul = job.variables()["zuul"]
    own = zuul["project"]["name"]
    trees = [job.HOME / one["src_dir"] for one in zuul["projects"].values() if one["required"] and one["name"] != own]
    return [tree for tree in trees if is_package(tree)] + wheels()


def wheels() -> list[Path]:
    """The wheels of other jobs that fit this node, of each package the one of the nearest build."""
    fitting = {
        url.rpartition("/")[2].partition("-")[0].lower(): url
        for about, url in reversed(job.artifacts("python_wheel"))
        if about.get("arch") in ("any", platform.machine())
    }
    return [job.fetched(url) for url in fitting.values()]


def collect_stestr(programs: Iterable[Path]) -> None:
    """Keep the newest results of stestr as subunit has them, by the first of these directories that has the program."""
    stestr = next((place / "stestr" for place in programs if (place / "stestr").exists()), None)
    if stestr is not None and Path(".stestr").is_dir():
        with (job.ARTIFACTS / "testresults.subunit").open("wb") as file:
            subprocess.run(
                [stestr, "last", "--subunit"], stdout=file, check=False
            )  # its exit code is that of the tests


def ended(code: int, what: str) -> None:
    """End the job as its tests did."""
    if code:
        print(f"{what} ended with exit code {code}; the page of the build lists the tests.", flush=True)
    sys.exit(code)

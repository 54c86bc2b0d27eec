# SPDX-License-Identifier: Apache-2.0
"""The job that the tour runs on this very project: it installs a few packages, and its tests must need no more."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

JOB = (Path(__file__).parents[2] / "ci" / "core-tests").read_text()
WHEELS = (Path(__file__).parents[2] / "demo" / "wheelhouse.txt").read_text()
# Modules of packages that the job does not install are refused as if they were not there.
IMPORT = """
import sys, importlib
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
absent = set(sys.argv[1].split(","))
sys.meta_path.insert(0, Absent())
for module in sys.argv[2:]:
    importlib.import_module(module)
"""


def needed(names: list[str]) -> set[str]:
    """These packages and all that they need."""
    found: set[str] = set()
    while names:
        name = canonicalize_name(names.pop())
        if name in found:
            continue
        found.add(name)
        try:
            asked = [Requirement(one) for one in requires(name) or ()]
        except PackageNotFoundError:
            continue  # it is for another Python or system
        names += [one.name for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def test_the_job_installs_all_that_its_tests_import() -> None:
    said = re.search(r'^packages="(.*)"$', JOB, re.MULTILINE)
    assert said is not None
    installed = needed(said[1].split())
    absent = [
        module
        for module, by in packages_distributions().items()
        if module not in ("tests", "gatebot") and not {canonicalize_name(one) for one in by} & installed
    ]
    files = re.findall(r"tests/core/\S+\.py", JOB)
    assert len(files) == 4
    modules = [file.removesuffix(".py").replace("/", ".") for file in files]
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, ",".join(absent), *modules], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1500:]


def test_the_wheelhouse_of_the_tour_has_what_the_job_installs() -> None:
    said = re.search(r'^packages="(.*)"$', JOB, re.MULTILINE)
    assert said is not None
    listed = [line for line in WHEELS.splitlines() if not line.startswith("#")]
    assert sorted([*said[1].split(), "pip"]) == listed

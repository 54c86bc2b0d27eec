# SPDX-License-Identifier: Apache-2.0
"""Which repositories of a build are part of a cloud, and how they get into it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Module = Callable[[str], ModuleType]
SETUP_CFG = "[metadata]\nname = oslo.greeting\nversion = 2.0\n[options]\npy_modules = oslo_greeting\n"
BUILT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "oslo.greeting"
version = "2.0"
[tool.hatch.build.targets.wheel]
include = ["oslo_greeting.py"]
"""
PYPROJECT = '[project]\nname = "Shop_Front"\nversion = "1"\n'


def repository(place: Path, **files: str) -> Path:
    """A checkout with these files."""
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / name).write_text(text)
    return place


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"setup.cfg": SETUP_CFG}, "oslo-greeting"),
        ({"pyproject.toml": PYPROJECT}, "shop-front"),
        ({"pyproject.toml": "[build-system]\nrequires = []\n", "setup.cfg": SETUP_CFG}, "oslo-greeting"),
        ({"pyproject.toml": "this is no TOML"}, ""),
        ({}, ""),
    ],
)
def test_a_checkout_is_of_the_package_that_its_own_files_name(
    module: Module, tmp_path: Path, files: dict[str, str], name: str
) -> None:
    assert module("speculative").package_of(repository(tmp_path / "x", **files)) == name


def test_only_checkouts_of_packages_that_the_image_has_are_part_of_the_cloud(module: Module, tmp_path: Path) -> None:
    (tmp_path / "venv/lib/python3.11/site-packages/oslo_greeting-1.0.dist-info").mkdir(parents=True)
    repository(tmp_path / "src/oslo.greeting", **{"setup.cfg": SETUP_CFG})
    repository(tmp_path / "src/shop", **{"pyproject.toml": PYPROJECT})
    repository(tmp_path / "src/docs")
    projects = {name: {"src_dir": f"src/{name}"} for name in ("shop", "docs", "oslo.greeting")}
    found = module("speculative").among({"zuul": {"projects": projects}}, tmp_path, tmp_path / "venv")
    assert [(one.package, one.checkout) for one in found] == [("oslo-greeting", tmp_path / "src/oslo.greeting")]


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment with pip and what builds packages: this one's, seen from a place of its own."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    own = next((tmp_path / "venv/lib").glob("python3*/site-packages"))
    (own / "more.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return tmp_path / "venv"


def test_a_checkout_is_installed_before_the_environment_which_stays_as_it_is(
    module: Module, tmp_path: Path, venv: Path
) -> None:
    checkout = repository(tmp_path / "greeting", **{"pyproject.toml": BUILT, "oslo_greeting.py": "HELLO = 'new'\n"})
    speculative = module("speculative")
    speculative.install([speculative.Project("oslo-greeting", checkout)], venv, tmp_path / "projects")
    assert (tmp_path / "projects/oslo_greeting.py").read_text() == "HELLO = 'new'\n"
    assert "oslo-greeting" not in speculative.installed(venv)


def test_a_checkout_that_needs_what_is_not_there_is_refused_in_the_words_of_pip(
    module: Module, tmp_path: Path, venv: Path
) -> None:
    needy = BUILT.replace("[tool", 'dependencies = ["no-such-thing>3"]\n[tool')
    checkout = repository(tmp_path / "greeting", **{"pyproject.toml": needy, "oslo_greeting.py": ""})
    speculative = module("speculative")
    with pytest.raises(speculative.NotInstalled) as refused:
        speculative.install([speculative.Project("oslo-greeting", checkout)], venv, tmp_path / "projects")
    assert "do not go together with the rest of the cloud: " in str(refused.value)
    assert "2.0 requires no-such-thing, which is not installed." in str(refused.value)

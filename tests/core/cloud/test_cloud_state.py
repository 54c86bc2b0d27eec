# SPDX-License-Identifier: Apache-2.0
"""States that are kept for clouds that would come to the same: what names them, and that all of one comes back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Module = Callable[[str], ModuleType]
MIGRATION = "nova/db/main/migrations/versions/1.py"
FILES = {MIGRATION: "one", "nova/compute/manager.py": "boot", "keystone/cmd/bootstrap.py": "admin"}


def lay(place: Path, files: dict[str, str]) -> None:
    """Write files below a directory."""
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)


@pytest.fixture
def options(module: Module, tmp_path: Path) -> Any:
    """A cloud whose environment has some files."""
    lay(tmp_path / "venv/lib/python3.11/site-packages", FILES)
    return replace(module("variables").options_of({}), venv=str(tmp_path / "venv"))


@pytest.mark.parametrize(
    ("files", "same"),
    [
        ({}, True),
        (FILES, True),
        (FILES | {"nova/compute/manager.py": "does not boot"}, True),
        (FILES | {MIGRATION: "another column"}, False),
        (FILES | {"keystone/cmd/bootstrap.py": "two admins"}, False),
        (FILES | {"nova/db/main/migrations/versions/2.py": "more"}, False),
    ],
)
def test_a_checkout_has_another_state_exactly_when_it_makes_other_tables_or_other_first_data(
    module: Module, tmp_path: Path, options: Any, files: dict[str, str], same: bool
) -> None:
    lay(tmp_path / "projects", files)
    name = module("state").name
    assert (name(options, tmp_path / "projects") == name(options, tmp_path / "none")) is same


def test_other_services_or_another_password_are_another_state(module: Module, tmp_path: Path, options: Any) -> None:
    other = [replace(options, password="other"), replace(options, services=module("options").LIGHT)]
    assert len({module("state").name(one, tmp_path) for one in (options, *other)}) == 3


@pytest.mark.skipif(shutil.which("zstd") is None, reason="the node's image has it: apt-get install zstd")
def test_all_of_a_state_comes_back_and_nothing_else(module: Module, tmp_path: Path) -> None:
    lay(tmp_path / "one", {"var/lib/mysql-cloud/ibdata1": "tables", "var/log/x": "a log", "var/lib/rabbitmq/x": "user"})
    module("state").pack(tmp_path / "kept/state.tar.zst", tmp_path / "one")
    (tmp_path / "two").mkdir()
    module("state").restore(tmp_path / "kept/state.tar.zst", tmp_path / "two")
    found = sorted(str(path.relative_to(tmp_path / "two")) for path in (tmp_path / "two").rglob("*") if path.is_file())
    assert found == ["var/lib/mysql-cloud/ibdata1", "var/lib/rabbitmq/x"]

# SPDX-License-Identifier: Apache-2.0
"""The runner of the rings adds up what happened and fails when anything did."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small source tree whose Python is ours."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "rings.py", tmp_path / "tools")
    (tmp_path / "tests" / "core").mkdir(parents=True)
    return tmp_path


def rings(tree: Path, *names: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(tree / "tools" / "rings.py"), *names]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_last_line_is_the_sum_of_all_rings(tree: Path) -> None:
    (tree / "tests" / "core" / "test_a.py").write_text("def test_good(): assert 1\ndef test_bad(): assert 0\n")
    (tree / "tests" / "clients").mkdir()
    (tree / "tests" / "clients" / "test_b.py").write_text("import pytest\n@pytest.mark.skip\ndef test(): pass\n")
    ran = rings(tree, "core", "laws", "clients")
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1] == "1 passed, 1 failed, 1 skipped"


def test_a_ring_that_breaks_before_its_first_test_counts_as_one_failure(tree: Path) -> None:
    (tree / "tests" / "core" / "conftest.py").write_text("import nowhere\n")
    (tree / "tests" / "core" / "test_a.py").write_text("def test_good(): assert 1\n")
    ran = rings(tree, "core")
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


def test_a_folder_in_which_nothing_is_collected_is_no_failure(tree: Path) -> None:
    (tree / "tests" / "core" / "test_a.py").write_text("")
    ran = rings(tree, "core", "laws")
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[-1] == "0 passed, 0 failed, 0 skipped"


def test_an_unknown_ring_is_refused_with_the_names_there_are(tree: Path) -> None:
    ran = rings(tree, "cores")
    assert ran.returncode == 2
    assert ran.stderr == (
        "No such step: cores. There are: format, lint, types, house, core, laws, shells, stories, clients, chaos.\n"
    )


UNSTEADY = """
from pathlib import Path

def test_once():
    flag = Path(__file__).with_name("flag")
    there = flag.exists()
    flag.touch()
    assert there
"""


def test_a_test_of_processes_that_passes_only_when_run_again_is_told_as_unsteady(tree: Path) -> None:
    (tree / "tests" / "stories").mkdir()
    (tree / "tests" / "stories" / "test_a.py").write_text(UNSTEADY + "def test_good(): assert 1\n")
    ran = rings(tree, "stories")
    assert ran.returncode == 0, ran.stdout
    assert "2 passed, 0 failed, 0 skipped, 1 UNSTEADY: passed only when run again" in ran.stdout
    assert "FAILED tests/stories/test_a.py::test_once" in ran.stdout


def test_a_test_that_fails_twice_has_failed(tree: Path) -> None:
    (tree / "tests" / "stories").mkdir()
    (tree / "tests" / "stories" / "test_a.py").write_text("def test_good(): assert 1\ndef test_bad(): assert 0\n")
    ran = rings(tree, "stories")
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1] == "1 passed, 1 failed, 0 skipped"


def test_the_pure_core_has_one_try(tree: Path) -> None:
    (tree / "tests" / "core" / "test_a.py").write_text(UNSTEADY)
    ran = rings(tree, "core")
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"

# SPDX-License-Identifier: Apache-2.0
"""git-review 2.5.0's own functional tests, unmodified: over SSH, over HTTP, and with a push URL of its own.

`make test-clients` installs git-review beside the tests. The suite starts a Gerrit for each of its tests; where it
looks for one it finds gatebot (`stand_in_gerrit.py`). All run once, in git-review's environment; each is a test here,
so that one that has gone missing is noticed, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.clients.stand_in_gerrit import write_java
from tests.fakes.site import open_place

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "build" / "git-review" / "bin" / "python"
SECONDS = 5400
PARTS = 2
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(SECONDS + 60),
    pytest.mark.skipif(not PYTHON.exists(), reason="git-review is not installed: make test-clients installs it"),
]

# Those that gatebot cannot pass, with the reason.
CANNOT: dict[str, str] = {
    "PushUrlTestCase.config_pushinsteadof_honored": "git-review leaves it out itself: git does not rewrite push URLs",
}
EVERYWHERE = [
    "cloned_repo",
    "config_instead_of_honored",
    "config_pushinsteadof_honored",
    "detached_head",
    "git_review_F",
    "git_review_F_R",
    "git_review_F_norebase",
    "git_review_T",
    "git_review_T_t",
    "git_review_cc",
    "git_review_d",
    "git_review_l",
    "git_review_no_thin",
    "git_review_re",
    "git_review_s",
    "git_review_s_from_subdirectory",
    "git_review_s_in_detached_head",
    "git_review_s_with_core_hooks_path_option_absolute",
    "git_review_s_with_core_hooks_path_option_relative",
    "git_review_s_with_outdated_repo",
    "git_review_s_without_core_hooks_path_option",
    "git_review_t",
    "git_review_version",
    "ignore_uncommitted_submodule_changes",
    "ignore_unstaged_submodule_changes",
    "install_embedded_hook",
    "install_remote_hook",
    "keep_aborted_rebase_state",
    "multiple_changes",
    "need_rebase_no_upload",
    "no_rebase_check",
    "no_topic",
    "rebase_anyway",
    "rebase_no_remote_branch_msg",
    "rebase_uncommitted_changes_msg",
    "rebase_unstaged_changes_msg",
    "upload_without_rebase",
    "uploads_with_nondefault_rebase",
]
OF_CONFIGURATION = ["get_config_from_cli", "get_config_from_file", "get_config_from_gitconfig"]
WAYS = ("GitReviewTestCase", "HttpGitReviewTestCase", "PushUrlTestCase")
NAMES = [
    *(f"{case}.{name}" for case in WAYS for name in EVERYWHERE),
    *(f"ConfigTestCase.{name}" for name in OF_CONFIGURATION),
]  # fmt: skip


def run_part(directory: Path, part: int) -> list[dict[str, str]]:
    """Every so many-th test, in a directory of its own."""
    place = directory / str(part)
    (place / ".gerrit").mkdir(parents=True)
    (place / ".gerrit" / "gerrit-3.4.4.war").touch()
    write_java(place / "bin", str(Path(sys.executable).with_name("gatebot")))
    env = {**os.environ, "PATH": f"{place / 'bin'}:{PYTHON.parent}:{os.environ['PATH']}"}
    script = Path(__file__).with_name("git_review_suite.py")
    prepare = [str(PYTHON), "-m", "git_review.tests.prepare"]
    done = subprocess.run(prepare, capture_output=True, text=True, check=False, timeout=600, env=env, cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    command = [str(PYTHON), str(script), str(part), str(PARTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, env=env, cwd=place)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr
    return lines


@pytest.fixture(scope="module")
def results() -> dict[str, str]:
    """How each test ended: what went wrong, or nothing."""
    with open_place() as directory, ThreadPoolExecutor(PARTS) as running:
        found = list(running.map(lambda part: run_part(directory, part), range(PARTS)))
    return {line["test"]: line["wrong"] for lines in found for line in lines}


@pytest.mark.parametrize("name", NAMES)
def test_git_review(results: dict[str, str], name: str) -> None:
    if name in CANNOT:
        assert results[name], f"{name} passes now: take it from the list"
        pytest.skip(CANNOT[name])
    assert results.get(name, "it did not run") == ""


def test_every_test_of_git_review_is_known(results: dict[str, str]) -> None:
    assert sorted(results) == sorted(NAMES)

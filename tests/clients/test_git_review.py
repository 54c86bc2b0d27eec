# SPDX-License-Identifier: Apache-2.0
"""git-review 2.5.0's own functional tests over HTTP, unmodified, each against a gatebot of its own.

`make test-clients` installs git-review beside the tests. All of them run once, in git-review's environment; each is a
test here, so that one that has gone missing is noticed, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.site import open_place

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "build" / "git-review" / "bin" / "python"
SECONDS = 3600
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(SECONDS + 60),
    pytest.mark.skipif(not PYTHON.exists(), reason="git-review is not installed: make test-clients installs it"),
]

# Those of its 41 tests that gatebot cannot pass, with the reason.
CANNOT: dict[str, str] = {}
NAMES = [
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
    "get_config_from_cli",
    "get_config_from_file",
    "get_config_from_gitconfig",
]


@pytest.fixture(scope="module")
def results() -> dict[str, str]:
    """How each test ended: what went wrong, or nothing."""
    gatebot = Path(sys.executable).with_name("gatebot")
    env = {**os.environ, "PATH": f"{PYTHON.parent}:{os.environ['PATH']}"}
    script = Path(__file__).with_name("git_review_over_http.py")
    with open_place() as directory:
        command = [str(PYTHON), str(script), str(directory), str(gatebot)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, env=env)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr
    return {line["test"].removeprefix("test_"): line["wrong"] for line in lines}


@pytest.mark.parametrize("name", NAMES)
def test_git_review(results: dict[str, str], name: str) -> None:
    if name in CANNOT:
        assert results[name], f"{name} passes now: take it from the list"
        pytest.skip(CANNOT[name])
    assert results.get(name, "it did not run") == ""


def test_every_test_of_git_review_is_known(results: dict[str, str]) -> None:
    assert sorted(results) == sorted(NAMES)

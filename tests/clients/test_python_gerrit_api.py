# SPDX-License-Identifier: Apache-2.0
"""python-gerrit-api 3.1.0: its calls, one after the other, on a project and a change of their own.

`make test-clients` installs it beside the tests. Each call is a test here; those that gatebot does not answer are named
with their reason.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import StandIn

PYTHON = Path(__file__).resolve().parents[2] / "build" / "python-gerrit-api" / "bin" / "python"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PYTHON.exists(), reason="python-gerrit-api is not installed: make test-clients installs it"),
]

# What gatebot refuses, and why.
OF_GERRIT = "it is about how Gerrit itself works: its caches, indexes, tasks and plugins"
NOT_HERE = "there is no such thing here"
CANNOT: dict[str, str] = {
    **dict.fromkeys(
        ("config.check_consistency", "plugins.list", "branch.reflog",
         "change.index", "change.meta_diff"),
        OF_GERRIT,
    ),
    **dict.fromkeys(
        ("account.gpg_keys.list", "account.emails.create", "account.emails.set_preferred", "account.emails.delete",
         "project.webhooks", "edit.rebase", "revision.test_submit_type", "revision.submit_preview",
         "change.delete"),
        NOT_HERE,
    ),
    **dict.fromkeys(
        ("group.subgroup.add", "group.subgroup.get", "group.subgroup.remove"),
        "the client writes two slashes where there is one",
    ),
    "file.download": "the client reads an archive as text",
    "change.pure_revert": "as in Gerrit: the change reverts nothing",
    "change.rebase": "as in Gerrit: it stands on the tip already",
}  # fmt: skip


@pytest.fixture(scope="module")
def results(new_gerrit: StandIn) -> dict[str, str]:
    """What each call raised, or nothing."""
    script = Path(__file__).with_name("python_gerrit_api_calls.py")
    command = [str(PYTHON), str(script), new_gerrit.url, "admin", "secret"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0, done.stderr
    return {line["call"]: line["wrong"] for line in lines}


def test_calls_are_answered(results: dict[str, str]) -> None:
    wrong = {call: text for call, text in results.items() if text and call not in CANNOT}
    print("\n".join(f"{call}: {text}" for call, text in wrong.items()))
    assert list(wrong) == []


def test_what_is_not_answered_is_known(results: dict[str, str]) -> None:
    assert [call for call in CANNOT if not results.get(call)] == []

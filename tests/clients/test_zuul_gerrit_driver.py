# SPDX-License-Identifier: Apache-2.0
"""Zuul 14.3.0's own Gerrit driver, unmodified, on a gatebot: over REST, over SSH alone, and its stream of events.

`make test-clients` installs Zuul beside the tests.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import StandIn
from tests.fakes.git import WorkTree
from tests.fakes.rest_of_gerrit import call
from tests.fakes.ssh_desk import SshDesk

PYTHON = Path(__file__).resolve().parents[2] / "build" / "zuul" / "bin" / "python"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not PYTHON.exists(), reason="Zuul is not installed: make test-clients installs it"),
]
SECRET = "secret"


def proposed(gerrit: StandIn, place: Path, project: str) -> int:
    """A project whose one change everybody has approved but the gate."""
    call(gerrit.url, "PUT", f"projects/{project}", {"create_empty_commit": True, "branches": ["main"]})
    address = f"http://admin:{SECRET}@127.0.0.1:{gerrit.port}/a/{project}"
    work = WorkTree.clone(address, place / project, name="Admin", email="admin@example.com")
    work.put("a.txt", "a\n")
    work.commit(f"Add a\n\nChange-Id: I{project.encode().hex():0<40.40}\n")
    assert work.run("push", "origin", "HEAD:refs/for/main%topic=letters").returncode == 0
    (found,) = call(gerrit.url, "GET", f"changes/?q=project:{project}")
    call(gerrit.url, "POST", f"changes/{found['_number']}/revisions/current/review", {"labels": {"Code-Review": 2}})
    return int(found["_number"])


@pytest.mark.parametrize("password", [SECRET, ""], ids=["rest", "ssh"])
def test_zuul_reads_votes_submits_and_hears(new_gerrit: StandIn, tmp_path: Path, password: str) -> None:
    project = f"api-{'rest' if password else 'ssh'}"
    number = proposed(new_gerrit, tmp_path, project)
    desk = SshDesk.new("admin", tmp_path / "desk", new_gerrit.ssh_port)
    call(new_gerrit.url, "POST", "accounts/self/sshkeys", desk.public)
    script = Path(__file__).with_name("zuul_gerrit_driver.py")
    words = [new_gerrit.url, new_gerrit.ssh_port, "admin", password, desk.key, project, number]
    done = subprocess.run([str(PYTHON), str(script), *map(str, words)], capture_output=True, text=True, check=False,
                          timeout=240)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    change = told["change"]
    assert (change["project"], change["branch"], change["topic"], change["owner"]) == (
        project,
        "main",
        "letters",
        "admin",
    )
    assert (change["status"], change["open"], change["patchset"], change["current"]) == ("NEW", True, "1", True)
    assert change["ref"] == f"refs/changes/{number % 100:02d}/{number}/1"
    assert "a.txt" in change["files"]
    assert change["url"] == f"{new_gerrit.url}/c/{project}/+/{number}"
    assert change["approvals"] == ["Code-Review:2:admin"]
    assert change["missing"] == []
    assert change["can_merge"]
    assert told["refs"]["refs/heads/main"] == told["sha"] != ""
    assert told["open"] == [number]
    assert told["by_message"] == 0
    assert "Verified:1:admin" in told["voted"]["approvals"]
    heard = told["heard"]
    assert (heard["type"], heard["change"], heard["patchset"]) == ("comment-added", str(number), "1")
    assert (heard["ref"], heard["account"]["username"]) == (change["ref"], "admin")
    assert heard["approvals"] >= 1
    assert (told["merged"]["status"], told["merged"]["merged"]) == ("MERGED", True)
    assert told["new_sha"] != told["sha"]
    # Nothing is held back: the branch's move comes with the change's, whose new tip is the same.
    assert sorted(told["released"]) == ["change-merged", "ref-updated"]
    if password:
        assert told["version"] == [3, 13, 0]
        assert told["whole_topic"] is False

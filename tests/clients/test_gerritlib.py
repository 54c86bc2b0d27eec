# SPDX-License-Identifier: Apache-2.0
"""gerritlib, unmodified, on paramiko, as bots of OpenStack use it: `make test-clients` installs it beside the tests."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.irc import free_port
from tests.fakes.site import Builds, RunningSite, Template, begin
from tests.fakes.ssh_desk import SshDesk
from tests.stories.test_over_ssh import desk

PYTHON = Path(__file__).resolve().parents[2] / "build" / "gerritlib" / "bin" / "python"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="gerritlib is not installed: make test-clients installs it"),
]
PROGRAM = """
import json, sys
from gerritlib.gerrit import Gerrit
host, port, user, key = sys.argv[1:5]
gerrit = Gerrit(host, user, int(port), key)
"""


@pytest.fixture
def site(template: Template, tmp_path: Path, builds: Builds) -> Iterator[RunningSite]:
    """A site that is reached over SSH too."""
    with begin(template, tmp_path, builds, {"ssh.listen": f"127.0.0.1:{free_port()}"}) as running:
        yield running


def gerritlib(at: SshDesk, program: str) -> Any:
    """What a program that uses gerritlib prints as JSON."""
    line = [str(PYTHON), "-W", "ignore", "-c", PROGRAM + program, "127.0.0.1", str(at.port), at.name, str(at.key)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_gerritlib_administers_and_reviews(site: RunningSite) -> None:
    root = desk(site, "admin")
    change = site.person("ann").propose("api", "Add discounts", {"discount": "10\n"})
    told = gerritlib(
        root,
        f"""
gerrit.createGroup("bots", visible_to_all=True, owner="Administrators")
gerrit.addMember("bots", "ann")
gerrit.createProject("lib", require_change_id=True)
gerrit.review("api", "{change},1", "hello world", action={{"code-review": "2"}})
print(json.dumps({{
    "version": gerrit.getVersion(),
    "projects": gerrit.listProjects(),
    "groups": gerrit.listGroups(),
    "members": gerrit.listMembers("bots"),
    "plugins": gerrit.getPlugins(),
    "change": gerrit.query("change:{change}", commit_msg=True, comments=True),
}}))
""",
    )
    assert told["version"] == "3.13.0"
    assert {"api", "client", "lib"} <= set(told["projects"])
    assert "bots" in told["groups"]
    # gerritlib takes the end of the last line for one more member, here as with Gerrit.
    assert [one.get("username") for one in told["members"]] == ["ann", None]
    assert told["plugins"] == {}
    assert told["change"]["number"] == change
    assert any("hello world" in one["message"] for one in told["change"]["comments"])
    assert site.person("bob").votes(change, "Code-Review")["admin"] == 2


def test_gerritlib_hears_every_event_of_a_burst(site: RunningSite) -> None:
    change = site.person("ann").propose("api", "Add discounts", {"discount": "10\n"})
    said = gerritlib(
        desk(site, "admin"),
        f"""
import os, queue
gerrit.startWatching()
heard = []
while not any("first" in text for text in heard):
    gerrit.review("api", "{change},1", "first")  # until the watcher, which connects beside, is there
    try:
        heard.append(gerrit.event_queue.get(timeout=1).get("comment", ""))
    except queue.Empty:
        pass
for text in ("second", "third", "last"):
    gerrit.review("api", "{change},1", text)
while not any("last" in text for text in heard):
    heard.append(gerrit.event_queue.get(timeout=20).get("comment", ""))
print(json.dumps(heard))
sys.stdout.flush()
os._exit(0)
""",
    )
    assert [text.rpartition("\n")[2] for text in said][-3:] == ["second", "third", "last"]

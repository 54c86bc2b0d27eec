# SPDX-License-Identifier: Apache-2.0
"""Copies elsewhere: what merges here is soon there, what is hidden never is, and a remote that is away catches up."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatebot.app.places import SETTINGS
from tests.fakes.doors import Visitor
from tests.fakes.irc import free_port
from tests.fakes.site import Builds, RunningSite, Template, eventually


def bare(path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    return path


def refs(path: Path) -> dict[str, str]:
    """The references of a repository."""
    said = subprocess.run(
        ["git", "-C", str(path), "for-each-ref", "--format=%(refname) %(objectname)"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return dict(line.split() for line in said.splitlines())


@pytest.fixture
def site(template: Template, tmp_path: Path, builds: Builds) -> Iterator[RunningSite]:
    """A site with a remote that takes changes too, and one that is not there yet."""
    bare(tmp_path / "mirror" / "api.git")
    bare(tmp_path / "mirror" / "client.git")
    directory = template.copy(tmp_path / "site", free_port())
    with (directory / SETTINGS).open("a") as file:
        file.write(f'\n[replication.mirror]\nurl = "file://{tmp_path}/mirror/${{name}}.git"\nchanges = true\n')
        file.write('projects = ["api", "client"]\nmirror = true\n')
        file.write(f'[replication.late]\nurl = "{tmp_path}/late/${{name}}.git"\nprojects = ["api"]\n')
    with RunningSite(directory, dict(template.tokens), tmp_path / "homes", builds) as running:
        yield running


def health(site: RunningSite) -> str:
    return str(Visitor(site).get("/health", Accept="application/json").json["parts"]["replication"]["text"])


def test_what_is_pushed_and_merged_here_is_soon_there(site: RunningSite, builds: Builds, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror" / "api.git"
    ann, bob = site.person("ann"), site.person("bob")
    eventually(lambda: refs(mirror).get("refs/heads/main") == site.branch("api"))
    number = ann.propose("api", "Add a door", {"door": "open\n"})
    work = ann.clone("api", "private")
    work.commit("Add a secret", sesame="open\n")
    assert work.run("push", "origin", "HEAD:refs/for/main%private").returncode == 0
    bob.rest.call("POST", f"/changes/{number}/revisions/current/review", {"labels": {"Code-Review": 2, "Workflow": 1}})
    builds.finish("gate", number)
    eventually(lambda: site.file("api", "door"))
    eventually(lambda: refs(mirror).get("refs/heads/main") == site.branch("api"))
    eventually(lambda: "refs/changes/01/1/1" in refs(mirror))
    assert not [ref for ref in refs(mirror) if ref.startswith("refs/changes/02/")]


def test_a_remote_that_is_away_is_told_of_and_catches_up(site: RunningSite, tmp_path: Path) -> None:
    eventually(lambda: "late: 1 projects behind since" in health(site) and "the last push failed" in health(site))
    assert str(tmp_path) not in health(site), "where copies are kept is for who is signed in"
    late = bare(tmp_path / "late" / "api.git")
    eventually(lambda: refs(late).get("refs/heads/main") == site.branch("api"))
    eventually(lambda: "late: up to date, last pushed" in health(site))
    assert Visitor(site).get("/health").status == 200

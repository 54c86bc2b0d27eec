# SPDX-License-Identifier: Apache-2.0
"""Zuul's own command line, unmodified, against a site: `make test-clients` installs it beside the tests."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gatebot.pipeline.config.model import Location
from gatebot.pipeline.config.parse import parse_file
from gatebot.pipeline.config.secrets import ciphers
from tests.fakes.site import Builds, RunningSite

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = shutil.which("zuul-client", path=str(ROOT / "build" / "clients" / "bin")) or shutil.which("zuul-client")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="zuul-client is not installed: make test-clients installs it"),
]


def zuul(site: RunningSite, *words: str, who: str = "", form: str = "json", tenant: bool = True) -> str:
    """`zuul-client WORDS`; what it printed. Its exit code is 0."""
    assert PROGRAM is not None
    token = ["--auth-token", site.tokens[who]] if who else []
    more = ["--tenant", "main"] if tenant else []
    command = [PROGRAM, "--zuul-url", site.url, "--format", form, *token, words[0], *more, *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(site: RunningSite, who: str, *words: str) -> str:
    """What `zuul-client` says when the site refuses."""
    assert PROGRAM is not None
    command = [PROGRAM, "--zuul-url", site.url, "--auth-token", site.tokens[who], *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    return done.stderr


def test_changes_are_enqueued_dequeued_and_promoted(site: RunningSite, builds: Builds) -> None:
    builds.rule = lambda build: None
    ann = site.person("ann")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    first = builds.runs("check", change)
    asked = ("--pipeline", "check", "--project", "api", "--change", f"{change},1")
    zuul(site, "dequeue", *asked, who="bob")
    builds.called_off(first)
    zuul(site, "enqueue", *asked, who="bob")
    assert builds.runs("check", change).build != first.build
    zuul(site, "promote", "--pipeline", "check", "--changes", f"{change},1", who="bob")
    told = refused(site, "ann", "enqueue", "--tenant", "main", *asked)
    assert "403 NotPermitted: This needs the permission enqueue on refs/heads/main of api." in told


def test_builds_are_listed_and_shown(site: RunningSite) -> None:
    ann = site.person("ann")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    ann.hears(change, "Build succeeded.")
    (build,) = json.loads(zuul(site, "builds", "--change", str(change)))
    assert (build["job_name"], build["result"], build["ref"]["patchset"]) == ("unit", "SUCCESS", "1")
    shown = zuul(site, "build-info", "--uuid", build["uuid"], form="text")
    assert f"UUID: {build['uuid']}\n" in shown
    assert f"Change: {change},1\n" in shown
    assert f"Buildset ID: {build['buildset']['uuid']}\n" in shown
    assert "| unit |" in zuul(site, "builds", form="text")


def test_what_would_run_is_shown(site: RunningSite) -> None:
    at = ("--pipeline", "gate", "--project", "api", "--branch", "main")
    graph = json.loads(zuul(site, "job-graph", *at))
    assert [(job["name"], job["dependencies"]) for job in graph] == [("unit", []), ("noop", [])]
    assert '"unit";' in zuul(site, "job-graph", *at, form="dot")
    shown = zuul(site, "freeze-job", *at, "--job", "unit", form="text")
    assert "Job: unit\n" in shown
    assert "gatebot:api:ci/unit@main\n" in shown
    assert "UUID" in zuul(site, "node-list", form="text")


def test_a_value_is_encrypted_for_a_project_and_opens_here(site: RunningSite, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("line of a key\n" * 60)
    text = zuul(
        site, "encrypt", "--project", "api", "--secret-name", "deploy", "--field-name", "key", "--infile", str(plain)
    )
    (secret,) = parse_file(text.encode(), Location("api", "main", "zuul.yaml")).secrets
    ((kind, chunks),) = ciphers(dict(secret.data))
    assert (secret.name, kind, len(chunks)) == ("deploy", "pkcs1-oaep", 2)
    assert site.app.gate.keys.decrypt("api", kind, chunks).decode() == plain.read_text()


def test_nodes_are_held_and_let_go(site: RunningSite) -> None:
    assert "No autohold requests found" in zuul(site, "autohold-list")
    asked = ("--project", "api", "--job", "unit", "--reason", "look", "--count", "2", "--change", "7")
    zuul(site, "autohold", *asked, who="bob")
    (held,) = json.loads(zuul(site, "autohold-list"))
    assert (held["job"], held["max_count"], held["ref_filter"]) == ("unit", 2, "refs/changes/07/7/.*")
    assert "Reason: look\n" in zuul(site, "autohold-info", held["id"], form="text")
    zuul(site, "autohold-delete", held["id"], who="bob")
    assert "No autohold requests found" in zuul(site, "autohold-list")

# SPDX-License-Identifier: Apache-2.0
"""`gatebot config freeze` as people run it: a tenant file and a directory of checkouts, without a server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner, Result

from gatebot.cli import main
from tests.fakes.configuration import PIPELINES

TENANT = """
- tenant:
    name: main
    source:
      gerrit:
        config-projects: [site/config]
        untrusted-projects: [site/a, site/bare, site/missing]
"""
A = """
- job: {name: unit, run: ci/unit, timeout: 60, files: 'src/.*', required-projects: [git.example.org/site/bare]}
- job: {name: docs, run: ci/docs, files: 'docs/.*', voting: false}
- project: {check: {jobs: [unit, docs]}, gate: {jobs: [unit, nowhere]}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Plain directories, a clone with a second branch, and a bare repository."""
    (tmp_path / "tenant.yaml").write_text(dedent(TENANT))
    files = {"site/config/zuul.yaml": PIPELINES, "site/a/.zuul.yaml": A}
    for path, text in files.items():
        target = tmp_path / "repos" / path
        target.parent.mkdir(parents=True)
        target.write_text(text)
    work = tmp_path / "repos" / "site" / "bare"
    work.mkdir()
    git(work, "init", "--quiet", "--initial-branch=main")
    for branch, timeout in (("stable", 2), ("main", 1)):
        git(work, "checkout", "--quiet", "-B", branch)
        (work / "zuul.yaml").write_text(
            f"- job: {{name: git, run: x, timeout: {timeout}}}\n- project: {{check: {{jobs: [git]}}}}\n"
        )
        git(work, "add", ".")
        git(work, "commit", "--quiet", "--message=x")
    return tmp_path


def git(where: Path, *words: str) -> None:
    person = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *person, *words], cwd=where, check=True, capture_output=True)


def freeze(place: Path, project: str, *more: str) -> Result:
    places = ["--tenant-config", str(place / "tenant.yaml"), "--repos", str(place / "repos")]
    return CliRunner().invoke(main, ["config", "freeze", *places, "--project", project, *more])


def test_a_graph_is_shown_with_why_each_job_runs_or_does_not(place: Path) -> None:
    shown = freeze(place, "site/a", "--pipeline", "check", "--file", "src/a.py", "README")
    assert shown.output.splitlines() == [
        "1 job would run:",
        "  unit",
        "    why: src/a.py matches its `files`: src/.*",
        "    timeout: 60 s",
        "    parents: base",
        "    playbooks: site/a:ci/unit",
        "    projects: site/bare",
        "",
        "1 job would not:",
        "  docs: No changed file matches `files`.",
    ]
    assert shown.exit_code == 0


def test_as_json_it_has_every_attribute_and_the_errors_that_would_stop_a_change(place: Path) -> None:
    shown = freeze(place, "site/a", "--pipeline", "gate", "--file", "src/a.py", "--json")
    found = json.loads(shown.stdout)
    assert [(job["name"], job["voting"], job["timeout"], job["parents"]) for job in found["jobs"]] == [
        ("unit", True, 60, ["base"])
    ]
    assert found["jobs"][0]["required_projects"] == [{"name": "site/bare", "override_checkout": None}]
    assert found["jobs"][0]["playbooks"]["run"] == [
        {"project": "site/a", "branch": "master", "path": "ci/unit", "trusted": False, "secrets": []}
    ]
    assert [(error["path"], error["line"], error["error"]) for error in found["errors"]] == [
        (".zuul.yaml", 4, "There is no job nowhere. Define it, or correct the name.")
    ]
    assert shown.exit_code == 1


@pytest.mark.parametrize("branch, timeout", [("main", 1), ("stable", 2)])
def test_branches_are_read_from_git_where_there_is_git(place: Path, branch: str, timeout: int) -> None:
    def timeouts() -> list[int]:
        shown = freeze(place, "site/bare", "--pipeline", "check", "--branch", branch, "--json")
        return [job["timeout"] for job in json.loads(shown.stdout)["jobs"]]

    assert timeouts() == [timeout]
    work = place / "repos" / "site" / "bare"
    git(place, "clone", "--quiet", "--bare", str(work), str(place / "bare.git"))
    work.rename(place / "away")
    (place / "bare.git").rename(place / "repos" / "site" / "bare.git")
    assert timeouts() == [timeout]


@pytest.mark.parametrize(
    "words, said",
    [
        (["site/no", "--pipeline", "check"], "Project site/no is not in tenant main."),
        (["site/a", "--pipeline", "no"], "There is no pipeline no: check, gate."),
        (["site/a", "--pipeline", "check", "--tenant", "no"], "There is no tenant no"),
    ],
)
def test_what_is_not_there_is_said(place: Path, words: list[str], said: str) -> None:
    shown = freeze(place, *words)
    assert shown.exit_code
    assert said in " ".join((shown.output + str(shown.exception)).split())


def test_a_project_without_configuration_has_nothing_to_run(place: Path) -> None:
    shown = freeze(place, "site/missing", "--pipeline", "check")
    assert shown.output == "The project has no jobs in this pipeline on this branch.\n"


def test_a_change_of_a_config_project_is_tried_on_two_checkouts(place: Path) -> None:
    other = place / "with" / "site" / "config" / "zuul.yaml"
    other.parent.mkdir(parents=True)
    more = "- project-template: {name: t, check: {jobs: [linters]}}\n- job: {name: linters, run: x}\n"
    project = "- project: {name: site/bare, templates: [t], gate: {jobs: [linters]}}\n"
    other.write_text(PIPELINES.replace("run: base.yaml", "run: base.yaml, timeout: 7") + more + project)
    places = ["--tenant-config", str(place / "tenant.yaml"), "--repos", str(place / "repos")]
    shown = CliRunner().invoke(main, ["config", "try", *places, "--with", str(place / "with")])
    assert shown.output.splitlines() == [
        "site/a, check, master",
        "  ~ docs: timeout",
        "site/bare, check, main",
        "  + linters",
        "site/bare, check, stable",
        "  + linters",
        "site/bare, gate, main",
        "  + linters",
        "site/bare, gate, stable",
        "  + linters",
    ]
    assert shown.exit_code == 0
    other.write_text(PIPELINES.replace("{name: base, ", "{name: ground, "))
    shown = CliRunner().invoke(main, ["config", "try", *places, "--with", str(place / "with"), "--json"])
    lost = {(one["project"], error["error"]) for one in json.loads(shown.stdout) for error in one["errors"]}
    said = "Job %s inherits from base, which there is not. Define it, or correct the name."
    assert lost == {("site/a", said % "docs"), ("site/a", said % "unit"), ("site/bare", said % "git")}
    assert shown.exit_code == 1


def test_trying_needs_a_change_or_two_checkouts(place: Path) -> None:
    shown = CliRunner().invoke(main, ["config", "try", "--repos", str(place / "repos")])
    assert "Give the number of a change, or all of --tenant-config, --repos and --with." in shown.output
    assert shown.exit_code == 2

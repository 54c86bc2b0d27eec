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
        (
            ["far/no", "--pipeline", "check"],
            "Project far/no is not in tenant main. {place}/tenant.yaml says which are.",
        ),
        (["site/bar", "--pipeline", "check"], "is not in tenant main. Did you mean site/bare or site/a?"),
        (["site/a", "--pipeline", "no"], "There is no pipeline no: check, gate."),
        (["site/a", "--pipeline", "chek"], "There is no pipeline chek: check, gate. Did you mean check?"),
        (["site/a", "--pipeline", "check", "--tenant", "no"], "There is no tenant no"),
    ],
)
def test_what_is_not_there_is_said(place: Path, words: list[str], said: str) -> None:
    shown = freeze(place, *words)
    assert shown.exit_code == (1 if "--tenant" in words else 2)
    assert said.format(place=place) in " ".join((shown.output + str(shown.exception)).split())


def test_a_branch_that_is_not_there_is_noted_beside_the_graph(place: Path) -> None:
    shown = freeze(place, "site/bare", "--pipeline", "check", "--branch", "man", "--json")
    assert shown.stderr == "Note: site/bare has no branch man here; it has main, stable. Choose one with --branch.\n"
    assert json.loads(shown.stdout)["jobs"] == []
    assert shown.exit_code == 0


def test_without_the_config_projects_it_says_where_pipelines_come_from(place: Path) -> None:
    (place / "repos" / "site" / "config").rename(place / "away")
    shown = freeze(place, "site/a", "--pipeline", "check")
    said = f"They are read from the config projects (site/config); look for these in {place}/repos."
    assert said in " ".join(shown.output.split())
    assert shown.exit_code == 2


def test_a_repository_that_git_cannot_read_is_named(place: Path) -> None:
    broken = place / "repos" / "site" / "missing" / ".git"
    (broken / "objects").mkdir(parents=True)
    (broken / "HEAD").touch()
    shown = freeze(place, "site/a", "--pipeline", "check")
    assert shown.stderr == (
        f"gatebot: {broken} looks like a git repository and cannot be read as one. "
        "Clone it again, or copy its files without .git.\n"
    )
    assert shown.exit_code == 1


def test_what_a_stranger_wrote_cannot_steer_the_terminal(place: Path) -> None:
    text = '- job: {name: "red\\e[31m", run: x}\n- project: {check: {jobs: ["red\\e[31m"]}}\n'
    (place / "repos" / "site" / "a" / ".zuul.yaml").write_text(text)
    shown = freeze(place, "site/a", "--pipeline", "check", "--file", "x\x1b[2J")
    assert "  red\N{REPLACEMENT CHARACTER}[31m" in shown.output.splitlines()
    (place / "tenant.yaml").write_text("- \x1b[31m")
    shown = freeze(place, "site/a", "--pipeline", "check")
    assert "\x1b" not in shown.output
    assert shown.exit_code == 1


def test_the_nodes_of_a_job_are_shown_with_the_name_of_their_nodeset(place: Path) -> None:
    text = """
- nodeset: {name: pair, nodes: [{name: [a, b], label: small}], groups: [{name: all, nodes: [a]}]}
- nodeset: {name: either, alternatives: [pair, {nodes: [{name: a, label: big}]}]}
- job: {name: one, run: x, nodeset: pair}
- job: {name: two, run: x, nodeset: either}
- job: {name: three, run: x, nodeset: {nodes: [{name: a, label: big}]}}
- project: {check: {jobs: [one, two, three]}}
"""
    (place / "repos" / "site" / "a" / ".zuul.yaml").write_text(text)
    shown = freeze(place, "site/a", "--pipeline", "check", "--json")
    pair = {
        "name": "pair",
        "nodes": [{"name": ["a", "b"], "label": "small"}],
        "groups": [{"name": "all", "nodes": ["a"]}],
    }
    alone = {"name": None, "nodes": [{"name": ["a"], "label": "big"}], "groups": []}
    assert [job["nodeset"] for job in json.loads(shown.stdout)["jobs"]] == [
        {**pair, "alternatives": []},
        {**pair, "alternatives": [pair, alone]},
        {**alone, "alternatives": []},
    ]
    assert "    nodeset: pair\n    nodes: a b (small)\n" in freeze(place, "site/a", "--pipeline", "check").output


def test_a_project_without_configuration_has_nothing_to_run(place: Path) -> None:
    shown = freeze(place, "site/missing", "--pipeline", "check")
    assert shown.output == "The project has no jobs in this pipeline on this branch.\n"


def proposing(place: Path, project: str, path: str, text: str) -> list[str]:
    """What a change makes of a file."""
    file = place / "with" / project / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return ["--with", str(place / "with")]


def names(shown: Result) -> list[str]:
    return [job["name"] for job in json.loads(shown.stdout)["jobs"]]


def test_a_change_that_edits_configuration_runs_what_it_proposes_and_what_it_alters(place: Path) -> None:
    text = A.replace("timeout: 60", "timeout: 61").replace("[unit, docs]", "[unit, docs, fresh]")
    more = proposing(place, "site/a", ".zuul.yaml", text + "- job: {name: fresh, run: ci/fresh, files: 'x/.*'}\n")
    asked = ["--pipeline", "check", "--file", ".zuul.yaml", "--json"]
    assert names(freeze(place, "site/a", *asked)) == []
    shown = freeze(place, "site/a", *asked, *more)
    why = "This change alters its definition; its file matchers do not count."
    assert [(job["name"], job["timeout"], job["why"]) for job in json.loads(shown.stdout)["jobs"]] == [
        ("unit", 61, why),
        ("fresh", None, why),
    ]
    assert [one["name"] for one in json.loads(shown.stdout)["skipped"]] == ["docs"]
    assert shown.exit_code == 0


def test_what_a_change_alters_in_a_config_project_is_checked_and_not_used(place: Path) -> None:
    asked = ["--pipeline", "check", "--file", "src/a.py", "--json"]
    plain = freeze(place, "site/a", *asked)
    altered = PIPELINES.replace("run: base.yaml", "run: base.yaml, timeout: 7")
    more = proposing(place, "site/config", "zuul.yaml", altered)
    assert json.loads(freeze(place, "site/a", *asked, *more).stdout) == json.loads(plain.stdout)
    more = proposing(place, "site/config", "zuul.yaml", PIPELINES + "- job: {name: y, parent: nowhere}\n")
    shown = freeze(place, "site/a", *asked, *more)
    assert names(shown) == ["unit"]
    assert [error["error"] for error in json.loads(shown.stdout)["errors"]] == [
        "Job y inherits from nowhere, which there is not. Define it, or correct the name."
    ]
    assert shown.exit_code == 1


def test_a_change_that_breaks_its_configuration_is_told_every_new_error_and_no_old_one(place: Path) -> None:
    more = proposing(place, "site/a", ".zuul.yaml", A + "- job: {name: bad, timeout: soon}\n- jub: {name: worse}\n")
    shown = freeze(place, "site/a", "--pipeline", "check", "--file", "src/a.py", "--json", *more)
    told = {(error["path"], error["line"]) for error in json.loads(shown.stdout)["errors"]}
    assert told == {(".zuul.yaml", 5), (".zuul.yaml", 6)}
    assert shown.exit_code == 1


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
        "  ~ docs: timeout (- → 7)",
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

# SPDX-License-Identifier: Apache-2.0
"""Why a job runs or does not: every job of a graph has its reason, in words."""

from __future__ import annotations

import pytest

from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.layout import Layout
from gatebot.words import say
from tests.fakes.configuration import tenant_layout

JOBS = """
- job: {name: always, run: x}
- job: {name: code, run: x, files: ['src/.*', setup.py]}
- job: {name: notdocs, run: x, irrelevant-files: ['docs/.*', README]}
- job: {name: built, run: books/built.yaml, pre-run: books/pre.yaml, include-vars: vars/built.yaml, files: nothing}
- job: {name: needed, run: x, files: nothing}
- job: {name: needing, run: x, files: 'src/.*', dependencies: needed}
- job: {name: python, run: x, files: [{regex: 'docs/.*', negate: true}]}
- project: {check: {jobs: [always, code, notdocs, built, needed, needing, python]}}
"""


def why(files: list[str] | None, text: str = JOBS, before: str | None = None) -> dict[str, str]:
    """Of each job that runs, why, and of each other one, why not."""
    layout = tenant_layout({"a": text})
    previous: Layout | None = None if before is None else tenant_layout({"a": before})
    graph = freeze(layout, "check", "a", "main", files=files, previous=previous)
    assert graph.errors == ()
    assert set(graph.why) == {job.name for job in graph.jobs}
    return {name: say(reason) for name, reason in graph.why.items()} | {
        one.job: "no: " + say(one.reason) for one in graph.skipped
    }


@pytest.mark.zuul(112)
def test_each_job_says_which_file_called_for_it_or_that_none_did() -> None:
    assert why(["README", "src/a.py"]) == {
        "always": "It has neither `files` nor `irrelevant-files`, so every change runs it.",
        "code": "src/a.py matches its `files`: src/.*",
        "notdocs": "src/a.py matches none of its `irrelevant-files`.",
        "built": "no: No changed file matches `files`.",
        "needed": "Job needing runs and depends on it.",
        "needing": "src/a.py matches its `files`: src/.*",
        "python": "README matches its `files`: docs/.*",
    }


@pytest.mark.zuul(112)
def test_negated_and_irrelevant_matchers_leave_a_change_of_documents_alone() -> None:
    found = why(["docs/a", "docs/b"])
    assert [name for name, said in found.items() if not said.startswith("no: ")] == ["always"]
    assert found["notdocs"] == "no: Every changed file matches `irrelevant-files`."
    assert found["python"] == "no: No changed file matches `files`."


@pytest.mark.zuul(112)
@pytest.mark.parametrize("files", [None, [], ["/COMMIT_MSG"]])
def test_without_a_list_of_files_every_job_runs(files: list[str] | None) -> None:
    found = why(files)
    assert not [said for said in found.values() if said.startswith("no: ")]
    assert found["code"] == "Which files changed is not known, so its `files` and `irrelevant-files` say nothing."


@pytest.mark.zuul(112)
@pytest.mark.parametrize("path", ["books/built.yaml", "books/pre.yaml", "vars/built.yaml"])
def test_a_job_runs_when_the_change_alters_what_it_is_made_of(path: str) -> None:
    said = "This change alters %s, which it is made of; its file matchers do not count."
    assert why([path])["built"] == said % path
    kept = JOBS.replace(
        "files: nothing}\n- job: {name: needed", "files: nothing, match-on-config-updates: false}\n- job: {name: needed"
    )
    assert why([path], kept)["built"].startswith("no: ")


@pytest.mark.zuul(112)
@pytest.mark.parametrize(
    ("after", "runs"),
    [
        ("- job: {name: built, run: books/built.yaml, files: nothing, timeout: 5}", True),
        ("- job: {name: built, run: books/built.yaml, files: nothing, vars: {a: 1}}", True),
        ("- job: {name: built, run: books/built.yaml, files: nothing, voting: false}", True),
        ("- job: {name: built, run: books/built.yaml, files: other}", False),
        ("- job: {name: built, run: books/built.yaml, files: nothing, description: said}", False),
    ],
)
def test_a_job_runs_when_the_change_alters_its_definition_but_not_for_its_matchers_or_words(
    after: str, runs: bool
) -> None:
    project = "\n- project: {check: {jobs: [built]}}"
    before = "- job: {name: built, run: books/built.yaml, files: nothing}" + project
    found = why([".zuul.yaml"], after + project, before)
    assert found["built"] == (
        "This change alters its definition; its file matchers do not count."
        if runs
        else "no: No changed file matches `files`."
    )


@pytest.mark.zuul(112)
def test_a_job_that_is_new_or_whose_parent_changes_runs() -> None:
    project = "\n- project: {check: {jobs: [child]}}"
    child = "\n- job: {name: child, parent: above, files: nothing}"
    before = "- job: {name: above, run: x}" + child
    assert "child" in why(["zuul.yaml"], "- job: {name: above, run: x, timeout: 9}" + child + project, before + project)
    found = why(["zuul.yaml"], before + project, before)
    assert found["child"] == "This change alters its definition; its file matchers do not count."


def test_a_hard_dependency_that_is_not_listed_is_an_error_even_of_a_job_that_is_not_called_for() -> None:
    text = "- job: {name: code, run: x, files: src, dependencies: other}\n- job: {name: other, run: x}\n"
    layout = tenant_layout({"a": text + "- project: {check: {jobs: [code]}}\n"})
    graph = freeze(layout, "check", "a", "main", files=["docs"])
    assert [error.reason.kind for error in graph.errors] == ["config.dependency-not-run"]

# SPDX-License-Identifier: Apache-2.0
"""What a change may do to configuration: only the errors that it brings count, each on the line at fault."""

from __future__ import annotations

import pytest

from gatebot.change import FileComment
from gatebot.pipeline.broken import configuration_broken, remarks
from gatebot.pipeline.config.check import new_errors
from gatebot.pipeline.config.freeze import freeze, participates
from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.queue.model import ItemChange
from gatebot.words import say
from tests.fakes.configuration import tenant_layout

JOBS = """\
- job: {name: unit, run: x}
- job: {name: closed, run: x, final: true}
- job: {name: above, abstract: true, run: x}
- secret: {name: own, data: {a: b}}
- project: {check: {jobs: [unit]}}
"""
OTHER = """\
- job: {name: guarded, run: x, protected: true}
- secret: {name: theirs, data: {a: b}}
- project: {check: {jobs: [unit]}}
"""


def layout(mine: str = JOBS, other: str = OTHER) -> Layout:
    return tenant_layout({"a": mine, "b": other})


def brought(mine: str, other: str = OTHER, before: Layout | None = None) -> list[tuple[str, int, str]]:
    """The errors of a change: project, line, kind."""
    found = new_errors((before or layout()).errors, layout(mine, other).errors)
    return [(error.at.project, error.at.line, error.reason.kind) for error in found]


@pytest.mark.zuul(124)
@pytest.mark.parametrize(
    "stanza, kind",
    [
        ("- job: {name: new, run: [x}", "config.not-yaml"),
        ("- job: {name: new, run: x, run: y}", "config.duplicate-key"),
        ("- job: {name: new, ran: x}", "config.unknown-attribute-near"),
        ("- job: {name: new, run: x, timeout: soon}", "config.wrong-type"),
        ("- job: {name: new, run: x, timeout: 20000}", "config.timeout-too-long"),
        ("- job: {name: new, run: x, branches: '('}", "config.bad-regex"),
        ("- job: {name: new, parent: nowhere}", "config.unknown-parent"),
        ("- job: {name: new, parent: closed}", "config.final-parent"),
        ("- job: {name: new, parent: guarded}", "config.protected-parent"),
        ("- job: {name: new, parent: null, run: x}", "config.base-job-not-here"),
        ("- job: {name: new, run: x, nodeset: nowhere}", "config.unknown-nodeset"),
        ("- job: {name: new, run: x, secrets: nowhere}", "config.unknown-secret"),
        ("- job: {name: new, run: x, secrets: theirs}", "config.secret-elsewhere"),
        ("- job: {name: new, run: x, required-projects: nowhere}", "config.unknown-required-project"),
        ("- job: {name: new, run: x, allowed-projects: nowhere}", "config.unknown-project"),
        ("- job: {name: new, run: x, dependencies: nowhere}", "config.unknown-job"),
        ("- job: {name: guarded, run: x}", None),
        ("- project: {check: {jobs: [nowhere]}}", "config.unknown-job"),
        ("- project: {templates: [nowhere]}", "config.unknown-template"),
        ("- project: {name: b, check: {jobs: [unit]}}", "config.not-your-project"),
        ("- project: {name: nowhere, check: {jobs: [unit]}}", "config.unknown-project"),
        ("- pipeline: {name: own, manager: independent, trigger: {}}", "config.pipeline-not-here"),
        ("- nonsense: {name: new}", "config.unknown-object"),
        ("- nodeset: {name: new, nodes: [{name: n, label: l}, {name: n, label: l}]}", "config.duplicate-node"),
        ("- semaphore: {name: new, max: none}", "config.wrong-type"),
        ("- queue: {name: new, type: other}", "config.not-one-of"),
        ("- secret: {name: new}", "config.secret-without-data"),
    ],
)
def test_a_mistake_is_told_on_its_line_and_the_tenant_stays_as_it_is(stanza: str, kind: str | None) -> None:
    found = brought(JOBS + stanza + "\n")
    if kind is None:  # whoever is first in the tenant owns the name, so the other project is told
        assert found == [("b", 1, "config.defined-elsewhere")]
        return
    assert ("a", 6, kind) in found
    if kind != "config.not-yaml":  # then all jobs of the file are gone for the others, too
        assert {(project, line) for project, line, _ in found} == {("a", 6)}
    assert freeze(layout(), "check", "a", "main").errors == ()


@pytest.mark.zuul(124)
@pytest.mark.parametrize("job", ["above", "{closed: {timeout: 5}}", "{guarded: {timeout: 5}}"])
def test_what_may_not_be_listed_stops_the_item_that_lists_it(job: str) -> None:
    proposed = layout(JOBS.replace("jobs: [unit]", f"jobs: [{job}]"))
    graph = freeze(proposed, "check", "a", "main")
    assert [(error.at.project, error.at.line) for error in graph.errors] == [("a", 5)]


@pytest.mark.zuul(125)
def test_errors_that_were_there_block_nobody_even_on_another_line_and_may_be_mended() -> None:
    broken = layout(JOBS + "- job: {name: old, parent: nowhere}\n")
    assert [error.reason.kind for error in broken.errors] == ["config.unknown-parent"]
    moved = "# a comment\n" + JOBS + "- job: {name: old, parent: nowhere}\n"
    assert brought(moved, before=broken) == []
    assert brought(JOBS, before=broken) == []
    worse = moved + "- job: {name: more, parent: nowhere}\n"
    assert brought(worse, before=broken) == [("a", 8, "config.unknown-parent")]


@pytest.mark.zuul(125)
def test_what_a_change_breaks_in_another_repository_is_told_with_that_place() -> None:
    without = JOBS.replace("name: unit", "name: units").replace("jobs: [unit]", "jobs: [units]")
    assert brought(without) == [("b", 3, "config.unknown-job")]
    before, after = layout(), layout(without)
    why = configuration_broken(new_errors(before.errors, after.errors))
    assert say(why) == (
        "The configuration that this change would run with cannot be used (errors: 1). "
        "b zuul.yaml:3: There is no job unit. Define it, or correct the name."
    )
    assert remarks(why, change("zuul.yaml"), say) == ()


@pytest.mark.zuul(124, 125)
def test_errors_in_files_of_the_change_become_remarks_on_their_lines() -> None:
    text = JOBS + "- job: {name: new, parent: nowhere}\n- job: {name: newer, ran: x}\n"
    why = configuration_broken(new_errors(layout().errors, layout(text).errors))
    assert [(one.path, one.line, one.level) for one in remarks(why, change("zuul.yaml"), say)] == [
        ("zuul.yaml", 7, "error"),
        ("zuul.yaml", 6, "error"),
    ]
    assert FileComment(
        "zuul.yaml", 6, "Job new inherits from nowhere, which there is not. Define it, or correct the name.", "error"
    ) in remarks(why, change("zuul.yaml"), say)
    assert remarks(why, change("README"), say) == ()
    assert remarks(None, change("zuul.yaml"), say) == ()


def change(*files: str) -> ItemChange:
    return ItemChange(1, 1, "a", "main", "c" * 40, files=files)


@pytest.mark.zuul(126)
def test_a_change_that_adds_its_project_to_a_pipeline_brings_those_behind_it_in() -> None:
    before, after = layout(), layout(JOBS + "- project: {gate: {jobs: [unit]}}\n")
    assert not participates(before, "gate", "a", "main")
    assert participates(after, "gate", "a", "main")
    assert [job.name for job in freeze(after, "gate", "a", "main", previous=before).jobs] == ["unit"]


@pytest.mark.zuul(127)
def test_a_project_cannot_swap_the_jobs_of_a_config_project_for_others() -> None:
    for text in ("- job: {name: base, run: nothing}\n", "- job: {name: noop, run: nothing}\n"):
        found = brought(JOBS + text)
        assert [(project, line) for project, line, _ in found] == [("a", 6)]
        assert {kind for *_, kind in found} <= {"config.defined-elsewhere", "config.noop"}

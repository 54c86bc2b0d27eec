# SPDX-License-Identifier: Apache-2.0
"""A job with a matrix: the ordinary jobs that it stands for, their names and nodes, and what can be wrong with it."""

from __future__ import annotations

import pytest

from gatebot.assignment import FrozenJob, JobDependency
from gatebot.pipeline.config.freeze import freeze
from gatebot.pipeline.config.layout import Layout
from gatebot.words import say
from tests.fakes.configuration import tenant_layout

UNIT = """\
- job:
    name: unit
    run: unit
    timeout: 60
    matrix: {arch: [x86_64, aarch64], python: ["3.11", "3.13"]}
    exclude: [{arch: arm64, python: "3.13"}]
    arch-policy:
      arm64: {voting: false, execution: any, timeout: 900}
"""


def made(text: str) -> Layout:
    return tenant_layout({"b": "", "a": text})


def jobs(text: str) -> dict[str, FrozenJob]:
    """What a change of project `a` runs."""
    layout = made(text)
    assert [say(error.reason) for error in layout.errors] == []
    graph = freeze(layout, "check", "a", "main")
    assert [say(error.reason) for error in graph.errors] == []
    return {job.name: job for job in graph.jobs}


def test_whoever_lists_it_lists_a_job_for_each_combination() -> None:
    found = jobs(UNIT + "- project: {check: {jobs: [unit]}}\n")
    assert list(found) == ["unit-x86_64-py3.11", "unit-x86_64-py3.13", "unit-arm64-py3.11"]
    arm = found["unit-arm64-py3.11"]
    assert (arm.voting, arm.timeout, dict(arm.vars)) == (False, 900, {"arch": "arm64", "python": "3.11"})
    assert [(node.label, node.arch, node.execution) for node in arm.nodes] == [("small", "arm64", "any")]
    native = found["unit-x86_64-py3.11"]
    assert (native.voting, native.timeout, native.nodes[0].arch) == (True, 60, "x86_64")
    assert native.parents[-1] == "unit"


def test_one_of_them_can_be_listed_alone_or_be_given_something_of_its_own() -> None:
    found = jobs(UNIT + "- project: {check: {jobs: [unit: {attempts: 1}, unit-x86_64-py3.13: {voting: false}]}}\n")
    assert {name: job.voting for name, job in found.items()} == {
        "unit-x86_64-py3.11": True, "unit-x86_64-py3.13": False, "unit-arm64-py3.11": False,
    }  # fmt: skip
    assert {job.attempts for job in found.values()} == {1}
    assert list(jobs(UNIT + "- project: {check: {jobs: [unit-arm64-py3.11]}}\n")) == ["unit-arm64-py3.11"]


def test_who_depends_on_it_depends_on_all_of_them() -> None:
    text = UNIT + "- job: {name: wheel, run: w, dependencies: [unit]}\n- project: {check: {jobs: [unit, wheel]}}\n"
    assert jobs(text)["wheel"].dependencies == (
        JobDependency("unit-x86_64-py3.11"), JobDependency("unit-x86_64-py3.13"), JobDependency("unit-arm64-py3.11"),
    )  # fmt: skip


def test_a_template_that_lists_it_lists_all_of_them_too() -> None:
    text = UNIT + "- project-template: {name: t, check: {jobs: [unit]}}\n- project: {templates: [t]}\n"
    assert len(jobs(text)) == 3


def test_the_nodes_of_its_nodeset_become_those_of_the_architecture() -> None:
    nodeset = "- nodeset: {name: two, nodes: [{name: a, label: small}, {name: b, label: debian, arch: x86_64}]}\n"
    text = "- job: {name: unit, run: u, nodeset: two, matrix: {arch: [arm64]}}\n- project: {check: {jobs: [unit]}}\n"
    nodes = jobs(nodeset + text)["unit-arm64"].nodes
    assert [(node.names, node.arch) for node in nodes] == [(("a",), "arm64"), (("b",), "x86_64")]


def test_a_job_says_by_itself_what_its_nodes_are() -> None:
    found = jobs("- job: {name: x, run: u, arch: amd64, execution: native}\n- project: {check: {jobs: [x]}}\n")["x"]
    assert [(node.label, node.arch, node.execution) for node in found.nodes] == [("small", "x86_64", "native")]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("matrix: {arch: []}", "The matrix makes 0 jobs; 1 to 128 are possible."),
        ("matrix: {arch: [z80]}", "There is no architecture z80. Write one of: x86_64, arm64"),
        ("matrix: {a: ['x y']}", "The value x y of a cannot be part of a job's name."),
        ("exclude: [{arch: arm64}]", "`exclude` is about a matrix, and this job has none."),
        ("matrix: {a: [x]}, exclude: [{b: x}]", "No combination of the matrix is b: x."),
        ("matrix: {arch: [arm64]}, arch-policy: {s390x: {}}", "The matrix has no architecture s390x."),
        ("matrix: {arch: [arm64]}, arch-policy: {arm64: {vote: 1}}", "vote"),
        ("arch: z80", "There is no architecture z80."),
        (
            f"matrix: {{a: {list(range(12))}, b: {list(range(12))}}}",
            "The matrix makes 144 jobs; 1 to 128 are possible.",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_line_and_nothing_runs(wrong: str, sentence: str) -> None:
    layout = made(f"- job: {{name: x, run: u, {wrong}}}\n- project: {{check: {{jobs: [x]}}}}\n")
    assert any(sentence in say(error.reason) for error in layout.errors), [say(e.reason) for e in layout.errors]
    assert freeze(layout, "check", "a", "main").jobs == ()

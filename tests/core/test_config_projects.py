# SPDX-License-Identifier: Apache-2.0
"""Projects, queues, semaphores, secrets and parameters; and what a tenant allows of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatebot.assignment import Json
from gatebot.pipeline.config.build import build
from gatebot.pipeline.config.collect import listing
from gatebot.pipeline.config.freeze import freeze, participates
from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.config.model import Pattern, QueueConfig, QueueKey, QueueType
from gatebot.pipeline.config.parameters import refusals, values
from gatebot.words import say
from tests.fakes.configuration import PIPELINES, tenant_layout


def sentences(layout: Layout) -> list[str]:
    return [f"{error.at.line} {say(error.reason)}" for error in layout.errors]


def with_project(layout: Layout, name: str, **changes: object) -> Layout:
    """The same tenant with other options of one project."""
    projects = tuple(replace(one, **changes) if one.name == name else one for one in layout.tenant.projects)
    return build(replace(layout.tenant, projects=projects), layout.sources)


def test_the_first_stanza_that_says_them_decides_queue_merge_mode_and_default_branch() -> None:
    layout = tenant_layout(
        {
            "config": """
            - project: {name: ^a$, queue: late, merge-mode: rebase, default-branch: late}
            - project: {name: a, templates: [t]}
            - project-template: {name: t, queue: first}
            - project: {name: a, queue: second, merge-mode: cherry-pick, default-branch: trunk}
            """,
            "a": "",
        }
    )
    assert layout.errors == ()
    assert layout.queue("a", "main")[0] == QueueKey("first")
    assert (layout.merge_mode("a"), layout.default_branch("a")) == ("cherry-pick", "trunk")


@pytest.mark.parametrize(
    "mode, submit_type, fits",
    [
        ("merge-resolve", "MERGE_IF_NECESSARY", True),
        ("merge-ort", "MERGE_ALWAYS", True),
        ("cherry-pick", "CHERRY_PICK", True),
        ("rebase-first-parent", "REBASE_ALWAYS", True),
        ("squash-merge", "MERGE_IF_NECESSARY", False),
        ("cherry-pick", "MERGE_IF_NECESSARY", False),
        ("cherry-pick", "", True),
    ],
)
def test_the_merge_mode_is_checked_against_the_submit_type_where_it_is_known(
    mode: str, submit_type: str, fits: bool
) -> None:
    layout = tenant_layout({"a": f"- project:\n    merge-mode: {mode}\n"}, submit_types={"a": submit_type})
    told = [error.at.line for error in layout.errors if error.reason.kind == "config.merge-mode"]
    assert told == ([] if fits else [2])


def test_a_queue_may_let_changes_need_each_other() -> None:
    text = "- queue: {name: q, allow-circular-dependencies: true, dependencies-by-topic: true, type: branch-assigned}\n"
    layout = tenant_layout({"config": text})
    assert layout.queues["q"] == QueueConfig("q", QueueType.BRANCH_ASSIGNED, True, True)
    assert sentences(tenant_layout({"a": "- queue: {name: q, dependencies-by-topic: true}\n"})) == [
        "1 `dependencies-by-topic` needs `allow-circular-dependencies: true`. Add it."
    ]


def test_a_global_semaphore_of_the_tenant_is_not_defined_again() -> None:
    layout = tenant_layout({"a": "- semaphore: {name: s, max: 9}\n"}, global_semaphores={"s": 2})
    assert sentences(layout) == [
        "1 Semaphore s is a global one of this tenant, which counts. Remove this one, or choose another name."
    ]
    assert layout.semaphores == {}


def test_tokens_are_checked_and_stop_the_jobs_that_would_use_what_the_tenant_does_not_allow() -> None:
    text = """\
    - secret: {name: s, oidc: {ttl: 20000, iss: 'https://x', algorithm: ES256, claims: {a: b}}}
    - secret: {name: t, oidc: }
    - job: {name: x, run: r, secrets: t}
    - job: {name: y, run: r, secrets: s}
    - project: {gate: {jobs: [x]}, post: {jobs: [y]}}
    """
    layout = tenant_layout({"a": text}, PIPELINES.replace("name: check", "name: post\n    post-review: true"))
    assert layout.secrets["s"].oidc == {"ttl": 20000, "iss": "https://x", "algorithm": "ES256", "claims": {"a": "b"}}
    wrong = [
        "The token of secret s lives 20000 seconds; this tenant allows 10800. Lower `ttl`.",
        "Secret s is a token signed otherwise than by RS256, which is what this site has. Remove `algorithm`.",
        "Secret s names issuer https://x, which this tenant does not allow. Remove `iss`, or add the issuer to"
        " `allowed-oidc-issuers` in the tenant file.",
    ]
    assert sentences(layout) == [*(f"1 {told}" for told in wrong), *(f"4 {told}" for told in wrong)]
    assert freeze(layout, "gate", "a", "main").errors == ()
    assert [say(error.reason) for error in freeze(layout, "post", "a", "main").errors] == wrong


PARAMETERS = """
- project:
    manual:
      parameters:
        - {name: version, type: string, default: '1'}
        - {name: target, type: selection, values: [test, live], required: true}
        - {name: parts, type: multiple-selection, values: [a, b, 3], default: [a]}
        - {name: dry, type: bool, description: Only look.}
      jobs: [{x: {vars: {late: listed}}}]
    vars: {version: project, early: project}
- job: {name: x, run: r, vars: {dry: job}}
"""
MANUAL = PIPELINES + "- pipeline: {name: manual, manager: independent, allow-parameters: true}\n"


def test_parameters_stand_between_the_variables_of_the_project_and_of_the_job() -> None:
    layout = tenant_layout({"a": PARAMETERS}, MANUAL)
    assert layout.errors == ()
    given: dict[str, Json] = {"target": "live", "version": "2", "dry": True, "parts": ["b", 3], "other": 1}
    (job,) = freeze(layout, "manual", "a", "main", parameters=given).jobs
    assert job.vars == {
        **{"version": "2", "target": "live", "parts": ["b", 3], "dry": "job"},
        **{"early": "project", "late": "listed"},
    }
    (job,) = freeze(layout, "manual", "a", "main", parameters={"target": "mars"}).jobs
    assert job.vars == {"version": "1", "parts": ["a"], "dry": "job", "early": "project", "late": "listed"}


def test_a_person_is_told_which_parameters_are_wrong_and_what_to_give() -> None:
    declared = listing(tenant_layout({"a": PARAMETERS}, MANUAL), "manual", "a", "main").parameters.values()
    given: dict[str, Json] = {"version": True, "parts": ["c"], "dry": "yes", "who": 1}
    assert [say(why) for why in refusals(declared, given)] == [
        "Parameter version is `True`, which is no string. Give another value.",
        "Parameter parts is `c`. Use of: a, b, 3.",
        "Parameter dry is `yes`, which is no bool. Give another value.",
        "There is no parameter who here. Use one of: version, target, parts, dry.",
        "Parameter target must be given. Add it.",
    ]
    assert list(refusals(declared, {"target": "test"})) == []
    assert values(declared, {"target": "test"}) == {"version": "1", "target": "test", "parts": ["a"]}


@pytest.mark.parametrize(
    "parameter, sentence",
    [
        ("{name: p, type: selection}",
         "Parameter p is a selection and has nothing to select from. Add `values`."),
        ("{name: p, type: selection, values: [a], default: b}", "Parameter p is `b`. Use of: a."),
        ("{name: p, type: number}", "`project.check.parameters.type` is `number`. It must be one of: string, selection,"
         " multiple-selection, bool."),
        ("{name: p, type: bool}",
         "Pipeline check takes no parameters. Remove them, or give the pipeline `allow-parameters: true`."),
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_is_told_and_stops_the_projects_items(parameter: str, sentence: str) -> None:
    layout = tenant_layout({"a": f"- project: {{check: {{parameters: {parameter}, jobs: [base]}}}}\n"})
    assert sentences(layout) == [f"1 {sentence}"]
    assert freeze(layout, "check", "a", "main").errors != ()


def test_a_project_configures_another_where_the_tenant_says_so() -> None:
    text = "- project: {name: b, check: {jobs: [base]}}\n"
    layout = tenant_layout({"a": text, "b": ""})
    assert len(layout.errors) == 1
    allowed = with_project(layout, "a", configures=(Pattern("b"),))
    assert allowed.errors == ()
    assert [job.name for job in freeze(allowed, "check", "b", "main").jobs] == ["base"]


def test_a_dynamic_branch_counts_for_itself_alone() -> None:
    text = "- job: {name: %s, run: r}\n- project: {check: {jobs: [%s]}}\n"
    layout = tenant_layout({"a@main": text % ("x", "x"), "a@dev/1": text % ("y", "y")})
    dynamic = with_project(layout, "a", dynamic_branches=(Pattern("dev/.*"),))
    assert [job.name for job in freeze(dynamic, "check", "a", "dev/1").jobs] == ["y"]
    assert [job.name for job in freeze(dynamic, "check", "a", "main").jobs] == ["x"]
    without = replace(dynamic.sources, files={key: f for key, f in dynamic.sources.files.items() if key[1] == "main"})
    assert not participates(build(dynamic.tenant, without), "check", "a", "dev/1")


def test_node_labels_that_the_tenant_does_not_allow_stop_the_jobs_that_ask_for_them() -> None:
    text = """\
    - nodeset: {name: big, alternatives: [{nodes: [{name: n, label: small}]}, {nodes: [{name: n, label: huge}]}]}
    - job: {name: x, run: r, nodeset: big}
    - job: {name: y, run: r, nodeset: {nodes: [{name: n, label: huge}]}}
    - job: {name: z, run: r, nodeset: {nodes: [{name: n, label: small}]}}
    - project: {check: {jobs: [x, y, z]}}
    """
    why = "This tenant does not allow node label huge. Use another, or allow it in the tenant file."
    layout = tenant_layout({"a": text}, allowed_labels=(Pattern("small"),))
    assert sentences(layout) == [f"3 {why}", f"1 {why}"]
    assert [say(error.reason) for error in freeze(layout, "check", "a", "main").errors] == [why, why]
    assert [error.at.line for error in freeze(layout, "check", "a", "main").errors] == [1, 3]
    assert sentences(tenant_layout({"a": text}, disallowed_labels=(Pattern("huge"),))) == [f"3 {why}", f"1 {why}"]


def test_without_nodepool_every_label_must_be_known() -> None:
    text = "- job: {name: x, run: r, nodeset: {nodes: [{name: n, label: small}]}}\n"
    assert sentences(tenant_layout({"a": text}, use_nodepool=False)) == [
        "1 There is no node label small. Define it as a `label`, or in the settings, or correct the name."
    ]
    assert tenant_layout({"a": text}, use_nodepool=False, site_labels=frozenset({"small"})).errors == ()

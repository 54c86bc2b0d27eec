# SPDX-License-Identifier: Apache-2.0
"""What people read about mistakes in their configuration: all at once, each at its line, with the fix."""

from __future__ import annotations

from textwrap import dedent

import pytest

from gatebot.pipeline.config.check import check, new_errors, told
from gatebot.pipeline.config.freeze import freeze
from gatebot.words import say
from tests.fakes.configuration import tenant_layout

KNOWN = "elasticsearch, gatebot, gerrit, git, github, gitlab, mqtt, pagure, smtp, timer, zuul"


def complaints(text: str, *, trusted: bool = False) -> list[str]:
    found = check({"zuul.yaml": dedent(text).encode()}, trusted=trusted, project="demo")
    return [f"{error.at.line} {error.stanza}: {say(error.reason)}" for error in found]


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    assert complaints(
        """\
        - job:
            name: unit
            timeuot: 600
            voting: maybe
            run: [tests.yaml]
            attempts: 0
        - job:
            run: a.yaml
        - jbo:
            name: x
        - project:
            check:
              jobs:
                - unit:
                    files: (
        """
    ) == [
        "3 job unit: `timeuot` is not an attribute of `job`. Did you mean `timeout`?",
        "4 job unit: `job.voting` must be bool, not `maybe`.",
        "6 job unit: `job.attempts` is 0. It must be at least 1.",
        "8 job: `job` needs `name`. Add it.",
        "9 jbo: `jbo` is not an object of the configuration. Use one of: pragma, pipeline, nodeset, secret, job,"
        " semaphore, queue, project-template, project, image, flavor, label, section, provider.",
        "15 project demo: `job.files`: `(` is not a regular expression of RE2: missing ): (.",
    ]


@pytest.mark.parametrize(
    "text, expected",
    [
        (
            "- job: {name: a, branches: '^a(?!b)'}",
            "1 job a: `job.branches`: `^a(?!b)` is not a regular expression of RE2: invalid perl operator: (?!. RE2"
            " cannot look ahead or behind; to exclude, write `{regex: ..., negate: true}`.",
        ),
        (
            "- job: {name: a, vars: {zuul: 1}}",
            "1 job a: `job.vars`: the variable `zuul` belongs to the system. Choose another name.",
        ),
        (
            "- job: {name: a, vars: {a-b: 1}}",
            "1 job a: `job.vars`: `a-b` cannot be the name of a variable. Use letters, digits and underscores,"
            " beginning with a letter.",
        ),
        (
            "- job: {name: a, ansible-version: 2.9}",
            "1 job a: `ansible-version`: there is no Ansible 2.9. Write one of 9, 11, as in Zuul, or leave it out: jobs"
            " run with the Ansible of this site.",
        ),
        ("- job: {name: a, post-review: false}", "1 job a: `post-review` cannot be taken back. Remove the line."),
        (
            "- job: {name: a, intermediate: true}",
            "1 job a: An intermediate job must be abstract too. Add `abstract: true`.",
        ),
        (
            "- job: {name: a, timeout: 10, pre-timeout: 20}",
            "1 job a: `pre-timeout` 20 is within `timeout` and cannot be more than its 10. Lower it.",
        ),
        (
            "- job: {name: a, timeout: 20000}",
            "1 job a: `timeout` 20000 is more than the 10800 seconds that this tenant allows. Lower it.",
        ),
        (
            "- job: {name: a, parent: null}",
            "1 job a: Project demo may not define a job without a parent. Name a `parent`, or move the job to a config"
            " project.",
        ),
        (
            "- job: {name: a, run: !override [x]}",
            "1 job a: `!override` and `!inherit` mean nothing for `job.run`. Remove the tag.",
        ),
        (
            "- nodeset: {name: n, nodes: [{name: a, label: l}, {name: a, label: l}]}",
            "1 nodeset n: The nodeset has two nodes named a. Rename one.",
        ),
        (
            "- nodeset: {name: n, nodes: [], groups: [{name: g, nodes: [a]}]}",
            "1 nodeset n: Group g names node a, which the nodeset does not have. Add the node or remove the name.",
        ),
        (
            "- queue: {name: q, type: per-branch, per-branch: true}",
            "1 queue q: `type` and `per-branch` say the same thing. Keep `type`.",
        ),
        (
            "- pipeline: {name: p, manager: independent, trigger: {}}",
            "1 pipeline p: Pipeline p cannot be defined here: only config projects define pipelines. Move it there.",
        ),
        ("- job: {name: noop}", "1 job noop: `noop` is built in and cannot be defined. Choose another name."),
        (
            "name: a",
            "1 : A configuration file is a list of objects. Begin each with `- job:`, `- project:` or the like.",
        ),
        ("- project: {name: other}", None),
        ("- job: {name: a, failure-url: x, success-url: y}", None),
    ],
)
def test_each_mistake_says_what_and_what_next(text: str, expected: str | None) -> None:
    assert complaints(text) == ([expected] if expected else [])


@pytest.mark.zuul(28)
def test_a_pipeline_is_checked_down_to_its_connections() -> None:
    assert complaints(
        """\
        - pipeline:
            name: gate
            manager: dependend
            trigger: {}
        - pipeline:
            name: check
            manager: independent
            window-floor: 5
            window-ceiling: 4
            trigger:
              gerrit:
                - event: patchset-create
              bitbucket: []
            require:
              timer: {}
            success:
              gerrit: {Verified: one}
              sms: {to: a@b.c}
        """,
        trusted=True,
    ) == [
        "3 pipeline gate: `pipeline.manager` is `dependend`. It must be one of: independent, dependent, serial,"
        " supercedent.",
        "9 pipeline check: `window-ceiling` 4 is less than `window-floor` 5. Raise the ceiling or lower the floor.",
        "12 pipeline check: `pipeline.trigger.gerrit.event` is `patchset-create`. It must be one of: patchset-created,"
        " comment-added, change-abandoned, change-restored, change-merged, ref-updated, vote-deleted, hashtags-changed,"
        " wip-state-changed, topic-changed, reviewer-added, draft-published, pending-check.",
        f"13 pipeline check: There is no connection `bitbucket`. Use one of: {KNOWN}.",
        "15 pipeline check: Connection `timer` cannot stand below `pipeline.require`. Remove it.",
        "17 pipeline check: `pipeline.success.gerrit.Verified` must be int, not `one`.",
        f"18 pipeline check: There is no connection `sms`. Use one of: {KNOWN}.",
    ]


def test_the_terminal_shows_the_place_the_sentence_and_the_lines() -> None:
    errors = check({".zuul.yaml": b"- job:\n    name: a\n    timeout: long\n    run: x\n"}, project="demo")
    assert told(errors, say) == (
        ".zuul.yaml:3: `job.timeout` must be int >= 0, not `long`.\n"
        "    2 |     name: a\n"
        "  > 3 |     timeout: long\n"
        "    4 |     run: x"
    )


def test_a_duplicate_key_drops_only_its_own_object() -> None:
    layout = tenant_layout(
        {"a": "- job:\n    name: x\n    run: 1.yaml\n    run: 2.yaml\n- job: {name: y, run: 3.yaml}\n"}
    )
    assert [say(error.reason) for error in layout.errors] == [
        "`run` stands here a second time; the first is on line 3. Remove one."
    ]
    assert set(layout.jobs) == {"base", "y"}


def test_references_that_lead_nowhere_are_told_at_the_line_that_names_them() -> None:
    layout = tenant_layout(
        {
            "a": """\
            - job:
                name: x
                parent: nobody
                nodeset: nowhere
                dependencies:
                  - y
            - job:
                name: z
                required-projects:
                  - base
                  - elsewhere
            - project:
                templates: [none]
                check:
                  jobs:
                    - z
            """,
            "b": "- job: {name: x}\n",
        }
    )
    assert [f"{error.at.project}:{error.at.line} {say(error.reason)}" for error in layout.errors] == [
        "a:10 The job requires project base, which is not in this tenant. Correct the name, or add the project to the"
        " tenant.",
        "a:11 The job requires project elsewhere, which is not in this tenant. Correct the name, or add the project to"
        " the tenant.",
        "b:1 A job named x is defined in project a already. Choose another name.",
        "a:3 Job x inherits from nobody, which there is not. Define it, or correct the name.",
        "a:4 There is no nodeset nowhere. Define it, or correct the name.",
        "a:6 There is no job y. Define it, or correct the name.",
        "a:13 There is no project template none. Define it, or correct the name.",
    ]


def test_a_pipeline_that_gatebot_cannot_run_is_refused_and_not_run_otherwise() -> None:
    assert complaints("- pipeline: {name: p, manager: dependent, speculation: proofs}\n", trusted=True) == [
        "1 pipeline p: `pipeline.speculation` is `proofs`, which gatebot does not act on; it acts on: classic. What has"
        " it is not run. Change it.",
    ]


def test_a_change_is_blamed_only_for_errors_that_it_brings() -> None:
    before = tenant_layout({"a": "- job: {name: x, parent: nobody}\n"})
    after = tenant_layout(
        {"a": "# a new first line\n- job: {name: x, parent: nobody}\n- job: {name: y, parent: none}\n"}
    )
    assert [say(error.reason) for error in new_errors(before.errors, after.errors)] == [
        "Job y inherits from none, which there is not. Define it, or correct the name."
    ]


def test_the_shown_lines_of_an_item_that_cannot_run_are_those_of_its_list() -> None:
    layout = tenant_layout(
        {"a": "- job: {name: x, abstract: true, run: x.yaml}\n- project:\n    check:\n      jobs:\n        - x\n"}
    )
    (error,) = freeze(layout, "check", "a", "main").errors
    assert (error.at.line, say(error.reason)) == (
        5,
        "Job x is abstract: it is only there to inherit from. List a job that inherits from it.",
    )


def test_every_sentence_has_a_korean_one() -> None:
    from gatebot.words import catalogue

    kinds = [str(message.id) for message in catalogue("en") if str(message.id).startswith("config.")]
    assert len(kinds) > 70
    assert [kind for kind in kinds if not catalogue("ko").get(kind)] == []


@pytest.mark.zuul(28)
def test_a_window_whose_ceiling_is_below_its_floor_is_told_to_its_author() -> None:
    assert complaints(
        """\
        - pipeline:
            name: gate
            manager: dependent
            window-floor: 5
            window-ceiling: 4
            trigger: {}
        """,
        trusted=True,
    ) == ["5 pipeline gate: `window-ceiling` 4 is less than `window-floor` 5. Raise the ceiling or lower the floor."]

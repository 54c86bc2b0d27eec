# SPDX-License-Identifier: Apache-2.0
"""Pipelines: what brings items in, what they must be, who is told; and connections that gatebot does not serve."""

from __future__ import annotations

from textwrap import dedent

import pytest

from gatebot.pipeline.config.gating import gated
from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.config.model import (
    Approval,
    ChangeFilter,
    Manager,
    Moment,
    Pattern,
    PipelineConfig,
    Precedence,
    Reporter,
    Step,
    TimerTrigger,
    Window,
    ZuulTrigger,
)
from gatebot.words import say
from tests.fakes.configuration import tenant_layout


def layout(text: str, **tenant: object) -> Layout:
    return tenant_layout({}, dedent(text), **tenant)


def pipeline(text: str) -> PipelineConfig:
    made = layout(f"- pipeline:\n    name: p\n    manager: independent\n{text}")
    assert made.errors == ()
    return made.pipelines["p"]


def sentences(made: Layout) -> list[str]:
    return [f"{error.at.line} {say(error.reason)}" for error in made.errors]


@pytest.mark.parametrize("manager", list(Manager))
def test_there_are_four_managers(manager: Manager) -> None:
    assert layout(f"- pipeline: {{name: p, manager: {manager}}}\n").pipelines["p"].manager is manager


def test_every_attribute_has_zuuls_default() -> None:
    bare = pipeline("")
    assert (bare.window, bare.precedence, bare.post_review) == (Window(20, 3, None), Precedence.NORMAL, False)
    assert (bare.dequeue_on_new_patchset, bare.ignore_dependencies, bare.disable_after) == (True, False, None)
    assert (bare.allow_other_connections, bare.allow_parameters, bare.merges) == (True, False, False)
    assert (bare.messages["success"], bare.messages["dequeue"]) == ("Build succeeded.", "Build canceled.")


def test_every_attribute_is_kept() -> None:
    made = pipeline("""\
    description: text
    precedence: high
    post-review: true
    dequeue-on-new-patchset: false
    ignore-dependencies: true
    allow-other-connections: false
    allow-parameters: true
    disable-after-consecutive-failures: 5
    window: 0
    window-floor: 2
    window-ceiling: 9
    window-increase-type: exponential
    window-increase-factor: 3
    window-decrease-type: linear
    window-decrease-factor: 4
    success-message: good
    footer-message: the end
    supercedes: p
    success: {gatebot: {Verified: 2, submit: true, comment: false, notify: OWNER}}
    failure: {gatebot: {Verified: -2}}
    disabled: {gatebot: }
""")
    assert made.window == Window(0, 2, 9, Step.EXPONENTIAL, 3, Step.LINEAR, 4)
    assert (made.precedence, made.post_review, made.dequeue_on_new_patchset) == (Precedence.HIGH, True, False)
    assert (made.ignore_dependencies, made.allow_other_connections, made.allow_parameters) == (True, False, True)
    assert (made.disable_after, made.supercedes, made.description) == (5, ("p",), "text")
    assert (made.messages["success"], made.messages["footer"]) == ("good", "the end")
    assert made.reporters[Moment.SUCCESS] == (
        Reporter("gatebot", (("Verified", 2),), submit=True, comment=False, notify="OWNER"),
    )
    assert made.reporters[Moment.CONFIG_ERROR] == made.reporters[Moment.FAILURE] != ()
    assert made.reporters[Moment.DISABLED] == (Reporter("gatebot"),)


def test_a_trigger_of_gerrit_has_all_of_its_filters_under_new_and_old_names() -> None:
    (made,) = pipeline("""\
    trigger:
      gerrit:
        event: [comment-added, ref-updated]
        branch: ^stable/
        ref: {regex: ^refs/tags/, negate: true}
        ignore-deletes: false
        approval: [{Workflow: 1}, {Verified: -1}]
        approval-change: {Workflow: 1}
        comment_filter: recheck
        username_filter: [zuul]
        email: "@example.org"
        added: done
        removed: wip
        require: {open: true}
        require-approval: {username: core, older-than: 2d, Code-Review: [1, 2]}
        reject-approval: {Code-Review: -2}
        debug: true
""").triggers
    assert (made.branches, made.refs) == ((Pattern("^stable/"),), (Pattern("^refs/tags/", negate=True),))
    assert (made.comments, made.usernames) == ((Pattern("recheck"),), (Pattern("zuul"),))
    assert (made.approvals, made.approval_changes) == ((("Workflow", 1), ("Verified", -1)), (("Workflow", 1),))
    assert (made.hashtags_added, made.hashtags_removed, made.ignore_deletes) == (
        (Pattern("done"),),
        (Pattern("wip"),),
        False,
    )
    asked = Approval((("Code-Review", (1, 2)),), username=Pattern("core"), older_than=2 * 86400)
    assert made.require == ChangeFilter("gerrit", open=True, approvals=(asked,))
    assert made.reject == ChangeFilter("gerrit", approvals=(Approval((("Code-Review", (-2,)),)),))


def test_a_pipeline_may_start_by_the_clock_and_by_what_happens_in_another() -> None:
    made = pipeline("""\
    trigger:
      timer:
        - time: "0 2 * * *"
        - {time: "*/5 0-6 1,15 jan-mar mon 30 600", dereference: true}
      zuul:
        - event: [project-change-merged, image-build]
        - {event: parent-change-enqueued, pipeline: ^gate}
    success: {zuul: {image-built: true}}
    failure: {zuul: {image-validated: false}}
""")
    assert made.timers == (
        TimerTrigger("0 2 * * *"),
        TimerTrigger("*/5 0-6 1,15 jan-mar mon 30 600", dereference=True),
    )
    assert made.zuul_triggers == (
        ZuulTrigger(("project-change-merged", "image-build")),
        ZuulTrigger(("parent-change-enqueued",), (Pattern("^gate"),)),
    )
    assert made.reporters[Moment.SUCCESS] == (Reporter("zuul", comment=False, image_built=True),)
    assert made.reporters[Moment.FAILURE] == (Reporter("zuul", comment=False, image_validated=False),)


@pytest.mark.parametrize(
    "time, sentence",
    [
        ("0 2 * *", "A time is `minute hour day month weekday`, perhaps with seconds and seconds of jitter behind: five"
         " to seven parts, not 4. Add what is missing."),
        ("60 2 * * *", "The minute of the time is `60`. Use `*`, numbers from 0 to 59, ranges (`1-5`) and steps"
         " (`*/2`), with commas between them."),
        ("0 2 * * 7", "The weekday of the time is `7`. Use `*`, numbers from 0 to 6, ranges (`1-5`) and steps (`*/2`),"
         " with commas between them."),
        ("0 5-2 * * *", "The hour of the time is `5-2`. Use `*`, numbers from 0 to 23, ranges (`1-5`) and steps"
         " (`*/2`), with commas between them."),
        ("0 2 * * * 0 soon", "The jitter of the time is `soon`. Use a number of seconds."),
    ],
)  # fmt: skip
def test_a_time_that_never_comes_is_said_where_it_is_written(time: str, sentence: str) -> None:
    made = layout(
        f"- pipeline:\n    name: p\n    manager: independent\n    trigger:\n      timer:\n        - time: '{time}'\n"
    )
    assert sentences(made) == [f"6 {sentence}"]
    assert made.pipelines == {}


def test_what_stands_below_a_service_that_gatebot_is_not_connected_to_is_checked_and_left_out() -> None:
    made = layout("""\
    - pipeline:
        name: p
        manager: independent
        trigger:
          gatebot: [{event: patchset-created}, {event: pending-check, uuid: u}]
          github: [{event: pull_request, action: opened}]
        require:
          gitlab: {approved: true}
        success:
          gatebot: {Verified: 1}
          smtp: {to: a@b.c}
          mqtt: {topic: t}
    - pipeline:
        name: q
        manager: independent
        trigger:
          github: [{event: pull}]
        success:
          smtp: {too: a@b.c}
    """)
    told = sentences(made)
    assert [line.partition(" ")[0] for line in told] == ["5", "6", "8", "11", "12", "17", "19", "17", "19"]
    assert told[5:7] == [
        "17 `pipeline.trigger.github.event` is `pull`. It must be one of: pull_request, pull_request_review, push,"
        " check_run.",
        "19 `too` is not an attribute of `pipeline.success.smtp`. Did you mean `to`?",
    ]
    kept = made.pipelines["p"]
    assert [[event.regex for event in one.events] for one in kept.triggers] == [["patchset-created"]]
    assert (kept.require, [one.connection for one in kept.reporters[Moment.SUCCESS]]) == ((), ["gatebot"])
    assert "q" not in made.pipelines
    assert say(made.errors[1].reason) == (
        "`pipeline.trigger.github`: gatebot takes changes from its own review server and from Gerrit, not from github."
        " This part is left out, the rest of the pipeline is used. Remove it, or move the reviews of those projects."
    )


def test_a_pipeline_supercedes_only_pipelines_that_are_there() -> None:
    made = layout("- pipeline:\n    name: p\n    manager: independent\n    supercedes: [p, gone]\n")
    assert sentences(made) == ["4 Pipeline p supercedes gone, which there is not. Correct the name, or remove it."]


def test_a_tenant_may_limit_the_connections_of_its_pipelines() -> None:
    text = """\
    - pipeline:
        name: p
        manager: independent
        trigger:
          timer: [{time: 0 2 * * *}]
        success:
          gatebot: {}
    """
    assert sentences(layout(text, allowed_triggers=("gatebot",), allowed_reporters=())) == [
        "5 This tenant does not allow connection `timer` as a trigger. Use one of: gatebot; or add it to the tenant"
        " file.",
        "7 This tenant does not allow connection `gatebot` as a reporter. Use one of: -; or add it to the tenant file.",
    ]
    assert layout(text, allowed_triggers=("timer",), allowed_reporters=("gatebot",)).errors == ()


@pytest.mark.parametrize(
    ("config", "closed", "shut"),
    [
        ("- pipeline: {name: gate, manager: dependent}\n", True, True),
        ("- pipeline: {name: gate, manager: dependant}\n", True, True),
        ("- pipeline: {name: gate, manager: dependant}\n", False, False),
        ("- pipeline: {name: gate, manager: dependent\n", True, True),
        ("- pipeline: {name: gate, manager: independent}\n", True, False),
        ("- pipeline: {name: other, manager: dependant}\n", True, False),
        ("- job: {name: base, parent: null, run: r, typo: 1}\n", True, False),
    ],
)
def test_a_gate_that_is_written_wrongly_leaves_its_branches_shut(config: str, closed: bool, shut: bool) -> None:
    listed = {"a": "- project: {gate: {jobs: [noop]}}\n", "b": "- job: {name: x, run: r}\n"}
    made = tenant_layout(listed, config, fail_closed=closed)
    assert gated(made, "a", "main") is shut
    assert gated(made, "b", "main") is (shut and "dependent\n" in config)

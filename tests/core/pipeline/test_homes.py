# SPDX-License-Identifier: Apache-2.0
"""What of a pipeline concerns a change, by the review server that it is at."""

from __future__ import annotations

from gatebot.pipeline.config.build import build
from gatebot.pipeline.config.layout import Layout, Sources
from gatebot.pipeline.config.model import Location, Moment
from gatebot.pipeline.config.parse import parse_file
from gatebot.pipeline.config.tables_connections import BUILT_IN
from gatebot.pipeline.config.tenant import Tenant, TenantProject
from gatebot.pipeline.homes import concerning, home, stranger
from gatebot.words import say

PIPELINES = """
- pipeline:
    name: check
    manager: independent
    trigger:
      gerrit: [{event: patchset-created}]
      hub: [{event: comment-added}]
      timer: [{time: "0 3 * * *"}]
    require:
      gatebot: {open: true}
      hub: {approval: [{Code-Review: 2}]}
    reject: {hub: {wip: true}}
    success: {review: {Verified: 1}, hub: {Verified: 2}}
- pipeline:
    name: only-here
    manager: independent
    allow-other-connections: false
    trigger: {review: [{event: patchset-created}]}
- pipeline: {name: only-there, manager: independent, allow-other-connections: false, reject: {hub: {wip: true}}}
- pipeline:
    name: nowhere
    manager: independent
    allow-other-connections: false
    trigger: {timer: [{time: "0 3 * * *"}]}
"""
# One project is at this site, under a name of its own in the tenant file; one at another Gerrit.
PROJECTS = (
    TenantProject("config", trusted=True, connection="review"),
    TenantProject("api", connection="review"),
    TenantProject("far", connection="hub"),
)


def layout(others: frozenset[str] = frozenset({"hub"})) -> Layout:
    connections = {**BUILT_IN, "review": "gerrit", "hub": "gerrit"}
    tenant = Tenant("main", PROJECTS, connections=connections, others=others)
    files = (parse_file(PIPELINES.encode(), Location("config", "main", "zuul.yaml"), connections),)
    branches = {one.name: ("main",) for one in PROJECTS}
    return build(tenant, Sources(branches, {("config", "main"): files}))


def test_only_the_names_of_other_gerrits_mean_another_place() -> None:
    assert [home(layout(), name) for name in ("config", "api", "far", "unknown")] == ["", "", "hub", ""]
    assert home(layout(frozenset()), "far") == ""


def test_triggers_requirements_and_reporters_of_a_connection_speak_of_its_own_changes() -> None:
    check = layout().pipelines["check"]
    here, there = (concerning(layout(), check, name) for name in ("api", "far"))
    assert [one.connection for one in here.triggers] == ["gerrit"]
    assert [one.connection for one in there.triggers] == ["hub"]
    assert ([one.open for one in here.require], here.reject) == ([True], ())
    assert ([one.open for one in there.require], [one.wip for one in there.reject]) == ([None], [True])
    assert [one.votes for one in here.reporters[Moment.SUCCESS]] == [(("Verified", 1),)]
    assert [one.votes for one in there.reporters[Moment.SUCCESS]] == [(("Verified", 2),)]
    assert here.timers == there.timers == check.timers


def test_where_no_connection_leads_elsewhere_all_of_a_pipeline_concerns_everybody() -> None:
    one = layout(frozenset())
    assert concerning(one, one.pipelines["check"], "far") is one.pipelines["check"]


def test_a_pipeline_without_other_connections_takes_what_is_at_those_that_it_names() -> None:
    made = layout()

    def taken(pipeline: str) -> list[bool]:
        return [stranger(made, made.pipelines[pipeline], name) is None for name in ("api", "far")]

    assert {name: taken(name) for name in made.pipelines} == {
        "check": [True, True],
        "only-here": [True, False],
        "only-there": [False, True],
        "nowhere": [False, False],
    }
    why = stranger(made, made.pipelines["only-here"], "far")
    assert why is not None
    assert say(why) == (
        "far is at the connection hub, and the pipeline only-here takes only what is at review "
        "(`allow-other-connections: false`). To let it in, name hub below `trigger`, `require` or a reporter of the "
        "pipeline, or allow other connections."
    )

# SPDX-License-Identifier: Apache-2.0
"""Pipelines of a site with projects here and at another Gerrit: whose changes enter, and what is asked of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.events import BranchMoved, EnqueueRequested
from tests.fakes.pipeline_house import PROJECT, PipelineHouse
from tests.fakes.review_house import SITE

PIPELINES = """
- pipeline:
    name: check
    manager: independent
    allow-other-connections: %s
    trigger: {gatebot: [{event: patchset-created}, {event: comment-added, comment: (?im)^recheck}], %s}
    require: {hub: {approval: [{Code-Review: 2}]}}
    success: {gatebot: {Verified: 1}}
    failure: {gatebot: {Verified: -1}}
- pipeline:
    name: post
    manager: independent
    allow-other-connections: false
    trigger: {gatebot: [{event: ref-updated}]}
- job: {name: base, parent: null, run: run.sh}
- job: {name: unit}
- queue: {name: shared}
- pipeline: {name: gate, manager: independent}
"""
HUB = "hub: [{event: patchset-created}, {event: comment-added, comment: (?im)^recheck}]"
LISTED = PROJECT + "    post: {jobs: [unit]}\n"


@pytest.fixture
async def house(room_url: str, tmp_path: Path) -> AsyncIterator[PipelineHouse]:
    """`api` is at home here, `client` at the connection `hub`."""
    made = await asyncio.to_thread(PipelineHouse, room_url, tmp_path / "git")
    projects = tuple(
        replace(one, connection="hub" if one.name == "client" else "gatebot") for one in made.tenant.projects
    )
    connections = {**made.tenant.connections, "hub": "gerrit"}
    made.tenant = replace(made.tenant, projects=projects, connections=connections, others=frozenset({"hub"}))
    async with made:
        for project in ("api", "client"):
            made.commit_to(project, {".zuul.yaml": LISTED})
        yield made


async def configure(house: PipelineHouse, *, others: bool, hub: bool) -> None:
    text = PIPELINES % ("true" if others else "false", HUB if hub else "timer: []")
    house.commit_to("gatebot-config", {"zuul.yaml": text})
    await asyncio.to_thread(house.layouts.refresh)


async def test_what_a_connection_requires_is_asked_of_its_own_changes(house: PipelineHouse) -> None:
    await configure(house, others=True, hub=True)
    near, far = house.push("api", {"a.txt": "a\n"}, "Add a"), house.push("client", {"b.txt": "b\n"}, "Add b")
    await house.settle()
    assert house.running == {"check": [near.number]}
    await house.say(far, votes={"Code-Review": 2})
    await house.say(far, "recheck")
    await house.settle()
    assert house.running == {"check": [near.number, far.number]}
    await house.say(near, votes={"Code-Review": -2})
    await house.say(far, votes={"Code-Review": 0})
    await house.settle()
    assert house.running == {"check": [near.number]}


async def test_triggers_and_reporters_of_a_connection_are_about_its_own_changes(house: PipelineHouse) -> None:
    await configure(house, others=True, hub=False)
    far = house.push("client", {"b.txt": "b\n"}, "Add b")
    await house.settle()
    assert house.running == {}
    house.append(EnqueueRequested(far.number, "check", 1))
    await house.settle()
    await house.passes(far.number)
    assert not any("Build succeeded" in text for text in house.said(far.number))


async def test_a_pipeline_may_take_only_what_is_at_the_connections_that_it_names(house: PipelineHouse) -> None:
    text = PIPELINES % ("false", "timer: []")
    house.commit_to("gatebot-config", {"zuul.yaml": text.replace("    require: {hub", "    # require: {hub")})
    await asyncio.to_thread(house.layouts.refresh)
    far = house.push("client", {"b.txt": "b\n"}, "Add b")
    house.append(EnqueueRequested(far.number, "check", 1))
    near = house.push("api", {"a.txt": "a\n"}, "Add a", body=f"Depends-On: {SITE}c/client/+/{far.number}\n")
    free = house.push("api", {"c.txt": "c\n"}, "Add c")
    await house.settle()
    # Neither what is elsewhere, though somebody asked by name, nor what would stand on it.
    assert house.running == {"check": [free.number]}
    assert "client is at the connection hub, and the pipeline check takes only what is at gatebot" in house.said(1)[-1]
    house.append(EnqueueRequested(near.number, "check", 1))
    await house.settle()
    assert "takes only what is at gatebot" in house.said(near.number)[-1]


async def test_branches_of_other_connections_stay_out_too(house: PipelineHouse) -> None:
    await configure(house, others=True, hub=True)
    for project in ("api", "client"):
        old = house.review.tip(project)
        new = house.commit_to(project, {"a.txt": "a\n"})
        house.append(BranchMoved(project, "main", old, new, "push", account=1))
    await house.settle()
    assert [(build.pipeline, build.project) for build in house.dispatch.running.values()] == [("post", "api")]

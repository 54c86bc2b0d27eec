# SPDX-License-Identifier: Apache-2.0
"""Semaphores as people see them: who holds each, who waits, and what other tenants hold of those that are shared."""

from __future__ import annotations

from datetime import UTC, datetime

from gatebot.pipeline.config.model import Manager
from gatebot.pipeline.queue.model import Build, Item, ItemChange, PlannedJob, Policy, Preparation, Queue
from gatebot.pipeline.tenants.semaphores import semaphores

NOW = datetime(2026, 1, 5, tzinfo=UTC)
HEAVY = PlannedJob("heavy", "d", semaphores=("stage",))


def queue(tenant: str, **builds: Build) -> Queue:
    """One queue with an item for each name; of a build each, or of none."""
    items = {
        name: Item(
            name,
            NOW,
            changes=(ItemChange(number, 1, "api", "main", "c"),),
            prepared=Preparation({}, {}, jobs=(HEAVY,)),
            builds={"heavy": builds[name]} if builds[name].id else {},
        )
        for number, name in enumerate(builds, 1)
    }
    owners = {build.id: name for name, build in builds.items() if build.id and not build.result}
    return Queue(f"{tenant}/q", tenant, "check", "q", Policy(Manager.INDEPENDENT), 0, items=items, owners=owners)


def test_a_running_job_holds_and_one_that_is_not_begun_waits() -> None:
    mine = queue("main", one=Build("b1", "heavy"), two=Build("", "heavy"), three=Build("b3", "heavy", result="SUCCESS"))
    (stage,) = semaphores("main", {"stage": 2}, {}, [mine])
    assert (stage.max, stage.held, stage.shared) == (2, 1, False)
    assert [(one.build, one.changes) for one in stage.holders] == [("b1", (1,))]
    assert [(one.build, one.changes) for one in stage.waiting] == [("", (2,))]


def test_a_playbooks_semaphore_is_held_while_it_runs_and_waited_for_before() -> None:
    mine = queue("main", one=Build("b1", "heavy", holds=("net",)), two=Build("b2", "heavy", wants=("net",)))
    net, stage = semaphores("main", {"stage": 2}, {}, [mine])
    assert ([one.build for one in net.holders], [one.build for one in net.waiting]) == (["b1"], ["b2"])
    assert [one.build for one in stage.holders] == ["b1", "b2"]


def test_of_a_shared_one_the_other_tenants_holders_are_only_counted() -> None:
    queues = [queue("main", one=Build("b1", "heavy")), queue("other", one=Build("b9", "heavy"))]
    (stage,) = semaphores("main", {}, {"stage": 3}, queues)
    assert (stage.shared, stage.held, stage.elsewhere, len(stage.holders)) == (True, 2, 1, 1)
    (own,) = semaphores("main", {"stage": 3}, {}, queues)
    assert (own.held, own.elsewhere) == (1, 0)

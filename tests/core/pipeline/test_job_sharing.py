# SPDX-License-Identifier: Apache-2.0
"""Jobs of changes that go together: what runs once for all of them, and what each has for itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gatebot.assignment import FrozenJob, JobDependency, RequiredProject
from gatebot.events import BuildCompleted, Event
from gatebot.pipeline.queue import facts
from gatebot.pipeline.queue.model import Outcome, PlannedJob
from gatebot.pipeline.queue.sharing import plan_jobs
from gatebot.pipeline.returning import parents
from tests.fakes.gate import Change
from tests.fakes.jobs import JobsGate

pytestmark = pytest.mark.zuul(73)

SHARED = (RequiredProject("api"), RequiredProject("client"))


@dataclass
class Together(JobsGate):
    """A gate in which changes 1 of `api` and 2 of `client` (or others) are one item, each with its frozen jobs."""

    graphs: dict[int, tuple[FrozenJob, ...]] = field(default_factory=dict)

    def _prepare(self, asked: facts.PrepareAsked) -> list[Event]:
        item = self.queue.items[asked.item]
        planned = plan_jobs(item, [self.graphs[number] for number in item.numbers])
        return [
            replace(told, jobs=planned) if isinstance(told, facts.Prepared) else told
            for told in super()._prepare(asked)
        ]

    def jobs(self) -> list[str]:
        """What runs now, by key."""
        return sorted(build.job for build in self.running.values())

    def end(self, key: str, result: str = "SUCCESS", *, retry: bool = False) -> None:
        build = next(one for one in self.running.values() if one.job == key)
        if retry:
            self.running.pop(build.build)
            self.happen(BuildCompleted(build.build, build.fence, "", retry=True))
        else:
            self.finish(build, result)
        self.settle()


def frozen(name: str, *needs: str, **options: Any) -> FrozenJob:
    return FrozenJob(name, f"d-{name}", dependencies=tuple(JobDependency(need) for need in needs), **options)


def together(*graphs: tuple[FrozenJob, ...], projects: tuple[str, ...] = ("api", "client")) -> Together:
    q = Together(graphs=dict(enumerate(graphs, 1)))
    q.happen(q.enqueued(*(Change(number, project) for number, project in enumerate(projects, 1))))
    q.settle()
    return q


@pytest.mark.parametrize(
    ("deduplicate", "required", "projects", "runs"),
    [
        (None, SHARED, ("api", "client"), ["unit"]),
        (None, (), ("api", "client"), ["unit#1", "unit#2"]),
        (None, (), ("api", "api"), ["unit"]),
        (True, (), ("api", "client"), ["unit"]),
        (False, SHARED, ("api", "client"), ["unit#1", "unit#2"]),
        (False, (), ("api", "api"), ["unit#1", "unit#2"]),
    ],
)
def test_the_same_job_of_two_changes_runs_once_where_the_setting_says_so(
    deduplicate: bool | None, required: tuple[RequiredProject, ...], projects: tuple[str, ...], runs: list[str]
) -> None:
    job = frozen("unit", deduplicate=deduplicate, required_projects=required)
    q = together((job,), (job,), projects=projects)
    assert q.jobs() == runs
    for key in runs:
        q.end(key)
    assert sorted(q.merged) == [1, 2]


def test_jobs_of_one_name_that_differ_run_for_each_change() -> None:
    q = together((frozen("unit", deduplicate=True),), (frozen("unit", deduplicate=True, voting=False),))
    assert q.jobs() == ["unit#1", "unit#2"]


def test_the_parents_that_a_definition_came_from_do_not_make_a_job_differ() -> None:
    one, two = (frozen("unit", deduplicate=True, parents=parents) for parents in (("base",), ("base", "tox")))
    assert together((one,), (two,)).jobs() == ["unit"]


def test_a_job_that_two_of_three_changes_share_belongs_to_the_first_of_them() -> None:
    job = frozen("unit", deduplicate=True)
    q = together((frozen("docs"),), (job,), (job,), projects=("api", "client", "tools"))
    assert q.jobs() == ["docs#1", "unit#2"]
    assert q.item().subject(q.item().job("unit#2")) == q.item().changes[1]


def test_a_shared_job_waits_for_the_jobs_of_every_change_and_hands_all_their_data_on() -> None:
    whole = frozen("whole", "unit", deduplicate=True)
    q = together((frozen("unit"), whole), (frozen("unit"), whole))
    assert q.jobs() == ["unit#1", "unit#2"]
    q.end("unit#1")
    assert q.jobs() == ["unit#2"]
    q.end("unit#2")
    assert q.jobs() == ["whole"]
    item = q.item()
    assert parents(item, "whole") == (item.builds["unit#1"].id, item.builds["unit#2"].id)


def test_the_jobs_of_each_change_wait_for_the_shared_one_and_are_skipped_with_it() -> None:
    image = frozen("image", deduplicate=True)
    q = together((image, frozen("unit", "image")), (image, frozen("docs", "image")))
    assert q.jobs() == ["image"]
    q.end("image", "FAILURE")
    assert q.departed == {1: Outcome.FAILED, 2: Outcome.FAILED}
    assert q.merged == []


def test_a_shared_job_that_chooses_its_children_chooses_for_all_changes() -> None:
    pick = frozen("pick", deduplicate=True)
    q = together((pick, frozen("unit", "pick"), frozen("docs", "pick")), (pick, frozen("unit", "pick")))
    q.ends("pick", number=2, chosen=("docs",))
    assert q.jobs() == ["docs#1"]


def test_a_shared_job_is_paused_for_the_jobs_of_all_changes() -> None:
    registry = frozen("registry", deduplicate=True)
    q = together((registry, frozen("unit", "registry")), (registry, frozen("docs", "registry")))
    q.pauses("registry", 2)
    q.end("unit#1")
    assert q.resumed == []
    q.end("docs#2")
    assert q.resumed == ["registry"]


def test_a_shared_job_is_tried_again_once_for_all_and_fails_all_for_want_of_nodes() -> None:
    job = frozen("unit", deduplicate=True, attempts=2)
    q = together((job,), (job,))
    q.end("unit", retry=True)
    assert q.jobs() == ["unit"]
    q.end("unit", "NODE_FAILURE")
    assert q.departed == {1: Outcome.FAILED, 2: Outcome.FAILED}
    assert q.merged == []


def test_noop_is_passed_by_every_change() -> None:
    q = together((frozen("noop"),), (frozen("noop"),))
    assert sorted(q.merged) == [1, 2]


def test_initializers_come_before_the_regular_jobs_of_their_change_and_reporters_do_not_wait_for_them() -> None:
    graph = (frozen("init", type="initializer"), frozen("unit"), frozen("tell", type="reporter"))
    q = together(graph, projects=("api",))
    assert q.item().prepared is not None
    needs = {job.name: job.needs for job in q.item().prepared.jobs}
    assert needs == {"init": (), "unit": (JobDependency("init", soft=True),), "tell": ()}


def test_a_soft_dependency_that_a_change_does_not_run_is_no_dependency() -> None:
    soft = FrozenJob("deploy", "d", dependencies=(JobDependency("image", soft=True),))
    jobs: tuple[PlannedJob, ...] = together((soft, frozen("image")), (soft,)).item().prepared.jobs
    assert {job.key: job.needs for job in jobs} == {
        "deploy#1": (JobDependency("image#1", soft=True),),
        "image#1": (),
        "deploy#2": (),
    }

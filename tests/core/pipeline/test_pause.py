# SPDX-License-Identifier: Apache-2.0
"""Jobs that pause: they keep their nodes and services while the jobs that depend on them run."""

from __future__ import annotations

import pytest

from gatebot.pipeline.queue import facts
from gatebot.pipeline.queue.model import Outcome
from gatebot.pipeline.queue.plan import outstanding
from gatebot.reasons import reason
from tests.fakes.gate import Change
from tests.fakes.jobs import FailingFast, JobsGate, job, jobs_gate

pytestmark = pytest.mark.zuul(108)


def registry(*more, made: JobsGate | None = None, **options) -> JobsGate:
    """A registry that has paused, and two jobs that use it."""
    q = jobs_gate(job("registry", **options), job("unit", "registry"), job("deploy", "registry"), *more, made=made)
    q.pauses("registry")
    return q


def test_the_children_of_a_paused_job_run_and_it_goes_on_exactly_when_none_is_left() -> None:
    q = registry()
    assert q.builds() == ["deploy", "registry", "unit"]
    q.ends("unit")
    assert q.resumed == []
    q.ends("deploy")
    assert q.resumed == ["registry"]
    assert q.merged == []
    q.ends("registry")
    assert q.merged == [1]


def test_grandchildren_are_waited_for_too() -> None:
    q = registry(job("measure", "unit"))
    q.ends("unit")
    q.ends("deploy")
    assert q.resumed == []
    q.ends("measure")
    assert q.resumed == ["registry"]


def test_a_failed_child_does_not_fail_the_parent_and_what_it_skips_is_not_waited_for() -> None:
    q = registry(job("measure", "unit"))
    q.ends("deploy")
    q.ends("unit", "FAILURE")
    assert q.resumed == ["registry"]
    q.ends("registry")
    assert q.why(1) == reason("pipeline.job-failed", job="unit", result="FAILURE")


def test_a_child_that_is_tried_again_is_waited_for() -> None:
    q = registry()
    q.ends("deploy")
    q.lost("unit")
    assert q.resumed == []
    q.ends("unit")
    assert q.resumed == ["registry"]


def test_a_paused_job_without_children_or_whose_children_are_all_skipped_goes_on_at_once() -> None:
    alone = jobs_gate(job("registry"))
    alone.pauses("registry")
    assert alone.resumed == ["registry"]
    skipped = jobs_gate(job("registry"), job("unit", "registry"))
    skipped.pauses("registry", chosen=())
    assert skipped.resumed == ["registry"]
    assert skipped.runs("unit") == 0


def test_a_paused_job_chooses_its_children_like_one_that_ended() -> None:
    q = jobs_gate(job("registry"), job("unit", "registry"), job("deploy", "registry"))
    q.pauses("registry", chosen=("deploy",))
    assert q.builds() == ["deploy", "registry"]
    q.ends("deploy")
    assert q.resumed == ["registry"]
    q.ends("registry")
    assert q.merged == [1]


def test_several_jobs_may_be_paused_one_behind_the_other() -> None:
    q = jobs_gate(job("registry"), job("cloud", "registry"), job("unit", "cloud"))
    q.pauses("registry")
    q.pauses("cloud")
    assert q.builds() == ["cloud", "registry", "unit"]
    q.ends("unit")
    assert q.resumed == ["cloud"]
    q.ends("cloud")
    assert q.resumed == ["cloud", "registry"]


def test_when_a_paused_job_is_lost_it_starts_again_and_all_its_children_with_it() -> None:
    q = registry()
    q.ends("unit")
    q.lost("registry")
    assert [build.job for build in q.cancelled] == ["deploy"]
    assert q.builds() == ["registry"]
    assert q.results_of() == {"registry": "", "unit": "", "deploy": ""}
    q.pauses("registry")
    assert q.builds() == ["deploy", "registry", "unit"]
    q.ends("unit")
    q.ends("deploy")
    q.ends("registry")
    assert q.merged == [1]


def test_children_that_start_again_with_their_parent_have_not_used_an_attempt() -> None:
    q = jobs_gate(job("registry", attempts=5), job("unit", "registry", attempts=2))
    for _ in range(3):
        q.pauses("registry")
        q.lost("registry")
    q.pauses("registry")
    q.lost("unit")
    assert q.builds() == ["registry", "unit"]
    q.lost("unit")
    assert q.results_of()["unit"] == "RETRY_LIMIT"


def test_a_parent_that_is_given_to_another_executor_takes_its_children_along() -> None:
    q = registry()
    build = q.build(1, "registry")
    q.happen(facts.BuildAssigned("q", "i1", 1, "registry", build.build, 1, build.fence + 1))
    q.settle()
    assert sorted(build.job for build in q.cancelled) == ["deploy", "unit"]
    assert q.builds() == ["registry"]


def test_a_restart_finds_the_queue_with_its_pauses_as_it_was() -> None:
    q = registry()
    q.ends("unit")
    q.ends("deploy")
    assert q.replayed() == q.queue
    again = [fact for fact in outstanding(q.queue) if isinstance(fact, facts.BuildAssigned)]
    assert [(fact.job, fact.fence) for fact in again] == [("registry", 2)]


def test_a_paused_parent_that_fails_afterwards_fails_the_change() -> None:
    q = registry()
    q.ends("unit")
    q.ends("deploy")
    q.ends("registry", "POST_FAILURE")
    assert q.departed == {1: Outcome.FAILED}


def test_a_paused_job_of_a_change_that_failed_fast_is_cancelled() -> None:
    q = registry(made=FailingFast())
    q.ends("unit", "FAILURE")
    assert sorted(build.job for build in q.cancelled) == ["deploy", "registry"]
    assert q.departed == {1: Outcome.FAILED}


def test_a_reset_ends_paused_builds_and_what_runs_on_them() -> None:
    q = jobs_gate(job("style"), behind=(Change(2, jobs=(job("registry"), job("unit", "registry"))),))
    q.pauses("registry", 2)
    q.ends("style", "FAILURE")
    assert sorted(build.job for build in q.cancelled) == ["registry", "unit"]
    assert q.builds(2) == ["registry"]

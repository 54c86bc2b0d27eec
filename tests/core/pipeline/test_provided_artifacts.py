# SPDX-License-Identifier: Apache-2.0
"""Jobs that require artifacts: from changes ahead in the queue, from dependencies in check, from the past."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatebot.pipeline.config.model import Manager
from gatebot.pipeline.providing import Lost, PastBuild
from gatebot.pipeline.queue.model import Outcome, Queue
from gatebot.reasons import reason
from gatebot.words import say
from tests.fakes.gate import Change
from tests.fakes.jobs import JobsGate, Providing, job, jobs_gate

pytestmark = pytest.mark.zuul(111)

IMAGE = job("image", provides=("image",))
DEPLOY = job("deploy", requires=("image",))


def gate() -> Providing:
    """Change 1 builds an image, change 2 behind it requires one."""
    q = Providing()
    jobs_gate(IMAGE, job("unit"), behind=(Change(2, jobs=(DEPLOY, job("unit"))),), made=q)
    return q


def test_a_consumer_waits_for_a_provider_ahead_and_gets_what_it_built() -> None:
    q = gate()
    assert q.builds(2) == ["unit"]
    image = q.build(1, "image").build
    q.ends("image")
    assert q.builds(2) == ["deploy", "unit"]
    assert q.item(2).builds["deploy"].provided == (image,)


def test_a_paused_provider_provides_already() -> None:
    q = gate()
    q.pauses("image")
    assert q.builds(2) == ["deploy", "unit"]


def test_when_the_provider_ahead_fails_the_consumer_goes_on_without_it_like_its_change() -> None:
    q = gate()
    q.ends("image", "FAILURE")
    assert q.tested == {1: {"c1"}, 2: {"c2"}}
    assert q.item(2).builds["deploy"].provided == ()


def test_a_provider_without_a_vote_that_failed_is_waited_out_until_its_change_has_left() -> None:
    q = Providing()
    jobs_gate(replace(IMAGE, voting=False), job("unit"), behind=(Change(2, jobs=(DEPLOY,)),), made=q)
    q.ends("image", "FAILURE")
    assert q.builds(2) == []
    q.ends("unit")
    assert q.merged == [1]
    assert q.builds(2) == ["deploy"]


def test_the_artifacts_of_several_changes_ahead_come_from_the_farthest_to_the_nearest() -> None:
    q = Providing()
    second, third = Change(2, jobs=(IMAGE,)), Change(3, jobs=(DEPLOY,))
    jobs_gate(IMAGE, behind=(second, third), made=q)
    builds = [q.build(number, "image").build for number in (1, 2)]
    q.ends("image", number=2)
    assert q.builds(3) == []
    q.happen()
    build = q.build(1, "image")
    q.pauses("image")
    assert build.build == builds[0]
    assert q.item(3).builds["deploy"].provided == tuple(builds)


def check() -> tuple[Providing, JobsGate]:
    """In check: change 2 depends on change 1, which has an item of its own there."""
    itself = JobsGate(manager=Manager.INDEPENDENT)
    itself.enqueue(Change(1, jobs=(IMAGE, job("slow"))))
    itself.settle()
    q = Providing(manager=Manager.INDEPENDENT)
    q.beside = (beside(itself),)
    q.happen(q.enqueued(Change(1, jobs=()), live=False), q.enqueued(Change(2, needs=(1,), jobs=(DEPLOY,))))
    q.settle()
    return q, itself


def beside(other: JobsGate) -> Queue:
    """The queue of another item of the pipeline."""
    items = {f"other-{name}": replace(item, id=f"other-{name}") for name, item in other.queue.items.items()}
    return replace(other.queue, id="other", items=items, owners={})


def test_in_check_a_consumer_waits_for_the_item_of_its_dependency() -> None:
    q, itself = check()
    assert q.builds(2) == []
    image = itself.build(1, "image").build
    itself.ends("image")
    q.beside = (beside(itself),)
    q.again()
    assert q.item(2).builds["deploy"].provided == (image,)


def test_in_check_a_consumer_fails_with_the_reason_when_the_item_of_its_dependency_cannot_provide() -> None:
    q, itself = check()
    itself.ends("image", "FAILURE")
    q.beside = (beside(itself),)
    q.again()
    why = reason("pipeline.required-build-failed", artifacts="image", change=1, job="image", result="FAILURE")
    assert q.departed[2] is Outcome.FAILED
    assert q.why(2) == reason(
        "pipeline.job-failed",
        why,
        reason("pipeline.tested-on-top-of", job="deploy", changes="1"),
        job="deploy",
        result="FAILURE",
    )
    assert q.runs("deploy", 2) == 0


@pytest.mark.parametrize(("result", "runs"), [("SUCCESS", 1), ("FAILURE", 0), ("CANCELED", 0)])
def test_in_check_what_was_built_for_a_dependency_before_is_used_or_its_failure_told(result: str, runs: int) -> None:
    q, _ = check()
    q.beside = ()
    q.past = lambda queue, change, requires: [PastBuild("b1", "image", result, ("image",))]
    q.again()
    assert q.runs("deploy", 2) == runs
    if runs:
        assert q.item(2).builds["deploy"].provided == ("b1",)
    else:
        assert q.departed[2] is Outcome.FAILED


def test_a_consumer_does_not_start_as_if_artifacts_were_there_that_are_not_kept_any_more() -> None:
    """It says which change to build anew, whether the provider is still in the queue or was long ago."""
    q, _ = check()
    q.beside = ()
    q.past = lambda queue, change, requires: [PastBuild("b1", "image", "SUCCESS", ("image",))]
    q.losses = lambda builds: [Lost("b1", 1, ("image", "docs"))] if "b1" in builds else []
    q.again()
    assert q.runs("deploy", 2) == 0
    why = q.why(2)
    assert why is not None
    assert say(why.because[0]) == (
        "Its artifact image, of build b1, is not kept any more: recheck change 1 to build it anew, then this one."
    )
    q = gate()
    image = q.build(1, "image").build
    q.losses = lambda builds: [Lost(image, 1, ("image",))] if image in builds else []
    q.ends("image")
    assert (q.runs("deploy", 2), q.runs("unit", 2)) == (0, 1)


def test_without_any_provider_a_consumer_just_runs() -> None:
    q = Providing()
    jobs_gate(DEPLOY, made=q)
    assert q.builds() == ["deploy"]

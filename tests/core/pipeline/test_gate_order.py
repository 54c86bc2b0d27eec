# SPDX-License-Identifier: Apache-2.0
"""Who is worked on when: pipelines that take one at a time, windows, promotions, and who stands behind whom."""

from __future__ import annotations

import pytest

from gatebot.pipeline.config.model import Manager, Moment, Window
from gatebot.pipeline.naming import queue_of
from gatebot.pipeline.queue import facts
from gatebot.pipeline.queue.model import Outcome, PlannedJob, Policy
from gatebot.pipeline.queue.plan import plan
from gatebot.pipeline.queue.record import opened, record
from gatebot.reasons import reason
from tests.fakes.configuration import PIPELINES, tenant_layout
from tests.fakes.gate import NOW, Change, Gate

A, B, C, D = Change(1), Change(2), Change(3), Change(4)
TWO_JOBS = (PlannedJob("unit", "d1"), PlannedJob("docs", "d2"))
ONE = Window(1, 1, ceiling=1)
DEPLOY = """
- pipeline: {name: deploy, manager: serial, trigger: {gatebot: [{event: change-merged}]}}
- pipeline: {name: publish, manager: supercedent, trigger: {gatebot: [{event: ref-updated}]}}
- queue: {name: integrated}
- queue: {name: by-branch, type: per-branch}
"""


def queue(*changes: Change, **options) -> Gate:
    """A queue with these changes, as far as it goes without results."""
    made = Gate(**options)
    made.enqueue(*changes)
    made.settle()
    return made


def queues(pipeline: str, *places: tuple[str, str]) -> list[str]:
    """The queues of a pipeline that changes of these projects and branches go to."""
    layout = tenant_layout(
        {
            "alone": "- project: {gate: {jobs: [noop]}}",
            "one": "- project: {queue: integrated, gate: {jobs: [noop]}}",
            "two": "- project: {queue: integrated, gate: {jobs: [noop]}}",
            "branched": "- project: {queue: by-branch, gate: {jobs: [noop]}}",
        },
        PIPELINES + DEPLOY,
    )
    return [queue_of(layout, layout.pipelines[pipeline], *at, f"item{n}").queue for n, at in enumerate(places)]


@pytest.mark.zuul(4)
def test_projects_that_share_a_queue_are_tested_together_and_others_never_block_them() -> None:
    alone, one, two = queues("gate", ("alone", "main"), ("one", "main"), ("two", "main"))
    assert one == two != alone


@pytest.mark.zuul(129)
def test_in_a_queue_per_branch_the_branches_do_not_block_one_another() -> None:
    main, stable, again = queues("gate", ("branched", "main"), ("branched", "stable"), ("branched", "main"))
    assert main == again != stable


@pytest.mark.zuul(84)
def test_a_serial_pipeline_works_on_one_item_of_a_queue_at_a_time_and_a_failure_resets_nothing() -> None:
    q = queue(A, B, manager=Manager.SERIAL, window=ONE)
    assert sorted(q.tested) == [1]
    q.fails(1)
    assert (q.departed, sorted(q.tested)) == ({1: Outcome.FAILED}, [2])
    q.passes(2)
    assert (q.departed[2], q.merged, q.cancelled) == (Outcome.SUCCEEDED, [], [])
    assert q.queue.window == 1


@pytest.mark.zuul(84)
def test_serial_queues_are_shared_as_configured_and_go_on_beside_each_other() -> None:
    alone, one, two = queues("deploy", ("alone", "main"), ("one", "main"), ("two", "main"))
    assert one == two != alone


@pytest.mark.zuul(83)
def test_in_a_supercedent_pipeline_one_runs_the_newest_waits_and_those_between_leave_with_a_word() -> None:
    q = queue(A, B, C, manager=Manager.SUPERCEDENT, window=ONE)
    assert sorted(q.tested) == [1]
    assert q.departed == {2: Outcome.WITHDRAWN}
    assert q.why(2) == reason("pipeline.superseded-by-newer")
    q.passes(1)
    assert sorted(q.tested) == [3]


@pytest.mark.zuul(83)
def test_a_supercedent_pipeline_has_a_queue_for_each_branch_whatever_queues_are_configured() -> None:
    one, two, stable = queues("publish", ("one", "main"), ("two", "main"), ("one", "stable"))
    assert len({one, two, stable}) == 3
    assert queues("publish", ("one", "main"), ("one", "main"))[0] == one


@pytest.mark.zuul(12)
def test_nothing_stands_on_an_item_that_left_however_many_fail_and_leave() -> None:
    q = queue(A, Change(2, project="client"), Change(3, needs=(1,)), Change(4, project="client", needs=(2,)), Change(5))
    q.fails(1)
    q.withdraw(2)
    q.settle()
    assert q.departed == {
        1: Outcome.FAILED,
        2: Outcome.WITHDRAWN,
        3: Outcome.FAILED,
        4: Outcome.FAILED,
    }
    assert q.tested == {5: {"c5"}}
    q.passes(5)
    assert q.merged == [5]


@pytest.mark.zuul(13)
def test_taking_a_change_out_takes_its_live_item_and_leaves_what_stands_in_for_others() -> None:
    q = Gate(manager=Manager.INDEPENDENT)
    q.happen(q.enqueued(A, live=False), q.enqueued(Change(2, needs=(1,))))
    q.settle()
    other = Gate(manager=Manager.INDEPENDENT)
    other.happen(other.enqueued(A))
    other.withdraw(1)
    assert (sorted(q.tested), other.departed) == ([2], {1: Outcome.WITHDRAWN})


@pytest.mark.zuul(14)
def test_an_item_that_is_tested_again_is_not_reported_as_having_left() -> None:
    q = queue(A, B)
    q.fails(1)
    assert [fact.item for fact in q.left] == ["i1"]
    assert q.queue.items["i2"].attempt == 2


@pytest.mark.zuul(80)
@pytest.mark.parametrize("why", ["pipeline.dequeued-by-person", "pipeline.superseded", "pipeline.new-patch-set"])
def test_whoever_is_taken_out_is_told_by_the_reporters_of_dequeue(why: str) -> None:
    q = queue(A)
    q.withdraw(1, why)
    assert [(fact.moment, fact.reason) for fact in q.left] == [(Moment.DEQUEUE, reason(why))]


@pytest.mark.zuul(15, 116)
def test_another_policy_leaves_builds_running_and_a_failed_head_where_it_was() -> None:
    q = queue(Change(1, jobs=TWO_JOBS), B)
    q.fails(1, "unit")
    running = sorted(q.running)
    q.happen(facts.QueueOpened("q", "main", "gate", "shared", Policy(Manager.DEPENDENT, Window(7, 2))))
    q.settle()
    assert sorted(q.running) == running
    assert q.tested == {1: {"c1"}, 2: {"c2"}}
    assert q.queue.policy.window == Window(7, 2)


@pytest.mark.zuul(117)
def test_two_new_policies_with_a_new_dependent_change_between_them_and_both_merge() -> None:
    q = queue(A)
    again = facts.QueueOpened("q", "main", "gate", "shared", Policy(Manager.DEPENDENT))
    q.happen(again)
    q.enqueue(Change(2, needs=(1,)))
    q.happen(again)
    q.settle()
    q.passes(1)
    q.passes(2)
    assert q.merged == [1, 2]


@pytest.mark.zuul(24)
def test_the_window_shrinks_with_a_failure_and_comes_back_with_merges_also_where_changes_need_each_other() -> None:
    q = queue(A, Change(2, needs=(1,)), C, window=Window(2, 1))
    q.fails(1)
    assert (q.departed, q.queue.window) == ({1: Outcome.FAILED, 2: Outcome.FAILED}, 1)
    assert sorted(q.tested) == [3]
    q.passes(3)
    assert q.queue.window == 2


@pytest.mark.zuul(25, 27)
def test_an_item_that_falls_out_of_the_window_keeps_its_results_and_goes_on_when_it_is_inside_again() -> None:
    q = queue(Change(1, jobs=TWO_JOBS), B, Change(3, jobs=TWO_JOBS), window=Window(3, 1))
    q.fails(1, "unit")
    q.passes(3, "unit")
    q.passes(1, "docs")
    assert q.queue.window == 1
    q.happen(facts.QueueOpened("q", "main", "gate", "shared", Policy(Manager.DEPENDENT, Window(3, 1))))
    q.settle()
    q.passes(2)
    assert q.merged == [2]
    q.passes(3, "docs")
    assert q.merged == [2, 3]


@pytest.mark.zuul(82)
def test_a_promoted_change_comes_first_with_what_it_needs_and_all_behind_is_tested_again() -> None:
    q = queue(A, B, Change(3, needs=(2,)), D)
    q.promote(3)
    q.settle()
    assert list(q.queue.items) == ["i2", "i3", "i1", "i4"]
    assert q.tested == {2: {"c2"}, 3: {"c2", "c3"}, 1: {"c1", "c2", "c3"}, 4: {"c1", "c2", "c3", "c4"}}
    for number in (2, 3, 1, 4):
        q.passes(number)
    assert q.merged == [2, 3, 1, 4]


def test_nothing_overtakes_a_change_whose_branch_is_being_moved() -> None:
    q = queue(A, B)
    q.finish(q.build(1), "SUCCESS")
    q.promote(2)
    assert list(q.queue.items) == ["i1", "i2"]
    q.settle()
    assert q.merged == [1]
    assert q.tested == {2: {"c1", "c2"}}


def test_a_restart_finds_a_promoted_queue_in_its_new_order() -> None:
    q = queue(A, B)
    q.promote(2)
    assert list(q.replayed().items) == ["i2", "i1"]


def test_promoting_what_is_not_there_changes_nothing() -> None:
    first = facts.QueueOpened("q", "main", "gate", "shared", Policy(Manager.DEPENDENT))
    empty = opened(first)
    assert record(empty, facts.ItemsPromoted("q", ("gone",))) == empty
    assert plan(empty, NOW) == ()

# SPDX-License-Identifier: Apache-2.0
"""What happens in the gate and in check, one sentence a test; the scenarios are those of Zuul's own tests."""

from __future__ import annotations

import pytest

from gatebot.assignment import JobDependency
from gatebot.pipeline.config.model import Manager, Moment, Step, Window
from gatebot.pipeline.queue import facts, verdict
from gatebot.pipeline.queue.model import Outcome, PlannedJob
from gatebot.reasons import reason
from tests.fakes.gate import Change, Gate

A, B, C = Change(1), Change(2), Change(3)
TWO_JOBS = (PlannedJob("unit", "d1"), PlannedJob("docs", "d2"))
MERGE_THEN_TESTS = (
    PlannedJob("merge", "m"),
    PlannedJob("test1", "t1", needs=(JobDependency("merge"),)),
    PlannedJob("test2", "t2", needs=(JobDependency("merge"),)),
)


def gate(*changes: Change, **options) -> Gate:
    """A dependent queue with these changes, as far as it goes without results."""
    made = Gate(**options)
    made.enqueue(*changes)
    made.settle()
    return made


def check(*changes: Change, dependencies: tuple[Change, ...] = ()) -> Gate:
    """An independent queue: changes that are only there for others to stand on, then those that are tested."""
    made = Gate(manager=Manager.INDEPENDENT)
    made.happen(
        *(made.enqueued(change, live=False) for change in dependencies), *(made.enqueued(change) for change in changes)
    )
    made.settle()
    return made


@pytest.mark.zuul(1)
def test_one_approved_change_whose_jobs_pass_merges() -> None:
    q = gate(Change(1, jobs=MERGE_THEN_TESTS))
    q.passes(1, "merge")
    q.passes(1, "test1")
    assert q.merged == []
    q.passes(1, "test2")
    assert q.merged == [1]
    assert q.departed == {1: Outcome.MERGED}


@pytest.mark.zuul(2)
def test_three_changes_run_at_once_each_on_top_of_those_ahead_and_merge_in_order() -> None:
    q = gate(A, B, C)
    assert q.tested == {1: {"c1"}, 2: {"c1", "c2"}, 3: {"c1", "c2", "c3"}}
    q.passes(3)
    q.passes(2)
    assert q.merged == []
    q.passes(1)
    assert q.merged == [1, 2, 3]
    assert q.cancelled == []


@pytest.mark.zuul(3)
def test_a_change_behind_a_failed_one_is_tested_without_it_and_merges() -> None:
    q = gate(A, B)
    q.fails(1)
    assert q.tested == {2: {"c2"}}
    q.passes(2)
    assert q.merged == [2]
    assert q.departed == {1: Outcome.FAILED, 2: Outcome.MERGED}


@pytest.mark.zuul(5)
def test_when_the_head_fails_all_behind_are_stopped_and_start_again_without_it() -> None:
    q = gate(A, B, C)
    q.fails(1)
    assert [build.change for build in q.cancelled] == [2, 3]
    assert q.tested == {2: {"c2"}, 3: {"c2", "c3"}}


@pytest.mark.zuul(6)
def test_when_the_middle_fails_the_head_is_untouched_and_the_failed_one_waits_for_its_turn() -> None:
    q = gate(A, B, C)
    q.fails(2)
    assert q.tested == {1: {"c1"}, 3: {"c1", "c3"}}
    assert q.departed == {}
    q.passes(1)
    assert q.departed == {1: Outcome.MERGED, 2: Outcome.FAILED}


@pytest.mark.zuul(8)
def test_when_two_fail_at_the_head_the_third_stands_on_neither_and_is_restarted_once_for_each() -> None:
    q = gate(A, B, C)
    q.fails(2)
    q.fails(1)
    assert q.tested == {2: {"c2"}, 3: {"c2", "c3"}}
    q.fails(2)
    assert q.tested == {3: {"c3"}}
    assert [build.change for build in q.cancelled if build.change == 3] == [3, 3, 3]
    q.passes(3)
    assert q.merged == [3]


@pytest.mark.zuul(7)
def test_builds_not_yet_started_are_withdrawn_when_the_head_fails() -> None:
    q = gate(A, B)
    waiting = q.build(2)
    q.fails(1)
    assert q.cancelled == [waiting]
    assert q.build(2).build != waiting.build


@pytest.mark.zuul(9)
def test_a_failed_head_leaves_exactly_once_however_many_results_follow() -> None:
    q = gate(Change(1, jobs=TWO_JOBS))
    q.fails(1, "unit")
    assert q.departed == {}
    q.fails(1, "docs")
    assert [fact.item for fact in q.left] == ["i1"]


@pytest.mark.zuul(10, 11)
def test_a_change_that_needs_a_failing_one_is_stopped_at_once_and_leaves_after_it_with_the_reason() -> None:
    q = gate(Change(1, jobs=TWO_JOBS), Change(2, needs=(1,)), C)
    q.fails(1, "unit")
    assert q.tested == {1: {"c1"}, 3: {"c3"}}
    q.passes(3)
    q.passes(1, "docs")
    assert q.merged == [3]
    assert q.why(2) == reason("pipeline.needed-change-left", change=1)


@pytest.mark.zuul(11)
def test_a_change_that_needs_a_failing_one_runs_again_when_that_one_gets_another_chance() -> None:
    q = gate(A, Change(2, jobs=TWO_JOBS), Change(3, needs=(2,)))
    q.fails(2, "unit")
    assert 3 not in q.tested
    q.fails(1)
    assert q.tested == {2: {"c2"}, 3: {"c2", "c3"}}


@pytest.mark.zuul(19)
def test_early_failure_resets_those_behind_before_the_build_ends() -> None:
    q = gate(A, B)
    q.failing(1)
    assert q.tested == {1: {"c1"}, 2: {"c2"}}
    q.passes(2)
    assert q.merged == [2]
    q.passes(1)
    assert q.departed[1] is Outcome.FAILED


def test_a_failed_head_that_waits_for_its_other_builds_is_not_tested_again_when_another_merges() -> None:
    q = gate(Change(1, jobs=TWO_JOBS), B)
    q.fails(1, "unit")
    q.passes(2)
    assert q.merged == [2]
    assert q.tested == {1: {"c1"}}
    q.passes(1, "docs")
    assert q.departed == {2: Outcome.MERGED, 1: Outcome.FAILED}


@pytest.mark.zuul(103)
def test_a_lost_node_is_tried_again_up_to_the_attempts_of_the_job() -> None:
    q = gate(Change(1, jobs=(PlannedJob("unit", "d", attempts=2),)))
    first = q.build(1)
    q.finish(first, "", retry=True)
    again = q.build(1)
    assert again.build != first.build
    q.finish(again, "", retry=True)
    q.settle()
    assert q.why(1) == reason("pipeline.job-failed", job="unit", result="RETRY_LIMIT")


@pytest.mark.zuul(22)
def test_what_was_seen_to_fail_is_not_tried_again_when_the_node_is_lost_afterwards() -> None:
    q = gate(A)
    q.failing(1)
    q.finish(q.build(1), "", retry=True)
    q.settle()
    assert q.departed == {1: Outcome.FAILED}


@pytest.mark.zuul(16)
def test_when_the_review_room_refuses_the_merge_the_change_has_failed_and_those_behind_restart() -> None:
    q = gate(A, B)
    q.refuse = reason("review.not-submittable")
    q.passes(1)
    assert q.why(1) == reason("pipeline.landing-refused", reason("review.not-submittable"))
    assert q.tested == {2: {"c2"}}


def test_when_a_branch_was_moved_by_others_all_is_tested_again_on_the_new_tip() -> None:
    q = gate(A, B)
    q.push("api:main", "x")
    q.settle()
    assert q.tested == {1: {"x", "c1"}, 2: {"x", "c1", "c2"}}
    q.passes(1)
    q.passes(2)
    assert q.merged == [1, 2]


def test_a_move_of_a_branch_that_the_tests_do_not_read_changes_nothing() -> None:
    q = gate(A, B)
    q.trunk["other:main"] = "root"
    q.push("other:main")
    q.settle()
    assert q.cancelled == []


@pytest.mark.zuul(17)
def test_an_item_that_became_unfit_leaves_and_those_behind_restart_without_it() -> None:
    q = gate(A, B)
    q.withdraw(1, "pipeline.requirements-lost")
    q.settle()
    assert q.departed == {1: Outcome.WITHDRAWN}
    assert q.why(1) == reason("pipeline.requirements-lost")
    assert q.tested == {2: {"c2"}}


@pytest.mark.zuul(74)
def test_a_new_patch_set_takes_the_old_one_and_its_dependents_out() -> None:
    q = gate(A, B, Change(3, needs=(2,)))
    q.withdraw(2)
    q.settle()
    assert q.departed == {2: Outcome.WITHDRAWN, 3: Outcome.FAILED}
    assert q.tested == {1: {"c1"}}


def test_an_item_whose_landing_is_under_way_cannot_be_taken_out() -> None:
    q = gate(A)
    q.finish(q.build(1), "SUCCESS")
    q.withdraw(1)
    assert q.departed == {}
    q.settle()
    assert q.departed == {1: Outcome.MERGED}


@pytest.mark.zuul(23)
def test_the_window_halves_on_failure_not_below_its_floor_and_grows_by_one_merge() -> None:
    q = gate(A, B, Change(3, needs=(2,)), window=Window(2, 1))
    assert sorted(q.tested) == [1, 2]
    q.fails(1)
    assert (q.queue.window, sorted(q.tested)) == (1, [2])
    q.passes(2)
    assert (q.queue.window, sorted(q.tested)) == (2, [3])


@pytest.mark.parametrize(
    ("window", "outcome", "expected"),
    [
        (Window(20, 3), Outcome.MERGED, 21),
        (Window(20, 3, increase=Step.EXPONENTIAL, increase_by=2), Outcome.MERGED, 40),
        (Window(20, 3, ceiling=20), Outcome.MERGED, 20),
        (Window(20, 3), Outcome.FAILED, 10),
        (Window(4, 3), Outcome.FAILED, 3),
        (Window(20, 3, decrease=Step.LINEAR, decrease_by=5), Outcome.FAILED, 15),
        (Window(20, 3), Outcome.WITHDRAWN, 20),
        (Window(0), Outcome.MERGED, 0),
    ],
)
@pytest.mark.zuul(23, 24)
def test_the_window_follows_its_steps_and_limits(window: Window, outcome: Outcome, expected: int) -> None:
    q = gate(A, window=window)
    q.happen(facts.ItemDequeued("q", "i1", outcome))
    assert q.queue.window == expected


@pytest.mark.zuul(26)
def test_a_narrower_window_in_the_configuration_leaves_the_running_queue_its_own() -> None:
    q = gate(A, B, C)
    first = q.first
    q.happen(
        facts.QueueOpened(
            "q", first.tenant, first.pipeline, first.name, first.policy.__class__(Manager.DEPENDENT, Window(2, 1))
        )
    )
    assert q.queue.window == 20
    assert q.cancelled == []


@pytest.mark.zuul(88)
def test_a_change_that_conflicts_with_one_ahead_runs_nothing_and_those_behind_are_unaffected() -> None:
    q = gate(A, Change(2, clashes=(1,)), C)
    assert q.tested == {1: {"c1"}, 3: {"c1", "c3"}}
    q.passes(1)
    assert q.why(2) == reason("pipeline.merge-conflict", paths="f")
    assert q.left[-1].moment is Moment.MERGE_CONFLICT
    q.passes(3)
    assert q.merged == [1, 3]


def test_a_conflict_with_a_change_that_fails_is_no_conflict_any_more() -> None:
    q = gate(A, Change(2, clashes=(1,)))
    q.fails(1)
    assert q.tested == {2: {"c2"}}


@pytest.mark.zuul(92)
def test_changes_to_different_branches_each_see_only_their_own_merges() -> None:
    q = gate(A, Change(2, branch="stable"), C)
    assert q.tested == {1: {"c1"}, 2: {"c2"}, 3: {"c1", "c3"}}
    q.fails(1)
    assert q.tested == {2: {"c2"}, 3: {"c3"}}


def test_the_children_of_a_failing_job_are_skipped_and_each_job_runs_once() -> None:
    q = gate(Change(1, jobs=MERGE_THEN_TESTS))
    assert [build.job for build in q.running.values()] == ["merge"]
    item = q.queue.items["i1"]
    q.fails(1, "merge")
    assert q.departed == {1: Outcome.FAILED}
    assert [fact.job for fact in q.history if isinstance(fact, facts.BuildAssigned)] == ["merge"]
    assert verdict.results(item) == {"merge": "", "test1": "", "test2": ""}


def test_a_soft_need_counts_only_where_its_job_runs() -> None:
    soft = PlannedJob("deploy", "d", needs=(JobDependency("image", soft=True),))
    alone = gate(Change(1, jobs=(soft,)))
    assert [build.job for build in alone.running.values()] == ["deploy"]
    both = gate(Change(1, jobs=(PlannedJob("image", "i", voting=False), soft, PlannedJob("unit", "u"))))
    both.fails(1, "image")
    both.passes(1, "unit")
    assert both.merged == [1]
    assert "deploy" not in [fact.job for fact in both.history if isinstance(fact, facts.BuildAssigned)]


def test_a_job_without_a_vote_is_run_and_does_not_count() -> None:
    q = gate(Change(1, jobs=(PlannedJob("unit", "d1"), PlannedJob("style", "d2", voting=False))))
    q.fails(1, "style")
    q.passes(1, "unit")
    assert q.merged == [1]


def test_noop_passes_without_an_executor() -> None:
    q = gate(Change(1, jobs=(PlannedJob("noop", "n"),)))
    assert q.merged == [1]


def test_a_change_without_jobs_does_not_merge_and_is_told_so() -> None:
    q = gate(Change(1, jobs=()), B)
    assert q.why(1) == reason("pipeline.no-jobs")
    assert q.left[0].moment is Moment.NO_JOBS
    assert q.tested == {2: {"c2"}}


def test_fail_fast_stops_the_other_builds_of_the_item() -> None:
    q = Gate()
    q.enqueue(Change(1, jobs=TWO_JOBS))
    q.asked.clear()
    root, own = {"api:main": "root"}, {"api:main": "c1"}
    q.happen(facts.Prepared("q", "i1", 1, root, own, root, jobs=TWO_JOBS, fail_fast=True))
    q.fails(1, "docs")
    assert [build.job for build in q.cancelled] == ["unit"]
    assert q.departed == {1: Outcome.FAILED}


def test_a_job_that_holds_following_changes_delays_the_builds_behind() -> None:
    holding = (PlannedJob("merge", "m", hold_following=True), PlannedJob("unit", "u", needs=(JobDependency("merge"),)))
    q = gate(Change(1, jobs=holding), B)
    assert [build.job for build in q.running.values()] == ["merge"]
    q.passes(1, "merge")
    assert sorted((build.change, build.job) for build in q.running.values()) == [(1, "unit"), (2, "unit")]


def test_a_failing_item_says_the_job_the_line_and_the_changes_it_was_tested_on_top_of() -> None:
    q = gate(A, Change(2, passed=("unit",)))
    q.fails(2)
    q.passes(1)
    assert q.why(2) == reason(
        "pipeline.job-failed-at",
        reason("pipeline.collided", job="unit", changes="1"),
        job="unit",
        result="FAILURE",
        line=12,
        text="boom",
    )


def test_start_is_announced_once_with_the_first_build() -> None:
    q = gate(A, B, announces=(Moment.START,))
    q.fails(1)
    told = [fact.item for fact in q.history if isinstance(fact, facts.ReportAsked)]
    assert told == ["i1", "i2"]


@pytest.mark.zuul(42)
def test_in_check_a_dependency_is_merged_in_first_but_neither_tested_nor_reported() -> None:
    q = check(Change(2, needs=(1,)), dependencies=(A,))
    assert q.tested == {2: {"c1", "c2"}}
    q.fails(2)
    assert [(fact.item, fact.moment) for fact in q.left] == [("i2", Moment.FAILURE), ("i1", None)]


def test_in_check_nothing_merges_and_a_move_of_the_branch_disturbs_nobody() -> None:
    q = check(A)
    q.push("api:main")
    q.passes(1)
    assert q.merged == []
    assert q.departed == {1: Outcome.SUCCEEDED}
    assert q.queue.forgotten


def test_in_check_a_conflict_of_a_dependency_is_reported_on_the_change_that_needs_it() -> None:
    q = Gate(manager=Manager.INDEPENDENT)
    clash = Change(1, clashes=(9,))
    q.trunk["api:main"] = "c9"
    q.happen(q.enqueued(clash, live=False), q.enqueued(Change(2, needs=(1,))))
    q.settle()
    assert q.why(2) == reason("pipeline.needed-change-failing", reason("pipeline.merge-conflict", paths="f"), change=1)


def test_in_check_unusable_configuration_of_a_dependency_is_that_of_all_that_stand_on_it() -> None:
    q = Gate(manager=Manager.INDEPENDENT)
    changes = [
        q.enqueued(A, live=False),
        q.enqueued(Change(2, needs=(1,)), live=False),
        q.enqueued(Change(3, needs=(2,))),
    ]
    q.happen(*changes)
    head = next(iter(q.queue.items.values()))
    why = reason("pipeline.config-error", count=1)
    q.happen(facts.PrepareFailed("q", head.id, head.attempt, {}, why, moment=Moment.CONFIG_ERROR))
    q.settle()
    one = reason("pipeline.needed-change-misconfigured", why, change=1)
    assert q.why(3) == reason("pipeline.needed-change-misconfigured", one, change=2)
    assert [(fact.item, fact.moment) for fact in q.left if fact.moment] == [("i3", Moment.CONFIG_ERROR)]
    assert q.tested == {}


@pytest.mark.zuul(76)
def test_in_check_a_new_patch_set_of_a_dependency_takes_the_dependent_out() -> None:
    q = check(Change(2, needs=(1,)), dependencies=(A,))
    q.withdraw(1)
    q.settle()
    assert q.departed == {1: Outcome.WITHDRAWN, 2: Outcome.FAILED}
    assert q.why(2) == reason("pipeline.needed-change-left", change=1)

# SPDX-License-Identifier: Apache-2.0
"""Changes that need each other: one item of several changes, which merge all together or not at all."""

from __future__ import annotations

import pytest

from gatebot.assignment import JobDependency
from gatebot.pipeline.config.model import Manager, Window
from gatebot.pipeline.landing import landing
from gatebot.pipeline.queue.model import Outcome, PlannedJob
from gatebot.reasons import reason
from tests.fakes.gate import Change, Gate

A, B, C = Change(1), Change(2, project="client"), Change(3)
TESTS_AFTER_BUILD = (PlannedJob("build", "d0"), PlannedJob("unit", "d1", needs=(JobDependency("build"),)))


def queue(*items: Change | tuple[Change, ...], **options) -> Gate:
    """A queue of these items, as far as it goes without results; a tuple is a cycle."""
    made = Gate(**options)
    for item in items:
        made.happen(made.enqueued(*(item if isinstance(item, tuple) else (item,))))
    made.settle()
    return made


@pytest.mark.zuul(53)
def test_two_changes_that_need_each_other_are_one_item_with_the_jobs_of_both_and_merge_together() -> None:
    q = queue((A, B))
    assert sorted(build.job for build in q.running.values()) == ["unit#1", "unit#2"]
    assert q.tested == {1: {"c1"}, 2: {"c2"}}
    q.passes(1)
    assert q.merged == []
    q.passes(2)
    assert q.merged == [1, 2]
    assert q.departed == {1: Outcome.MERGED, 2: Outcome.MERGED}


@pytest.mark.zuul(53, 91)
def test_every_build_of_a_cycle_sees_all_of_its_changes() -> None:
    q = queue((A, B))
    assert [build.state for build in q.running.values()] == [{"api:main": "c1", "client:main": "c2"}] * 2


@pytest.mark.zuul(54)
def test_a_cycle_of_three_changes_is_one_item() -> None:
    q = queue((A, B, C))
    assert len(q.queue.items) == 1
    for number in (1, 2, 3):
        q.passes(number)
    assert q.merged == [1, 2, 3]


@pytest.mark.zuul(53)
def test_changes_of_a_cycle_in_one_branch_are_merged_one_on_top_of_the_other_and_land_so() -> None:
    q = queue((A, C))
    item = q.queue.items["i1"]
    assert item.prepared is not None
    assert item.prepared.commits == ("c1", "c1+c3")
    order = landing(q.queue, item, item.prepared, lambda project: project, {})
    assert [(one.number, one.expected, one.commit) for one in order.changes] == [(1, "root", "c1"), (3, "c1", "c1+c3")]


@pytest.mark.zuul(56)
def test_a_change_behind_a_cycle_is_tested_on_top_of_all_of_it() -> None:
    q = queue((A, B), Change(4, needs=(1,)))
    assert q.running[q.build(4).build].state == {"api:main": "c1+c4", "client:main": "c2"}
    q.passes(4)
    q.passes(1)
    q.passes(2)
    assert q.merged == [1, 2, 4]


@pytest.mark.zuul(56)
def test_a_cycle_behind_what_it_needs_merges_after_it() -> None:
    q = queue(Change(4), (Change(1, needs=(4,)), B))
    q.passes(1)
    q.passes(2)
    assert q.merged == []
    q.passes(4)
    assert q.merged == [4, 1, 2]


@pytest.mark.zuul(57)
def test_what_needs_a_cycle_that_has_merged_goes_on_alone() -> None:
    q = queue((A, B), Change(4, needs=(1, 2)))
    q.passes(1)
    q.passes(2)
    assert q.queue.items["i4"].needs == ()
    q.passes(4)
    assert q.merged == [1, 2, 4]


@pytest.mark.zuul(58)
def test_when_one_job_of_one_change_fails_nothing_of_the_cycle_merges_and_all_are_told() -> None:
    q = queue((A, B))
    q.passes(1)
    q.fails(2)
    assert q.merged == []
    assert q.departed == {1: Outcome.FAILED, 2: Outcome.FAILED}
    assert q.why(1) == q.why(2)


@pytest.mark.zuul(59)
def test_when_nodes_cannot_be_had_for_one_change_the_whole_cycle_fails() -> None:
    q = queue((A, B))
    q.passes(1)
    q.finish(q.build(2), "NODE_FAILURE")
    q.settle()
    assert q.merged == []
    assert q.departed == {1: Outcome.FAILED, 2: Outcome.FAILED}


@pytest.mark.zuul(60)
def test_a_failing_cycle_behind_a_failing_change_is_tested_alone_and_fails_by_itself() -> None:
    q = queue(Change(4), (A, B))
    q.fails(1)
    q.fails(4)
    assert q.tested == {1: {"c1"}, 2: {"c2"}}
    q.fails(1)
    q.passes(2)
    assert q.merged == []
    assert q.departed == {4: Outcome.FAILED, 1: Outcome.FAILED, 2: Outcome.FAILED}
    assert q.why(1) == reason("pipeline.job-failed-at", job="unit#1", result="FAILURE", line=12, text="boom")


@pytest.mark.zuul(61)
def test_when_the_review_room_refuses_one_change_of_a_cycle_all_are_told_that_none_merged() -> None:
    refused = reason("review.rules-no-longer-hold", change=2)
    q = queue((A, B), refuse=refused)
    q.passes(1)
    q.passes(2)
    assert q.merged == []
    assert q.departed == {1: Outcome.FAILED, 2: Outcome.FAILED}
    assert q.why(1) == reason("pipeline.landing-refused", refused)


@pytest.mark.zuul(63)
def test_when_what_is_ahead_of_a_cycle_fails_the_cycle_starts_again_as_a_whole() -> None:
    q = queue(Change(4), (A, B))
    assert q.tested == {4: {"c4"}, 1: {"c4", "c1"}, 2: {"c2"}}
    q.fails(4)
    assert q.tested == {1: {"c1"}, 2: {"c2"}}
    assert q.queue.items["i1"].attempt == 2
    q.passes(1)
    q.passes(2)
    assert q.merged == [1, 2]


@pytest.mark.zuul(64)
def test_in_check_a_cycle_is_tested_as_one_item_and_nothing_merges() -> None:
    q = queue((A, B), manager=Manager.INDEPENDENT)
    q.passes(1)
    q.passes(2)
    assert q.merged == []
    assert q.departed == {1: Outcome.SUCCEEDED, 2: Outcome.SUCCEEDED}


@pytest.mark.zuul(65)
def test_when_the_changes_of_a_cycle_conflict_nothing_runs_and_all_are_told() -> None:
    q = queue((A, Change(3, clashes=(1,))))
    assert q.running == {}
    assert q.departed == {1: Outcome.FAILED, 3: Outcome.FAILED}
    assert q.why(3) == reason("pipeline.merge-conflict", paths="f")


@pytest.mark.zuul(67)
def test_promoting_a_change_moves_the_whole_cycle() -> None:
    q = queue(Change(4), (A, B))
    q.promote(2)
    q.settle()
    assert list(q.queue.items) == ["i1", "i4"]
    assert q.tested == {1: {"c1"}, 2: {"c2"}, 4: {"c1", "c4"}}


@pytest.mark.zuul(69)
def test_when_one_change_of_a_cycle_gets_a_new_patch_set_the_item_leaves() -> None:
    q = queue((A, B), C)
    q.withdraw(2)
    q.settle()
    assert q.departed == {1: Outcome.WITHDRAWN, 2: Outcome.WITHDRAWN}
    assert q.tested == {3: {"c3"}}


@pytest.mark.zuul(29)
def test_a_cycle_larger_than_the_window_is_worked_on_as_a_whole() -> None:
    q = queue((A, B), C, window=Window(1, 1))
    assert sorted(q.tested) == [1, 2]
    q.passes(1)
    q.passes(2)
    assert q.merged == [1, 2]


def test_jobs_of_a_cycle_wait_for_those_of_their_own_change() -> None:
    q = queue((Change(1, jobs=TESTS_AFTER_BUILD), Change(2, project="client", jobs=TESTS_AFTER_BUILD)))
    q.passes(1, "build")
    assert sorted(build.job for build in q.running.values()) == ["build#2", "unit#1"]

# SPDX-License-Identifier: Apache-2.0
"""The jobs of one change: who waits for whom, who is skipped, who is tried again, and what the failure of one stops."""

from __future__ import annotations

import pytest

from gatebot.assignment import JobDependency
from gatebot.events import BuildCompleted
from gatebot.pipeline.config.model import Manager
from gatebot.pipeline.queue import facts
from gatebot.pipeline.queue.model import Outcome
from gatebot.pipeline.queue.verdict import graph_of
from gatebot.reasons import reason
from tests.fakes.gate import Change
from tests.fakes.jobs import FailingFast, JobsGate, job, jobs_gate


@pytest.mark.zuul(99)
def test_when_a_job_fails_all_that_depend_on_it_are_skipped_and_each_job_is_given_out_once() -> None:
    q = jobs_gate(job("merge"), job("unit", "merge"), job("deploy", "unit"), job("style"))
    assert q.builds() == ["merge", "style"]
    q.ends("merge", "FAILURE")
    assert q.results_of() == {"merge": "FAILURE", "unit": "SKIPPED", "deploy": "SKIPPED", "style": ""}
    q.ends("style")
    assert q.departed == {1: Outcome.FAILED}
    assert [q.runs(name) for name in ("merge", "unit", "deploy", "style")] == [1, 0, 0, 1]


@pytest.mark.zuul(99)
def test_a_job_waits_for_every_job_that_it_depends_on_however_far() -> None:
    q = jobs_gate(job("a"), job("b"), job("c", "a"), job("d", "c", "b"))
    q.ends("a")
    q.ends("c")
    assert q.builds() == ["b"]
    q.ends("b")
    assert q.builds() == ["d"]


@pytest.mark.zuul(100)
def test_a_soft_dependency_on_a_job_that_does_not_run_is_ignored() -> None:
    q = jobs_gate(job("deploy", soft=("image",)))
    assert q.builds() == ["deploy"]
    q.ends("deploy")
    assert q.merged == [1]


@pytest.mark.zuul(100)
def test_a_soft_dependency_that_runs_is_waited_for_and_its_failure_skips_the_job() -> None:
    q = jobs_gate(job("image", voting=False), job("deploy", soft=("image",)), job("unit"))
    assert q.builds() == ["image", "unit"]
    q.ends("image", "FAILURE")
    assert q.results_of()["deploy"] == "SKIPPED"
    q.ends("unit")
    assert q.merged == [1]


@pytest.mark.zuul(100, 109)
def test_a_job_runs_when_a_soft_dependency_was_not_chosen_and_is_skipped_when_a_hard_one_was_not() -> None:
    q = jobs_gate(job("pick"), job("a", "pick"), job("b", "pick"), job("hard", "a"), job("soft", soft=("a",)))
    q.ends("pick", chosen=("b",))
    assert q.results_of() == {"pick": "SUCCESS", "a": "SKIPPED", "b": "", "hard": "SKIPPED", "soft": ""}
    assert q.builds() == ["b", "soft"]


@pytest.mark.zuul(101)
def test_the_failure_of_a_job_without_a_vote_is_known_and_does_not_count() -> None:
    q = jobs_gate(job("unit"), job("style", voting=False))
    q.ends("style", "FAILURE")
    assert q.results_of()["style"] == "FAILURE"
    q.ends("unit")
    assert q.merged == [1]


@pytest.mark.zuul(102)
def test_noop_passes_without_an_executor_and_without_jobs_nothing_merges() -> None:
    assert jobs_gate(job("noop")).merged == [1]
    empty = jobs_gate()
    assert (empty.merged, empty.why(1)) == ([], reason("pipeline.no-jobs"))


@pytest.mark.zuul(103)
@pytest.mark.parametrize("result", ["", "ABORTED"])
def test_a_build_whose_executor_went_away_is_tried_again_in_the_same_buildset_until_the_attempts_are_used(
    result: str,
) -> None:
    q = jobs_gate(job("unit", attempts=2))
    first = q.build(1)
    q.running.pop(first.build)
    q.happen(BuildCompleted(first.build, first.fence, result))
    q.settle()
    again = q.build(1)
    assert again.build != first.build
    assert q.item().attempt == 1
    q.lost("unit")
    assert q.why(1) == reason("pipeline.job-failed", job="unit", result="RETRY_LIMIT")


@pytest.mark.zuul(103)
def test_repositories_that_an_executor_could_not_prepare_are_tried_again_and_the_result_is_kept_at_the_end() -> None:
    q = jobs_gate(job("unit", attempts=2))
    q.ends("unit", "MERGE_FAILURE")
    assert q.builds() == ["unit"]
    q.ends("unit", "MERGE_FAILURE")
    assert q.why(1) == reason("pipeline.job-failed", job="unit", result="MERGE_FAILURE")


@pytest.mark.zuul(104)
def test_fail_fast_cancels_what_runs_and_what_was_to_run_and_keeps_what_has_ended() -> None:
    q = jobs_gate(job("docs"), job("unit"), job("slow"), job("deploy", "slow"), made=FailingFast())
    q.ends("docs")
    item = q.item()
    q.fails(1, "unit")
    assert [build.job for build in q.cancelled] == ["slow"]
    assert q.departed == {1: Outcome.FAILED}
    assert q.runs("deploy") == 0
    told = next(fact for fact in q.history if isinstance(fact, facts.BuildAborted))
    assert told.build == item.builds["slow"].id


@pytest.mark.zuul(104)
def test_fail_fast_waits_for_the_end_of_a_build_and_spares_jobs_without_a_vote_and_retries() -> None:
    q = jobs_gate(job("style", voting=False), job("unit"), job("slow"), made=FailingFast())
    q.ends("style", "FAILURE")
    q.lost("unit")
    q.failing(1, "unit")
    assert q.builds() == ["slow", "unit"]
    q.fails(1, "unit")
    assert [build.job for build in q.cancelled] == ["slow"]
    assert dict(q.why(1).params)["job"] == "unit"


@pytest.mark.zuul(105)
def test_nothing_behind_starts_before_a_job_that_holds_following_changes_has_passed() -> None:
    q = jobs_gate(job("merge", hold_following=True), job("unit", "merge"), behind=(Change(2), Change(3)))
    assert sorted(q.tested) == [1]
    q.ends("merge")
    assert sorted(q.tested) == [1, 2, 3]


@pytest.mark.zuul(105)
def test_behind_a_holding_job_that_failed_all_go_on_without_the_change() -> None:
    q = jobs_gate(job("merge", hold_following=True), behind=(Change(2),))
    q.ends("merge", "FAILURE")
    assert q.tested == {2: {"c2"}}


@pytest.mark.zuul(109)
def test_only_the_children_that_a_job_chooses_run_and_what_depends_on_the_others_is_skipped() -> None:
    q = jobs_gate(job("pick"), job("a", "pick"), job("b", "pick"), job("after-b", "b"), job("c", "pick"))
    q.ends("pick", chosen=("a", "c"))
    assert q.builds() == ["a", "c"]
    assert q.results_of() == {"pick": "SUCCESS", "a": "", "b": "SKIPPED", "after-b": "SKIPPED", "c": ""}
    q.ends("a")
    q.ends("c")
    assert q.merged == [1]


@pytest.mark.zuul(109)
def test_an_empty_choice_skips_all_children_and_their_children() -> None:
    q = jobs_gate(job("pick"), job("a", "pick"), job("after-a", "a"))
    q.ends("pick", chosen=())
    assert q.merged == [1]
    assert (q.runs("a"), q.runs("after-a")) == (0, 0)


@pytest.mark.zuul(109)
def test_a_wrong_name_among_the_chosen_is_ignored_with_a_warning() -> None:
    q = jobs_gate(job("pick"), job("a", "pick"), job("b", "pick"))
    q.ends("pick", chosen=("a", "nonsense"))
    assert q.builds() == ["a"]
    item = q.item()
    warnings = list(graph_of(item).unknown_children(item.builds))
    assert warnings == [reason("pipeline.child-job-unknown", job="pick", name="nonsense")]


@pytest.mark.zuul(109)
def test_the_choice_of_a_job_that_failed_says_nothing_more() -> None:
    q = jobs_gate(job("pick", voting=False), job("a", soft=("pick",)), job("unit"))
    q.ends("pick", "FAILURE", chosen=("a",))
    assert q.results_of()["a"] == "SKIPPED"


def test_when_every_job_was_skipped_nothing_was_tested_and_nothing_merges() -> None:
    q = jobs_gate(job("unit", "no-such-job"))
    assert q.why(1) == reason("pipeline.all-jobs-skipped")


@pytest.mark.zuul(110)
def test_an_initializer_chooses_the_whole_graph() -> None:
    q = jobs_gate(job("init", type="initializer"), job("unit", soft=("init",)), job("docs", soft=("init",)))
    assert q.builds() == ["init"]
    q.ends("init", chosen=("docs",))
    assert q.builds() == ["docs"]
    q.ends("docs")
    assert q.merged == [1]


@pytest.mark.zuul(110)
def test_of_two_initializers_only_what_both_choose_runs() -> None:
    both = {"soft": ("init1", "init2")}
    q = jobs_gate(
        job("init1", type="initializer"),
        job("init2", type="initializer"),
        job("a", **both),
        job("b", **both),
        job("c", **both),
    )
    q.ends("init1", chosen=("a", "b"))
    q.ends("init2", chosen=("a", "c"))
    assert q.builds() == ["a"]


@pytest.mark.zuul(110, differs="an initializer that chooses nothing skips all jobs; in Zuul an empty list skips none")
def test_an_initializer_that_chooses_nothing_skips_everything() -> None:
    q = jobs_gate(job("init", type="initializer"), job("unit", soft=("init",)))
    q.ends("init", chosen=())
    assert q.runs("unit") == 0


REPORTER = job("announce", type="reporter")


@pytest.mark.zuul(110)
def test_a_reporter_job_runs_after_the_merge_and_its_report_and_what_is_behind_waits_for_it() -> None:
    q = jobs_gate(job("unit"), REPORTER, behind=(Change(2),))
    assert q.builds() == ["unit"]
    q.passes(1, "unit")
    assert q.merged == [1]
    assert q.builds() == ["announce"]
    q.passes(2)
    assert q.merged == [1]
    q.passes(1, "announce")
    assert q.merged == [1, 2]
    assert q.departed == {1: Outcome.MERGED, 2: Outcome.MERGED}
    reports = [fact.item for fact in q.history if isinstance(fact, facts.ReportAsked)]
    assert reports == ["i1"]


@pytest.mark.zuul(110)
def test_a_failed_reporter_job_leaves_the_change_merged_and_resets_those_behind() -> None:
    q = jobs_gate(job("unit"), REPORTER, behind=(Change(2), Change(3)))
    q.passes(1, "unit")
    q.fails(1, "announce")
    assert q.departed == {1: Outcome.MERGED}
    assert q.tested == {2: {"c1", "c2"}, 3: {"c1", "c2", "c3"}}
    assert [q.item(number).attempt for number in (2, 3)] == [2, 2]
    why = reason("pipeline.reporter-failed", change="1")
    assert {fact.reason for fact in q.history if isinstance(fact, facts.ItemReset)} == {why}


@pytest.mark.zuul(110)
def test_reporter_jobs_run_only_after_success() -> None:
    q = jobs_gate(job("unit"), REPORTER)
    q.fails(1, "unit")
    assert q.runs("announce") == 0
    assert q.departed == {1: Outcome.FAILED}


@pytest.mark.zuul(110)
def test_in_check_a_reporter_job_runs_after_the_report_too() -> None:
    q = jobs_gate(job("unit"), REPORTER, made=JobsGate(manager=Manager.INDEPENDENT))
    q.passes(1, "unit")
    assert q.builds() == ["announce"]
    q.fails(1, "announce")
    assert q.departed == {1: Outcome.SUCCEEDED}


@pytest.mark.zuul(113)
def test_when_nodes_cannot_be_had_the_next_alternative_of_the_nodeset_is_tried() -> None:
    q = jobs_gate(job("unit", alternatives=2, attempts=1))
    q.ends("unit", "NODE_FAILURE")
    assert q.item().builds["unit"].choice == 1
    q.ends("unit")
    assert q.merged == [1]


@pytest.mark.zuul(113)
def test_when_no_alternative_is_left_the_job_fails_for_want_of_nodes() -> None:
    q = jobs_gate(job("unit", alternatives=2))
    q.ends("unit", "NODE_FAILURE")
    q.ends("unit", "NODE_FAILURE")
    assert q.why(1) == reason("pipeline.job-failed", job="unit", result="NODE_FAILURE")


@pytest.mark.zuul(113)
def test_a_build_whose_node_was_lost_is_tried_again_on_the_next_alternative_and_another_retry_on_the_same() -> None:
    q = jobs_gate(job("unit", alternatives=2, attempts=4))
    q.node_lost("unit", reason("executor.pre-run-failed", reason("executor.node-lost", step="pre-run a")))
    assert q.item().builds["unit"].choice == 1
    q.node_lost("unit", reason("executor.pre-run-failed", reason("executor.step-failed", step="pre-run a", code=1)))
    assert q.item().builds["unit"].choice == 1
    q.node_lost("unit", reason("executor.node-gone", told="no route to host"))
    assert q.item().builds["unit"].choice == 0, "the first one again, after the last"
    q.ends("unit")
    assert q.merged == [1]


def test_jobs_that_wait_for_one_another_in_a_circle_never_run() -> None:
    q = jobs_gate(job("a", "b"), job("b", "a"))
    assert q.builds() == []
    assert JobDependency("b") in q.item().prepared.jobs[0].needs

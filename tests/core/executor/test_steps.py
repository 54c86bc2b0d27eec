# SPDX-License-Identifier: Apache-2.0
"""The order of a build's steps, their time, and the result: Zuul's rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatebot.assignment import FrozenJob, Playbook
from gatebot.executor.model import Ending, Phase, Result, Returned, Step, StepDone, Verdict
from gatebot.executor.steps import hindrance, next_step, shown, time_left, verdict
from gatebot.reasons import reason
from gatebot.words import say
from tests.fakes.executor import assignment


def book(name: str) -> Playbook:
    return Playbook("p", "main", name)


JOB = FrozenJob(
    "unit",
    "hash",
    pre_run=(book("pre1"), book("pre2")),
    run=(book("run1"), book("run2")),
    post_run=(book("post1"), book("post2")),
    cleanup_run=(book("clean"),),
    timeout=100,
    pre_timeout=30,
    post_timeout=20,
)


def play(endings: dict[str, Ending], job: FrozenJob = JOB, code: int = 1) -> list[StepDone]:
    """Run the job with these endings; steps that are not named succeed."""
    done: list[StepDone] = []
    while (step := next_step(job, done)) is not None:
        ending = endings.get(step.playbook.path, Ending.OK)
        seconds = (time_left(job, step, done) or 0.0) if ending is Ending.TIMED_OUT else 10.0
        done.append(StepDone(step, ending, 0 if ending is Ending.OK else code, seconds))
    return done


def names(done: list[StepDone]) -> list[str]:
    return [item.step.playbook.path for item in done]


def test_all_steps_run_in_order_when_all_succeed() -> None:
    done = play({})
    assert names(done) == ["pre1", "pre2", "run1", "run2", "post1", "post2", "clean"]
    assert verdict(JOB, done, Returned()).result is Result.SUCCESS


def test_a_failed_run_step_skips_the_rest_of_run_and_still_runs_post() -> None:
    done = play({"run1": Ending.FAILED})
    assert names(done) == ["pre1", "pre2", "run1", "post1", "post2", "clean"]
    found = verdict(JOB, done, Returned())
    assert found.result is Result.FAILURE
    assert not found.retry
    assert found.reason is not None
    assert say(found.reason) == "The step run run1 failed with exit code 1."


def test_a_failed_pre_run_skips_run_and_asks_for_another_attempt() -> None:
    done = play({"pre1": Ending.FAILED})
    assert names(done) == ["pre1", "post1", "post2", "clean"]
    found = verdict(JOB, done, Returned())
    assert (found.result, found.retry) == (Result.RETRY, True)


def test_a_job_can_return_that_a_failed_pre_run_is_final() -> None:
    found = verdict(JOB, play({"pre1": Ending.FAILED}), Returned(retry=False))
    assert (found.result, found.retry) == (Result.FAILURE, False)


def test_every_post_step_runs_although_one_failed_and_the_result_says_so() -> None:
    done = play({"run1": Ending.FAILED, "post1": Ending.FAILED})
    assert names(done)[-3:] == ["post1", "post2", "clean"]
    assert verdict(JOB, done, Returned()).result is Result.POST_FAILURE


def test_cleanup_never_changes_the_result() -> None:
    assert verdict(JOB, play({"clean": Ending.FAILED}), Returned()).result is Result.SUCCESS


@pytest.mark.parametrize(
    "ending, result, text",
    [
        (
            Ending.TIMED_OUT,
            Result.TIMED_OUT,
            "The step run run1 was stopped after 80 seconds: the steps before it had taken 20 of the 100 seconds that "
            "the `timeout` of the job allows them together. Make them faster, or raise it.",
        ),
        (
            Ending.OUT_OF_MEMORY,
            Result.FAILURE,
            "The step run run1 used more memory than its node has, and was killed. "
            "Use less, or a node label with more memory.",
        ),
        (
            Ending.DISK_FULL,
            Result.DISK_FULL,
            "The disk of the node was full during the step run run1. "
            "Write less, or use a node label with a larger disk.",
        ),
    ],
)
def test_limits_have_their_own_sentences(ending: Ending, result: Result, text: str) -> None:
    found = verdict(JOB, play({"run1": ending}), Returned())
    assert found.result is result
    assert found.reason is not None
    assert say(found.reason) == text


@pytest.mark.parametrize(
    "step, key, limit", [("pre1", "pre-timeout", 30), ("post1", "post-timeout", 20), ("run1", "timeout", 100)]
)
def test_a_step_that_takes_too_long_names_the_setting_that_is_its_limit(step: str, key: str, limit: int) -> None:
    job = replace(JOB, pre_run=JOB.pre_run[:1] if step == "pre1" else ())
    found = verdict(job, play({step: Ending.TIMED_OUT}, job), Returned())
    assert found.reason is not None
    assert f"took longer than its limit of {limit} seconds" in say(found.reason)
    assert say(found.reason).endswith(f"or raise the `{key}` of the job.")


def test_a_job_that_failed_before_its_post_run_did_says_both() -> None:
    found = verdict(JOB, play({"run1": Ending.FAILED, "post1": Ending.TIMED_OUT}, code=3), Returned())
    assert found.reason is not None
    assert say(found.reason) == (
        "A step after the job failed. The step post-run post1 took longer than its limit of 20 seconds and was "
        "stopped. Make it faster, or raise the `post-timeout` of the job. The job itself had failed before that. "
        "The step run run1 failed with exit code 3."
    )


@pytest.mark.parametrize(
    "code, printed, told",
    [
        (127, "sandbox: /home/job/src/h/p/run1: Permission denied", "git update-index --chmod=+x run1"),
        (126, "sh: 1: exec: /home/job/src/h/p/run1: Permission denied", "git update-index --chmod=+x run1"),
        (126, "/home/job/src/h/p/run1: Exec format error", "let its first line be #!/bin/sh"),
        (127, "/home/job/src/h/p/run1: No such file or directory", "There is no file run1 in p at this commit"),
        (127, "/home/job/src/h/p/run1: 3: pip: not found", ""),
        (1, "/home/job/src/h/p/run1: Permission denied", ""),
    ],
)
def test_a_program_that_cannot_be_begun_is_told_with_what_to_do(code: int, printed: str, told: str) -> None:
    step = Step(Phase.RUN, 0, book("run1"))
    found = hindrance(step, code, printed)
    assert (found is not None) == bool(told)
    why = verdict(JOB, [StepDone(step, Ending.FAILED, code, 1.0, found)], Returned()).reason
    assert why is not None
    assert say(why).startswith(f"The step run run1 failed with exit code {code}.")
    assert told in say(why)


def test_the_last_attempt_is_told_as_such() -> None:
    given, again = assignment("c" * 40, replace(JOB, attempts=2)), Verdict(Result.RETRY, retry=True)
    assert shown(replace(given, attempt=1), again).result is Result.RETRY
    assert shown(replace(given, attempt=2), again).result is Result.RETRY_LIMIT
    assert shown(replace(given, attempt=2), Verdict(Result.RETRY)).result is Result.RETRY


def test_nothing_runs_after_a_lost_node() -> None:
    done = play({"run1": Ending.LOST})
    assert names(done) == ["pre1", "pre2", "run1"]
    found = verdict(JOB, done, Returned())
    assert (found.result, found.retry) == (Result.RETRY, True)


def test_of_an_aborted_build_only_what_cleans_up_still_runs() -> None:
    tidy = replace(JOB, post_run=(book("post1"), replace(book("tidy"), cleanup=True)))
    done = play({"run1": Ending.ABORTED}, tidy)
    assert names(done) == ["pre1", "pre2", "run1", "tidy", "clean"]
    assert verdict(tidy, done, Returned()).result is Result.ABORTED
    assert next_step(tidy, [], aborted=True) is None, "nothing was begun that could be cleaned up"
    assert next_step(tidy, done[:1], aborted=True) == Step(Phase.POST, 1, tidy.post_run[1])


def test_an_unreachable_host_asks_for_another_attempt_after_post_run_had_its_chance() -> None:
    for name in ("pre1", "run2", "post1"):
        done = play({name: Ending.UNREACHABLE})
        assert names(done)[-3:] == ["post1", "post2", "clean"]
        found = verdict(JOB, done, Returned())
        assert (found.result, found.retry) == (Result.RETRY, True), name


EARLY = reason("executor.task-failed", step="run run1")


@pytest.mark.zuul(22)
def test_an_early_failure_stands_when_the_host_is_lost_afterwards() -> None:
    for name in ("run1", "post1"):
        found = verdict(JOB, play({name: Ending.UNREACHABLE}), Returned(), EARLY)
        assert not found.retry
    assert verdict(JOB, play({"run1": Ending.UNREACHABLE}), Returned(), EARLY).result is Result.FAILURE


@pytest.mark.zuul(20)
def test_a_line_that_means_failure_fails_the_build_whatever_its_playbooks_say() -> None:
    assert verdict(JOB, play({}), Returned(), EARLY) == Verdict(Result.FAILURE, EARLY)


@pytest.mark.zuul(21)
def test_a_failed_pre_run_is_tried_again_unless_the_job_says_otherwise() -> None:
    done = play({"pre1": Ending.FAILED})
    assert verdict(JOB, done, Returned()).retry
    assert verdict(JOB, done, Returned(retry=False)).result is Result.FAILURE


def test_a_failing_post_run_changes_a_failure_but_not_a_timeout_or_a_full_disk() -> None:
    for ending, result in (
        (Ending.FAILED, Result.POST_FAILURE),
        (Ending.TIMED_OUT, Result.TIMED_OUT),
        (Ending.DISK_FULL, Result.DISK_FULL),
    ):
        assert verdict(JOB, play({"run1": ending, "post1": Ending.FAILED}), Returned()).result is result


def test_the_timeout_covers_pre_run_and_run_together_and_each_post_step_has_its_own() -> None:
    done = play({})
    steps = [item.step for item in done]
    left = [time_left(JOB, step, done[:index]) for index, step in enumerate(steps)]
    assert left == [30.0, 20.0, 80.0, 70.0, 20.0, 20.0, 300.0]


def test_a_job_without_timeout_has_no_limit_and_one_that_used_its_time_has_none_left() -> None:
    assert time_left(FrozenJob("j", "h"), Step(Phase.RUN, 0, book("a")), []) is None
    spent = [StepDone(Step(Phase.PRE, 0, book("pre1")), Ending.OK, 0, 500.0)]
    assert time_left(JOB, Step(Phase.RUN, 0, book("run1")), spent) == 0.0


def test_after_a_failed_pre_run_of_an_outer_job_the_post_runs_inside_it_are_skipped() -> None:
    inner = [replace(book(name), nesting=1) for name in ("inner-pre", "inner-post", "inner-clean")]
    job = replace(
        JOB,
        pre_run=(book("pre1"), inner[0]),
        post_run=(inner[1], book("post1")),
        cleanup_run=(inner[2], book("clean")),
    )
    assert names(play({"pre1": Ending.FAILED}, job)) == ["pre1", "post1", "clean"]
    done = play({"inner-pre": Ending.FAILED}, job)
    assert names(done) == ["pre1", "inner-pre", "inner-post", "post1", "inner-clean", "clean"]
    assert names(play({"run1": Ending.FAILED}, job))[-4:] == ["inner-post", "post1", "inner-clean", "clean"]

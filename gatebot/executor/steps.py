# SPDX-License-Identifier: Apache-2.0
"""Which step of a build comes next, how long it may take, and how the build ends: Zuul's order, as functions.

Pure: the runner tells what was done and is told what to do. Pre-run in order until one fails; run only
after a clean pre-run, until one fails; post-run always, but of jobs whose pre-run was never begun; cleanup last and
without effect. Of an aborted build only those steps run that clean up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..assignment import Assignment, FrozenJob
from ..reasons import Reason, reason
from .model import Ending, Phase, Result, Returned, Step, StepDone, Verdict

#: A cleanup step has no setting in Zuul's language; it may not hold a node for ever.
CLEANUP_TIMEOUT = 300.0


def all_steps(job: FrozenJob) -> Iterator[Step]:
    """Every step of a job in order, as if all went well."""
    for phase, playbooks in (
        (Phase.PRE, job.pre_run),
        (Phase.RUN, job.run),
        (Phase.POST, job.post_run),
        (Phase.CLEANUP, job.cleanup_run),
    ):
        yield from (Step(phase, index, playbook) for index, playbook in enumerate(playbooks))


def next_step(job: FrozenJob, done: Sequence[StepDone], *, aborted: bool = False) -> Step | None:
    """The step after those done; None: the build is over. An aborted one that began nothing has nothing to clean up."""
    aborted = aborted or any(item.ending is Ending.ABORTED for item in done)
    if any(item.ending is Ending.LOST for item in done) or (aborted and not done):
        return None
    past = {(item.step.phase, item.step.index) for item in done}
    broken = aborted or any(item.ending is not Ending.OK for item in _before_post(done))
    for step in all_steps(job):
        if (step.phase, step.index) in past or (broken and step.phase in (Phase.PRE, Phase.RUN)):
            continue
        if (aborted and not cleans(step)) or _inside(step, done):
            continue
        return step
    return None


def _inside(step: Step, done: Sequence[StepDone]) -> bool:
    """Whether it is of a job inside the one whose pre-run failed: that job never began."""
    failed = next((item.step for item in done if item.step.phase is Phase.PRE and item.ending is not Ending.OK), None)
    return failed is not None and step.playbook.nesting > failed.playbook.nesting


def cleans(step: Step) -> bool:
    """Whether it runs also when the build was aborted."""
    return step.phase is Phase.CLEANUP or step.playbook.cleanup


def _before_post(done: Sequence[StepDone]) -> Iterator[StepDone]:
    return (item for item in done if item.step.phase in (Phase.PRE, Phase.RUN))


def time_left(job: FrozenJob, step: Step, done: Sequence[StepDone]) -> float | None:
    """How long the step may take; None: without limit. `timeout` covers pre-run and run together."""
    match step.phase:
        case Phase.POST:
            return None if job.post_timeout is None else float(job.post_timeout)
        case Phase.CLEANUP:
            return CLEANUP_TIMEOUT
        case _:
            spent = {phase: sum(item.seconds for item in done if item.step.phase is phase) for phase in Phase}
            limits = [] if job.timeout is None else [job.timeout - spent[Phase.PRE] - spent[Phase.RUN]]
            if step.phase is Phase.PRE and job.pre_timeout is not None:
                limits.append(job.pre_timeout - spent[Phase.PRE])
            return max(min(limits), 0.0) if limits else None


def verdict(job: FrozenJob, done: Sequence[StepDone], returned: Returned, early: Reason | None = None) -> Verdict:
    """How the build ends. A failed pre-run asks for another attempt unless the job returned `retry: false`.

    `early` is why the build could no longer succeed while its run playbooks went on: it fails then, and is not retried.
    """
    for item in done:
        if item.ending is Ending.ABORTED:
            return Verdict(Result.ABORTED, reason("executor.aborted"))
        if item.ending is Ending.LOST:
            return _again(item)
    failed = next((item for item in _before_post(done) if item.ending is not Ending.OK), None)
    if failed is not None and failed.step.phase is Phase.PRE:
        told = reason("executor.pre-run-failed", why(failed, job))
        return Verdict(Result.RETRY, told, retry=True) if returned.retry else Verdict(Result.FAILURE, told)
    if failed is not None and failed.ending is Ending.UNREACHABLE:
        return _again(failed) if early is None else Verdict(Result.FAILURE, early)
    post = [item for item in done if item.step.phase is Phase.POST and item.ending is not Ending.OK]
    if failed is None or failed.ending not in _LASTING:
        gone = next((item for item in post if item.ending is Ending.UNREACHABLE and not cleans(item.step)), None)
        if gone is not None and early is None:
            return _again(gone)
        if post:
            first = (reason("executor.failed-before", why(failed, job)),) if failed is not None else ()
            return Verdict(Result.POST_FAILURE, reason("executor.post-run-failed", why(post[0], job), *first))
    if failed is not None:
        return Verdict(_LASTING.get(failed.ending, Result.FAILURE), why(failed, job))
    return Verdict(Result.SUCCESS) if early is None else Verdict(Result.FAILURE, early)


def shown(assignment: Assignment, found: Verdict) -> Verdict:
    """How a build ended, for people: one that asks for another attempt where none is left has reached the limit."""
    over = found.retry and assignment.attempt >= assignment.job.attempts
    return replace(found, result=Result.RETRY_LIMIT) if over else found


def cut_short(canceled: Reason | None) -> Verdict:
    """How a build ends that is not to go on: canceled where somebody has a reason."""
    if canceled is not None:
        return Verdict(Result.CANCELED, canceled)
    return Verdict(Result.ABORTED, reason("executor.aborted"))


#: Endings of a run step that a failing post-run does not change.
_LASTING = {Ending.TIMED_OUT: Result.TIMED_OUT, Ending.DISK_FULL: Result.DISK_FULL}


def _again(item: StepDone) -> Verdict:
    return Verdict(Result.RETRY, reason("executor.node-lost", step=_name(item.step)), retry=True)


def why(item: StepDone, job: FrozenJob) -> Reason:
    """Why a step did not succeed."""
    step = _name(item.step)
    match item.ending:
        case Ending.TIMED_OUT:
            return _too_long(item, job)
        case Ending.OUT_OF_MEMORY:
            return reason("executor.out-of-memory", step=step)
        case Ending.DISK_FULL:
            return reason("executor.disk-full", step=step)
        case Ending.UNREACHABLE | Ending.LOST:
            return reason("executor.node-lost", step=step)
        case _ if item.code < 0:
            return reason("executor.step-killed", step=step, signal=-item.code)
        case _:
            because = () if item.hindrance is None else (item.hindrance,)
            return reason("executor.step-failed", *because, step=step, code=item.code)


#: How a program that could not be begun ends its last line, and what is the matter with its file then.
_UNABLE = {
    "Permission denied": "executor.not-executable",
    "Exec format error": "executor.no-interpreter",
    "No such file or directory": "executor.no-such-program",
    "not found": "executor.no-such-program",
}


def hindrance(step: Step, code: int, printed: str) -> Reason | None:
    """What hindered the program of a step from being begun, by the last line that was printed; None: nothing did."""
    path = step.playbook.path
    if code not in (126, 127) or not printed.rpartition(": ")[0].endswith(f"/{path}"):
        return None
    kind = next((kind for told, kind in _UNABLE.items() if printed.endswith(told)), None)
    return reason(kind, path=path, project=step.playbook.project) if kind is not None else None


def _too_long(item: StepDone, job: FrozenJob) -> Reason:
    """Which limit a step reached, by the name of its setting; those before it may have used most of it up."""
    step, own = _name(item.step), round(item.seconds)
    match item.step.phase:
        case Phase.CLEANUP:
            return reason("executor.cleanup-timed-out", step=step, limit=round(CLEANUP_TIMEOUT))
        case Phase.POST:
            return reason("executor.step-timed-out", step=step, key="post-timeout", limit=job.post_timeout or 0)
        case Phase.PRE if job.pre_timeout is not None:
            key, limit = "pre-timeout", job.pre_timeout
        case _:
            key, limit = "timeout", job.timeout or 0
    if own + 1 <= limit:
        return reason("executor.steps-timed-out", step=step, key=key, limit=limit, own=own, before=limit - own)
    return reason("executor.step-timed-out", step=step, key=key, limit=limit)


def _name(step: Step) -> str:
    return f"{step.phase} {step.playbook.path}"

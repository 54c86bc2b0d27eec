# SPDX-License-Identifier: Apache-2.0
"""Which step of a build comes next, how long it may take, and how the build ends: Zuul's order, as functions.

Pure: the runner tells what was done and is told what to do. Pre-run in order until one fails; run only
after a clean pre-run, until one fails; post-run always and all of it; cleanup last and without effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..assignment import FrozenJob
from ..reasons import Reason, reason
from .model import Ending, Phase, Result, Returned, Step, StepDone, Verdict

#: A step that ended so leaves no node to run anything else on.
_OVER = (Ending.LOST, Ending.ABORTED)
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


def next_step(job: FrozenJob, done: Sequence[StepDone]) -> Step | None:
    """The step after those done; None: the build is over."""
    if any(step.ending in _OVER for step in done):
        return None
    past = {(item.step.phase, item.step.index) for item in done}
    broken = any(item.ending is not Ending.OK and item.step.phase in (Phase.PRE, Phase.RUN) for item in done)
    for step in all_steps(job):
        if (step.phase, step.index) in past or (broken and step.phase in (Phase.PRE, Phase.RUN)):
            continue
        return step
    return None


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


def verdict(job: FrozenJob, done: Sequence[StepDone], returned: Returned) -> Verdict:
    """How the build ends. A failed pre-run asks for another attempt unless the job returned `retry: false`."""
    before = [item for item in done if item.step.phase in (Phase.PRE, Phase.RUN)]
    post = [item for item in done if item.step.phase is Phase.POST]
    for item in done:
        if item.ending is Ending.ABORTED:
            return Verdict(Result.ABORTED, reason("executor.aborted"))
        if item.ending is Ending.LOST:
            return Verdict(Result.RETRY, reason("executor.node-lost", step=_name(item.step)), retry=True)
    failed = next((item for item in before if item.ending is not Ending.OK), None)
    if failed is not None and failed.step.phase is Phase.PRE:
        if returned.retry:
            return Verdict(Result.RETRY, reason("executor.pre-run-failed", why(failed, job)), retry=True)
        return Verdict(Result.FAILURE, reason("executor.pre-run-failed", why(failed, job)))
    spoiled = next((item for item in post if item.ending is not Ending.OK), None)
    if spoiled is not None:
        return Verdict(Result.POST_FAILURE, reason("executor.post-run-failed", why(spoiled, job)))
    if failed is None:
        return Verdict(Result.SUCCESS)
    results = {Ending.TIMED_OUT: Result.TIMED_OUT, Ending.DISK_FULL: Result.DISK_FULL}
    return Verdict(results.get(failed.ending, Result.FAILURE), why(failed, job))


def why(item: StepDone, job: FrozenJob) -> Reason:
    """Why a step did not succeed."""
    step = _name(item.step)
    match item.ending:
        case Ending.TIMED_OUT:
            limit = {Phase.PRE: job.pre_timeout or job.timeout, Phase.POST: job.post_timeout}.get(
                item.step.phase, job.timeout
            )
            return reason("executor.step-timed-out", step=step, limit=limit or 0)
        case Ending.OUT_OF_MEMORY:
            return reason("executor.out-of-memory", step=step)
        case Ending.DISK_FULL:
            return reason("executor.disk-full", step=step)
        case _ if item.code < 0:
            return reason("executor.step-killed", step=step, signal=-item.code)
        case _:
            return reason("executor.step-failed", step=step, code=item.code)


def _name(step: Step) -> str:
    return f"{step.phase} {step.playbook.path}"

# SPDX-License-Identifier: Apache-2.0
"""What one fact makes of one build; `record.py` puts it back into its item.

Pure. Whether the fact is about this run of the build (its fence, its item) is checked there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from ...events import BuildCompleted, BuildFailing, BuildPaused, BuildStarted, SemaphoresAsked, SemaphoresReleased
from .facts import BuildAborted, BuildAssigned, BuildReset, RequirementsFailed, ResumeAsked, SemaphoresGranted
from .graph import spares
from .model import ABORTED, CANCELED, FAILURE, RETRY, SUCCESS, Build

Told = BuildStarted | BuildFailing | BuildPaused | BuildCompleted | SemaphoresAsked | SemaphoresReleased
TOLD = (BuildStarted, BuildFailing, BuildPaused, BuildCompleted, SemaphoresAsked, SemaphoresReleased)
"""What executors tell of builds."""


def assigned(known: Build | None, event: BuildAssigned) -> Build | None:
    """The new run; None where it is known already. `known` is the run of the same job before it."""
    spared = 0
    if known is not None and known.id == event.build:
        if known.result or known.fence >= event.fence:
            return None
        spared = known.spared
    elif known is not None:
        spared = known.spared + spares(known)
    return Build(
        event.build,
        event.job,
        event.tries,
        event.fence,
        choice=event.choice,
        provided=event.provided,
        spared=spared,
    )


def refused(event: RequirementsFailed) -> Build:
    """A build that never ran."""
    return Build(event.build, event.job, event.tries, result=FAILURE, reason=event.reason)


def after(build: Build, event: BuildAborted | BuildReset | ResumeAsked | SemaphoresGranted) -> Build:
    """The build after something that the plan asked for; the same where it comes too late."""
    match event:
        case BuildReset():
            return replace(build, result=build.result or CANCELED, void=True)
        case _ if build.result:
            return build
        case BuildAborted():
            return replace(build, result=CANCELED, reason=event.reason)
        case ResumeAsked():
            return replace(build, resumed=True)
        case SemaphoresGranted():
            left = tuple(name for name in build.wants if name not in event.names)
            return replace(build, wants=left, holds=tuple(dict.fromkeys((*build.holds, *event.names))))
    assert_never(event)


def told(build: Build, event: Told) -> Build:
    """The build after what its executor tells."""
    match event:
        case BuildStarted():
            return replace(build, started=True)
        case BuildFailing():
            return replace(build, failing=event.reason)
        case BuildPaused():
            return replace(build, paused=True, child_jobs=event.child_jobs)
        case SemaphoresAsked():
            return replace(build, wants=tuple(dict.fromkeys((*build.wants, *event.names))))
        case SemaphoresReleased():
            return replace(build, holds=tuple(name for name in build.holds if name not in event.names))
        case BuildCompleted():
            return replace(
                build,
                result=_final(build, event),
                retry=event.retry,
                reason=event.reason,
                error_line=event.error_line,
                error_text=event.error_text,
                child_jobs=build.child_jobs if event.child_jobs is None else event.child_jobs,
            )
    assert_never(event)


def ended(event: BuildCompleted) -> str:
    """The result as the executor tells it. Where it went away without being asked to, the job is tried again."""
    return RETRY if event.retry or event.result in ("", ABORTED) else event.result


def _final(build: Build, event: BuildCompleted) -> str:
    """The result; what was seen to fail stays failed, whatever came later."""
    found = ended(event)
    return FAILURE if build.failing is not None and found in (RETRY, SUCCESS) else found

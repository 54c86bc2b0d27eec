# SPDX-License-Identifier: Apache-2.0
"""Requests for nodes that may wait for ever: of jobs that nobody has heard of.

Pure. Any name may be asked for, as in Zuul: a job may come with a change that is not pushed yet. But most unknown names
are misspelt, so they are told, with those that are like them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from ...reasons import Reason, reason
from ..queue.model import Queue

_NEAR = 3


def inside(tenant: str, projects: Collection[str], queues: Iterable[Queue]) -> frozenset[str]:
    """The jobs of what is in the queues of a tenant, of these projects: also those that have no build yet."""
    return frozenset(
        job.name
        for queue in queues
        if queue.tenant == tenant
        for item in queue.items.values()
        if item.prepared is not None
        for job in item.prepared.jobs
        if (about := item.subject(job)) is not None and about.project in projects
    )


def doubts(jobs: Iterable[str], known: Collection[str]) -> Mapping[str, Reason]:
    """What is to be said of those jobs that are not known."""
    return {job: _doubt(job, known) for job in jobs if job not in known}


def _doubt(job: str, known: Collection[str]) -> Reason:
    near = get_close_matches(job, sorted(known), _NEAR)
    said = (reason("pipeline.near-jobs", jobs=", ".join(near)),) if near else ()
    return reason("pipeline.no-job-yet", *said, job=job)

# SPDX-License-Identifier: Apache-2.0
"""What of an assignment is kept, and what of it may leave the site: everything but secrets, in the clear or encrypted.

Pure. Frozen jobs and messages of changes are kept elsewhere already, so what is kept of a build is small.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...assignment import AssignedChange, Assignment, FrozenJob, Playbook
from ..config.secrets import used


def bare(job: FrozenJob) -> FrozenJob:
    """A job without its secrets."""

    def bared(books: Iterable[Playbook]) -> tuple[Playbook, ...]:
        return tuple(replace(book, secrets=()) for book in books)

    return replace(
        job,
        pre_run=bared(job.pre_run),
        run=bared(job.run),
        post_run=bared(job.post_run),
        cleanup_run=bared(job.cleanup_run),
    )


def lacking(job: FrozenJob) -> tuple[str, ...]:
    """The names of a job's secrets."""
    return tuple(sorted({ref.secret for ref in used(job)}))


def kept(given: Assignment) -> Assignment:
    """What is kept of it besides its changes: no secrets, of the job its name and nodes."""
    job = given.job
    thin = FrozenJob(job.name, job.definition, nodes=job.nodes, groups=job.groups, nodeset=job.nodeset)
    return replace(given, job=thin, changes=(), secrets={}, secret_data={})


def named(number: int, patch_set: int, commit: str) -> AssignedChange:
    """A change of which nothing else is kept."""
    return AssignedChange(number, patch_set, "", "", commit, "", "", "")


def whole(found: Assignment, job: FrozenJob, changes: Iterable[AssignedChange]) -> Assignment:
    """What was kept, with its job and its changes in full; without secrets."""
    thin = found.job
    taken = replace(bare(job), nodes=thin.nodes, groups=thin.groups, nodeset=thin.nodeset, alternatives=())
    return replace(found, job=taken, changes=tuple(changes))


def commits_of(given: Assignment, project: str) -> frozenset[str]:
    """The commits of a repository that a build is made of."""
    own = (given.commit, given.old_commit, given.new_commit) if project == given.project else ()
    found = (one.commit for one in given.checkouts if one.project == project)
    return frozenset(commit for commit in (*own, *found) if commit.strip("0"))


def store_of(given: Assignment, project: str) -> str:
    """The store that has them: what is speculative has what is merged, too."""
    stores = [one.store for one in given.checkouts if one.project == project]
    return next((store for store in stores if store != project), project)

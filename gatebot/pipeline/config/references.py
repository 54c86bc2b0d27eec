# SPDX-License-Identifier: Apache-2.0
"""What one definition of a job refers to: projects, parents, nodesets, other jobs, and the tenant's limits.

Each finding is a reason and a word by which its line is found in the stanza. `job_problems` keep a job out of the
layout; with `reference_problems` it is in, can be shown, and is not run.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...reasons import Reason, reason
from .layout import Layout
from .objects import Variant


def job_problems(layout: Layout, job: Variant) -> Iterator[tuple[Reason, str]]:
    """Zuul's checks before a job is added."""
    for required in job.required_projects or ():
        if layout.project(required.project) is None:
            yield reason("config.unknown-required-project", project=required.project), required.project
    for name in job.allowed_projects or ():
        if layout.project(name) is None:
            yield reason("config.unknown-project", project=name), name
    limit = layout.tenant.max_job_timeout
    for attribute, seconds in (
        ("timeout", job.timeout),
        ("pre-timeout", job.pre_timeout),
        ("post-timeout", job.post_timeout),
    ):
        if seconds and limit != -1 and seconds > limit:
            yield reason("config.timeout-too-long", attribute=attribute, seconds=seconds, limit=limit), attribute
    owner = layout.projects[job.at.project]
    if job.base and not (owner.trusted and owner.base_jobs):
        yield reason("config.base-job-not-here", project=owner.name), "parent"


def reference_problems(layout: Layout, job: Variant) -> Iterator[tuple[Reason, str]]:
    """Zuul's checks once everything is added."""
    if job.parent is not None:
        yield from _parent_problems(layout, job, job.parent)
    if isinstance(job.nodeset, str) and job.nodeset not in layout.nodesets:
        yield reason("config.unknown-nodeset", nodeset=job.nodeset), job.nodeset
    nodeset = layout.nodesets.get(job.nodeset) if isinstance(job.nodeset, str) else job.nodeset
    limit = layout.tenant.max_nodes_per_job
    if nodeset is not None and limit != -1 and len(nodeset.nodes) > limit:
        yield reason("config.too-many-nodes-for-job", count=len(nodeset.nodes), limit=limit), "nodeset"
    for dependency in job.dependencies or ():
        if missing(layout, dependency.name):
            yield reason("config.unknown-job", job=dependency.name), dependency.name
    for name in job.roles or ():
        if layout.project(name) is None:
            yield reason("config.unknown-role-project", project=name), name
    for use in job.secrets or ():
        if use.secret not in layout.secrets:
            yield reason("config.unknown-secret", secret=use.secret), use.secret


def missing(layout: Layout, job: str) -> bool:
    """Whether a job is nowhere; one that was lost has errors of its own, and freezing knows of it."""
    return job not in layout.jobs and job != "noop" and f"job {job}" not in layout.lost


def _parent_problems(layout: Layout, job: Variant, name: str) -> Iterator[tuple[Reason, str]]:
    parents = layout.jobs.get(name)
    if name == "noop":
        yield reason("config.final-parent", job=job.name, parent=name), "parent"
        return
    if not parents:
        if missing(layout, name):
            yield reason("config.unknown-parent", job=job.name, parent=name), "parent"
        return
    if all(parent.final for parent in parents):
        yield reason("config.final-parent", job=job.name, parent=name), "parent"
    if all(parent.intermediate for parent in parents) and not job.abstract:
        yield reason("config.intermediate-parent", job=job.name, parent=name), "parent"
    if all(parent.protected for parent in parents) and parents[0].at.project != job.at.project:
        yield reason("config.protected-parent", job=job.name, parent=name, project=parents[0].at.project), "parent"

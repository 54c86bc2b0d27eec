# SPDX-License-Identifier: Apache-2.0
"""What one definition of a job refers to: projects, parents, nodesets, other jobs, and the tenant's limits.

Each finding is a reason and a word by which its line is found in the stanza. `job_problems` keep a job out of the
layout; with `reference_problems` it is in, can be shown, and is not run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...reasons import Reason, reason
from .allowed import label_problems, secret_problems
from .draft import Draft
from .layout import Layout
from .nodesets import choices
from .nodesets import problems as nodeset_problems
from .objects import Nodeset, Variant


def job_problems(layout: Layout, job: Variant) -> Iterator[tuple[Reason, str]]:
    """Zuul's checks before a job is added."""
    for required in job.required_projects or ():
        if layout.project(required.project) is None:
            yield reason("config.unknown-required-project", project=required.project), required.project
    for name in job.allowed_projects or ():
        if layout.project(name) is None:
            yield reason("config.unknown-project", project=name), name
    for choice in (*(job.include_projects or ()), *(job.exclude_projects or ())):
        if choice.name and layout.project(choice.name) is None:
            yield reason("config.unknown-project", project=choice.name), choice.name
    for file in job.include_vars or ():
        if file.project and layout.project(file.project) is None:
            yield reason("config.unknown-project", project=file.project), file.project
    limit = layout.tenant.max_job_timeout
    for attribute, seconds in (
        ("timeout", job.timeout),
        ("pre-timeout", job.pre_timeout),
        ("post-timeout", job.post_timeout),
    ):
        if seconds and limit != -1 and seconds > limit:
            yield reason("config.timeout-too-long", attribute=attribute, seconds=seconds, limit=limit), attribute
    if isinstance(job.nodeset, Nodeset):
        yield from label_problems(layout, job.nodeset)
    owner = layout.projects[job.at.project]
    if job.base and not (owner.trusted and owner.base_jobs):
        yield reason("config.base-job-not-here", project=owner.name), "parent"


def reference_problems(layout: Layout, job: Variant) -> Iterator[tuple[Reason, str]]:
    """Zuul's checks once everything is added."""
    if job.parent is not None:
        yield from _parent_problems(layout, job, job.parent)
    if job.nodeset is not None:
        yield from nodeset_problems(layout.nodesets, job.nodeset)
    limit = layout.tenant.max_nodes_per_job
    for nodeset in choices(layout.nodesets, job.nodeset):
        if limit != -1 and len(nodeset.nodes) > limit:
            yield reason("config.too-many-nodes-for-job", count=len(nodeset.nodes), limit=limit), "nodeset"
    for dependency in job.dependencies or ():
        if missing(layout, dependency.name):
            yield reason("config.unknown-job", job=dependency.name), dependency.name
    for name in job.roles or ():
        if layout.project(name) is None:
            yield reason("config.unknown-role-project", project=name), name
    for use in job.secrets or ():
        secret = layout.secrets.get(use.secret)
        if secret is None:
            yield reason("config.unknown-secret", secret=use.secret), use.secret
        elif secret.at.project != job.at.project:
            yield reason("config.secret-elsewhere", secret=use.secret, project=secret.at.project), use.secret
        else:
            yield from ((why, use.secret) for why, _ in secret_problems(layout, secret))


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
    if _circle(layout, job.name):
        yield reason("config.parent-cycle", job=job.name, parent=name), "parent"
        return
    if all(parent.final for parent in parents):
        yield reason("config.final-parent", job=job.name, parent=name), "parent"
    if all(parent.intermediate for parent in parents) and not job.abstract:
        yield reason("config.intermediate-parent", job=job.name, parent=name), "parent"
    if all(parent.protected for parent in parents) and parents[0].at.project != job.at.project:
        yield reason("config.protected-parent", job=job.name, parent=name, project=parents[0].at.project), "parent"


def _circle(layout: Layout, job: str) -> bool:
    """Whether a job inherits from itself on every branch; where variants differ, freezing finds it."""
    name, passed = job, set[str]()
    while name not in passed:
        passed.add(name)
        above = {one.parent for one in layout.jobs.get(name, ()) if one.parent is not None}
        if len(above) != 1:
            return False
        (name,) = above
    return name == job


def listing_problems(layout: Layout, draft: Draft, listed: Sequence[Variant]) -> Iterator[Reason]:
    """What the projects that list a job may not list."""
    project = layout.projects[listed[0].at.project]
    if draft.type == "reporter" and not (project.trusted or project.reporter_jobs):
        yield reason("config.reporter-job-not-here", job=draft.name, project=project.name)
    for one in listed if draft.image_build_name else ():
        image = layout.images.get(draft.image_build_name)
        if image is None:
            yield reason("config.unknown-image", image=draft.image_build_name)
        elif image.at.project != one.at.project:
            yield reason("config.image-elsewhere", job=draft.name, image=image.name, project=image.at.project)

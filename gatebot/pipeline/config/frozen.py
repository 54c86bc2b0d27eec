# SPDX-License-Identifier: Apache-2.0
"""A finished draft of a job as an executor gets it, and the hash of what it does.

Whether an item runs the job is decided in `freeze.py`; here every attribute finds its place in a `FrozenJob`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from ...assignment import FrozenJob, NodeChoice, RequiredProject, Role
from .draft import Draft
from .layout import Layout
from .nodesets import choices
from .secrets import carried


def frozen_job(layout: Layout, draft: Draft) -> FrozenJob:
    """The draft with everything resolved that the layout knows."""
    nodesets = [NodeChoice(one.nodes, one.groups, one.name) for one in choices(layout.nodesets, draft.nodeset)]
    first = nodesets[0] if nodesets else NodeChoice()
    before = min(draft.pre_timeout, draft.timeout) if draft.pre_timeout and draft.timeout else draft.pre_timeout
    described = [source.description for source in draft.sources if source.name == draft.name and source.description]
    semaphores = sorted(draft.semaphores)
    frozen = FrozenJob(
        name=draft.name,
        definition="",
        voting=draft.voting,
        pre_run=carried(layout, draft.pre_run),
        run=carried(layout, draft.run),
        post_run=carried(layout, draft.post_run),
        cleanup_run=carried(layout, draft.cleanup_run),
        nodes=first.nodes,
        groups=first.groups,
        nodeset=first.name,
        alternatives=tuple(nodesets) if len(nodesets) > 1 else (),
        roles=tuple(Role(project, layout.trusts(project)) for project in draft.roles if project),
        required_projects=_required(draft),
        include_projects=draft.include_projects,
        exclude_projects=draft.exclude_projects,
        dependencies=draft.dependencies,
        semaphores=tuple(semaphores),
        resources_first=tuple(name for name in semaphores if draft.semaphores[name]),
        pre_timeout=before,
        timeout=draft.timeout,
        post_timeout=draft.post_timeout,
        attempts=draft.attempts,
        vars=draft.vars,
        extra_vars=draft.extra_vars,
        host_vars=draft.host_vars,
        group_vars=draft.group_vars,
        include_vars=draft.include_vars,
        failure_output=draft.failure_output,
        parents=tuple(name for name in dict.fromkeys(draft.parents) if name != draft.name),
        description=described[0] if described else "",
    )
    frozen = _with_plain(layout, draft, frozen)
    return replace(frozen, definition=definition(frozen))


def _with_plain(layout: Layout, draft: Draft, job: FrozenJob) -> FrozenJob:
    """The job with its attributes of a single value; `auto` becomes None."""
    deduplicate, checkout = draft.deduplicate, draft.workspace_checkout
    return replace(
        job,
        ansible_version=draft.ansible_version or layout.tenant.default_ansible_version,
        split_streams=draft.ansible_split_streams,
        hold_following=draft.hold_following_changes,
        post_review=draft.post_review,
        provides=draft.provides,
        requires=draft.requires,
        tags=draft.tags,
        type=draft.type,
        deduplicate=deduplicate if isinstance(deduplicate, bool) else None,
        workspace_scheme=draft.workspace_scheme,
        workspace_checkout=checkout if isinstance(checkout, bool) else None,
        success_message=draft.success_message,
        failure_message=draft.failure_message,
        secret_exposure=draft.secret_exposure or "ignore",
        preserve_home_paths=draft.preserve_home_paths,
        image_build_name=draft.image_build_name,
    )


def _required(draft: Draft) -> tuple[RequiredProject, ...]:
    """The required projects; the job's own `override-checkout` holds for those that name none."""
    return tuple(
        RequiredProject(name, required.override_checkout or draft.override_checkout)
        for name, required in draft.required_projects.items()
    )


def definition(job: FrozenJob) -> str:
    """The hash of everything that defines what a job does; a proof is kept under it.

    Left out is what says when it runs, what its result means, and what nodesets are called: voting, semaphores,
    attempts, parents and the like.
    """
    books = (job.pre_run, job.run, job.post_run, job.cleanup_run, job.roles)
    workspace = (job.required_projects, job.include_projects, job.exclude_projects, job.workspace_scheme)
    alternatives = tuple((one.nodes, one.groups) for one in job.alternatives)
    nodes = (job.nodes, job.groups, alternatives, job.pre_timeout, job.timeout, job.post_timeout)
    ways = (
        job.ansible_version,
        job.split_streams,
        job.workspace_checkout,
        job.preserve_home_paths,
        job.secret_exposure,
    )
    told = repr((job.name, books, workspace, nodes, ways, job.dependencies, job.requires, job.tags, job.failure_output))
    variables = [job.vars, job.extra_vars, job.host_vars, job.group_vars]
    return hashlib.sha256((told + repr(job.include_vars) + json.dumps(variables, sort_keys=True)).encode()).hexdigest()

# SPDX-License-Identifier: Apache-2.0
"""A finished draft of a job as an executor gets it, and the hash of what it does.

Whether an item runs the job is decided in `freeze.py`; here every attribute finds its place in a `FrozenJob`.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Iterable
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any, get_args

from ...assignment import (
    NODELESS,
    FrozenJob,
    IncludeVars,
    JobDependency,
    NodeChoice,
    NodeGroup,
    NodeSpec,
    Playbook,
    ProjectChoice,
    RequiredProject,
    Role,
    SecretRef,
)
from .draft import Draft
from .layout import Layout
from .nodesets import choices
from .secrets import carried


def frozen_job(layout: Layout, draft: Draft) -> FrozenJob:
    """The draft with everything resolved that the layout knows."""
    found = choices(layout.nodesets, draft.nodeset)
    nodesets = [NodeChoice(_as_asked(one.nodes, draft), one.groups, one.name) for one in found]
    if not nodesets and draft.arch:
        nodesets = [NodeChoice(_as_asked((NodeSpec(("node",), NODELESS),), draft))]
    first = nodesets[0] if nodesets else NodeChoice()
    before = min(draft.pre_timeout, draft.timeout) if draft.pre_timeout and draft.timeout else draft.pre_timeout
    described = [source.description for source in draft.sources if source.name == draft.name and source.description]
    semaphores = sorted(draft.semaphores)
    job = FrozenJob(
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
        roles=tuple(
            Role(project, layout.trusts(project), draft.nesting_of_roles.get(project, 0))
            for project in draft.roles
            if project
        ),
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
        **_plain(layout, draft),
    )
    object.__setattr__(job, "definition", definition(job))  # nobody else has it yet
    return job


def _plain(layout: Layout, draft: Draft) -> dict[str, Any]:
    """The attributes of a single value; `auto` becomes None."""
    deduplicate, checkout = draft.deduplicate, draft.workspace_checkout
    return {
        "ansible_version": draft.ansible_version or layout.tenant.default_ansible_version,
        "split_streams": draft.ansible_split_streams,
        "hold_following": draft.hold_following_changes,
        "post_review": draft.post_review,
        "provides": draft.provides,
        "requires": draft.requires,
        "tags": draft.tags,
        "type": draft.type,
        "deduplicate": deduplicate if isinstance(deduplicate, bool) else None,
        "workspace_scheme": draft.workspace_scheme,
        "workspace_checkout": checkout if isinstance(checkout, bool) else None,
        "success_message": draft.success_message,
        "failure_message": draft.failure_message,
        "secret_exposure": draft.secret_exposure or "ignore",
        "preserve_home_paths": draft.preserve_home_paths,
        "image_build_name": draft.image_build_name,
        "override_checkout": draft.override_checkout,
    }


def _as_asked(nodes: tuple[NodeSpec, ...], draft: Draft) -> tuple[NodeSpec, ...]:
    """The nodes with what the job says of all of them."""
    if not draft.arch and not draft.execution:
        return nodes
    return tuple(
        replace(node, arch=node.arch or draft.arch, execution=node.execution or draft.execution) for node in nodes
    )


def _required(draft: Draft) -> tuple[RequiredProject, ...]:
    """The required projects; the job's own `override-checkout` holds for those that name none."""
    named = draft.required_projects.values()
    if not draft.override_checkout:
        return tuple(named)
    return tuple(RequiredProject(one.project, one.override_checkout or draft.override_checkout) for one in named)


def definition(job: FrozenJob) -> str:
    """The hash of everything that defines what a job does; a proof is kept under it.

    Left out is what says when it runs, what its result means, and what nodesets are called: voting, semaphores,
    attempts, parents and the like.
    """
    books = (_books(job.pre_run), _books(job.run), _books(job.post_run), _books(job.cleanup_run))
    workspace = (
        _told(job.required_projects),
        None if job.include_projects is None else _told(job.include_projects),
        None if job.exclude_projects is None else _told(job.exclude_projects),
        job.workspace_scheme,
        job.workspace_checkout,
        job.override_checkout,
    )
    nodes = [(_told(one.nodes), _told(one.groups)) for one in (job, *job.alternatives)]
    times = (job.pre_timeout, job.timeout, job.post_timeout)
    ways = (job.ansible_version, job.split_streams, job.preserve_home_paths, job.secret_exposure)
    between = (_told(job.dependencies), job.requires, job.tags, job.failure_output)
    variables = (job.vars, job.extra_vars, job.host_vars, job.group_vars, _told(job.include_vars))
    told: tuple[Any, ...] = (job.name, books, _told(job.roles), workspace, nodes, times, ways, between, variables)
    return hashlib.sha256(marshal.dumps(told, _FORMAT)).hexdigest()


_Plain = IncludeVars | JobDependency | NodeGroup | NodeSpec | ProjectChoice | RequiredProject | Role | SecretRef
_VALUES = {kind: attrgetter(*(one.name for one in fields(kind))) for kind in get_args(_Plain)}
_BOOK = attrgetter(*(one.name for one in fields(Playbook) if one.name != "secrets"))
_FORMAT = 2  # the newest in which equal values have equal bytes, be they one object or several


def _books(books: Iterable[Playbook]) -> list[object]:
    return [(_BOOK(book), _told(book.secrets)) for book in books]


def _told(parts: Iterable[_Plain]) -> list[object]:
    """The values of the fields: only plain ones can be written in one go."""
    return [_VALUES[type(part)](part) for part in parts]

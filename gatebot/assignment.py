# SPDX-License-Identifier: Apache-2.0
"""What an executor is given: one frozen job and the exact commits to run it on.

Floor 0: only values, shared by the pipeline room (which freezes jobs) and the executor room (which
runs them), so that neither imports the other. Everything here survives a trip through JSON.
Times are seconds, sizes bytes. No secret is ever in these values in the clear, except in
`Assignment.secrets`, which is never stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    Json: TypeAlias = "bool | int | float | str | list[Json] | Mapping[str, Json] | None"
else:
    Json = Any  # what reads stored jobs cannot resolve a type that contains itself


@dataclass(frozen=True, slots=True)
class Playbook:
    """A playbook (`.yaml`, `.yml`) or, as our addition, any executable file run as a script.

    `project` and `branch` are where the definition stood (Zuul: paths keep the repository and branch
    of the definition they came from); `trusted` is true for playbooks of config projects.
    """

    project: str
    branch: str
    path: str
    trusted: bool = False
    semaphores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node of a nodeset; `arch` and `execution` are our additions ("" leaves it to the label)."""

    names: tuple[str, ...]
    label: str
    arch: str = ""
    execution: str = ""


@dataclass(frozen=True, slots=True)
class NodeGroup:
    name: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobDependency:
    name: str
    soft: bool = False


@dataclass(frozen=True, slots=True)
class RequiredProject:
    project: str
    override_checkout: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """A repository whose `roles/` directory playbooks may use."""

    project: str
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class FrozenJob:
    """A job as one item of one pipeline will run it: all variants applied, all parents merged.

    `definition` is the hash of everything that defines it; a proof is kept under it. `timeout` covers
    pre-run and run together, `post_timeout` each post-run playbook; None means no limit (Zuul).
    `failure_output` are RE2 expressions that mark the build as failing as soon as a line matches.
    """

    name: str
    definition: str
    voting: bool = True
    pre_run: tuple[Playbook, ...] = ()
    run: tuple[Playbook, ...] = ()
    post_run: tuple[Playbook, ...] = ()
    cleanup_run: tuple[Playbook, ...] = ()
    nodes: tuple[NodeSpec, ...] = ()
    groups: tuple[NodeGroup, ...] = ()
    roles: tuple[Role, ...] = ()
    required_projects: tuple[RequiredProject, ...] = ()
    dependencies: tuple[JobDependency, ...] = ()
    semaphores: tuple[str, ...] = ()
    pre_timeout: int | None = None
    timeout: int | None = None
    post_timeout: int | None = None
    attempts: int = 3
    vars: Mapping[str, Json] = field(default_factory=dict[str, Json])
    failure_output: tuple[str, ...] = ()
    ansible_version: str = ""
    parents: tuple[str, ...] = ()
    description: str = ""
    hold_following: bool = False
    post_review: bool = False


@dataclass(frozen=True, slots=True)
class Checkout:
    """One repository of the workspace: `commit` is what HEAD and `branch` point to.

    `store` names the bare repository on the server that has the objects: a project name, or
    `speculation/QUEUE` for a speculative commit. `required` is false for repositories that are
    there only for playbooks and roles.
    """

    project: str
    branch: str
    commit: str
    store: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class AssignedChange:
    """A change of the item or ahead of it, as `zuul.items` tells jobs."""

    number: int
    patch_set: int
    project: str
    branch: str
    commit: str
    change_id: str
    subject: str
    url: str
    message: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One build: who runs it is told by nothing but the lease that `fence` numbers.

    `changes` are in order of the queue, the item's own last. `branch`, `project` are the item's.
    For items that are no changes (periodic, post) `changes` is empty, `commit` the branch's tip,
    and `old_commit` what it was before the push, when known.
    """

    build: str
    buildset: str
    item: str
    fence: int
    tenant: str
    pipeline: str
    post_review: bool
    project: str
    branch: str
    commit: str
    job: FrozenJob
    checkouts: tuple[Checkout, ...]
    changes: tuple[AssignedChange, ...] = ()
    old_commit: str = ""
    attempt: int = 1
    event_id: str = ""
    inherited: Mapping[str, Json] = field(default_factory=dict[str, Json])
    secrets: Mapping[str, Json] = field(default_factory=dict[str, Json])

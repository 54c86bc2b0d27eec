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
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from .reasons import Reason

if TYPE_CHECKING:
    Json: TypeAlias = "bool | int | float | str | list[Json] | Mapping[str, Json] | None"
else:
    Json = Any  # what reads stored jobs cannot resolve a type that contains itself


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A secret that a playbook is given: the variable `name` holds the values of `secret`, which `project` owns.

    `data` is the secret as it is configured, encrypted, as JSON.
    """

    name: str
    secret: str
    project: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True)
class Playbook:
    """A playbook (`.yaml`, `.yml`) or, as our addition, any executable file run as a script.

    `project` and `branch` are where the definition stood (Zuul: paths keep the repository and branch
    of the definition they came from); `trusted` is true for playbooks of config projects. `semaphores` are held
    while it runs; `cleanup`: a post-run playbook that runs also when the build was aborted. `nesting` counts the
    definitions around the one that names it: the base job's are the outermost.
    """

    project: str
    branch: str
    path: str
    trusted: bool = False
    semaphores: tuple[str, ...] = ()
    secrets: tuple[SecretRef, ...] = ()
    cleanup: bool = False
    nesting: int = 0


@dataclass(frozen=True, slots=True)
class IncludeVars:
    """A file of variables. `project` empty: the project of the item; `use_ref`: of a tag, as it is there."""

    path: str
    project: str = ""
    branch: str = ""
    trusted: bool = False
    required: bool = True
    use_ref: bool = True


#: The label of the node of a job that names none: it still runs somewhere.
NODELESS = "small"


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node of a nodeset; `arch` and `execution` are our additions ("" leaves it to the label)."""

    names: tuple[str, ...]
    label: str
    arch: str = ""
    execution: str = ""


@dataclass(frozen=True, slots=True)
class GivenNode:
    """A node that a build got: what it is, who gives it, and what the job calls it.

    `executor` empty: the server's own. `ids` is how many user ids a job of a nested label has.
    """

    label: str
    arch: str
    execution: str
    provider: str
    names: tuple[str, ...] = ()
    executor: str = ""
    ids: int = 0


@dataclass(frozen=True, slots=True)
class NodeHold:
    """The nodes of a failed build are kept by an autohold request; `until` None: until that is deleted."""

    request: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NodeWait:
    """What a build without nodes waits for: a label, after the builds `before` it, each in order.

    `holders` are the builds that have the nodes, each as often as it has one; of these there can be `slots`. In
    `otherwise` seconds it takes another alternative of its nodeset; None: it has none, or waits for ever. `lacks` is
    what must be there before anybody can have such a node; then it waits for nobody else.
    """

    label: str
    arch: str
    before: tuple[str, ...]
    holders: tuple[str, ...]
    slots: int
    otherwise: float | None = None
    lacks: Reason | None = None


@dataclass(frozen=True, slots=True)
class NodeGroup:
    name: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeChoice:
    """One alternative of a nodeset, by its name if it has any."""

    nodes: tuple[NodeSpec, ...] = ()
    groups: tuple[NodeGroup, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class ProjectChoice:
    """An entry of `include-projects` or `exclude-projects`; `type`: `name`, or those of the `change` or the `item`."""

    type: str = "name"
    name: str = ""


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
    """A repository whose `roles/` directory playbooks may use. `nesting` as in `Playbook`: of the definition that names
    it first."""

    project: str
    trusted: bool = False
    nesting: int = 0

    def serves(self, book: Playbook) -> bool:
        """Whether a playbook may take roles from it. What has secrets, or is of a config project, takes none that a
        definition inside its own brings: whoever inherits a job could give it other roles of the same name."""
        return self.nesting <= book.nesting or not (book.trusted or book.secrets)


@dataclass(frozen=True, slots=True)
class FrozenJob:
    """A job as one item of one pipeline will run it: all variants applied, all parents merged.

    `definition` is the hash of everything that defines it; a proof is kept under it. `timeout` covers
    pre-run and run together, `post_timeout` each post-run playbook; None means no limit (Zuul).
    `failure_output` are RE2 expressions that mark the build as failing as soon as a line matches.
    `nodes` and `groups` are the first of `alternatives` where a nodeset has any, and `nodeset` is its name. `type`
    is Zuul's `regular`, `initializer` or `reporter`; `deduplicate` None stands for `auto`. `resources_first` are
    those of `semaphores` that are taken after the nodes. `workspace_checkout` None stands for `auto`.
    `override_checkout` is the branch that is checked out instead of the item's, where a project has it.
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
    extra_vars: Mapping[str, Json] = field(default_factory=dict[str, Json])
    host_vars: Mapping[str, Json] = field(default_factory=dict[str, Json])
    group_vars: Mapping[str, Json] = field(default_factory=dict[str, Json])
    include_vars: tuple[IncludeVars, ...] = ()
    alternatives: tuple[NodeChoice, ...] = ()
    resources_first: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    type: str = "regular"
    deduplicate: bool | None = None
    include_projects: tuple[ProjectChoice, ...] | None = None
    exclude_projects: tuple[ProjectChoice, ...] | None = None
    workspace_scheme: str = "golang"
    workspace_checkout: bool | None = True
    success_message: str = ""
    failure_message: str = ""
    secret_exposure: str = "ignore"  # noqa: S105 - what is done about a secret, not one
    preserve_home_paths: tuple[str, ...] = ()
    image_build_name: str = ""
    split_streams: bool = False
    nodeset: str = ""
    override_checkout: str = ""

    @property
    def checks_out(self) -> bool:
        """Whether its workspace has all files: left to gatebot (None), as in Zuul, those without nodes do."""
        return not self.nodes if self.workspace_checkout is None else self.workspace_checkout


@dataclass(frozen=True, slots=True)
class ProvidedArtifact:
    """An artifact of a change ahead, or of a past build, that a job `requires`; Zuul's `zuul.artifacts`."""

    name: str
    url: str
    project: str
    job: str
    change: int | None = None
    patch_set: int | None = None
    branch: str = ""
    metadata: Mapping[str, Json] = field(default_factory=dict[str, Json])


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
    For items that are no changes (periodic, post, tags) `changes` is empty, `branch` a branch or the full name of a
    tag, `commit` its commit, empty when it is gone, `old_commit` and `new_commit` what it was moved from and to.
    `inherited` is what parent jobs returned, `secrets` are the values of the job's secrets by their names,
    `secret_data` what parents returned as secret; `provided` are the artifacts that the job requires. Neither of the
    secret ones is ever stored or shown. `members` are the numbers of the item's own changes, `subject` that of the one
    the build is about (0: the last), `child_jobs` depend on it. `landed`: the item's changes have merged already.
    `artifact_pass` opens what is `provided` as long as the build runs; it is not stored either.
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
    secret_data: Mapping[str, Json] = field(default_factory=dict[str, Json])
    provided: tuple[ProvidedArtifact, ...] = ()
    members: tuple[int, ...] = ()
    subject: int = 0
    child_jobs: tuple[str, ...] = ()
    new_commit: str = ""
    landed: bool = False
    artifact_pass: str = ""

# SPDX-License-Identifier: Apache-2.0
"""The objects of configuration files: jobs and their variants, projects, templates, nodesets, and files of them.

Frozen, made by `parse.py` from one file alone; what they refer to is looked up by the layout. In a `Variant`, None
means "not said here".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...assignment import IncludeVars, JobDependency, Json, NodeGroup, NodeSpec, ProjectChoice, RequiredProject
from .model import ConfigError, Location, Pattern, PipelineConfig, QueueConfig
from .objects_nodes import NodeObject


@dataclass(frozen=True, slots=True)
class Nodeset:
    """Nodes with their groups, or `alternatives`: nodesets, or the names of such, that are tried in order."""

    name: str
    at: Location
    nodes: tuple[NodeSpec, ...] = ()
    groups: tuple[NodeGroup, ...] = ()
    alternatives: tuple[str | Nodeset, ...] = ()
    refused: tuple[ConfigError, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaybookRef:
    """A playbook or script as one variant names it; where the variant stands says in which repository."""

    path: str
    semaphores: tuple[str, ...] = ()
    cleanup: bool = False


@dataclass(frozen=True, slots=True)
class SemaphoreUse:
    name: str
    resources_first: bool = False


@dataclass(frozen=True, slots=True)
class SecretUse:
    name: str
    secret: str
    pass_to_parent: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """One definition of a job, or what a project's pipeline adds to it (`in_project`).

    `said` are the attributes that it sets. `overrides` are those under `!override`, `inherits` under `!inherit`,
    `finals` those that `attribute-control` closes. `refused` are parts that gatebot does not act on: the job may be
    inherited from and shown, and is never run. The project of an `include_vars` is empty for the item's. `refers` is
    false where it names nothing that could be missing or forbidden: most jobs that are listed are a bare name.
    `members` are the jobs that its matrix makes of it.
    """

    name: str
    at: Location
    said: tuple[str, ...] = ()
    refers: bool = True
    in_project: bool = False
    parent: str | None = None
    base: bool = False
    branches: tuple[Pattern, ...] | None = None
    overrides: frozenset[str] = frozenset()
    inherits: frozenset[str] = frozenset()
    finals: frozenset[str] = frozenset()
    refused: tuple[ConfigError, ...] = ()
    description: str | None = None
    run: tuple[PlaybookRef, ...] | None = None
    pre_run: tuple[PlaybookRef, ...] | None = None
    post_run: tuple[PlaybookRef, ...] | None = None
    cleanup_run: tuple[PlaybookRef, ...] | None = None
    nodeset: str | Nodeset | None = None
    timeout: int | None = None
    pre_timeout: int | None = None
    post_timeout: int | None = None
    attempts: int | None = None
    voting: bool | None = None
    files: tuple[Pattern, ...] | None = None
    irrelevant_files: tuple[Pattern, ...] | None = None
    match_on_config_updates: bool | None = None
    dependencies: tuple[JobDependency, ...] | None = None
    required_projects: tuple[RequiredProject, ...] | None = None
    override_checkout: str | None = None
    include_projects: tuple[ProjectChoice, ...] | None = None
    exclude_projects: tuple[ProjectChoice, ...] | None = None
    vars: Mapping[str, Json] | None = None
    extra_vars: Mapping[str, Json] | None = None
    host_vars: Mapping[str, Json] | None = None
    group_vars: Mapping[str, Json] | None = None
    include_vars: tuple[IncludeVars, ...] | None = None
    roles: tuple[str, ...] | None = None
    semaphores: tuple[SemaphoreUse, ...] | None = None
    failure_output: tuple[str, ...] | None = None
    secrets: tuple[SecretUse, ...] | None = None
    secret_exposure: str | None = None
    abstract: bool | None = None
    final: bool | None = None
    protected: bool | None = None
    intermediate: bool | None = None
    allowed_projects: tuple[str, ...] | None = None
    post_review: bool | None = None
    hold_following_changes: bool | None = None
    success_message: str | None = None
    failure_message: str | None = None
    tags: tuple[str, ...] | None = None
    provides: tuple[str, ...] | None = None
    requires: tuple[str, ...] | None = None
    type: str | None = None
    deduplicate: bool | str | None = None
    workspace_scheme: str | None = None
    workspace_checkout: bool | str | None = None
    image_build_name: str | None = None
    preserve_home_paths: tuple[str, ...] | None = None
    ansible_version: str | None = None
    ansible_split_streams: bool | None = None
    inputs: tuple[str, ...] | None = None
    arch: str | None = None
    execution: str | None = None
    members: tuple[Variant, ...] = ()

    @property
    def bare(self) -> bool:
        """Whether a project lists nothing but the job's name."""
        return self.in_project and not (self.said or self.secrets or self.finals or self.description)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a manual enqueue; `type` is `string`, `selection`, `multiple-selection` or `bool`."""

    name: str
    type: str
    description: str = ""
    values: tuple[Json, ...] = ()
    default: Json = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class ProjectPipeline:
    """The jobs of a project in one pipeline, in order; a job may stand there several times."""

    jobs: tuple[Variant, ...] = ()
    fail_fast: bool | None = None
    debug: bool = False
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """A `project` or `project-template` stanza. `name` may be an expression that begins with `^`."""

    name: str
    at: Location
    template: bool = False
    templates: tuple[str, ...] = ()
    pipelines: Mapping[str, ProjectPipeline] = field(default_factory=dict[str, ProjectPipeline])
    branches: tuple[Pattern, ...] | None = None
    queue: str | None = None
    merge_mode: str | None = None
    default_branch: str | None = None
    vars: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class Queue:
    config: QueueConfig
    at: Location


@dataclass(frozen=True, slots=True)
class Semaphore:
    name: str
    at: Location
    max: int = 1


@dataclass(frozen=True, slots=True)
class Secret:
    """`data` is as `secrets.py` says: encrypted values stay encrypted. `oidc` is what a token has to be, for tokens."""

    name: str
    at: Location
    data: Mapping[str, Json] = field(default_factory=dict[str, Json])
    oidc: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Pragma:
    """What a file says about the branches that its jobs and templates are for."""

    matchers: bool | None = None
    branches: tuple[Pattern, ...] | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """An object that had to be dropped. `name` is empty where even that is not known; `explicit`: it names branches."""

    kind: str
    name: str
    errors: tuple[ConfigError, ...]
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """Everything of one file. `unreadable`: nothing of it could be read; `errors` has all errors of its objects."""

    at: Location
    pragma: Pragma = field(default_factory=Pragma)
    jobs: tuple[Variant, ...] = ()
    projects: tuple[ProjectConfig, ...] = ()
    templates: tuple[ProjectConfig, ...] = ()
    pipelines: tuple[PipelineConfig, ...] = ()
    nodesets: tuple[Nodeset, ...] = ()
    queues: tuple[Queue, ...] = ()
    semaphores: tuple[Semaphore, ...] = ()
    secrets: tuple[Secret, ...] = ()
    node_objects: tuple[NodeObject, ...] = ()
    broken: tuple[Broken, ...] = ()
    errors: tuple[ConfigError, ...] = ()
    unreadable: bool = False
    lines: tuple[str, ...] = ()

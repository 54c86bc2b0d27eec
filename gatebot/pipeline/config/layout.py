# SPDX-License-Identifier: Apache-2.0
"""A layout: all objects of a tenant by name, in order, and everything that had to be left out of it.

Values and look-ups; `build.py` makes a layout, `freeze.py` asks it what an item runs. A layout is not changed once it
is built; a change that alters configuration gets another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...assignment import FrozenJob
from .model import ConfigError, Location, Pattern, PipelineConfig, QueueConfig, QueueKey, QueueType
from .objects import ConfigFile, Nodeset, ProjectConfig, Secret, Semaphore, Variant
from .objects_nodes import Flavor, Image, Label, Provider, Section
from .tenant import Tenant, TenantProject

On = tuple[str, ...]
"""What branch matchers look at: a branch; or the full name of a tag, then the branches that its commit is part of."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a layout is made from: the branches of each project, the default branch first, and the files of each."""

    branches: Mapping[str, tuple[str, ...]]
    files: Mapping[tuple[str, str], tuple[ConfigFile, ...]]

    def replaced(self, project: str, branch: str, files: tuple[ConfigFile, ...]) -> Sources:
        """The same with other files on one branch: the configuration that a change proposes."""
        branches = self.branches.get(project, ())
        known = self.branches if branch in branches else {**self.branches, project: (*branches, branch)}
        return Sources(known, {**self.files, (project, branch): files})


@dataclass(frozen=True, slots=True)
class Lost:
    """An object that is missing from the layout, and on which branches it would have counted (None: all)."""

    errors: tuple[ConfigError, ...]
    branches: tuple[Pattern, ...] | None = None


@dataclass(slots=True)
class Collected:
    """The definitions of a job that count for an item, parents first, and errors of what should have counted.

    `without` is the job of which no definition fits; then nothing runs. `met` are the job and all parents.
    """

    variants: list[Variant] = field(default_factory=list[Variant])
    errors: list[ConfigError] = field(default_factory=list[ConfigError])
    without: str = ""
    met: set[str] = field(default_factory=set[str])


@dataclass(slots=True)
class Layout:
    """Everything of a tenant. `lost` is by `job NAME`, `project NAME`, `project-template NAME`, `file PROJECT`.

    `faults` are errors of variants that are in the layout, by the variant's identity. `implied` are the branches that
    each file's jobs are for, None: all. `matrices` are the jobs that one with a matrix stands for. `collected`,
    `drafted` and `frozen` spare looking for the same definitions and freezing the same jobs again: most items run the
    same jobs, most jobs have the same parents.
    """

    tenant: Tenant
    sources: Sources
    projects: Mapping[str, TenantProject]
    pipelines: dict[str, PipelineConfig] = field(default_factory=dict[str, PipelineConfig])
    jobs: dict[str, list[Variant]] = field(default_factory=dict[str, list[Variant]])
    matrices: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    nodesets: dict[str, Nodeset] = field(default_factory=dict[str, Nodeset])
    secrets: dict[str, Secret] = field(default_factory=dict[str, Secret])
    semaphores: dict[str, Semaphore] = field(default_factory=dict[str, Semaphore])
    images: dict[str, Image] = field(default_factory=dict[str, Image])
    flavors: dict[str, Flavor] = field(default_factory=dict[str, Flavor])
    labels: dict[str, Label] = field(default_factory=dict[str, Label])
    sections: dict[str, Section] = field(default_factory=dict[str, Section])
    providers: dict[str, Provider] = field(default_factory=dict[str, Provider])
    queues: dict[str, QueueConfig] = field(default_factory=dict[str, QueueConfig])
    templates: dict[str, list[ProjectConfig]] = field(default_factory=dict[str, list[ProjectConfig]])
    stanzas: dict[str, list[ProjectConfig]] = field(default_factory=dict[str, list[ProjectConfig]])
    project_queues: dict[str, list[tuple[str, tuple[Pattern, ...] | None]]] = field(
        default_factory=dict[str, "list[tuple[str, tuple[Pattern, ...] | None]]"]
    )
    implied: dict[tuple[str, str, str], tuple[Pattern, ...] | None] = field(
        default_factory=dict[tuple[str, str, str], "tuple[Pattern, ...] | None"]
    )
    lost: dict[str, list[Lost]] = field(default_factory=dict[str, list[Lost]])
    faults: dict[int, list[ConfigError]] = field(default_factory=dict[int, list[ConfigError]])
    found: dict[ConfigError, None] = field(default_factory=dict[ConfigError, None])
    collected: dict[tuple[object, ...], Collected] = field(default_factory=dict[tuple[object, ...], Collected])
    drafted: dict[tuple[object, ...], Any] = field(default_factory=dict[tuple[object, ...], Any], compare=False)
    frozen: dict[int, FrozenJob] = field(default_factory=dict[int, FrozenJob], compare=False)

    @property
    def errors(self) -> tuple[ConfigError, ...]:
        """Every error of the tenant's configuration, in the order of loading."""
        return tuple(self.found)

    def project(self, name: str) -> TenantProject | None:
        """A project of the tenant, with or without its host."""
        return self.projects.get(name) or self.projects.get(self.tenant.short(name))

    def trusts(self, project: str) -> bool:
        known = self.projects.get(project)
        return known is not None and known.trusted

    def matchers(self, of: Variant) -> tuple[Pattern, ...] | None:
        """The branches that a definition of a job is for; None: all."""
        if of.branches is not None:
            return of.branches
        return None if of.in_project else self.implied.get(_file(of.at))

    def stanza_matchers(self, stanza: ProjectConfig, project: str) -> tuple[Pattern, ...] | None:
        """The branches that a project's stanza, or a template, is for; None: all."""
        if stanza.branches is not None:
            return stanza.branches
        if not stanza.template and stanza.at.project == project:
            return None if self.trusts(project) else (Pattern(stanza.at.branch, exact=True),)
        return self.implied.get(_file(stanza.at))

    def queue(self, project: str, branch: str) -> tuple[QueueKey, QueueConfig]:
        """The change queue of a project's branch; a project without one has a queue of its own name."""
        found = self._queue(project, branch) or QueueConfig(project)
        return QueueKey(found.name, branch if found.type is QueueType.PER_BRANCH else ""), found

    def _queue(self, project: str, branch: str) -> QueueConfig | None:
        """A queue that is assigned to this branch, else the first that a stanza of the project names."""
        default: QueueConfig | None = None
        for name, branches in self.project_queues.get(project, ()):
            queue = self.queues.get(name) or QueueConfig(name)
            if queue.type is not QueueType.BRANCH_ASSIGNED:
                default = default or queue
            elif fits(branches, (branch,)):
                return queue
        return default

    def merge_mode(self, project: str) -> str | None:
        """The first `merge-mode` of the project's stanzas."""
        return next((stanza.merge_mode for stanza in self.stanzas.get(project, ()) if stanza.merge_mode), None)

    def default_branch(self, project: str) -> str | None:
        """The first `default-branch` of the project's stanzas, else the first of its branches."""
        said = next((stanza.default_branch for stanza in self.stanzas.get(project, ()) if stanza.default_branch), None)
        return said or next(iter(self.sources.branches.get(project, ())), None)


def _file(at: Location) -> tuple[str, str, str]:
    return at.project, at.branch, at.path


def fits(patterns: Iterable[Pattern] | None, on: On) -> bool:
    """Whether an item on these is among those that something is for."""
    return patterns is None or any(pattern.matches(name) for pattern in patterns for name in on)

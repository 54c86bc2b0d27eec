# SPDX-License-Identifier: Apache-2.0
"""Building a layout from parsed files: who owns which name, what refers to what, and what is wrong with it.

Projects in the tenant's order, branches with the default branch first, files by name: this order decides. Every error
is kept; an object with an error that cannot be lived with is left out and noted as lost, so that freezing can tell
whether an item would have needed it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from ...reasons import Reason, reason
from .allowed import (
    connection_problems,
    label_problems,
    merge_mode_problems,
    parameter_problems,
    secret_problems,
    superceded_problems,
)
from .fields import located
from .layout import Layout, Lost, Sources
from .matrices import depending, listing
from .model import ConfigError, Location, Pattern
from .nodes import node_problems
from .objects import ConfigFile, Nodeset, ProjectConfig, Secret, Semaphore, Variant
from .objects_nodes import Flavor, Image, Label, Provider, Section
from .references import job_problems, missing, reference_problems
from .tenant import CLASSES, Tenant, TenantProject
from .yamltext import Problem

Named = TypeVar("Named", Nodeset, Secret, Semaphore, Image, Flavor, Label, Section, Provider)


def build(tenant: Tenant, sources: Sources) -> Layout:
    """The layout of a tenant. Takes milliseconds to a second: over 50 ms belongs in a worker."""
    return _Builder(Layout(tenant, sources, {project.name: project for project in tenant.projects})).build()


class _Builder:
    """One layout while it is made, step by step in Zuul's order."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.files = [file for project in layout.tenant.projects for file in self._files(project)]
        self.text = {(file.at.project, file.at.branch, file.at.path): file.lines for file in self.files}

    def build(self) -> Layout:
        for file in self.files:
            self._file(file)
        self._pipelines()
        self._identical("nodeset", lambda file: file.nodesets, self.layout.nodesets)
        self._identical("secret", lambda file: file.secrets, self.layout.secrets)
        self._jobs()
        for name, variants in self.layout.jobs.items() if self.layout.matrices else ():
            self.layout.jobs[name] = [depending(variant, self.layout.matrices) for variant in variants]
        self._identical("semaphore", lambda file: file.semaphores, self.layout.semaphores)
        self._nodes()
        self._check_small()
        self._queues()
        self._check_jobs()
        self._templates()
        self._projects()
        self._check_projects()
        return self.layout

    def _files(self, project: TenantProject) -> Iterator[ConfigFile]:
        """A project's files, branch by branch; of a config project only those of one branch."""
        sources = self.layout.sources
        branches = sources.branches.get(project.name, ())
        if project.trusted:
            branches = (project.load_branch,) if project.load_branch else branches[:1]
        for branch in branches:
            if project.trusted or project.loads_branch(branch) or project.dynamic(branch):
                yield from sources.files.get((project.name, branch), ())

    def _of(self, kind: str) -> Iterator[ConfigFile]:
        """The files of the projects that this kind of object is taken from."""
        return (file for file in self.files if kind in self.layout.projects[file.at.project].loads)

    def _file(self, file: ConfigFile) -> None:
        """Note the branches that a file is for, its errors, and what was lost in it."""
        self.layout.implied[file.at.project, file.at.branch, file.at.path] = self._implied(file)
        loads = self.layout.projects[file.at.project].loads
        left_out = CLASSES - loads
        ignored = {error for broken in file.broken if broken.kind in left_out for error in broken.errors}
        self.layout.found.update((error, None) for error in file.errors if error not in ignored)
        if file.unreadable:
            self._lose("file", file.at.project, file.errors, file)
        for broken in file.broken:
            if broken.kind not in left_out:
                kind, name = (broken.kind, broken.name) if broken.name else ("file", file.at.project)
                name = self.layout.tenant.short(name) if kind == "project" else name
                self._lose(kind, name, broken.errors, None if broken.explicit else file)

    def _implied(self, file: ConfigFile) -> tuple[Pattern, ...] | None:
        """The branches that jobs and templates of a file are for, when they do not say."""
        project = self.layout.projects[file.at.project]
        here = file.pragma.branches or (Pattern(file.at.branch, exact=True),)
        wanted = project.implied_branch_matchers if file.pragma.matchers is None else file.pragma.matchers
        if wanted is not None:
            return here if wanted else None
        if project.dynamic_branches and not project.trusted:
            return here
        several = len([name for name in self.layout.sources.branches[project.name] if project.loads_branch(name)]) > 1
        return here if several and not project.trusted else None

    def _lose(self, kind: str, name: str, errors: tuple[ConfigError, ...], file: ConfigFile | None) -> None:
        """Note that an object is missing; without a file, it would have counted on every branch."""
        branches = None if file is None else self._implied(file)
        self.layout.lost.setdefault(f"{kind} {name}", []).append(Lost(errors, branches))

    def _error(self, at: Location, stanza: str, why: Reason, word: str = "") -> ConfigError:
        """An error of an object, shown at the first line of its stanza that has the word."""
        lines = self.text.get((at.project, at.branch, at.path), ())
        line = _line_of(word, lines, at.line) if word else at.line
        error = located(Problem(line, why), replace(at, line=0), stanza, lines)
        self.layout.found[error] = None
        return error

    def _pipelines(self) -> None:
        for file in self._of("pipeline"):
            for pipeline in file.pipelines:
                stanza = f"pipeline {pipeline.name}"
                if not self.layout.trusts(file.at.project):
                    self._error(pipeline.at, stanza, reason("config.pipeline-not-here", pipeline=pipeline.name))
                elif pipeline.name in self.layout.pipelines:
                    first = self.layout.pipelines[pipeline.name].at.project
                    self._error(pipeline.at, stanza, _again("pipeline", pipeline.name, first))
                elif problems := list(connection_problems(self.layout, pipeline)):
                    for why, word in problems:
                        self._error(pipeline.at, stanza, why, f"{word}:")
                else:
                    self.layout.pipelines[pipeline.name] = pipeline
        for pipeline in self.layout.pipelines.values():
            for why, word in superceded_problems(self.layout, pipeline):
                self._error(pipeline.at, f"pipeline {pipeline.name}", why, word)

    def _identical(self, kind: str, of: Callable[[ConfigFile], tuple[Named, ...]], into: dict[str, Named]) -> None:
        """Objects of which a project may have the same on several branches, and nobody else one of that name."""
        for file in self._of(kind):
            for made in of(file):
                first = into.setdefault(made.name, made)
                same_place = (first.at.project, first.at.branch) == (made.at.project, made.at.branch)
                if first is made:
                    continue
                if first.at.project != made.at.project or same_place:
                    self._error(made.at, f"{kind} {made.name}", _again(kind, made.name, first.at.project))
                elif replace(first, at=made.at) != made:
                    why = reason("config.differs-on-branch", object=kind, name=made.name, branch=first.at.branch)
                    self._error(made.at, f"{kind} {made.name}", why)

    def _nodes(self) -> None:
        """Images, flavors, labels, sections and providers, and what is wrong with their names."""
        layout = self.layout
        self._identical("image", _each(Image), layout.images)
        self._identical("flavor", _each(Flavor), layout.flavors)
        self._identical("label", _each(Label), layout.labels)
        self._identical("section", _each(Section), layout.sections)
        self._identical("provider", _each(Provider), layout.providers)
        for one, why, word in node_problems(layout):
            self._error(one.at, f"{type(one).__name__.lower()} {one.name}", why, word)

    def _check_small(self) -> None:
        """What the tenant does not allow of nodesets, secrets and semaphores."""
        for name, nodeset in self.layout.nodesets.items():
            problems = list(label_problems(self.layout, nodeset))
            errors = tuple(self._error(nodeset.at, f"nodeset {name}", why, word) for why, word in problems)
            if errors:
                self.layout.nodesets[name] = replace(nodeset, refused=nodeset.refused + errors)
        for name, secret in self.layout.secrets.items():
            for why, word in secret_problems(self.layout, secret):
                self._error(secret.at, f"secret {name}", why, word)
        for name in self.layout.tenant.global_semaphores:
            if mine := self.layout.semaphores.pop(name, None):
                self._error(mine.at, f"semaphore {name}", reason("config.global-semaphore", semaphore=name), "name:")

    def _queues(self) -> None:
        owner: dict[str, Location] = {}
        for file in self._of("queue"):
            for queue in file.queues:
                name = queue.config.name
                first = owner.setdefault(name, queue.at)
                if first.project != queue.at.project or (first.branch == queue.at.branch and first is not queue.at):
                    self._error(queue.at, f"queue {name}", _again("queue", name, first.project))
                elif self.layout.queues.setdefault(name, queue.config) != queue.config:
                    why = reason("config.differs-on-branch", object="queue", name=name, branch=first.branch)
                    self._error(queue.at, f"queue {name}", why)

    def _jobs(self) -> None:
        """Add the definitions of jobs; the first project with a name owns it."""
        for file in self._of("job"):
            project = self.layout.projects[file.at.project]
            for job in file.jobs:
                own = self.layout.jobs.get(job.name, [])
                if job.refers and (errors := self._errors(job, job_problems(self.layout, job))):
                    self._lose("job", job.name, errors, None if job.branches else file)
                elif own and own[0].at.project != project.name:
                    if own[0].at.project not in project.shadows:
                        self._error(job.at, f"job {job.name}", _again("job", job.name, own[0].at.project), "name:")
                elif job.name == "noop":
                    self._error(job.at, "job noop", reason("config.noop"), "name:")
                else:
                    self.layout.jobs.setdefault(job.name, []).append(job)
                    if job.members:
                        known = self.layout.matrices.get(job.name, ())
                        names = dict.fromkeys((*known, *(member.name for member in job.members)))
                        self.layout.matrices[job.name] = tuple(names)

    def _errors(
        self, job: Variant, problems: Iterable[tuple[Reason, str]], stanza: str = ""
    ) -> tuple[ConfigError, ...]:
        return tuple(self._error(job.at, stanza or f"job {job.name}", why, word) for why, word in problems)

    def _expanded(self, stanza: ProjectConfig) -> ProjectConfig:
        return listing(stanza, self.layout.matrices) if self.layout.matrices else stanza

    def _check_jobs(self) -> None:
        for variants in self.layout.jobs.values():
            for job in variants:
                if job.refers and (errors := self._errors(job, reference_problems(self.layout, job))):
                    self.layout.faults[id(job)] = list(errors)

    def _templates(self) -> None:
        for file in self._of("project-template"):
            for template in map(self._expanded, file.templates):
                first = self.layout.templates.get(template.name, [template])[0]
                stanza = f"project-template {template.name}"
                if errors := self._embedded(template, stanza):
                    self._lose("project-template", template.name, errors, file)
                elif first.at.project != template.at.project:
                    self._error(template.at, stanza, _again("project-template", template.name, first.at.project))
                else:
                    self.layout.templates.setdefault(template.name, []).append(template)

    def _embedded(self, stanza: ProjectConfig, title: str) -> tuple[ConfigError, ...]:
        """Errors of the jobs and the parameters that stand in a project or template."""
        jobs = (
            error
            for pipeline in stanza.pipelines.values()
            for job in pipeline.jobs
            if job.refers
            for error in self._errors(job, job_problems(self.layout, job), title)
        )
        parameters = (self._error(stanza.at, title, why, word) for why, word in parameter_problems(self.layout, stanza))
        return (*jobs, *parameters)

    def _projects(self) -> None:
        """Add the stanzas of projects: those that name a project first, then those of expressions."""
        stanzas = [self._expanded(stanza) for file in self._of("project") for stanza in file.projects]
        for stanza in (stanza for stanza in stanzas if not stanza.name.startswith("^")):
            project = self.layout.project(stanza.name)
            if project is None:
                why = reason("config.unknown-project", project=stanza.name)
                self._error(stanza.at, f"project {stanza.name}", why, "name:")
            else:
                self._add(stanza, project.name)
        for stanza in (stanza for stanza in stanzas if stanza.name.startswith("^")):
            for name in self.layout.projects:
                if Pattern(stanza.name).covers(name):
                    self._add(stanza, name)

    def _add(self, stanza: ProjectConfig, project: str) -> None:
        title = f"project {stanza.name}"
        if not self.layout.projects[stanza.at.project].may_configure(self.layout.projects[project]):
            self._error(stanza.at, title, reason("config.not-your-project", project=project), "name:")
        elif errors := self._embedded(stanza, title):
            branches = self.layout.stanza_matchers(stanza, project)
            self.layout.lost.setdefault(f"project {project}", []).append(Lost(errors, branches))
        else:
            if self.layout.merge_mode(project) is None:
                for why, word in merge_mode_problems(self.layout, project, stanza):
                    self._error(stanza.at, title, why, word)
            self.layout.stanzas.setdefault(project, []).append(stanza)

    def _check_projects(self) -> None:
        """Queues of projects, and references from projects and templates to jobs."""
        checked: set[int] = set()
        for project, stanzas in self.layout.stanzas.items():
            queues = self.layout.project_queues.setdefault(project, [])
            for stanza in stanzas:
                title = f"project {stanza.name}"
                parts = [stanza]
                for name in stanza.templates:
                    parts += self.layout.templates.get(name, [])
                    if name not in self.layout.templates:
                        self._error(stanza.at, title, reason("config.unknown-template", template=name), name)
                for part in parts:
                    if part.queue:
                        queues.append((part.queue, self.layout.stanza_matchers(part, project)))
                    if id(part) not in checked:
                        checked.add(id(part))
                        self._check_listed(part, f"project-template {part.name}" if part.template else title)

    def _check_listed(self, stanza: ProjectConfig, title: str) -> None:
        for pipeline in stanza.pipelines.values():
            for job in pipeline.jobs:
                problems = list(reference_problems(self.layout, job)) if job.refers else []
                if missing(self.layout, job.name):
                    problems.append((reason("config.unknown-job", job=job.name), job.name))
                if problems and (errors := self._errors(job, problems, title)):
                    self.layout.faults[id(job)] = list(errors)


def _line_of(word: str, lines: Sequence[str], first: int) -> int:
    """The line of the stanza that begins at `first` which says the word and nothing else, or has it at all."""
    last = next((at for at in range(first + 1, len(lines) + 1) if lines[at - 1].startswith("- ")), len(lines) + 1)
    quoted = re.escape(word)
    for form in (rf"\s*(- *)*([\w-]+: *)?[\"']?{quoted}[\"']?\s*(#.*)?$", rf".*(?<![\w/-]){quoted}(?![\w/-])"):
        found = next((at for at in range(first, last) if re.match(form, lines[at - 1])), None)
        if found is not None:
            return found
    return first


def _each(kind: type[Named]) -> Callable[[ConfigFile], tuple[Named, ...]]:
    """Takes the node objects of one kind out of a file."""
    return lambda file: tuple(one for one in file.node_objects if isinstance(one, kind))


def _again(kind: str, name: str, project: str) -> Reason:
    return reason("config.defined-elsewhere", object=kind, name=name, project=project)

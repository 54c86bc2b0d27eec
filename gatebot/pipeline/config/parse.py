# SPDX-License-Identifier: Apache-2.0
"""One configuration file: from its bytes to its objects and all of its errors.

An error in one object drops this object only. Nothing here looks at any other file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...reasons import reason
from . import tables, tables_jobs, tables_nodes
from .fields import entries, flag, kept, located, mappings, number, patterns, plain, text, texts, variables
from .model import ConfigError, Location, PipelineConfig, QueueConfig, QueueType
from .objects import (
    Broken,
    ConfigFile,
    Nodeset,
    Pragma,
    ProjectConfig,
    ProjectPipeline,
    Queue,
    Secret,
    Semaphore,
    Variant,
)
from .objects_nodes import NodeObject
from .parameters import parameter
from .parse_job import Place, variant
from .parse_matrix import with_members
from .parse_nodes import node_object
from .parse_nodeset import nodeset
from .parse_pipeline import BUILT_IN, pipeline
from .schema import Findings, Regex, Table, check, said
from .tables_pipelines import PIPELINE
from .yamltext import Node, Problem, Unreadable, YamlList, YamlMap, read

TABLES: Mapping[str, Table] = {
    "pragma": tables.PRAGMA,
    "pipeline": PIPELINE,
    "nodeset": tables_jobs.NODESET,
    "secret": tables.SECRET,
    "job": tables_jobs.JOB,
    "semaphore": tables.SEMAPHORE,
    "queue": tables.QUEUE,
    "project-template": tables.PROJECT_TEMPLATE,
    "project": tables.PROJECT,
    **tables_nodes.OBJECTS,
}


@dataclass(slots=True)
class _File:
    """A file while it is being read."""

    at: Location
    lines: list[str]
    connections: Mapping[str, str]
    pragma: Pragma = field(default_factory=Pragma)
    jobs: list[Variant] = field(default_factory=list[Variant])
    projects: list[ProjectConfig] = field(default_factory=list[ProjectConfig])
    templates: list[ProjectConfig] = field(default_factory=list[ProjectConfig])
    pipelines: list[PipelineConfig] = field(default_factory=list[PipelineConfig])
    nodesets: list[Nodeset] = field(default_factory=list[Nodeset])
    queues: list[Queue] = field(default_factory=list[Queue])
    semaphores: list[Semaphore] = field(default_factory=list[Semaphore])
    secrets: list[Secret] = field(default_factory=list[Secret])
    node_objects: list[NodeObject] = field(default_factory=list[NodeObject])
    broken: list[Broken] = field(default_factory=list[Broken])
    errors: list[ConfigError] = field(default_factory=list[ConfigError])

    def done(self) -> ConfigFile:
        return ConfigFile(
            at=self.at,
            pragma=self.pragma,
            jobs=tuple(self.jobs),
            projects=tuple(self.projects),
            templates=tuple(self.templates),
            pipelines=tuple(self.pipelines),
            nodesets=tuple(self.nodesets),
            queues=tuple(self.queues),
            semaphores=tuple(self.semaphores),
            secrets=tuple(self.secrets),
            node_objects=tuple(self.node_objects),
            broken=tuple(self.broken),
            errors=tuple(self.errors),
            lines=tuple(self.lines),
        )


def parse_file(data: bytes, at: Location, connections: Mapping[str, str] = BUILT_IN) -> ConfigFile:
    """All objects and all errors of one file. `at` is the file, `connections` the site's: name to kind."""
    lines = data.decode("utf-8", "replace").splitlines()
    try:
        document, problems = read(data)
    except Unreadable as unreadable:
        error = located(unreadable.problem, at, "", lines)
        return ConfigFile(at=at, errors=(error,), unreadable=True, lines=tuple(lines))
    if document is None:
        return ConfigFile(at=at)
    if not isinstance(document, YamlList):
        error = located(Problem(1, reason("config.not-a-list")), at, "", lines)
        return ConfigFile(at=at, errors=(error,), unreadable=True, lines=tuple(lines))
    file = _File(at, lines, connections)
    stanzas = [_stanza(file, item, line) for item, line in zip(document, document.lines, strict=True)]
    ends = [*document.lines[1:], len(lines) + 1]
    # Pragmas first: they say for which branches the file's other objects are.
    order = sorted(range(len(stanzas)), key=lambda index: stanzas[index][0] != "pragma")
    for index in order:
        kind, conf = stanzas[index]
        own = [problem for problem in problems if document.lines[index] <= problem.line < ends[index]]
        if conf is not None:
            _take(file, kind, conf, own)
        elif own:
            file.errors += [located(problem, at, kind, lines) for problem in own]
    return file.done()


def _stanza(file: _File, item: Node, line: int) -> tuple[str, YamlMap | None]:
    """The kind and the content of one entry of the file's list."""
    if isinstance(item, YamlMap) and len(item) == 1:
        kind, conf = next(iter(item.items()))
        if kind in TABLES and isinstance(conf, YamlMap):
            return kind, conf
        if kind in TABLES:
            why = reason("config.wrong-type", attribute=kind, expected="mapping", found=said(conf))
        else:
            why = reason("config.unknown-object", object=kind, known=", ".join(TABLES))
    else:
        kind, why = "", reason("config.not-an-object")
    error = located(Problem(line, why), file.at, kind, file.lines)
    file.errors.append(error)
    file.broken.append(Broken(kind, "", (error,)))
    return kind, None


def _take(file: _File, kind: str, conf: YamlMap, own: list[Problem]) -> None:
    """Check one stanza, and keep either its object or its errors."""
    name = text(conf, "name") or (file.at.project if kind == "project" else "")
    stanza = f"{kind} {name}".strip()
    found = Findings(problems=list(own))
    check(TABLES[kind], conf, conf.line, kind, found)
    made = None if found.problems else _make(file, kind, conf, name, found, stanza)
    errors = tuple(located(problem, file.at, stanza, file.lines) for problem in _by_line(found.problems))
    refused = tuple(located(problem, file.at, stanza, file.lines) for problem in _by_line(found.refusals))
    spared = tuple(located(problem, file.at, stanza, file.lines) for problem in _by_line(found.spared))
    file.errors += [*errors, *refused, *spared]
    if errors or made is None or (refused and not isinstance(made, Variant | Nodeset)):
        file.broken.append(Broken(kind, name, errors + refused, explicit="branches" in conf))
    else:
        _keep(file, made, refused)


def _by_line(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.line)


_Made = Variant | Nodeset | ProjectConfig | PipelineConfig | Queue | Semaphore | Secret | Pragma | NodeObject


def _make(file: _File, kind: str, conf: YamlMap, name: str, found: Findings, stanza: str) -> _Made | None:
    place = Place(file.at)
    at = place.at(conf.line)
    match kind:
        case "job":
            return with_members(conf, variant(conf, name, place, found), found)
        case "nodeset":
            return nodeset(conf, name, at, found)
        case "project" | "project-template":
            return _project(file, kind, conf, name, found, stanza)
        case "pipeline":
            return pipeline(conf, place, file.connections, found)
        case "queue":
            return _queue(conf, name, at, found)
        case "semaphore":
            return Semaphore(name, at, number(conf, "max") or 1)
        case "secret":
            return _secret(conf, name, at, found)
        case "image" | "flavor" | "label" | "section" | "provider":
            return node_object(kind, conf, name, at, found)
        case _:
            return Pragma(flag(conf, "implied-branch-matchers"), patterns(conf, "implied-branches"))


def _keep(file: _File, made: _Made, refused: tuple[ConfigError, ...]) -> None:
    match made:
        case Variant():
            file.jobs.append(replace(made, refused=refused) if refused else made)
            file.jobs += made.members
        case Nodeset():
            file.nodesets.append(replace(made, refused=refused) if refused else made)
        case ProjectConfig():
            (file.templates if made.template else file.projects).append(made)
        case PipelineConfig():
            file.pipelines.append(made)
        case Queue():
            file.queues.append(made)
        case Semaphore():
            file.semaphores.append(made)
        case Secret():
            file.secrets.append(made)
        case Pragma():
            file.pragma = made
        case _:
            file.node_objects.append(made)


def _queue(conf: YamlMap, name: str, at: Location, found: Findings) -> Queue:
    if "type" in conf and "per-branch" in conf:
        found.add(conf.lines["per-branch"], reason("config.queue-type-twice"))
    kind = QueueType(text(conf, "type") or (QueueType.PER_BRANCH if flag(conf, "per-branch") else "all-branches"))
    cycles, topics = flag(conf, "allow-circular-dependencies") or False, flag(conf, "dependencies-by-topic") or False
    if topics and not cycles:
        found.add(conf.lines["dependencies-by-topic"], reason("config.topics-without-cycles"))
    return Queue(QueueConfig(name, kind, cycles, topics), at)


def _secret(conf: YamlMap, name: str, at: Location, found: Findings) -> Secret:
    if ("data" in conf) == ("oidc" in conf):
        found.add(conf.line, reason("config.secret-without-data"))
    data = conf.get("data")
    items = data.items() if isinstance(data, YamlMap) else ()
    if "oidc" not in conf:
        return Secret(name, at, {key: kept(item) for key, item in items})
    asked = conf.get("oidc")
    claims = asked.items() if isinstance(asked, YamlMap) else ()
    return Secret(name, at, oidc={key: plain(item) for key, item in claims})


_NOT_PIPELINES = frozenset(tables.PROJECT.fields)
_JOB = Table(tables_jobs.JOB_ATTRIBUTES)


def _project(file: _File, kind: str, conf: YamlMap, name: str, found: Findings, stanza: str) -> ProjectConfig:
    if name.startswith("^"):
        check(Regex(), name, conf.lines["name"], f"{kind}.name", found)
    return ProjectConfig(
        name=name,
        at=Place(file.at).at(conf.line),
        template=kind == "project-template",
        templates=tuple(dict.fromkeys(texts(conf, "templates") or ())),
        pipelines={
            key: _project_pipeline(file, value, found, stanza)
            for key, value in conf.items()
            if key not in _NOT_PIPELINES and isinstance(value, YamlMap)
        },
        branches=patterns(conf, "branches"),
        queue=text(conf, "queue"),
        merge_mode=text(conf, "merge-mode"),
        default_branch=text(conf, "default-branch"),
        vars=variables(conf, "vars") or {},
    )


def _project_pipeline(file: _File, conf: YamlMap, found: Findings, stanza: str) -> ProjectPipeline:
    """The jobs of one pipeline of a project; each is checked by itself, so that it alone is refused."""
    jobs: list[Variant] = []
    place = Place(file.at)
    for item, line in entries(conf, "jobs") or ():
        if isinstance(item, str):
            jobs.append(Variant(item, place.at(line), in_project=True, refers=False))
            continue
        name, attributes = next(iter(item.items())) if isinstance(item, YamlMap) and len(item) == 1 else ("", None)
        if not isinstance(attributes, YamlMap):
            found.add(line, reason("config.not-one-job"))
            continue
        mine = Findings()
        check(_JOB, attributes, line, "job", mine)
        made = None if mine.problems else variant(attributes, name, place, mine, in_project=True)
        found.problems += mine.problems
        if made is not None:
            refused = tuple(located(problem, file.at, stanza, file.lines) for problem in mine.refusals)
            file.errors += refused
            jobs.append(replace(made, at=place.at(line), refused=refused))
    declared = tuple(parameter(item, found) for item in mappings(conf, "parameters"))
    return ProjectPipeline(tuple(jobs), flag(conf, "fail-fast"), flag(conf, "debug") or False, declared)

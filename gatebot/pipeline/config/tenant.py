# SPDX-License-Identifier: Apache-2.0
"""A tenant: which projects there are, in which order, which are trusted, and how a Zuul tenant file says so.

The order decides who owns the name of a job. Pure: the text of a tenant file is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ...reasons import reason
from .fields import flag, get, located, number, text, texts
from .model import ConfigError, Location, Pattern
from .parse_pipeline import BUILT_IN
from .schema import Decimal, Either, Field, Findings, Flag, Many, Null, Number, Regex, Table, Text, Vars, check
from .yamltext import Node, Problem, Unreadable, YamlList, YamlMap, read

CLASSES = frozenset(
    {"pipeline", "job", "semaphore", "project", "project-template", "nodeset", "secret", "queue", "pragma"}
)


@dataclass(frozen=True, slots=True)
class TenantProject:
    """One project of a tenant. `loads` are the kinds of objects that are taken from it; `shadows` whose jobs win.

    `connection` is the name that the tenant file gives to where it comes from.
    """

    name: str
    trusted: bool = False
    loads: frozenset[str] = CLASSES
    shadows: tuple[str, ...] = ()
    load_branch: str = ""
    base_jobs: bool = True
    reporter_jobs: bool = False
    implied_branch_matchers: bool | None = None
    include_branches: tuple[Pattern, ...] = ()
    exclude_branches: tuple[Pattern, ...] = ()
    extra_paths: tuple[str, ...] = ()
    connection: str = ""

    def loads_branch(self, branch: str) -> bool:
        """Whether configuration is read from a branch of an untrusted project."""
        if self.include_branches:
            return any(pattern.covers(branch) for pattern in self.include_branches)
        return not any(pattern.covers(branch) for pattern in self.exclude_branches)


@dataclass(frozen=True, slots=True)
class Tenant:
    """Config projects first, then untrusted ones, each in order. `fail_closed` as DESIGN says; false is Zuul's way."""

    name: str
    projects: tuple[TenantProject, ...] = ()
    default_parent: str = "base"
    max_nodes_per_job: int = 5
    max_job_timeout: int = 10_800
    default_ansible_version: str = ""
    allowed_triggers: tuple[str, ...] | None = None
    allowed_reporters: tuple[str, ...] | None = None
    fail_closed: bool = True
    hosts: tuple[str, ...] = ()
    connections: Mapping[str, str] = field(default_factory=lambda: dict(BUILT_IN))

    def short(self, name: str) -> str:
        """A project's name without the host."""
        host, _, rest = name.partition("/")
        return rest if host in self.hosts and rest else name


def simple(name: str, config: tuple[str, ...], untrusted: tuple[str, ...]) -> Tenant:
    """The tenant of a site without a tenant file."""
    trusted = tuple(TenantProject(project, trusted=True) for project in config)
    return Tenant(name, trusted + tuple(TenantProject(project) for project in untrusted))


_CLASSES = Many(Text("pipeline, job, project ..."))
PROJECT_OPTIONS = Table(
    {
        "include": Field(_CLASSES, "Kinds of objects to load."),
        "exclude": Field(_CLASSES, "Kinds of objects not to load."),
        "shadow": Field(Many(Text()), "Projects whose jobs of the same name win."),
        "load-branch": Field(Text(), "The branch a config project is read from.", default="`HEAD`"),
        "allow-base-jobs": Field(Flag(), "Whether a config project may define jobs without a parent.", default="true"),
        "implied-branch-matchers": Field(Flag(), "Whether jobs are for their own branch only."),
        "include-branches": Field(Many(Regex()), "Branches to read configuration from."),
        "exclude-branches": Field(Many(Regex()), "Branches not to read configuration from."),
        "extra-config-paths": Field(Many(Text()), "More files, and directories (ending with `/`), to read."),
        "exclude-unprotected-branches": Field(Flag(), "Of code hosts with protected branches.", only=(False,)),
        "exclude-locked-branches": Field(Flag(), "Of code hosts with locked branches.", only=(False,)),
        "always-dynamic-branches": Field(Many(Regex()), "Branches read only when needed.", only=()),
        "configure-projects": Field(Many(Regex()), "Other projects that it may configure.", only=()),
        "allow-reporter-jobs": Field(
            Flag(), "Whether it may list reporter jobs; config projects always may.", default="false"
        ),
        "include-provider-config": Field(Flag(), "Whether it may configure nodes.", only=(False,)),
    }
)
_PROJECTS = Many(Either((Text("project"), Vars(free=True))), strict=True)
_SOURCE = Table({"config-projects": Field(_PROJECTS, ""), "untrusted-projects": Field(_PROJECTS, "")})
TENANT = Table(
    {
        "name": Field(Text(), "What it is called.", required=True),
        "source": Field(
            Table({}, rest=_SOURCE), "`{connection: {config-projects, untrusted-projects}}`.", required=True
        ),
        "default-parent": Field(Text(), "The parent of a job that names none.", default="`base`"),
        "max-nodes-per-job": Field(Number(), "-1: no limit.", default="5"),
        "max-job-timeout": Field(Number(), "Seconds; -1: no limit.", default="10800"),
        "fail-closed": Field(Flag(), "Whether a job that cannot be loaded stops its item.", default="true", ours=True),
        "hosts": Field(Many(Text()), "Host names that may stand before project names.", ours=True),
        "exclude-unprotected-branches": Field(Flag(), "Of code hosts with protected branches.", only=(False,)),
        "exclude-locked-branches": Field(Flag(), "Of code hosts with locked branches.", only=(False,)),
        "max-dependencies": Field(Number(1), "How many changes a change may need.", only=()),
        "max-changes-per-pipeline": Field(Number(1), "How many items a pipeline takes.", only=()),
        "default-ansible-version": Field(
            Either((Text(), Decimal())), "What jobs get that name none; the site has one version of Ansible."
        ),
        "allowed-triggers": Field(Many(Text()), "Connections that may trigger.", default="all"),
        "allowed-reporters": Field(Many(Text()), "Connections that may be told.", default="all"),
        "allowed-labels": Field(Many(Regex()), "Node labels that may be asked for.", only=()),
        "disallowed-labels": Field(Many(Regex()), "Node labels that may not be asked for.", only=()),
        "web-root": Field(Text(), "Accepted; the site knows its own address."),
        "report-build-page": Field(Flag(), "Accepted; reports always link to the build's page."),
        "use-nodepool": Field(Flag(), "Accepted; nodes are a matter of the site's settings."),
        "admin-rules": Field(Many(Text()), "Who administers the tenant.", only=()),
        "access-rules": Field(Many(Text()), "Who sees the tenant.", only=()),
        "role-mappings": Field(Many(Vars(free=True)), "Who may do what.", only=()),
        "anonymous-read-access": Field(Flag(), "Whether everybody sees the tenant.", default="true", only=(True,)),
        "authentication-realm": Field(Text(), "How people sign in.", only=()),
        "semaphores": Field(Many(Text()), "Semaphores shared with other tenants.", only=()),
        "max-oidc-ttl": Field(Number(1), "Of OpenID Connect tokens.", only=()),
        "default-oidc-ttl": Field(Number(1), "Of OpenID Connect tokens.", only=()),
        "allowed-oidc-issuers": Field(Many(Either((Text(), Null()))), "Of OpenID Connect tokens.", only=()),
    }
)


def parse_tenants(data: bytes, where: str) -> tuple[tuple[Tenant, ...], tuple[ConfigError, ...]]:
    """The tenants of a Zuul tenant file, and everything that is wrong with it; `where` is its path."""
    at = Location("", "", where)
    lines = data.decode("utf-8", "replace").splitlines()
    try:
        document, problems = read(data)
    except Unreadable as unreadable:
        return (), (located(unreadable.problem, at, "", lines),)
    found = Findings(problems=list(problems))
    tenants: list[Tenant] = []
    if not isinstance(document, YamlList):
        found.add(1, reason("config.not-a-list"))
        document = YamlList(1)
    for item, line in zip(document, document.lines, strict=True):
        conf = item.get("tenant") if isinstance(item, YamlMap) and len(item) == 1 else None
        if not isinstance(conf, YamlMap):
            kind = ", ".join(item) if isinstance(item, YamlMap) else "?"
            found.add(line, reason("config.unknown-object", object=kind, known="tenant"))
            continue
        before = len(found.problems)
        check(TENANT, conf, line, "tenant", found)
        if len(found.problems) == before:
            tenants.append(_tenant(conf, found))
    errors = [located(problem, at, "tenant", lines) for problem in [*found.problems, *found.refusals]]
    return tuple(tenants), tuple(sorted(errors, key=lambda error: error.at.line))


def _tenant(conf: YamlMap, found: Findings) -> Tenant:
    trusted: list[TenantProject] = []
    untrusted: list[TenantProject] = []
    sources = get(conf, "source")
    for connection, source in sources.items() if isinstance(sources, YamlMap) else ():
        if isinstance(source, YamlMap):
            other = TenantProject("", connection=connection)
            trusted += _projects(get(source, "config-projects"), replace(other, trusted=True), found)
            untrusted += _projects(get(source, "untrusted-projects"), other, found)
    default = Tenant(text(conf, "name") or "")
    nodes, timeout = number(conf, "max-nodes-per-job"), number(conf, "max-job-timeout")
    version = get(conf, "default-ansible-version")
    return replace(
        default,
        projects=tuple({project.name: project for project in [*trusted, *untrusted]}.values()),
        default_parent=text(conf, "default-parent") or default.default_parent,
        max_nodes_per_job=default.max_nodes_per_job if nodes is None else nodes,
        max_job_timeout=default.max_job_timeout if timeout is None else timeout,
        default_ansible_version="" if version is None else str(version),
        allowed_triggers=texts(conf, "allowed-triggers"),
        allowed_reporters=texts(conf, "allowed-reporters"),
        fail_closed=flag(conf, "fail-closed") is not False,
        hosts=texts(conf, "hosts") or (),
    )


def _projects(entries: Node, default: TenantProject, found: Findings) -> Iterator[TenantProject]:
    """The projects of a list of names, names with options, and groups."""
    for item, line in zip(entries, entries.lines, strict=True) if isinstance(entries, YamlList) else ():
        if isinstance(item, str):
            yield replace(default, name=item)
        elif isinstance(item, YamlMap) and "projects" in item:
            group = YamlMap(item.line)
            group.update({key: value for key, value in item.items() if key != "projects"})
            group.lines.update(item.lines)
            check(PROJECT_OPTIONS, group, line, "projects", found)
            yield from _projects(item["projects"], _with_options(default, group), found)
        elif isinstance(item, YamlMap) and len(item) == 1:
            name, options = next(iter(item.items()))
            if isinstance(options, YamlMap):
                check(PROJECT_OPTIONS, options, line, name, found)
                yield _with_options(replace(default, name=name), options)
            else:
                yield replace(default, name=name)
        else:
            found.problems.append(Problem(line, reason("config.not-one-project")))


def _with_options(project: TenantProject, conf: YamlMap) -> TenantProject:
    include, exclude = texts(conf, "include"), texts(conf, "exclude")
    loads = project.loads if include is None else frozenset({*include, "pragma"})
    return replace(
        project,
        loads=loads - frozenset(exclude or ()),
        shadows=texts(conf, "shadow") or (),
        load_branch=text(conf, "load-branch") or "",
        base_jobs=flag(conf, "allow-base-jobs") is not False,
        reporter_jobs=flag(conf, "allow-reporter-jobs") or False,
        implied_branch_matchers=flag(conf, "implied-branch-matchers"),
        include_branches=tuple(map(Pattern, texts(conf, "include-branches") or ())),
        exclude_branches=tuple(map(Pattern, texts(conf, "exclude-branches") or ())),
        extra_paths=texts(conf, "extra-config-paths") or (),
    )

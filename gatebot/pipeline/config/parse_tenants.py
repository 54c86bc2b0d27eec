# SPDX-License-Identifier: Apache-2.0
"""A Zuul tenant file: from its text to tenants, with the rules, roles and semaphores that they name looked up.

Pure; every error at once, with its line. The order of projects is kept: config projects first, connection by
connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ...reasons import Reason, reason
from . import ansible
from .fields import entries, flag, get, located, mappings, number, patterns, plain, text, texts
from .model import ConfigError, Location
from .schema import Findings, check
from .tables_connections import BUILT_IN
from .tables_tenants import GROUP, OBJECTS, PROJECT_OPTIONS
from .tenant import CLASSES, JOB_CLASSES, NODE_CLASSES, Access, Role, Rule, Tenant, TenantProject
from .yamltext import Node, Problem, Unreadable, YamlList, YamlMap, read

_ROOTS = ("zuul.yaml", "zuul.d/", ".zuul.yaml", ".zuul.d/")
# Roles that there always are.
_BUILT_IN_ROLES = {"admin": Role("admin"), "read": Role("read", {"read": True})}


@dataclass(frozen=True, slots=True)
class TenantFile:
    """Everything of one file. `api_root` is who sees and rules what belongs to no tenant."""

    tenants: tuple[Tenant, ...] = ()
    api_root: Access = field(default_factory=Access)
    errors: tuple[ConfigError, ...] = ()


@dataclass(slots=True)
class _Known:
    """What tenants may name, while the file is read."""

    semaphores: dict[str, int] = field(default_factory=dict[str, int])
    rules: dict[str, Rule] = field(default_factory=dict[str, Rule])
    roles: dict[str, Role] = field(default_factory=lambda: dict(_BUILT_IN_ROLES))


def parse_tenants(data: bytes, where: str) -> tuple[tuple[Tenant, ...], tuple[ConfigError, ...]]:
    """The tenants of a file, and everything that is wrong with it; `where` is its path."""
    made = parse_tenant_file(data, where)
    return made.tenants, made.errors


def parse_tenant_file(data: bytes, where: str) -> TenantFile:
    """A tenant file as a whole; objects with an error are left out."""
    at = Location("", "", where)
    lines = data.decode("utf-8", "replace").splitlines()
    try:
        document, problems = read(data)
    except Unreadable as unreadable:
        return TenantFile(errors=(located(unreadable.problem, at, "", lines),))
    found = Findings(problems=list(problems))
    objects = list(_objects(document, found))
    known = _known(objects, found)
    tenants = [_tenant(conf, known, found) for kind, conf in objects if kind == "tenant"]
    roots = [_access(conf, known, found) for kind, conf in objects if kind == "api-root"]
    errors = [located(problem, at, "tenant", lines) for problem in [*found.problems, *found.refusals]]
    return TenantFile(
        tuple(tenants), roots[0] if roots else Access(), tuple(sorted(errors, key=lambda error: error.at.line))
    )


def _objects(document: Node, found: Findings) -> Iterator[tuple[str, YamlMap]]:
    """The good objects of a file, with their kinds."""
    if not isinstance(document, YamlList):
        found.add(1, reason("config.not-a-list"))
        return
    for item, line in zip(document, document.lines, strict=True):
        kind, conf = next(iter(item.items())) if isinstance(item, YamlMap) and len(item) == 1 else ("?", None)
        if kind not in OBJECTS or not isinstance(conf, YamlMap):
            found.add(line, reason("config.unknown-object", object=kind, known=", ".join(OBJECTS)))
            continue
        before = len(found.problems)
        check(OBJECTS[kind], conf, line, kind, found)
        if len(found.problems) == before:
            yield kind, conf


def _known(objects: list[tuple[str, YamlMap]], found: Findings) -> _Known:
    """The semaphores, rules and roles of a file, each name once."""
    known = _Known()
    for kind, conf in objects:
        name = text(conf, "name") or ""
        if kind == "global-semaphore":
            again = name in known.semaphores
            known.semaphores.setdefault(name, number(conf, "max") or 1)
        elif kind in ("authorization-rule", "admin-rule"):
            again = name in known.rules
            claims = tuple({key: plain(item) for key, item in one.items()} for one in mappings(conf, "conditions"))
            known.rules.setdefault(name, Rule(name, claims))
        elif kind == "role":
            again = name in known.roles
            known.roles.setdefault(name, Role(name, _permissions(conf)))
        else:
            continue
        if again:
            found.add(conf.lines["name"], reason("config.name-twice", object=kind, name=name))
    return known


def _permissions(conf: YamlMap) -> dict[str, bool | Mapping[str, str]]:
    given = conf.get("permissions")
    result: dict[str, bool | Mapping[str, str]] = {}
    for name, value in given.items() if isinstance(given, YamlMap) else ():
        conditions = value.get("conditions") if isinstance(value, YamlMap) else None
        if isinstance(value, bool):
            result[name] = value
        elif isinstance(conditions, YamlMap):
            result[name] = {key: str(item) for key, item in conditions.items()}
    return result


def _tenant(conf: YamlMap, known: _Known, found: Findings) -> Tenant:
    trusted: list[TenantProject] = []
    untrusted: list[TenantProject] = []
    sources = get(conf, "source")
    for connection, source in sources.items() if isinstance(sources, YamlMap) else ():
        if isinstance(source, YamlMap):
            config = TenantProject("", trusted=True, loads=CLASSES, connection=connection)
            other = TenantProject("", loads=JOB_CLASSES, connection=connection)
            trusted += _projects(source, "config-projects", config, found)
            untrusted += _projects(source, "untrusted-projects", other, found)
    _check_configured(conf, trusted, untrusted, found)
    named = sources if isinstance(sources, YamlMap) else ()
    return replace(
        _with_limits(conf, Tenant(text(conf, "name") or ""), found),
        projects=tuple({project.name: project for project in [*trusted, *untrusted]}.values()),
        connections={**dict.fromkeys(named, "gerrit"), **BUILT_IN},
        access=_access(conf, known, found),
        global_semaphores=_semaphores(conf, known, found),
        allowed_triggers=texts(conf, "allowed-triggers"),
        allowed_reporters=texts(conf, "allowed-reporters"),
        allowed_labels=patterns(conf, "allowed-labels") or (),
        disallowed_labels=patterns(conf, "disallowed-labels") or (),
        allowed_oidc_issuers=texts(conf, "allowed-oidc-issuers") or (),
        use_nodepool=flag(conf, "use-nodepool") is not False,
        web_root=text(conf, "web-root") or "",
        exclude_unprotected_branches=flag(conf, "exclude-unprotected-branches") or False,
        exclude_locked_branches=flag(conf, "exclude-locked-branches") or False,
        fail_closed=flag(conf, "fail-closed") is not False,
        hosts=texts(conf, "hosts") or (),
    )


def _with_limits(conf: YamlMap, tenant: Tenant, found: Findings) -> Tenant:
    """The tenant with the numbers and defaults that the file gives."""

    def said(name: str, default: int) -> int:
        value = number(conf, name)
        return default if value is None else value

    return replace(
        tenant,
        default_parent=text(conf, "default-parent") or tenant.default_parent,
        default_ansible_version=ansible.version(conf, "default-ansible-version", found) or "",
        max_nodes_per_job=said("max-nodes-per-job", tenant.max_nodes_per_job),
        max_job_timeout=said("max-job-timeout", tenant.max_job_timeout),
        max_dependencies=number(conf, "max-dependencies"),
        max_changes_per_pipeline=number(conf, "max-changes-per-pipeline"),
        max_oidc_ttl=said("max-oidc-ttl", tenant.max_oidc_ttl),
        default_oidc_ttl=said("default-oidc-ttl", tenant.default_oidc_ttl),
    )


def _semaphores(conf: YamlMap, known: _Known, found: Findings) -> dict[str, int]:
    """The global semaphores that a tenant shares, with their sizes."""
    names = [str(item) for item in _looked_up(conf, "semaphores", known.semaphores, "config.unknown-semaphore", found)]
    return {name: known.semaphores[name] for name in names}


def _access(conf: YamlMap, known: _Known, found: Findings) -> Access:
    given = conf.get("role-mappings")
    roles_of: list[tuple[Rule, tuple[Role, ...]]] = []
    for rule in given if isinstance(given, YamlMap) else ():
        assert isinstance(given, YamlMap)
        names = _looked_up(given, rule, known.roles, "config.unknown-role", found)
        if rule in known.rules:
            roles_of.append((known.rules[rule], tuple(known.roles[name] for name in names)))
        else:
            found.add(given.lines[rule], _unknown("config.unknown-rule", rule, known.rules))
    rules = {
        attribute: tuple(
            known.rules[name] for name in _looked_up(conf, attribute, known.rules, "config.unknown-rule", found)
        )
        for attribute in ("admin-rules", "access-rules")
    }
    return Access(
        admin_rules=rules["admin-rules"],
        access_rules=rules["access-rules"],
        role_mappings=tuple(roles_of),
        anonymous_read=flag(conf, "anonymous-read-access") is not False,
        realm=text(conf, "authentication-realm") or "",
    )


def _looked_up(conf: YamlMap, attribute: str, known: Mapping[str, object], kind: str, found: Findings) -> list[str]:
    """The names of a list that are known; the others are found."""
    good: list[str] = []
    for item, line in entries(conf, attribute) or ():
        if str(item) in known:
            good.append(str(item))
        else:
            found.add(line, _unknown(kind, str(item), known))
    return good


def _unknown(kind: str, name: str, known: Mapping[str, object]) -> Reason:
    return reason(kind, name=name, known=", ".join(known) or "-")


def _check_configured(
    conf: YamlMap, trusted: list[TenantProject], untrusted: list[TenantProject], found: Findings
) -> None:
    """Nobody but config projects configures config projects."""
    for project in untrusted:
        for other in trusted:
            if any(pattern.covers(other.name) for pattern in project.configures):
                line = conf.lines.get("source", conf.line)
                found.add(line, reason("config.configures-config-project", project=project.name, other=other.name))


def _projects(conf: YamlMap, attribute: str, default: TenantProject, found: Findings) -> Iterator[TenantProject]:
    """The projects of a list of names, names with options, and groups."""
    for item, line in entries(conf, attribute) or ():
        if isinstance(item, str):
            yield replace(default, name=item)
        elif isinstance(item, YamlMap) and "projects" in item:
            check(GROUP, item, line, attribute, found)
            yield from _projects(item, "projects", replace(default, loads=_loads(default.loads, item)), found)
        elif isinstance(item, YamlMap) and len(item) == 1:
            name, options = next(iter(item.items()))
            if isinstance(options, YamlMap):
                check(PROJECT_OPTIONS, options, line, name, found)
                yield _with_options(replace(default, name=name), options, found)
            else:
                yield replace(default, name=name)
        else:
            found.problems.append(Problem(line, reason("config.not-one-project")))


def _loads(default: frozenset[str], conf: YamlMap) -> frozenset[str]:
    """The kinds of objects that are taken from a project or a group of them."""
    include = texts(conf, "include")
    loads = default if include is None else frozenset({*include, "pragma"})
    if flag(conf, "include-provider-config"):
        loads |= NODE_CLASSES
    return loads - frozenset(texts(conf, "exclude") or ())


def _with_options(project: TenantProject, conf: YamlMap, found: Findings) -> TenantProject:
    extra = texts(conf, "extra-config-paths") or ()
    for path in extra:
        if path in _ROOTS:
            found.add(conf.lines["extra-config-paths"], reason("config.extra-path-is-root", path=path))
    return replace(
        project,
        loads=_loads(project.loads, conf),
        shadows=texts(conf, "shadow") or (),
        load_branch=text(conf, "load-branch") or "",
        base_jobs=flag(conf, "allow-base-jobs") is not False,
        reporter_jobs=flag(conf, "allow-reporter-jobs") or False,
        implied_branch_matchers=flag(conf, "implied-branch-matchers"),
        include_branches=patterns(conf, "include-branches"),
        exclude_branches=patterns(conf, "exclude-branches") or (),
        dynamic_branches=patterns(conf, "always-dynamic-branches") or (),
        configures=patterns(conf, "configure-projects") or (),
        extra_paths=extra,
        exclude_unprotected_branches=flag(conf, "exclude-unprotected-branches"),
        exclude_locked_branches=flag(conf, "exclude-locked-branches"),
    )

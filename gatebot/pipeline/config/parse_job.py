# SPDX-License-Identifier: Apache-2.0
"""Jobs and nodesets: from a checked mapping to frozen objects, with the rules that one object can break by itself.

Used for `job` stanzas and for the jobs of a project's pipeline. Finds problems into the given list; what it returns is
used only when there are none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ...assignment import JobDependency, NodeGroup, NodeSpec, RequiredProject
from ...reasons import reason
from .fields import entries, flag, get, mappings, number, patterns, text, texts, variables
from .model import Location
from .objects import Nodeset, PlaybookRef, SecretUse, Variant
from .schema import Findings
from .tables import JOB_ATTRIBUTES
from .yamltext import Node, Tagged, YamlMap

# Attributes that Zuul knows and that change nothing: they never count as said.
_IDLE = {"name", "description", "variant-description", "success-url", "failure-url", "branches", "attribute-control"}
_ALIASES = {"override-branch": "override-checkout", "semaphore": "semaphores"}


@dataclass(frozen=True, slots=True)
class Place:
    """The file that a stanza stands in; `at(line)` is a place of it."""

    file: Location

    def at(self, line: int) -> Location:
        return replace(self.file, line=line)


def variant(conf: YamlMap, name: str, place: Place, found: Findings, *, in_project: bool = False) -> Variant:
    """One definition of a job."""
    overrides, inherits = _tags(conf)
    _own_rules(conf, found)
    return Variant(
        name=name,
        at=place.at(conf.line),
        said=tuple(_ALIASES.get(key, key) for key in conf if key in JOB_ATTRIBUTES and key not in _IDLE),
        in_project=in_project,
        parent=text(conf, "parent"),
        base="parent" in conf and conf["parent"] is None,
        branches=patterns(conf, "branches"),
        overrides=overrides,
        inherits=inherits,
        finals=_finals(conf),
        description=text(conf, "description"),
        run=_playbooks(conf, "run"),
        pre_run=_playbooks(conf, "pre-run"),
        post_run=_playbooks(conf, "post-run"),
        cleanup_run=_playbooks(conf, "cleanup-run"),
        nodeset=_nodeset_of(conf, place, found),
        timeout=number(conf, "timeout"),
        pre_timeout=number(conf, "pre-timeout"),
        post_timeout=number(conf, "post-timeout"),
        attempts=number(conf, "attempts"),
        voting=flag(conf, "voting"),
        files=patterns(conf, "files"),
        irrelevant_files=patterns(conf, "irrelevant-files"),
        match_on_config_updates=flag(conf, "match-on-config-updates"),
        dependencies=_dependencies(conf),
        required_projects=_required_projects(conf),
        override_checkout=text(conf, "override-checkout") or text(conf, "override-branch"),
        vars=variables(conf, "vars"),
        roles=_named(conf, "roles", "zuul"),
        semaphores=_named(conf, "semaphores", "name") or _named(conf, "semaphore", "name"),
        failure_output=texts(conf, "failure-output"),
        secrets=_secrets(conf),
        abstract=flag(conf, "abstract"),
        final=flag(conf, "final"),
        protected=flag(conf, "protected"),
        intermediate=flag(conf, "intermediate"),
        allowed_projects=texts(conf, "allowed-projects"),
        post_review=flag(conf, "post-review"),
        hold_following_changes=flag(conf, "hold-following-changes"),
        success_message=text(conf, "success-message"),
        failure_message=text(conf, "failure-message"),
        tags=texts(conf, "tags"),
        ansible_version=None if get(conf, "ansible-version") is None else str(get(conf, "ansible-version")),
        inputs=texts(conf, "inputs"),
    )


def _tags(conf: YamlMap) -> tuple[frozenset[str], frozenset[str]]:
    """The attributes under `!override` and those under `!inherit`."""
    tagged = [(name, value) for name, value in conf.items() if isinstance(value, Tagged)]
    return (
        frozenset(name for name, value in tagged if value.override),
        frozenset(name for name, value in tagged if not value.override),
    )


def _own_rules(conf: YamlMap, found: Findings) -> None:
    """What one definition can get wrong without looking at any other."""
    if flag(conf, "intermediate") and not flag(conf, "abstract"):
        found.add(conf.lines["intermediate"], reason("config.intermediate-not-abstract"))
    if flag(conf, "post-review") is False:
        found.add(conf.lines["post-review"], reason("config.post-review-unset"))
    before, whole = number(conf, "pre-timeout"), number(conf, "timeout")
    if before and whole and before > whole:
        found.add(conf.lines["pre-timeout"], reason("config.pre-timeout-too-long", pre=before, timeout=whole))


def _finals(conf: YamlMap) -> frozenset[str]:
    control = conf.get("attribute-control")
    if not isinstance(control, YamlMap):
        return frozenset()
    return frozenset(name for name, said in control.items() if isinstance(said, YamlMap) and flag(said, "final"))


def _named(conf: YamlMap, attribute: str, key: str) -> tuple[str, ...] | None:
    """Names of a list whose entries are strings or mappings with the name under `key`."""
    found = entries(conf, attribute)
    return None if found is None else tuple(name for name in (_name(item, key) for item, _ in found) if name)


def _name(item: Node, key: str) -> str:
    if isinstance(item, YamlMap):
        return text(item, key) or ""
    return item if isinstance(item, str) else ""


def _playbooks(conf: YamlMap, attribute: str) -> tuple[PlaybookRef, ...] | None:
    names = _named(conf, attribute, "name")
    return None if names is None else tuple(map(PlaybookRef, names))


def _dependencies(conf: YamlMap) -> tuple[JobDependency, ...] | None:
    found = entries(conf, "dependencies")
    if found is None:
        return None
    return tuple(
        JobDependency(_name(item, "name"), isinstance(item, YamlMap) and bool(flag(item, "soft"))) for item, _ in found
    )


def _required_projects(conf: YamlMap) -> tuple[RequiredProject, ...] | None:
    found = entries(conf, "required-projects")
    return None if found is None else tuple(RequiredProject(_name(item, "name"), _checkout(item)) for item, _ in found)


def _checkout(item: Node) -> str:
    if not isinstance(item, YamlMap):
        return ""
    return text(item, "override-checkout") or text(item, "override-branch") or ""


def _secrets(conf: YamlMap) -> tuple[SecretUse, ...] | None:
    found = entries(conf, "secrets")
    if found is None:
        return None
    return tuple(
        SecretUse(
            _name(item, "name"), _name(item, "secret"), isinstance(item, YamlMap) and bool(flag(item, "pass-to-parent"))
        )
        for item, _ in found
    )


def _nodeset_of(conf: YamlMap, place: Place, found: Findings) -> str | Nodeset | None:
    value = conf.get("nodeset")
    if isinstance(value, YamlMap):
        return nodeset(value, text(value, "name") or "", place, found)
    return value if isinstance(value, str) else None


def nodeset(conf: YamlMap, name: str, place: Place, found: Findings) -> Nodeset:
    """A nodeset, named or inline."""
    if "nodes" not in conf and "alternatives" not in conf:
        found.add(conf.line, reason("config.missing-attribute", attribute="nodes", object="nodeset"))
    nodes = tuple(
        NodeSpec(
            texts(node, "name") or (),
            text(node, "label") or "",
            text(node, "arch") or "",
            text(node, "execution") or "",
        )
        for node in mappings(conf, "nodes")
    )
    groups = tuple(
        NodeGroup(text(group, "name") or "", texts(group, "nodes") or ()) for group in mappings(conf, "groups")
    )
    _unique(((name, conf.line) for node in nodes for name in node.names), "config.duplicate-node", found)
    _unique(((group.name, conf.line) for group in groups), "config.duplicate-group", found)
    known = {name for node in nodes for name in node.names}
    for group in groups:
        for missing in [name for name in group.nodes if name not in known]:
            found.add(conf.line, reason("config.group-without-node", group=group.name, node=missing))
    return Nodeset(name, place.at(conf.line), nodes, groups)


def _unique(names: Iterable[tuple[str, int]], kind: str, found: Findings) -> None:
    seen: set[str] = set()
    for name, line in names:
        if name == "localhost":
            found.add(line, reason("config.localhost"))
        if name in seen:
            found.add(line, reason(kind, name=name))
        seen.add(name)

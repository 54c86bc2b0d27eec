# SPDX-License-Identifier: Apache-2.0
"""The two files of a project's configuration as one value, with everything that is wrong with them at once.

Pure. `read` is for a text as it lies in the repository, `check` for one that somebody wants to put
there, `resolved` says the groups' names of today. A further part of the file (labels, submit
requirements) adds its reader to `PARTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from ...access_rules import SYSTEM_GROUPS, Limit, Permission, Rule, Section
from ...reasons import reason
from ..agreements import configured as agreements
from ..labels import configured
from ..trackers import commentlinks
from . import access_part, groups_file, syntax
from .model import ALL_PROJECTS, GROUPS, PROJECT_CONFIG, ConfigFile, ProjectConfig, Trouble

#: What a part of the file finds wrong with it.
Part: TypeAlias = Callable[[ConfigFile], Sequence[Trouble]]
PARTS: tuple[Part, ...] = (configured.check, commentlinks.check, agreements.check)


def read(texts: Mapping[str, str]) -> tuple[ProjectConfig, tuple[Trouble, ...]]:
    """What the files say, by file name; and what is wrong in what `access.py` reads of them."""
    file, broken = syntax.parse(texts.get(PROJECT_CONFIG, ""), PROJECT_CONFIG)
    groups, lines = groups_file.parse(texts.get(GROUPS, ""))
    names = groups_file.known(groups)
    sections, wrong = access_part.read(file, names)
    held, limits, unheld = access_part.capabilities(file, names)
    parent = (file.get("access", "inheritFrom") or "").strip()
    config = ProjectConfig(parent, sections, held, limits, groups, file)
    return config, (*broken, *lines, *wrong, *unheld)


def check(
    project: str, texts: Mapping[str, str], site_groups: Mapping[str, str], parents: Mapping[str, str]
) -> tuple[Trouble, ...]:
    """Everything that speaks against these files for a project, by file and line.

    `site_groups` are the names and UUIDs of the groups here, `parents` every project with its parent.
    """
    config, troubles = read(texts)
    found = [_with_line(one, site_groups) for one in troubles]
    found += _strangers(config, site_groups)
    found += _misplaced(project, config)
    found += _orphaned(project, config, parents)
    for part in PARTS:
        found += part(config.file)
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.file, one.line)))


def _with_line(trouble: Trouble, site_groups: Mapping[str, str]) -> Trouble:
    """For a group that only the file `groups` lacks: the line to add there."""
    name = trouble.why.get("name")
    if not trouble.why.kind.startswith("review.config-group-") or not isinstance(name, str) or name not in site_groups:
        return trouble
    return replace(trouble, why=reason("review.config-group-add", name=name, uuid=site_groups[name]))


def _strangers(config: ProjectConfig, site_groups: Mapping[str, str]) -> Iterator[Trouble]:
    """Groups that rules name and that are not on this site."""
    here = {*site_groups.values(), *SYSTEM_GROUPS.values()}
    used = set(_named(config))
    for one in config.groups:
        if one.name in used and one.uuid not in here:
            mine = site_groups.get(one.name)
            why = (
                reason("review.config-group-other", name=one.name, uuid=one.uuid, mine=mine)
                if mine
                else reason("review.config-group-gone", name=one.name, uuid=one.uuid)
            )
            yield Trouble(GROUPS, one.line, why)


def _named(config: ProjectConfig) -> Iterator[str]:
    for section in config.sections:
        for permission in section.permissions:
            yield from (rule.group for rule in permission.rules)
    yield from (group for _, group in config.capabilities)
    yield from (limit.group for limit in config.limits)


def _misplaced(project: str, config: ProjectConfig) -> Iterator[Trouble]:
    if project != ALL_PROJECTS and (line := config.file.line_of("capability")):
        yield Trouble(PROJECT_CONFIG, line, reason("review.config-capability-place"))


def _orphaned(project: str, config: ProjectConfig, parents: Mapping[str, str]) -> Iterator[Trouble]:
    entry = config.file.entry("access", "inheritFrom")
    if entry is None or not config.parent:
        return
    if project == ALL_PROJECTS:
        yield Trouble(PROJECT_CONFIG, entry.line, reason("review.config-parent-root"))
    elif config.parent not in parents and config.parent != ALL_PROJECTS:
        yield Trouble(PROJECT_CONFIG, entry.line, reason("review.config-parent-unknown", parent=config.parent))
    elif project in _line(config.parent, parents):
        why = reason("review.config-parent-circle", parent=config.parent, project=project)
        yield Trouble(PROJECT_CONFIG, entry.line, why)


def _line(project: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    found = [project]
    while (parent := parents.get(found[-1], "")) and parent not in found:
        found.append(parent)
    return tuple(found)


def resolved(config: ProjectConfig, names: Mapping[str, str]) -> ProjectConfig:
    """The same with the groups as they are called now, by UUID; a group that is not here has no member."""
    now = {name: name for name in SYSTEM_GROUPS} | {one.name: names.get(one.uuid, one.uuid) for one in config.groups}
    system = {uuid: name for name, uuid in SYSTEM_GROUPS.items()}
    now |= {one.name: system[one.uuid] for one in config.groups if one.uuid in system}

    def rule(one: Rule) -> Rule:
        return replace(one, group=now.get(one.group, one.group))

    def permission(one: Permission) -> Permission:
        return replace(one, rules=tuple(map(rule, one.rules)))

    def section(one: Section) -> Section:
        return replace(one, permissions=tuple(map(permission, one.permissions)))

    def limit(one: Limit) -> Limit:
        return replace(one, group=now.get(one.group, one.group))

    return replace(
        config,
        sections=tuple(map(section, config.sections)),
        capabilities=tuple((verb, now.get(group, group)) for verb, group in config.capabilities),
        limits=tuple(map(limit, config.limits)),
    )

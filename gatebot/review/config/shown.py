# SPDX-License-Identifier: Apache-2.0
"""Access rights in Gerrit's JSON, and the words that answer whether somebody may do something.

Pure: what the files say and who looks in, values out. A reader sees the rules of the references that he
owns or whose configuration he may read; of others the rules about groups that he sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from ...access_rules import RANGED, SYSTEM_GROUPS, Permission, Rule, Section, Verb
from ...assignment import Json
from .model import ProjectConfig

GLOBAL = "GLOBAL_CAPABILITIES"


def uuids(config: ProjectConfig) -> dict[str, str]:
    """The UUID of each group that the files name."""
    return dict(SYSTEM_GROUPS) | {one.name: one.uuid for one in config.groups}


def sections_info(config: ProjectConfig, sees: Callable[[Section, str], bool]) -> dict[str, Json]:
    """Gerrit's map of AccessSectionInfo; `sees` tells for a section and the UUID of a group whether a rule is shown."""
    known = uuids(config)
    shown: dict[str, Json] = {}
    for section in config.sections:
        permissions = {one.name: _permission(one, section, known, sees) for one in section.permissions}
        left = {name: info for name, info in permissions.items() if info is not None}
        if left:
            shown[section.pattern] = {"permissions": left}
    return shown


def capabilities_info(config: ProjectConfig) -> dict[str, Json]:
    """The same for the capabilities."""
    known = uuids(config)
    found: dict[str, dict[str, Json]] = {}
    for verb, group in config.capabilities:
        found.setdefault(verb.value, {})[known.get(group, group)] = {"action": "ALLOW"}
    for limit in config.limits:
        info: dict[str, Json] = {"action": "ALLOW", "min": 0, "max": limit.most}
        found.setdefault(limit.name, {})[known.get(limit.group, limit.group)] = info
    return {"permissions": {name: {"rules": rules} for name, rules in found.items()}}


def _permission(
    permission: Permission, section: Section, known: Mapping[str, str], sees: Callable[[Section, str], bool]
) -> Json:
    rules: dict[str, Json] = {}
    for rule in permission.rules:
        uuid = known.get(rule.group, rule.group)
        if sees(section, uuid):
            rules.setdefault(uuid, _rule(permission.name, rule))
    if not rules and permission.rules:
        return None
    info: dict[str, Json] = {"rules": rules}
    if permission.exclusive:
        info["exclusive"] = True
    if permission.name.startswith(RANGED):
        info["label"] = permission.name.partition("-")[2]
    return info


def _rule(name: str, rule: Rule) -> Json:
    info: dict[str, Json] = {"action": rule.action.name}
    if rule.force:
        info["force"] = True
    if name.startswith(RANGED):
        info |= {"min": rule.least, "max": rule.most}
    return info


def group_refs(config: ProjectConfig, names: Mapping[str, str]) -> dict[str, Json]:
    """The groups that the rules name, by UUID; `names` as they are called now."""
    used: set[str] = set()
    known = uuids(config)
    for section in config.sections:
        for permission in section.permissions:
            used |= {known.get(rule.group, rule.group) for rule in permission.rules}
    used |= {known.get(group, group) for _, group in config.capabilities}
    return {
        uuid: {"id": quote(uuid, safe=""), "name": names.get(uuid, uuid), "url": f"#/admin/groups/uuid-{uuid}"}
        for uuid in sorted(used)
    }


def verb_of(permission: str) -> Verb | None:
    """The question that a permission's name asks; None for labels and for what there is not."""
    return next((verb for verb in Verb if verb.value.lower() == permission.lower()), None)

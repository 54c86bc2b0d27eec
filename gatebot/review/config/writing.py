# SPDX-License-Identifier: Apache-2.0
"""Rules as the text of a `project.config`, in the order and spelling of Gerrit.

Pure. What is written here reads back as the same rules; comments and other parts of a file are not
its business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...access_rules import RANGED, SYSTEM_GROUPS, Action, Limit, Permission, Rule, Rules, Section, Verb
from .groups_file import write as write_groups
from .model import GROUPS, PROJECT_CONFIG, GroupLine
from .syntax import header, quoted


def files(rules: Rules, description: str, uuids: Mapping[str, str]) -> dict[str, str]:
    """Both files for the nearest sections of some rules; `uuids` of the groups by name."""
    parts = [_part(header("project"), [f"description = {quoted(description)}"])] if description else []
    parts += [_part(header("access", section.pattern), access_lines(section)) for section in rules.chain[0]]
    if rules.capabilities or rules.limits:
        parts.append(_part(header("capability"), capability_lines(rules.capabilities, rules.limits)))
    named = sorted(_groups(rules))
    known = dict(SYSTEM_GROUPS) | dict(uuids)
    lines = [GroupLine(known[name], name) for name in named if name in known]
    return {PROJECT_CONFIG: "".join(parts), GROUPS: write_groups(lines)}


def access_lines(section: Section) -> list[str]:
    """The entries of one `[access]` section."""
    exclusive = [permission.name for permission in section.permissions if permission.exclusive]
    lines = [f"exclusiveGroupPermissions = {' '.join(exclusive)}"] if exclusive else []
    for permission in section.permissions:
        lines += [f"{permission.name} = {_rule(permission, rule)}" for rule in permission.rules]
    return lines


def capability_lines(held: Iterable[tuple[Verb, str]], limits: Iterable[Limit]) -> list[str]:
    """The entries of `[capability]`."""
    lines = [f"{verb.value} = group {group}" for verb, group in held]
    return lines + [f"{one.name} = +0..+{one.most} group {one.group}" for one in limits]


def _rule(permission: Permission, rule: Rule) -> str:
    words = [rule.action.name.lower()] if rule.action is not Action.ALLOW else []
    if rule.force:
        words.append("+force")
    if permission.name.startswith(RANGED):
        words.append(f"{rule.least:+d}..{rule.most:+d}")
    return " ".join([*words, f"group {rule.group}"])


def _part(head: str, lines: Iterable[str]) -> str:
    return head + "\n" + "".join(f"\t{line}\n" for line in lines)


def _groups(rules: Rules) -> set[str]:
    found = {
        rule.group for section in rules.chain[0] for permission in section.permissions for rule in permission.rules
    }
    return found | {group for _, group in rules.capabilities} | {limit.group for limit in rules.limits}

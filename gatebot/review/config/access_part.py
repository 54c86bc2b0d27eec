# SPDX-License-Identifier: Apache-2.0
"""`[access "REF"]` and `[capability]` of a `project.config`, as the rules that `access.py` decides by.

Pure. One entry is one rule: `push = deny +force group Some People`, `label-Code-Review = -1..+1 group
Registered Users`, `exclusiveGroupPermissions = read push`. Everything that is wrong is told at once.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from ...access_rules import (
    CAPABILITIES,
    LIMITS,
    PERMISSIONS,
    RANGED,
    Action,
    Limit,
    Permission,
    Rule,
    Section,
    Verb,
    wrong_expression,
)
from ...reasons import Reason, reason
from .model import ConfigFile, Entry, Trouble

_EXCLUSIVE = "exclusivegrouppermissions"
_RULE = re.compile(
    r"(?:(?P<action>deny|block|interactive|batch)\s+)?(?P<force>\+force\s+)?"
    r"(?:(?P<least>[+-]?\d{1,6})\.\.(?P<most>[+-]?\d{1,6})\s+)?(?P<group>group\s+)?(?P<name>.*\S)"
)
_BY_LOWER = {name.lower(): name for name in PERMISSIONS}
_CAPABILITY_BY_LOWER = {name.lower(): name for name in (*(verb.value for verb in CAPABILITIES), *LIMITS)}
_REF = re.compile(r"[^\s~^:?*\[\\\x7f]+(/\*)?")


def read(file: ConfigFile, groups: Mapping[str, str]) -> tuple[tuple[Section, ...], list[Trouble]]:
    """The sections about access; `groups` are the names that may be used."""
    troubles: list[Trouble] = []
    sections: list[Section] = []
    for pattern in file.subsections("access"):
        line = file.line_of("access", pattern)
        wrong = _wrong_pattern(pattern)
        if wrong is not None:
            troubles.append(Trouble(file.file, line, wrong))
            continue
        permissions = _permissions(file, file.of("access", pattern), groups, troubles)
        sections.append(Section(pattern, permissions))
    return tuple(sections), troubles


def capabilities(
    file: ConfigFile, groups: Mapping[str, str]
) -> tuple[tuple[tuple[Verb, str], ...], tuple[Limit, ...], list[Trouble]]:
    """The capabilities that groups have on the whole site, and the limits set for them."""
    troubles: list[Trouble] = []
    held: list[tuple[Verb, str]] = []
    limits: list[Limit] = []
    for entry in file.of("capability"):
        name = _CAPABILITY_BY_LOWER.get(entry.name)
        if name is None:
            troubles.append(_unknown(file, entry, _CAPABILITY_BY_LOWER, "review.config-capability"))
            continue
        rule = _rule(file, entry, groups, troubles)
        if rule is None:
            continue
        if rule.action is not Action.ALLOW:
            troubles.append(Trouble(file.file, entry.line, reason("review.config-capability-allow", name=name)))
        elif name in LIMITS:
            limits.append(Limit(name, rule.group, rule.most))
        else:
            held.append((Verb(name), rule.group))
    return tuple(held), tuple(limits), troubles


def _wrong_pattern(pattern: str) -> Reason | None:
    if pattern.startswith("^"):
        if not pattern.startswith(("^refs/", "^(refs/")):
            return reason("review.config-ref", ref=pattern)
        wrong = wrong_expression(pattern)
        return None if wrong is None else reason("review.config-expression", ref=pattern, why=wrong)
    plain = pattern.replace("${username}", "u").replace("${shardeduserid}", "0/0")
    if not pattern.startswith("refs/") or _REF.fullmatch(plain) is None or "//" in plain or ".." in plain:
        return reason("review.config-ref", ref=pattern)
    return None


def _permissions(
    file: ConfigFile, entries: tuple[Entry, ...], groups: Mapping[str, str], troubles: list[Trouble]
) -> tuple[Permission, ...]:
    rules: dict[str, list[Rule]] = {}
    exclusive: set[str] = set()
    for entry in entries:
        if entry.name == _EXCLUSIVE:
            for word in re.split(r"[\s,]+", entry.value or ""):
                name = permission_name(word)
                if name is None:
                    troubles.append(_unknown(file, entry, _BY_LOWER, "review.config-permission", word))
                elif word:
                    exclusive.add(name)
            continue
        name = permission_name(entry.spelled)
        if name is None:
            troubles.append(_unknown(file, entry, _BY_LOWER, "review.config-permission"))
            continue
        rule = _rule(file, entry, groups, troubles)
        if rule is None:
            continue
        if name.startswith(RANGED) and rule.least == rule.most == 0 and ".." not in (entry.value or ""):
            troubles.append(Trouble(file.file, entry.line, reason("review.config-range", name=name)))
            continue
        rules.setdefault(name, []).append(rule)
    return tuple(
        Permission(name, tuple(rules.get(name, ())), name in exclusive)
        for name in dict.fromkeys([*rules, *sorted(exclusive)])
    )


def permission_name(word: str) -> str | None:
    """A permission as the rules call it, from any case of letters; None when there is no such permission."""
    low = word.lower()
    for prefix in RANGED:
        if low.startswith(prefix.lower()) and len(low) > len(prefix):
            return prefix + word[len(prefix) :]
    if low.startswith("plugin-"):
        return low
    return _BY_LOWER.get(low) if word else ""


def _rule(file: ConfigFile, entry: Entry, groups: Mapping[str, str], troubles: list[Trouble]) -> Rule | None:
    found = _RULE.fullmatch((entry.value or "").strip())
    if found is None or not found["group"]:
        troubles.append(Trouble(file.file, entry.line, reason("review.config-rule", text=(entry.value or "")[:60])))
        return None
    name = found["name"]
    if name not in groups:
        near = difflib.get_close_matches(name, groups, 1)
        why = (
            reason("review.config-group-near", name=name, near=near[0])
            if near
            else reason("review.config-group-unknown", name=name)
        )
        troubles.append(Trouble(file.file, entry.line, why))
        return None
    least, most = int(found["least"] or 0), int(found["most"] or 0)
    if least > most:
        troubles.append(Trouble(file.file, entry.line, reason("review.config-range-order", least=least, most=most)))
        return None
    action = {"deny": Action.DENY, "block": Action.BLOCK}.get(found["action"] or "", Action.ALLOW)
    return Rule(name, action, least, most, bool(found["force"]))


def _unknown(file: ConfigFile, entry: Entry, known: Mapping[str, str], kind: str, word: str = "") -> Trouble:
    word = word or entry.spelled
    near = difflib.get_close_matches(word.lower(), known, 1)
    if near:
        return Trouble(file.file, entry.line, reason(f"{kind}-near", name=word, near=known[near[0]]))
    return Trouble(file.file, entry.line, reason(kind, name=word))

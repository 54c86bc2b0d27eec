# SPDX-License-Identifier: Apache-2.0
"""Who may do what: Gerrit's permission model, pure.

Rules stand in sections by ref pattern, in a chain from the project up to `All-Projects`. A section
allows, denies or blocks a permission for a group. Everything that no rule allows is refused; what
changes something needs an account; and who may not read a ref may do nothing to it. What a rule
cannot say (who reviews a private change, what makes a change ready) is decided in the rooms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Protocol

from .access_rules import (
    ADMINISTRATORS,
    ANONYMOUS,
    CAPABILITIES,
    CHANGE_OWNER,
    CORE,
    DEFAULT,
    FOR_STRANGERS,
    IMPLIED,
    NOT_IMPLIED,
    PROJECT_OWNERS,
    REGISTERED,
    SERVICE_USERS,
    SITE,
    STRANGER,
    SYSTEM_GROUPS,
    THIRD_PARTY_CI,
    Action,
    Actor,
    Limit,
    Permission,
    Rule,
    Rulebook,
    Rules,
    Section,
    Target,
    Verb,
    expression,
)

__all__ = [
    "ADMINISTRATORS",
    "ANONYMOUS",
    "CAPABILITIES",
    "CHANGE_OWNER",
    "CORE",
    "DEFAULT",
    "FOR_STRANGERS",
    "IMPLIED",
    "PROJECT_OWNERS",
    "REGISTERED",
    "SERVICE_USERS",
    "SITE",
    "STRANGER",
    "SYSTEM_GROUPS",
    "THIRD_PARTY_CI",
    "Action",
    "Actor",
    "Limit",
    "Permission",
    "Rule",
    "Rulebook",
    "Rules",
    "Section",
    "Target",
    "Verb",
    "allowed_range",
    "capabilities_of",
    "groups_of",
    "limit_of",
    "may",
    "read_patterns",
]


class _Fits(Protocol):
    def __call__(self, rule: Rule) -> bool: ...


def may(actor: Actor, verb: Verb, target: Target, rules: Rulebook) -> bool:
    """Whether `actor` may do this.

    ALLOW and DENY: sections are asked from the most specific pattern to the least, nearer projects
    first; of several rules for one pattern and group the first counts, so a DENY takes away what the
    same pattern allows further up. BLOCK: cannot be undone by a child project, only by an ALLOW beside
    it or by an exclusive ALLOW in the same project.
    """
    if actor.account is None and verb not in FOR_STRANGERS:
        return False
    return _may(actor, verb, target, rules.of("" if verb in CAPABILITIES else target.project))


def _may(actor: Actor, verb: Verb, target: Target, rules: Rules) -> bool:
    if verb in CAPABILITIES:
        return _has_capability(actor, verb, rules)
    if verb is Verb.OWN and _has_capability(actor, Verb.ADMINISTRATE_SERVER, rules):
        return True
    if verb is not Verb.READ and not _may(actor, Verb.READ, target, rules):
        return False
    ref, name, force = target.ref, verb.value, verb is Verb.FORCE_PUSH
    if verb in (Verb.UPLOAD, Verb.ADD_PATCH_SET):
        ref = f"refs/for/{target.ref}"
    if verb in (Verb.UPLOAD, Verb.FORCE_PUSH):
        name = Verb.PUSH.value

    def fits(rule: Rule) -> bool:
        # A rule with force allows both kinds of push; a block with force stops only the forced kind.
        forced = rule.force or not force if rule.action is Action.ALLOW else force or not rule.force
        return forced and _in_group(actor, rule.group, target, rules, of_owner=verb is Verb.OWN)

    chain = _matching(rules, ref, actor.username)
    if any(_blocked(permissions, fits) for permissions in _by_project(chain, name)):
        return False
    return any(fits(rule) for rule in _allowing(chain, name))


@lru_cache(maxsize=5000)
def read_patterns(rules: Rules) -> frozenset[str]:
    """The patterns whose sections speak of reading: where they are only `refs/*`, all references are read alike."""
    return frozenset(section.pattern for sections in rules.chain for section in sections if section.permission("read"))


def allowed_range(actor: Actor, label: str, target: Target, rules: Rulebook, kind: str = "label-") -> tuple[int, int]:
    """The least and the greatest vote that `actor` may cast; (0, 0): none at all.

    Allowed ranges widen each other. A blocked range `-2..+2` stops the votes from -2 down and +2 up.
    `kind` may also be `labelAs-` (votes in another's name) or `removeLabel-` (others' votes taken away).
    """
    said = rules.of(target.project)
    if not may(actor, Verb.COMMENT, target, said):
        return 0, 0

    def fits(rule: Rule) -> bool:
        return _in_group(actor, rule.group, target, said, of_owner=False)

    chain = _matching(said, target.ref, actor.username)
    least = most = 0
    for rule in _allowing(chain, f"{kind}{label}"):
        if fits(rule):
            least, most = min(least, rule.least), max(most, rule.most)
    for permissions in _by_project(chain, f"{kind}{label}"):
        floor, ceiling = _unblocked(permissions, fits)
        least, most = max(least, floor), min(most, ceiling)
    return min(least, 0), max(most, 0)


def limit_of(actor: Actor, name: str, rules: Rulebook, default: int) -> int:
    """The most that an actor may ask for: the greatest limit of his groups, or `default` where none has one."""
    groups = groups_of(actor)
    return max((limit.most for limit in rules.of("").limits if limit.name == name and limit.group in groups),
               default=default)  # fmt: skip


def capabilities_of(actor: Actor, rules: Rulebook) -> frozenset[Verb]:
    """Everything that an actor may do on the whole site."""
    return frozenset(verb for verb in CAPABILITIES if may(actor, verb, SITE, rules))


def _has_capability(actor: Actor, verb: Verb, rules: Rules) -> bool:
    groups = groups_of(actor)
    held = {capability for capability, group in rules.capabilities if group in groups}
    return verb in held or (Verb.ADMINISTRATE_SERVER in held and verb not in NOT_IMPLIED)


def groups_of(actor: Actor) -> frozenset[str]:
    """The groups of an actor wherever he is: those he is a member of, and everybody's."""
    if actor.account is None:
        return frozenset({ANONYMOUS})
    return actor.groups | {ANONYMOUS, REGISTERED}


def _in_group(actor: Actor, group: str, target: Target, rules: Rules, *, of_owner: bool) -> bool:
    if group == CHANGE_OWNER:
        return actor.account is not None and actor.account == target.change_owner
    if group == PROJECT_OWNERS:
        # Owners of the owners would ask themselves.
        return not of_owner and _owns_project(actor, target, rules)
    return group in groups_of(actor)


def _owns_project(actor: Actor, target: Target, rules: Rules) -> bool:
    if actor.account is None:
        return False
    if _has_capability(actor, Verb.ADMINISTRATE_SERVER, rules):
        return True
    chain = _matching(rules, "refs/*", actor.username)
    return any(rule.group in groups_of(actor) for rule in _allowing(chain, Verb.OWN.value))


_Chain = Sequence[tuple[int, Section]]


def _matching(rules: Rules, ref: str, username: str) -> _Chain:
    """The sections that fit a ref with the place of their project in the chain, the most specific first."""
    return _sorted(rules, ref, username if rules.personal else "")


@lru_cache(maxsize=20_000)
def _sorted(rules: Rules, ref: str, username: str) -> _Chain:
    found = [
        (place, section)
        for place, sections in enumerate(rules.chain)
        for section in sections
        if _fits_ref(section.pattern, ref, username)
    ]
    return tuple(sorted(found, key=_specific))


def _specific(found: tuple[int, Section]) -> tuple[int, bool, int]:
    pattern = found[1].pattern
    return -_literal(pattern), _open(pattern), -len(pattern)


def _fits_ref(pattern: str, ref: str, username: str) -> bool:
    if "${username}" in pattern:
        if not username:
            return False
        pattern = pattern.replace("${username}", _escaped(username) if pattern.startswith("^") else username)
    if pattern.startswith("^"):
        return expression(pattern).fullmatch(ref) is not None
    return ref.startswith(pattern[:-1]) if pattern.endswith("/*") else ref == pattern


def _escaped(username: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "_" else f"\\{letter}" for letter in username)


def _literal(pattern: str) -> int:
    """How much of a ref a pattern spells out: the measure of how specific it is."""
    body = pattern.removeprefix("^")
    special = "\\.[]()*+?{}|^$" if pattern.startswith("^") else "*"
    return next((place for place, letter in enumerate(body) if letter in special), len(body))


def _open(pattern: str) -> bool:
    return pattern.startswith("^") or pattern.endswith("/*")


def _allowing(chain: _Chain, name: str) -> Iterator[Rule]:
    """The ALLOW rules that count: neither denied before, nor hidden behind an exclusive permission."""
    seen: set[tuple[str, str]] = set()
    for _, section in chain:
        permission = section.permission(name)
        if permission is None:
            continue
        for rule in permission.rules:
            key = (section.pattern, rule.group)
            if rule.action is Action.BLOCK or key in seen:
                continue
            seen.add(key)
            if rule.action is Action.ALLOW:
                yield rule
        if permission.exclusive:
            return


def _by_project(chain: _Chain, name: str) -> list[list[Permission]]:
    """What each project of the chain says about a permission, for those that block something."""
    projects: dict[int, list[Permission]] = {}
    for place, section in chain:
        permission = section.permission(name)
        if permission is not None:
            projects.setdefault(place, []).append(permission)
    return [
        said
        for said in projects.values()
        if any(rule.action is Action.BLOCK for permission in said for rule in permission.rules)
    ]


def _blocked(permissions: list[Permission], fits: _Fits) -> bool:
    """Whether one project blocks: some BLOCK fits with no ALLOW beside it, and no exclusive ALLOW fits."""
    blocked = False
    for permission in permissions:
        allows = any(rule.action is Action.ALLOW and fits(rule) for rule in permission.rules)
        if allows and permission.exclusive:
            return False
        blocked = blocked or (
            not allows and any(rule.action is Action.BLOCK and fits(rule) for rule in permission.rules)
        )
    return blocked


def _unblocked(permissions: list[Permission], fits: _Fits) -> tuple[int, int]:
    """The votes that one project's blocks leave."""
    least, most = -1000, 1000
    for permission in permissions:
        allows = [rule for rule in permission.rules if rule.action is Action.ALLOW and fits(rule)]
        if allows and permission.exclusive:
            return -1000, 1000
        blocks = [rule for rule in permission.rules if rule.action is Action.BLOCK and fits(rule)]
        if blocks and allows:
            least = max(least, min(rule.least for rule in allows))
            most = min(most, max(rule.most for rule in allows))
        elif blocks:
            least = max(least, max(rule.least for rule in blocks) + 1)
            most = min(most, min(rule.most for rule in blocks) - 1)
    return least, most

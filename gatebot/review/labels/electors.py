# SPDX-License-Identifier: Apache-2.0
"""Who may cast a vote: the groups that access rules let vote so on a branch.

Pure. Asked only for what a verdict tells of a vote that is missing.
"""

from __future__ import annotations

from ...access import Actor, Rulebook, Target, allowed_range

_SOMEBODY = 0


def groups_for(label: str, value: int, target: Target, rules: Rulebook) -> tuple[str, ...]:
    """The groups whose members may vote so, in the order in which the rules name them."""
    named = [
        rule.group
        for sections in rules.of(target.project).chain
        for section in sections
        if (permission := section.permission(f"label-{label}")) is not None
        for rule in permission.rules
    ]
    found: list[str] = []
    for group in dict.fromkeys(named):
        least, most = allowed_range(Actor(_SOMEBODY, frozenset({group})), label, target, rules)
        if least <= value <= most and value != 0:
            found.append(group)
    return tuple(found)

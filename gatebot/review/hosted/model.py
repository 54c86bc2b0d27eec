# SPDX-License-Identifier: Apache-2.0
"""Rules, labels and switches as Gerrit's REST calls send them, and the lines of `project.config` that say the same.

Floor 0: JSON in, entries out; what is wrong with them the configuration's own check tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...assignment import Json

SWITCHES: Mapping[str, tuple[str, str]] = {
    "require_change_id": ("receive", "requireChangeId"),
    "use_signed_off_by": ("receive", "requireSignedOffBy"),
    "use_contributor_agreements": ("receive", "requireContributorAgreement"),
    "reject_implicit_merges": ("receive", "rejectImplicitMerges"),
    "private_by_default": ("change", "privateByDefault"),
    "work_in_progress_by_default": ("change", "workInProgressByDefault"),
}
"""The switches of ConfigInput that this site heeds, by where `project.config` has them."""
STATES = {"ACTIVE": "active", "READ_ONLY": "read only", "HIDDEN": "hidden"}


def rule_line(permission: str, rule: Mapping[str, Json], group: str) -> str:
    """One rule of an AccessSectionInfo as an entry's value."""
    words: list[str] = []
    action = str(rule.get("action") or "ALLOW").upper()
    if action != "ALLOW":
        words.append(action.lower())
    if rule.get("force") is True:
        words.append("+force")
    if permission.startswith(("label-", "labelAs-", "removeLabel-")):
        words.append(f"{_signed(rule.get('min'))}..{_signed(rule.get('max'))}")
    elif permission.endswith("Limit"):
        words.append(f"+0..{_signed(rule.get('max'))}")
    return " ".join([*words, f"group {group}"])


def _signed(value: Json) -> str:
    return f"{value:+d}" if isinstance(value, int) else "+0"


def label_lines(
    values: Mapping[str, str], switches: Mapping[str, str], branches: Iterable[str]
) -> dict[str, list[str]]:
    """The entries of a `[label]` section by name."""
    found = {"value": [f"{int(number):+d} {text}".replace("+0 ", "0 ") for number, text in values.items()]}
    found |= {name: [value] for name, value in switches.items()}
    return {**found, "branch": list(branches)}

# SPDX-License-Identifier: Apache-2.0
"""Labels, when their votes are copied to a new patch set, and what a change needs to be merged.

Pure values and three small deciders; `verdict.py` applies the requirements to a change. The
presets are named in a project's row. Sources of the copy conditions: Gerrit's installer sets
`is:MIN`, NO_CHANGE and TRIVIAL_REBASE for Code-Review and NO_CODE_CHANGE for Verified
(gerrit commits 09f7f7b5, 3479786c; f97972df counts NO_CHANGE as a trivial rebase); OpenStack's
sites also keep Code-Review when only the message changed, and ask for Workflow anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..access_rules import expression
from .config.model import ConfigFile
from .labels.configured import overlaid
from .labels.copying import Renewal, is_copied
from .labels.model import Label, SubmitRequirement
from .model import Kind, Vote, branch_ref

CODE_REVIEW = "Code-Review"
VERIFIED = "Verified"
WORKFLOW = "Workflow"


@dataclass(frozen=True, slots=True)
class Rules:
    """The labels of a project and what its changes need. `name` is the preset's that they begin with."""

    name: str
    labels: tuple[Label, ...]
    requirements: tuple[SubmitRequirement, ...]

    def label(self, name: str) -> Label | None:
        """The label of this name, as people write it."""
        return next((label for label in self.labels if label.name.lower() == name.lower()), None)

    def on(self, branch: str) -> Rules:
        """The same with the labels that a branch has."""
        ref = branch_ref(branch)
        labels = tuple(label for label in self.labels if not label.branches or _is_one(ref, label.branches))
        return self if len(labels) == len(self.labels) else replace(self, labels=labels)


def _is_one(ref: str, patterns: tuple[str, ...]) -> bool:
    return any(
        expression(pattern).fullmatch(ref) is not None
        if pattern.startswith("^")
        else ref.startswith(pattern[:-1])
        if pattern.endswith("/*")
        else ref == pattern
        for pattern in patterns
    )


LABELS = (
    Label(
        CODE_REVIEW,
        (
            (-2, "This shall not be submitted"),
            (-1, "I would prefer this is not submitted as is"),
            (0, "No score"),
            (1, "Looks good to me, but someone else must approve"),
            (2, "Looks good to me, approved"),
        ),
        "changekind:NO_CODE_CHANGE OR changekind:TRIVIAL_REBASE OR is:MIN",
    ),
    Label(
        VERIFIED,
        (
            (-2, "Fails in the gate"),
            (-1, "Fails in check"),
            (0, "No score"),
            (1, "Passes check"),
            (2, "Passes the gate"),
        ),
        "changekind:NO_CODE_CHANGE",
    ),
    Label(
        WORKFLOW,
        ((-1, "Work in progress"), (0, "Ready for reviews"), (1, "Approved")),
        "changekind:NO_CHANGE",
    ),
)


def _approved(label: str, whose: str = "") -> SubmitRequirement:
    rule = f"label:{label}=MAX{whose} AND -label:{label}=MIN"
    return SubmitRequirement(label, rule, can_override_in_children=True)


DEFAULT = Rules(
    "default",
    LABELS,
    (
        _approved(CODE_REVIEW, ",user=non_uploader"),
        _approved(WORKFLOW),
        replace(_approved(VERIFIED), applicable_if="is:gated"),
    ),
)

TEAM_OF_ONE = replace(DEFAULT, name="team-of-one", requirements=(_approved(CODE_REVIEW), *DEFAULT.requirements[1:]))

PRESETS: Mapping[str, Rules] = {rules.name: rules for rules in (DEFAULT, TEAM_OF_ONE)}


def rules_of(preset: str) -> Rules:
    """The preset of this name; a name that a newer version wrote reads as the strict one."""
    return PRESETS.get(preset, DEFAULT)


def copied_votes(votes: Iterable[Vote], renewal: Renewal, patch_set: int, rules: Rules) -> tuple[Vote, ...]:
    """The votes of the patch set before, as far as they count on `patch_set` too."""
    kept: list[Vote] = []
    for vote in votes:
        label = rules.label(vote.label)
        if label is not None and is_copied(label, vote.value, vote.account, renewal):
            kept.append(replace(vote, patch_set=patch_set, copied=True))
    return tuple(kept)


def configured(preset: Rules, files: tuple[ConfigFile, ...]) -> Rules:
    """A preset with what `project.config` files say beside it, the farthest parent's first."""
    if not files:
        return preset
    labels, wanted = overlaid(preset.labels, preset.requirements, files)
    return replace(preset, labels=labels, requirements=wanted)


@dataclass(frozen=True, slots=True)
class Shape:
    """What two commits are compared by: trees are ids, `message` is the whole text."""

    tree: str
    parents: tuple[str, ...]
    message: str


def kind_of(before: Shape, after: Shape, rebased_tree: str | None) -> Kind:
    """What a new patch set is to the one before it.

    `rebased_tree` is the tree that picking the old commit onto the new first parent gives, None
    when it conflicts or was not tried; it matters only when the parents differ.
    """
    same_message = before.message == after.message
    if before.parents == after.parents:
        if before.tree != after.tree:
            return Kind.REWORK
        return Kind.NO_CHANGE if same_message else Kind.NO_CODE_CHANGE
    if rebased_tree is None or rebased_tree != after.tree or len(before.parents) != len(after.parents):
        return Kind.REWORK
    if len(after.parents) > 1:
        return Kind.MERGE_FIRST_PARENT_UPDATE if before.parents[1:] == after.parents[1:] else Kind.REWORK
    return Kind.TRIVIAL_REBASE if same_message else Kind.TRIVIAL_REBASE_WITH_MESSAGE_UPDATE

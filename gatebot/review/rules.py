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

from .model import Kind, Vote

CODE_REVIEW = "Code-Review"
VERIFIED = "Verified"
WORKFLOW = "Workflow"


@dataclass(frozen=True, slots=True)
class Label:
    """What can be voted. `copied_on` are the kinds of patch set that keep every vote, `copies_lowest` keeps a veto."""

    name: str
    values: tuple[tuple[int, str], ...]
    copied_on: frozenset[Kind]
    copies_lowest: bool = False

    @property
    def lowest(self) -> int:
        """The veto."""
        return self.values[0][0]

    @property
    def highest(self) -> int:
        """The approval."""
        return self.values[-1][0]


@dataclass(frozen=True, slots=True)
class LabelNeed:
    """One vote of `needs` or more on `label`, none of `forbids`.

    `group` is who may cast it. `not_uploader`: a vote of the one who uploaded the patch set does
    not count. `gate`: the vote is the gate's, so the requirement exists only where a gate is.
    """

    label: str
    needs: int
    forbids: int
    group: str
    not_uploader: bool = False
    gate: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """The labels of a project and what its changes need. `name` is the preset's."""

    name: str
    labels: tuple[Label, ...]
    needs: tuple[LabelNeed, ...]

    def label(self, name: str) -> Label | None:
        """The label of this name, as people write it."""
        return next((label for label in self.labels if label.name.lower() == name.lower()), None)


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
        frozenset({Kind.NO_CHANGE, Kind.NO_CODE_CHANGE, Kind.TRIVIAL_REBASE}),
        copies_lowest=True,
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
        frozenset({Kind.NO_CHANGE, Kind.NO_CODE_CHANGE}),
    ),
    Label(
        WORKFLOW,
        ((-1, "Work in progress"), (0, "Ready for reviews"), (1, "Approved")),
        frozenset({Kind.NO_CHANGE}),
    ),
)

DEFAULT = Rules(
    "default",
    LABELS,
    (
        LabelNeed(CODE_REVIEW, 2, -2, "Core", not_uploader=True),
        LabelNeed(WORKFLOW, 1, -1, "Core"),
        LabelNeed(VERIFIED, 2, -2, "Service Users", gate=True),
    ),
)

TEAM_OF_ONE = replace(
    DEFAULT, name="team-of-one", needs=tuple(replace(need, not_uploader=False) for need in DEFAULT.needs)
)

PRESETS: Mapping[str, Rules] = {rules.name: rules for rules in (DEFAULT, TEAM_OF_ONE)}


def rules_of(preset: str) -> Rules:
    """The preset of this name; a name that a newer version wrote reads as the strict one."""
    return PRESETS.get(preset, DEFAULT)


def is_copied(label: Label, value: int, kind: Kind) -> bool:
    """Whether a vote outlives the coming of a patch set of this kind."""
    return kind in label.copied_on or (label.copies_lowest and value == label.lowest)


def copied_votes(votes: Iterable[Vote], kind: Kind, patch_set: int, rules: Rules) -> tuple[Vote, ...]:
    """The votes of the patch set before, as far as they count on `patch_set` too."""
    kept: list[Vote] = []
    for vote in votes:
        label = rules.label(vote.label)
        if label is not None and is_copied(label, vote.value, kind):
            kept.append(replace(vote, patch_set=patch_set, copied=True))
    return tuple(kept)


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

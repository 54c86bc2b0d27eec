# SPDX-License-Identifier: Apache-2.0
"""Copy conditions: which votes outlive a patch set of which kind."""

from __future__ import annotations

import pytest

from gatebot.review.labels.copying import Renewal, is_copied, problem
from gatebot.review.labels.model import Label
from gatebot.review.model import Kind

VALUES = ((-2, "No"), (-1, "Hm"), (0, "None"), (1, "Fine"), (2, "Yes"))
ANN, BOB = 1, 2


def copies(condition: str, value: int = 1, renewal: Renewal | None = None) -> bool:
    return is_copied(Label("Code-Review", VALUES, condition), value, BOB, renewal or Renewal(Kind.REWORK, ANN))


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("", []),
        ("is:ANY", [-2, -1, 1, 2]),
        ("is:MIN", [-2]),
        ("is:MAX", [2]),
        ("is:MIN OR is:MAX", [-2, 2]),
        ("is:1", [1]),
        ("is:-1", [-1]),
        ('is:"-1"', [-1]),
        ("-is:MAX", [-2, -1, 1]),
        ("is:ANY AND NOT is:MIN", [-1, 1, 2]),
    ],
)
def test_votes_are_chosen_by_their_value(condition: str, values: list[int]) -> None:
    assert problem(condition) in ("", "it is empty")
    assert [value for value in (-2, -1, 1, 2) if copies(condition, value)] == values


ALL = list(Kind)


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        (Kind.NO_CHANGE, [Kind.NO_CHANGE]),
        (Kind.NO_CODE_CHANGE, [Kind.NO_CODE_CHANGE, Kind.NO_CHANGE]),
        (Kind.TRIVIAL_REBASE, [Kind.TRIVIAL_REBASE, Kind.NO_CHANGE]),
        (Kind.MERGE_FIRST_PARENT_UPDATE, [Kind.MERGE_FIRST_PARENT_UPDATE]),
        (
            Kind.TRIVIAL_REBASE_WITH_MESSAGE_UPDATE,
            [Kind.TRIVIAL_REBASE, Kind.TRIVIAL_REBASE_WITH_MESSAGE_UPDATE, Kind.NO_CODE_CHANGE, Kind.NO_CHANGE],
        ),
        (Kind.REWORK, ALL),
    ],
)
def test_a_kind_includes_what_changes_less(wanted: Kind, kinds: list[Kind]) -> None:
    found = [kind for kind in ALL if copies(f"changekind:{wanted.value}", 1, Renewal(kind, ANN))]
    assert found == kinds


def test_a_merge_on_an_unchanged_first_parent_is_no_change_at_all() -> None:
    same = Renewal(Kind.NO_CHANGE, ANN, is_merge=True)
    assert copies("changekind:MERGE_FIRST_PARENT_UPDATE", 1, same)
    assert not copies("changekind:MERGE_FIRST_PARENT_UPDATE", 1, Renewal(Kind.NO_CHANGE, ANN))


def test_groups_of_voter_and_uploader_count() -> None:
    renewal = Renewal(Kind.REWORK, ANN, groups={ANN: {"Release Managers"}, BOB: {"Core"}})
    assert copies("approverin:Core", 1, renewal)
    assert not copies("uploaderin:Core", 1, renewal)
    assert copies('uploaderin:"Release Managers"', 1, renewal)


def test_the_same_files_touched_in_the_same_ways_are_unchanged() -> None:
    assert not copies("has:unchanged-files")
    assert copies("has:unchanged-files", 1, Renewal(Kind.REWORK, ANN, unchanged_files=True))
    assert copies("has:unchanged-files", 1, Renewal(Kind.NO_CODE_CHANGE, ANN))


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("changekind:BIG", "BIG is not a kind of patch set; those are REWORK, TRIVIAL_REBASE, "
         "TRIVIAL_REBASE_WITH_MESSAGE_UPDATE, MERGE_FIRST_PARENT_UPDATE, NO_CODE_CHANGE, NO_CHANGE"),
        ("is:huge", "huge is not MIN, MAX, ANY or a vote"),
        ("has:wings", "'wings' is not supported by has:, only unchanged-files is"),
        ("is:ANY OR label:x", "'label' is no operator of copy conditions"),
        ("is:ANY OR", "something is missing at its end"),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be_read_copies_nothing_and_says_why(condition: str, why: str) -> None:
    assert problem(condition) == why
    assert not copies(condition)

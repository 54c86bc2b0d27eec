# SPDX-License-Identifier: Apache-2.0
"""Which votes outlive a new patch set, what kind a patch set is, and what a commit message depends on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gatebot.depends import depends_on
from gatebot.review import footers
from gatebot.review.labels.copying import Renewal
from gatebot.review.model import Kind, Vote, change_ref
from gatebot.review.rules import DEFAULT, Shape, copied_votes, kind_of
from gatebot.review.service import message_text

NOW = datetime(2026, 1, 5, tzinfo=UTC)
CAST = [
    Vote(label, value, account, NOW, 1)
    for account, (label, value) in enumerate(
        [("Code-Review", 2), ("Code-Review", -2), ("Code-Review", -1), ("Verified", 1), ("Workflow", 1)]
    )
]


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        (Kind.REWORK, ["Code-Review-2"]),
        (Kind.NO_CODE_CHANGE, ["Code-Review+2", "Code-Review-2", "Code-Review-1", "Verified+1"]),
        (Kind.TRIVIAL_REBASE, ["Code-Review+2", "Code-Review-2", "Code-Review-1"]),
        (Kind.TRIVIAL_REBASE_WITH_MESSAGE_UPDATE, ["Code-Review-2"]),
        (Kind.NO_CHANGE, ["Code-Review+2", "Code-Review-2", "Code-Review-1", "Verified+1", "Workflow+1"]),
    ],
)
def test_votes_outlive_a_patch_set_by_its_kind(kind: Kind, kept: list[str]) -> None:
    copied = copied_votes(CAST, Renewal(kind), 2, DEFAULT)
    assert [f"{vote.label}{vote.value:+d}" for vote in copied] == kept
    assert all(vote.patch_set == 2 and vote.copied and vote.granted == NOW for vote in copied)


OLD = Shape("t1", ("p1",), "Say\n")


@pytest.mark.parametrize(
    ("new", "rebased", "kind"),
    [
        (Shape("t1", ("p1",), "Say\n"), None, Kind.NO_CHANGE),
        (Shape("t1", ("p1",), "Say more\n"), None, Kind.NO_CODE_CHANGE),
        (Shape("t2", ("p1",), "Say\n"), None, Kind.REWORK),
        (Shape("t2", ("p2",), "Say\n"), "t2", Kind.TRIVIAL_REBASE),
        (Shape("t2", ("p2",), "Say more\n"), "t2", Kind.TRIVIAL_REBASE_WITH_MESSAGE_UPDATE),
        (Shape("t2", ("p2",), "Say\n"), "t3", Kind.REWORK),
        (Shape("t2", ("p2",), "Say\n"), None, Kind.REWORK),
        (Shape("t2", ("p2", "q"), "Say\n"), "t2", Kind.REWORK),
    ],
)
def test_the_kind_of_a_patch_set_follows_from_trees_parents_and_message(
    new: Shape, rebased: str | None, kind: Kind
) -> None:
    assert kind_of(OLD, new, rebased) is kind


def test_a_merge_on_a_new_first_parent_is_its_own_kind() -> None:
    old, new = Shape("t1", ("p1", "q"), "Merge\n"), Shape("t2", ("p2", "q"), "Merge\n")
    assert kind_of(old, new, "t2") is Kind.MERGE_FIRST_PARENT_UPDATE


def test_references_of_patch_sets_begin_with_the_last_two_digits() -> None:
    assert change_ref(7, 1) == "refs/changes/07/7/1"
    assert change_ref(1203, 14) == "refs/changes/03/1203/14"


def test_depends_on_is_read_anywhere_in_the_message_each_address_once() -> None:
    message = "Subject\n\nDepends-On: https://a/1\nText Depends-On: https://a/2\ndepends-on:  https://a/3 \n"
    assert depends_on(message + "Depends-On: https://a/1\n") == ("https://a/1", "https://a/3")


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("https://review.example.org/12", 12),
        ("http://review.example.org/12/3", 12),
        ("https://review.example.org/c/demo/api/+/12", 12),
        ("https://review.example.org/c/demo/api/+/12/3", 12),
        ("https://review.example.org/#/c/12", 12),
        ("https://review.example.org/#/c/12/", 12),
        ("https://other.example.org/12", None),
        ("https://review.example.org/q/12x", None),
        ("12", 12),
    ],
)
def test_an_address_names_a_change_only_of_this_site(address: str, number: int | None) -> None:
    assert footers.change_of(address, "https://review.example.org/") == number


def test_a_review_message_has_gerrits_form() -> None:
    cast = [Vote("Code-Review", 2, 1, NOW, 3), Vote("Workflow", 0, 1, NOW, 3)]
    assert message_text(3, cast, 0, "") == "Patch Set 3: Code-Review+2 -Workflow"
    assert message_text(3, [], 2, "recheck\n") == "Patch Set 3:\n\n(2 comments)\n\nrecheck"

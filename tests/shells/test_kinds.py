# SPDX-License-Identifier: Apache-2.0
"""The kind of a patch set, found out with real git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatebot.repo import MergedTree
from gatebot.review.kinds import compare
from gatebot.review.model import Kind
from tests.fakes.review_house import ReviewHouse


@pytest.fixture
def house(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ReviewHouse]:
    (tmp_path / "gatebot.db").write_bytes(migrated_sqlite.read_bytes())
    house = ReviewHouse(f"sqlite:///{tmp_path / 'gatebot.db'}", tmp_path / "git")
    yield house
    house.close()


def test_what_differs_makes_the_kind(house: ReviewHouse) -> None:
    begin = house.project("api")
    tip = house.commit("api", {"t.txt": "t\n"}, "Tip\n", begin)
    old = house.commit("api", {"a.txt": "a\n"}, "Add a\n", begin)
    for files, message, parent, kind, unchanged in (
        ({"a.txt": "a\n"}, "Add a\n", begin, Kind.NO_CHANGE, True),
        ({"a.txt": "a\n"}, "Add a, told better\n", begin, Kind.NO_CODE_CHANGE, True),
        ({"a.txt": "b\n"}, "Add a\n", begin, Kind.REWORK, True),
        ({"a.txt": "a\n", "b.txt": "b\n"}, "Add a\n", begin, Kind.REWORK, False),
        ({"a.txt": "a\n"}, "Add a\n", tip, Kind.TRIVIAL_REBASE, True),
        ({"a.txt": "a\n"}, "Add a, told better\n", tip, Kind.TRIVIAL_REBASE_WITH_MESSAGE_UPDATE, True),
        ({"a.txt": "c\n"}, "Add a\n", tip, Kind.REWORK, True),
    ):
        found = compare(house.repositories, "api", old, house.commit("api", files, message, parent))
        assert (found.kind, found.unchanged_files) == (kind, unchanged)


def test_a_rebase_that_conflicts_is_a_rework(house: ReviewHouse) -> None:
    begin = house.project("api")
    tip = house.commit("api", {"a.txt": "other\n"}, "Tip\n", begin)
    old = house.commit("api", {"a.txt": "a\n"}, "Add a\n", begin)
    new = house.commit("api", {"a.txt": "a\n"}, "Add a\n", tip)
    assert compare(house.repositories, "api", old, new).kind is Kind.REWORK


def test_a_merge_of_the_same_branch_into_a_newer_one_keeps_its_second_parent(house: ReviewHouse) -> None:
    begin = house.project("api")
    side = house.commit("api", {"s.txt": "s\n"}, "Side\n", begin)
    tips = [begin]
    for name in ("m", "n"):
        tips.append(house.commit("api", {f"{name}.txt": "x\n"}, f"Main {name}\n", tips[-1]))
    who = house.repositories.commit("api", begin).author

    def merge(tip: str, *others: str, message: str = "Merge side\n") -> str:
        tree = house.repositories.merge("api", tip, side)
        assert isinstance(tree, MergedTree)
        return house.repositories.write_commit("api", tree.tree, (tip, *others), who, who, message)

    old = merge(tips[1], side)
    assert compare(house.repositories, "api", old, merge(tips[2], side)).kind is Kind.MERGE_FIRST_PARENT_UPDATE
    assert compare(house.repositories, "api", old, merge(tips[2], tips[1])).kind is Kind.REWORK
    assert compare(house.repositories, "api", old, merge(tips[1], side, message="Merge\n")).kind is Kind.NO_CODE_CHANGE

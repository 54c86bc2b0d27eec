# SPDX-License-Identifier: Apache-2.0
"""Where comments go when a newer patch set comes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.change import TextRange
from gatebot.review.threads.porting import Place, moved, ported


@dataclass(frozen=True)
class Piece:
    old: int
    old_count: int
    new_count: int


@pytest.mark.parametrize(
    ("line", "now"),
    [(1, 1), (2, None), (3, 5), (9, 11)],
)
def test_a_line_moves_with_what_is_before_it(line: int, now: int | None) -> None:
    assert moved(line, [Piece(1, 1, 3)]) == now


def test_a_comment_on_what_was_changed_stays_on_its_file() -> None:
    assert ported(Place("a", 2), "a", [Piece(1, 1, 1)]) == Place("a")
    assert ported(Place("a", 4, TextRange(3, 0, 4, 2)), "a", [Piece(0, 0, 2)]) == Place("a", 6, TextRange(5, 0, 6, 2))
    assert ported(Place("a", 4, TextRange(2, 0, 4, 2)), "a", [Piece(2, 1, 2)]) == Place("a")


def test_a_comment_follows_a_renamed_file_and_outlives_one_that_is_gone() -> None:
    assert ported(Place("a", 1), "b", []) == Place("b", 1)
    assert ported(Place("a", 1), None, []) == Place("/PATCHSET_LEVEL")
    assert ported(Place("a"), "a", [Piece(0, 1, 0)]) == Place("a")


@given(st.lists(st.sampled_from("abc"), max_size=12), st.integers(0, 12), st.integers(0, 4), st.integers(0, 4))
def test_a_line_that_is_kept_says_the_same(old: list[str], at: int, gone: int, come: int) -> None:
    at = min(at, len(old))
    gone = min(gone, len(old) - at)
    new = old[:at] + ["new"] * come + old[at + gone :]
    for line in range(1, len(old) + 1):
        now = moved(line, [Piece(at, gone, come)])
        if now is not None:
            assert new[now - 1] == old[line - 1]
        else:
            assert at < line <= at + gone

# SPDX-License-Identifier: Apache-2.0
"""Lines of tested files, found again in the files of the change."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatebot.pipeline.tracing import Replaced, traced


def test_lines_behind_what_others_put_in_move_back_and_what_is_theirs_is_nowhere() -> None:
    two_put_in = [Replaced(0, 3, 2)]
    assert [traced(two_put_in, line) for line in range(7)] == [0, 1, 2, 0, 0, 3, 4]


def test_lines_behind_what_others_took_out_move_on() -> None:
    two_taken_out = [Replaced(2, 3, 0)]
    assert [traced(two_taken_out, line) for line in range(6)] == [0, 1, 2, 3, 6, 7]


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4), st.integers(0, 4))))
def test_every_line_that_both_have_is_found(pieces: list[tuple[int, int, int]]) -> None:
    replaced: list[Replaced] = []
    expected: list[int] = []
    old = 0
    for kept, gone, new in pieces:
        expected += range(old + 1, old + kept + 1)
        old += kept + gone
        if gone or new:
            replaced.append(Replaced(gone, len(expected) + (1 if new else 0), new))
        expected += [0] * new
    assert [traced(replaced, line) for line in range(1, len(expected) + 1)] == expected

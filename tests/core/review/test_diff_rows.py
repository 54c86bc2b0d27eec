# SPDX-License-Identifier: Apache-2.0
"""The rows of a difference: what stands beside what, what is folded, and that no line is lost or invented."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from hypothesis import given
from hypothesis import strategies as st

from gatebot.review.diffs.drawing import LONGEST, drawn
from gatebot.review.diffs.rows import Gap, Look, Pair, arrange, lines_of


@dataclass(frozen=True)
class Piece:
    old: int
    old_count: int
    new: int
    new_count: int


def pieces(old: list[str], new: list[str]) -> list[Piece]:
    found = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [Piece(a, b - a, c, d - c) for tag, a, b, c, d in found if tag != "equal"]


def shown(rows: list[Pair | Gap]) -> list[Pair]:
    return [row for row in rows if isinstance(row, Pair)]


texts = st.lists(st.sampled_from("abcd"), max_size=40)


@given(texts, texts, st.integers(0, 4), st.booleans())
def test_each_line_is_shown_once_or_folded_and_in_order(
    old: list[str], new: list[str], context: int, unified: bool
) -> None:
    rows = arrange(len(old), len(new), pieces(old, new), Look(context=context, unified=unified))
    left = [row.old for row in shown(rows) if row.old is not None]
    right = [row.new for row in shown(rows) if row.new is not None]
    folded = [line for row in rows if isinstance(row, Gap) for line in range(row.first, row.end)]
    assert left == sorted(set(left))
    assert sorted(right + folded) == list(range(len(new)))
    assert right == sorted(right)
    assert len(left) + len(folded) == len(old)
    for row in shown(rows):
        if row.kind == "same":
            assert row.old is not None
            assert row.new is not None
            assert old[row.old] == new[row.new]


@given(texts, texts, st.lists(st.tuples(st.integers(-2, 45), st.integers(-2, 45)), max_size=3))
def test_lines_that_are_asked_for_are_shown(old: list[str], new: list[str], more: list[tuple[int, int]]) -> None:
    rows = arrange(len(old), len(new), pieces(old, new), Look(context=0, more=more))
    seen = {row.new + 1 for row in shown(rows) if row.new is not None}
    for first, last in more:
        wanted = set(range(max(first, 1), min(last, len(new)) + 1))
        assert wanted <= seen


def test_lines_that_replace_lines_are_beside_them_and_in_one_column_below_them() -> None:
    old, new = ["a", "b", "c"], ["a", "x", "y", "c"]
    beside = arrange(3, 4, pieces(old, new), Look())
    assert [(row.kind, row.old, row.new) for row in shown(beside)] == [
        ("same", 0, 0), ("edit", 1, 1), ("add", None, 2), ("same", 2, 3),
    ]  # fmt: skip
    below = arrange(3, 4, pieces(old, new), Look(unified=True))
    assert [(row.kind, row.old, row.new, row.twin) for row in shown(below)] == [
        ("same", 0, 0, None), ("del", 1, None, 1), ("add", None, 1, 1), ("add", None, 2, None), ("same", 2, 3, None),
    ]  # fmt: skip


def test_a_page_has_an_end() -> None:
    rows = arrange(0, 10_000, [Piece(0, 0, 0, 10_000)], Look(most=100))
    assert len(rows) == 101
    assert rows[-1] == Gap(100, 10_000, cut=True)


def test_lines_end_with_line_ends_and_nothing_else() -> None:
    assert lines_of(b"a\r\nb\x0cc\n") == (["a", "b\x0cc"], True)
    assert lines_of(b"a\nb") == (["a", "b"], False)
    assert lines_of(b"") == ([], True)
    assert lines_of(b"\xff\n") == (["�"], True)


spans = st.lists(st.tuples(st.text("ab<&\"'> ", max_size=6), st.sampled_from(["", "k", "s"])), max_size=8)


@given(
    spans, st.lists(st.tuples(st.text("x", max_size=5), st.booleans()), max_size=6), st.text("ab<&\"' ", max_size=20)
)
def test_a_drawn_line_says_the_line_and_nothing_of_it_is_markup(
    colours: list[tuple[str, str]], marks: list[tuple[str, bool]], text: str
) -> None:
    line = drawn(text, colours, marks)
    assert html.unescape(re.sub(r"</?(?:b|span)(?: class=\"[ks]\")?>", "", line)) == text
    assert line.count("<span") == line.count("</span>")


def test_a_line_without_end_is_cut() -> None:
    assert drawn("x" * (LONGEST + 5)) == "x" * LONGEST + "…"


def test_colours_and_marks_lie_over_each_other() -> None:
    assert drawn("ab cd", [("ab", "k"), (" cd", "")], [("a", False), ("b c", True), ("d", False)]) == (
        '<span class="k">a</span><b><span class="k">b</span> c</b>d'
    )

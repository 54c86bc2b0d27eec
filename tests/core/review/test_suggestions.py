# SPDX-License-Identifier: Apache-2.0
"""Edits that comments suggest: what is read from a text, and what becomes of the lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.change import TextRange
from gatebot.errors import Conflict
from gatebot.review.diffs.replacing import replaced
from gatebot.review.fixes.applying import applied
from gatebot.review.fixes.suggestion import fix_of, plain, suggested, without


def test_a_fenced_block_of_that_kind_is_a_suggestion() -> None:
    text = "Shorter:\n\n```suggestion\nx = 1\n  y\n```\nWhat do you think?"
    assert suggested(text) == "x = 1\n  y\n"
    assert without(text) == "Shorter:\n\nWhat do you think?"
    assert suggested("```suggestion\r\nx\r\n```") == "x\n"
    assert suggested("```suggestion\n```") == ""
    for other in ("```python\nx\n```", "```suggestion\nx", "say ```suggestion\nx\n```"):
        assert suggested(other) is None


def test_a_suggestion_is_shown_as_a_small_difference() -> None:
    shown = [(one.kind, one.sign, one.html) for one in replaced(["a = 1", "b = <2>"], "a = 1\nb = <3>\n")]
    assert shown == [
        ("same", " ", "a = 1"),
        ("del", "−", "b = &lt;<b>2</b>&gt;"),
        ("add", "+", "b = &lt;<b>3</b>&gt;"),
    ]
    assert [(one.kind, one.html) for one in replaced(["gone"], "")] == [("del", "gone")]
    assert [(one.kind, one.html) for one in replaced([], "new\n")] == [("add", "new")]
    assert [one.kind for one in replaced(["x"] * 400, "new\n")] == ["add"]  # too much to be compared


def test_a_letter_tells_a_suggestion_behind_what_is_said() -> None:
    text = "Shorter:\r\n```suggestion\r\nx = 1\r\n\r\n```\r\nAgreed?"
    assert plain(text, str) == "Shorter:\nAgreed?\nSuggested instead:\n+ x = 1\n+"
    assert plain("```suggestion\n```", str) == "Suggested instead:\nnothing: take the lines out"
    assert plain("As it is.\n", str) == "As it is.\n"


def written(old: str, first: int, last: int, new: str) -> str | None:
    """A text with the suggestion of a comment on some of its lines; None: it has not so many."""
    fix = fix_of("c1", "f", f"So:\n```suggestion\n{new}```", last, TextRange(first, 0, last, 1))
    assert fix is not None
    try:
        return applied(old, fix.replacements)
    except Conflict:
        return None


def test_a_range_that_ends_at_the_beginning_of_a_line_does_not_reach_into_it() -> None:
    fix = fix_of("c1", "f", "```suggestion\nx\n```", 3, TextRange(1, 0, 3, 0))
    assert fix is not None
    assert fix.replacements[0].range == TextRange(1, 0, 3, 0)
    assert fix_of("c1", "f", "```suggestion\nx\n```", None, None) is None


@pytest.mark.parametrize(
    ("old", "first", "last", "new", "result"),
    [
        ("a\nb\nc\n", 2, 2, "x\ny\n", "a\nx\ny\nc\n"),
        ("a\nb\nc\n", 2, 3, "", "a\n"),
        ("a\nb", 2, 2, "x\n", "a\nx"),
        ("a\r\nb\r\n", 1, 1, "x\n", "x\r\nb\r\n"),
        ("a\x0cb\n", 1, 1, "x\n", "x\n"),
        ("a\n", 2, 2, "x\n", None),
        ("a\nb\n", 2, 2, "", "a\n"),
        ("a\n", 0, 1, "x\n", None),
    ],
)
def test_lines_give_way_to_those_that_are_suggested(
    old: str, first: int, last: int, new: str, result: str | None
) -> None:
    assert written(old, first, last, new) == result


@given(st.lists(st.text("ab \r", max_size=4), min_size=1, max_size=8), st.data())
def test_to_suggest_what_is_there_changes_nothing(lines: list[str], data: st.DataObject) -> None:
    text = "\n".join(lines) + "\n"
    first = data.draw(st.integers(1, len(lines)))
    last = data.draw(st.integers(first, len(lines)))
    same = "\n".join(lines[first - 1 : last]) + "\n"
    if "\r" not in text:
        assert written(text, first, last, same) == text

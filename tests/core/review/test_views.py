# SPDX-License-Identifier: Apache-2.0
"""What the review pages show: links in text, words that differ, builds and votes in one line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gatebot.change import TextRange
from gatebot.review.model import COMMIT_MESSAGE, PATCH_SET_LEVEL, InlineComment, Vote
from gatebot.review.ports import BuildLine
from gatebot.review.views import Line, failed_builds, hunk_rows, latest_votes, linked, newest_builds, notes

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain <b>", "plain &lt;b&gt;"),
        ("see https://x.org/a?b=1&c=2.", 'see <a href="https://x.org/a?b=1&amp;c=2" rel="nofollow noopener">https://x.org/a?b=1&amp;c=2</a>.'),
        ("javascript:alert(1) data:x", "javascript:alert(1) data:x"),
        ('https://x.org/"onclick="x', '<a href="https://x.org/" rel="nofollow noopener">https://x.org/</a>&quot;onclick=&quot;x'),
        ("(http://x.org/a)", '(<a href="http://x.org/a" rel="nofollow noopener">http://x.org/a</a>)'),
    ],
)  # fmt: skip
def test_only_addresses_of_the_web_become_links(text: str, shown: str) -> None:
    assert linked(text) == shown


def test_words_that_differ_are_marked_where_lines_are_replaced_one_by_one() -> None:
    rows = hunk_rows(
        "@@", [Line(" ", 1, 1, "same"), Line("-", 2, None, "price = 20"), Line("+", None, 2, "price = 21")]
    )
    assert [(row.kind, row.parts, row.old, row.new) for row in rows] == [
        ("hunk", (("@@", False),), None, None),
        ("same", (("same", False),), 1, 1),
        ("del", (("price = ", False), ("20", True)), 2, None),
        ("add", (("price = ", False), ("21", True)), None, 2),
    ]


def test_lines_with_little_in_common_are_not_marked() -> None:
    rows = hunk_rows("@@", [Line("-", 1, None, "abc def"), Line("+", None, 1, "1 + 2 == 3")])
    assert [row.parts for row in rows[1:]] == [(("abc def", False),), (("1 + 2 == 3", False),)]
    rows = hunk_rows("@@", [Line("-", 1, None, "a b"), Line("+", None, 1, "a c"), Line("+", None, 2, "d")])
    assert all(not changed for row in rows for _, changed in row.parts)


def test_of_each_job_the_newest_build_is_shown() -> None:
    builds = [BuildLine(uuid, "unit", "check", patch_set) for uuid, patch_set in (("3", 2), ("2", 2), ("1", 1))]
    assert [build.uuid for build in newest_builds(builds, 2)] == ["3"]


def test_a_veto_sums_up_a_label_else_the_highest_vote() -> None:
    votes = [Vote("Code-Review", value, account, NOW, 1) for account, value in enumerate((2, -1, 1))]
    assert latest_votes([*votes, Vote("Verified", 1, 9, NOW, 1)]) == (("Code-Review", -1), ("Verified", 1))


def test_a_comment_on_a_line_that_is_not_shown_is_on_its_file_or_else_on_the_patch_set_and_says_where() -> None:
    def comment(file: str, line: int | None, span: TextRange | None = None) -> InlineComment:
        return InlineComment(f"{file}{line}", 1, 1, 7, file, "odd", NOW, 1, line, range=span)

    told = [comment("a.py", 2), comment("a.py", 40), comment("a.py", None), comment("b.py", 3), comment("b.py", None)]
    found = notes([*told, comment(COMMIT_MESSAGE, 1)], {7: "Ann"}, {("a.py", "new", 0), ("a.py", "new", 2)})
    assert {place: [note.at for note in there] for place, there in found.items()} == {
        ("a.py", "new", 2): [""],
        ("a.py", "new", 0): ["a.py:40", ""],
        (PATCH_SET_LEVEL, "new", 0): ["b.py:3", "b.py"],
        (COMMIT_MESSAGE, "new", 0): [""],
    }
    told = [comment("a.py", 2, TextRange(1, 0, 2, 4)), comment("a.py", 2, TextRange(2, 0, 2, 4))]
    told += [comment("b.py", 9, TextRange(7, 0, 9, 1))]
    found = notes(told, {}, {("a.py", "new", 2)})
    assert [note.at for there in found.values() for note in there] == ["a.py:1-2", "", "b.py:7-9"]


def test_a_patch_set_failed_by_the_voting_builds_of_its_last_test_and_not_while_it_is_tested_again() -> None:
    gate = [BuildLine("4", "unit", "gate", 1, "SUCCESS"), BuildLine("3", "docs", "gate", 1, "TIMED_OUT")]
    check = [BuildLine("2", "unit", "check", 1, "FAILURE"), BuildLine("1", "docs", "check", 1, "FAILURE", voting=False)]
    assert [one.uuid for one in failed_builds([*gate, *check], 1)] == ["3"]
    assert [one.uuid for one in failed_builds(check, 1)] == ["2"]
    assert failed_builds([BuildLine("5", "unit", "check", 1), *check], 1) == []
    assert failed_builds(check, 2) == []

# SPDX-License-Identifier: Apache-2.0
"""What is seen in the one search box: which conditions are asked for, and whether there are plain words."""

from __future__ import annotations

import pytest

from gatebot.queries import conditions, has_words


@pytest.mark.parametrize(
    ("text", "names", "words"),
    [
        ("discount for members", set[str](), True),
        ("status:open", {"status"}, False),
        ("status:open AND", {"status"}, False),
        ("-is:wip (owner:self OR reviewer:self)", {"is", "owner", "reviewer"}, False),
        ('message:"a: b" vat', {"message"}, True),
        ('"foo:bar" baz', set[str](), True),
        ('owner:ann "not closed', {"owner"}, True),
        ("error: no space", set[str](), True),
        ("http://localhost/12", set[str](), True),
        ("https://bugs.example.org/1 is:open", {"is"}, True),
        ("한글 in:#gatebot", {"in"}, True),
        ("foo:bar", {"foo"}, False),
        ("((", set[str](), False),
        ("", set[str](), False),
    ],
)
def test_conditions_are_told_from_words(text: str, names: set[str], words: bool) -> None:
    assert (conditions(text), has_words(text)) == (names, words)

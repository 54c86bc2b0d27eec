# SPDX-License-Identifier: Apache-2.0
"""Regular expressions: RE2, and the one look-ahead that Zuul's users write."""

from __future__ import annotations

import pytest

from gatebot.expressions import compiled, strictly


@pytest.mark.parametrize(
    "regex, yes, no",
    [
        ("^(?!stable/)", ["master", "my/stable/1", ""], ["stable/1"]),
        ("^(?!stable/).*$", ["master", "stable"], ["stable/1", "stable/"]),
        ("^(?!(stable|old)/)feature", ["feature/1"], ["stable/feature", "master"]),
        (r"^(?!a[)\]]\))(?!b).", ["a)", "c"], ["a))", "a])", "b", ""]),
    ],
)
def test_what_must_not_begin_with_something_is_understood(regex: str, yes: list[str], no: list[str]) -> None:
    expression = compiled(regex)
    for method in (expression.match, expression.search):
        assert [text for text in [*yes, *no] if method(text)] == yes
    assert not any(expression.fullmatch(text) for text in no)


@pytest.mark.parametrize("regex", ["a(?!b)", "(?=a)b", "^(?!a", "^(?!(?!a)b)", "(?<!a)b", "("])
def test_any_other_look_around_is_an_error(regex: str) -> None:
    with pytest.raises(ValueError):
        compiled(regex)


def test_what_is_compiled_elsewhere_must_be_plain_re2() -> None:
    assert strictly("^a").match("ab")
    with pytest.raises(ValueError):
        strictly("^(?!a)")

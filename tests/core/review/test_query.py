# SPDX-License-Identifier: Apache-2.0
"""Gerrit's query language: what binds tighter, what is quoted, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot import words
from gatebot.errors import Invalid
from gatebot.review.query import And, Node, Not, Or, Term, parse
from gatebot.review.query_values import LabelTerm, age_seconds, label_term, moment, pattern, size_term


def told(node: Node) -> str:
    match node:
        case Term(operator, value):
            return f"{operator}:{value}" if operator else value
        case Not(part):
            return f"-{told(part)}"
        case And(parts):
            return f"({' AND '.join(told(part) for part in parts)})"
        case Or(parts):
            return f"({' OR '.join(told(part) for part in parts)})"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", "()"),
        ("12", "12"),
        ("p:demo/api status:open", "(project:demo/api AND status:open)"),
        ("a:x", None),
        ("owner:ann OR owner:bob branch:main", "(owner:ann OR (owner:bob AND branch:main))"),
        ("(owner:ann OR owner:bob) AND NOT is:wip", "((owner:ann OR owner:bob) AND -is:wip)"),
        ("-age:30s", "-age:30s"),
        ("-(is:wip OR is:private)", "-(is:wip OR is:private)"),
        ('message:"a \\"b\\" c"', 'message:a "b" c'),
        ("project:{demo/api} status:open", "(project:demo/api AND status:open)"),
        (
            "(message:{Depends-On: https://x/1} OR message:{Depends-On: https://x/#/c/1})",
            "(message:Depends-On: https://x/1 OR message:Depends-On: https://x/#/c/1)",
        ),
        ("subject:a:b", "subject:a:b"),
        ("ORANGE NOTE ANDROID", "(ORANGE AND NOTE AND ANDROID)"),
    ],
)
def test_queries_are_read_by_gerrits_grammar(text: str, read: str | None) -> None:
    if read is None:
        with pytest.raises(Invalid):
            parse(text)
    else:
        assert told(parse(text).node) == read


def test_limit_is_not_a_condition() -> None:
    query = parse("status:open limit:5")
    assert (told(query.node), query.limit) == ("(status:open AND ())", 5)


@pytest.mark.parametrize("text", ["(status:open", "status:open)", "OR", "status:open AND", "-", "()"])
def test_what_ends_too_early_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text)
    assert caught.value.reason is not None
    assert words.say(caught.value.reason).startswith("The query ends too early or has something left over near ")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("Code-Review", LabelTerm("Code-Review", "=", 1)),
        ("Code-Review=2", LabelTerm("Code-Review", "=", 2)),
        ("Code-Review+2", LabelTerm("Code-Review", "=", 2)),
        ("Verified-1", LabelTerm("Verified", "=", -1)),
        ("Code-Review>=1,user=self", LabelTerm("Code-Review", ">=", 1, "self")),
        ("Code-Review=MAX,ann", LabelTerm("Code-Review", "=", "MAX", "ann")),
        ("Code-Review<=-1", LabelTerm("Code-Review", "<=", -1)),
    ],
)
def test_label_terms(value: str, read: LabelTerm) -> None:
    assert label_term(value) == read


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("45", 45),
        ("30s", 30),
        ("5m", 300),
        ("5minutes", 300),
        ("2h", 7200),
        ("1day", 86400),
        ("2weeks", 1209600),
        ("1mon", 2592000),
        ("1year", 31536000),
    ],
)
def test_ages(value: str, seconds: int) -> None:
    assert age_seconds(value) == seconds


@pytest.mark.parametrize(("value", "read"), [(">50", (">", 50)), ("<=3", ("<=", 3)), ("7", ("=", 7))])
def test_sizes(value: str, read: tuple[str, int]) -> None:
    assert size_term("delta", value) == read


@pytest.mark.parametrize("text", ["2026-01-31", '"2026-01-31 12:00:00"', "2026-01-31T12:00+09:00"])
def test_moments_are_utc(text: str) -> None:
    assert moment("after", text.strip('"')).tzname() == "UTC"


@pytest.mark.parametrize("value", ["^(?=x)", "^[", "^a**", r"^\pL", r"^\x00", "^[[:alpha:]]", "^" + "a" * 501])
def test_a_pattern_that_one_database_reads_otherwise_is_refused(value: str) -> None:
    with pytest.raises(Invalid):
        pattern("branch", value)


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    try:
        read = parse(text).node
    except Invalid as error:
        read = None if error.reason is None else And(())
    assert read is not None


_VALUES = st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text)
_TERMS = st.builds(Term, st.sampled_from(("project", "owner", "message", "topic")), _VALUES)
_NODES = st.recursive(
    _TERMS,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts)))
    ),
    max_leaves=8,
)


def written(node: Node) -> str:
    """A tree as somebody would write it, with every bracket."""
    match node:
        case Term(operator, value):
            quoted = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'{operator}:"{quoted}"'
        case Not(part):
            return f"-({written(part)})"
        case And(parts):
            return "(" + " ".join(written(part) for part in parts) + ")"
        case Or(parts):
            return "(" + " OR ".join(written(part) for part in parts) + ")"


@given(_NODES)
def test_what_is_written_is_what_is_read(node: Node) -> None:
    assert parse(written(node)).node == node

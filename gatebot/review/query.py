# SPDX-License-Identifier: Apache-2.0
"""Gerrit's query language, read into a tree; `search.py` asks the database with it.

Pure. AND (also the one that is not written) binds tighter than OR, as Gerrit's grammar does, not
its manual. `-` and NOT negate; values may be quoted with `"..."` or `{...}` and may hold colons.
An operator that is not known is refused by name, never guessed at: an answer to another question
makes clients ask for ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import Invalid
from ..reasons import reason

# fmt: off
OPERATORS = (
    "after", "age", "author", "before", "branch", "change", "commit", "hashtag", "intopic", "is", "label", "limit",
    "message", "owner", "project", "projects", "reviewer", "starredby", "status", "subject", "topic", "uploader",
)
# fmt: on
_SHORT = {"p": "project", "o": "owner", "r": "reviewer", "m": "message", "since": "after", "until": "before"}
_MOST_TERMS = 500  # Gertty asks for up to 100 commits at once.

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\)) |
        (?P<not>-|NOT\b\s) |
        (?P<join>(?:AND|OR)(?=[\s(]|$)) |
        (?:(?P<operator>[a-z_]+):)?
        (?: "(?P<quoted>(?:[^"\\]|\\.)*)" | \{(?P<braced>[^}]*)\} | (?P<word>[^\s()"{]+) )
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Term:
    """`operator:value`; an empty operator is a bare word."""

    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts; no part at all is everything."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


Node: TypeAlias = Term | Not | And | Or


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for, and the `limit:` that was asked for."""

    node: Node
    limit: int | None = None


def parse(text: str) -> Query:
    """Read a query; what cannot be read is refused with the place."""
    reader = _Reader(_tokens(text))
    node = reader.any_of() if reader.tokens else And(())
    if reader.tokens:
        raise Invalid(reason=reason("review.query-syntax", near=reader.tokens[0].text))
    return Query(node, reader.limit)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    operator: str = ""


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    text, at = text.strip(), 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(found) > 4 * _MOST_TERMS:
            raise Invalid(reason=reason("review.query-syntax", near=text[at : at + 20]))
        at = match.end()
        kind = match.lastgroup or ""
        if kind in ("quoted", "braced", "word"):
            value = match[kind]
            if kind == "quoted":
                value = re.sub(r"\\(.)", r"\1", value)
            found.append(_Token("term", value, match["operator"] or ""))
        else:
            found.append(_Token(kind, match[kind].strip()))
    return found


class _Reader:
    """Recursive descent over the tokens that are left."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.limit: int | None = None

    def any_of(self) -> Node:
        parts = [self._all_of()]
        while self._next_is("join", "OR"):
            self.tokens.pop(0)
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all_of(self) -> Node:
        parts = [self._one()]
        while self.tokens and not self._next_is("join", "OR") and not self._next_is("close"):
            if self._next_is("join", "AND"):
                self.tokens.pop(0)
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Node:
        if not self.tokens:
            raise Invalid(reason=reason("review.query-syntax", near="the end"))
        token = self.tokens.pop(0)
        match token.kind:
            case "not":
                return Not(self._one())
            case "open":
                inside = self.any_of()
                if not self._next_is("close"):
                    raise Invalid(reason=reason("review.query-syntax", near="("))
                self.tokens.pop(0)
                return inside
            case "term":
                return self._term(token)
            case _:
                raise Invalid(reason=reason("review.query-syntax", near=token.text))

    def _term(self, token: _Token) -> Node:
        operator = _SHORT.get(token.operator, token.operator)
        if operator and operator not in OPERATORS:
            known = ", ".join(OPERATORS)
            raise Invalid(
                reason=reason("review.query-unknown-operator", operator=f"{operator}:{token.text}", known=known)
            )
        if operator == "limit":
            if not token.text.isdecimal():
                raise _bad(operator, token.text, "it must be a number")
            self.limit = int(token.text)
            return And(())
        return Term(operator, token.text)

    def _next_is(self, kind: str, text: str = "") -> bool:
        return bool(self.tokens) and self.tokens[0].kind == kind and text in ("", self.tokens[0].text)


def _bad(operator: str, value: str, why: str) -> Invalid:
    return Invalid(reason=reason("review.query-bad-value", operator=operator, value=value, why=why))


@dataclass(frozen=True, slots=True)
class LabelTerm:
    """`label:NAME<op>VALUE[,USER]`. `value` is a number, or `MAX`, `MIN`, `ANY`."""

    label: str
    comparison: str
    value: int | str
    user: str = ""


_LABEL = re.compile(r"([A-Za-z][A-Za-z0-9-]*?)(?:(>=|<=|=|>|<)([+-]?\d+|MAX|MIN|ANY)|([+-]\d+))?")


def label_term(value: str) -> LabelTerm:
    """Read the value of `label:`; a bare name means +1, as in Gerrit."""
    text, _, user = value.partition(",")
    match = _LABEL.fullmatch(text)
    if match is None:
        raise _bad("label", value, "write it as Code-Review=2, Verified>=1 or Workflow+1,user=NAME")
    name, comparison, compared, short = match.groups()
    number = compared or short or "1"
    read = number if number in ("MAX", "MIN", "ANY") else int(number)
    return LabelTerm(name, comparison or "=", read, user.removeprefix("user="))


_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mon": 2_592_000, "y": 31_536_000}
_AGE = re.compile(r"(\d{1,9})\s*([a-z]+)")


def age_seconds(value: str) -> int:
    """Read the value of `age:`: `30s`, `2d`, `1week`; a bare number is seconds."""
    match = _AGE.fullmatch(value + "s" if value.isdecimal() else value)
    if match is not None:
        unit = match[2]
        for short in (unit, unit.rstrip("s"), unit[:3], unit[:1]):
            if short in _AGES:
                return int(match[1]) * _AGES[short]
    raise _bad("age", value, "write it as 30s, 5m, 2h, 3d, 1w, 1mon or 1y")


def is_change_id(text: str) -> bool:
    """Whether a word is a Change-Id, or the beginning of one."""
    return re.fullmatch(r"I[0-9a-fA-F]{4,40}", text) is not None

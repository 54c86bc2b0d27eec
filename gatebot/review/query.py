# SPDX-License-Identifier: Apache-2.0
"""Gerrit's query language, read into a tree; `search.py` asks the database with it.

Pure; the values of operators are read in `query_values.py`. AND (also the one that is not written)
binds tighter than OR, as Gerrit's grammar does, not its manual. `-` and NOT negate; values may be
quoted with `"..."` or `{...}` and may hold colons.
An operator that is not known is refused by name, never guessed at: an answer to another question
makes clients ask for ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from ..errors import Invalid
from ..reasons import reason

# fmt: off
OPERATORS = (
    "added", "after", "age", "attention", "author", "before", "branch", "cc", "change", "cherrypickof", "comment",
    "commentby", "commit", "committer", "conflicts", "deleted", "delta", "destination", "dir", "draftby", "ext",
    "file", "footer", "from", "has", "hasfooter", "hashtag", "inhashtag", "intopic", "is", "label", "limit",
    "mergedafter", "mergedbefore", "message", "onlyexts", "owner", "ownerin", "parentof", "parentproject", "path",
    "prefixhashtag", "prefixsubject", "prefixtopic", "project", "projects", "query", "ref", "revertof", "reviewedby",
    "reviewer", "reviewerin", "starredby", "status", "subject", "submissionid", "topic", "tr", "unresolved",
    "uploader", "uploaderin", "visibleto",
)
_SHORT = {
    "p": "project", "repo": "project", "repository": "project", "repositories": "projects", "o": "owner",
    "r": "reviewer", "m": "message", "f": "file", "directory": "dir", "extension": "ext", "bug": "tr", "size": "delta",
    "onlyextensions": "onlyexts", "since": "after", "until": "before", "t": "hashtag",
}
# fmt: on
CONDITIONS = frozenset((*OPERATORS, *_SHORT))
"""All names of conditions, also the short ones."""
_DEEPEST = 100
_MOST_TERMS = 500  # Gertty asks for up to 100 commits at once.

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\)) |
        (?P<not>-|NOT\b\s) |
        (?P<join>(?:AND|OR)(?=[\s(]|$)) |
        (?:(?P<operator>[a-z][a-z_-]*):)?
        (?: "(?P<quoted>(?:[^"\\]|\\.)*)" | \{(?P<braced>(?:[^}\\]|\\.)*)\} | (?P<word>[^\s()"{]+) )
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Term:
    """`operator:value`; an empty operator is a bare word. `written` is how the operator was spelled."""

    operator: str
    value: str
    written: str = field(default="", compare=False, repr=False)


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
            if kind != "word":
                value = re.sub(r"\\(.)", r"\1", value)
            found.append(_Token("term", value, match["operator"] or ""))
        else:
            found.append(_Token(kind, match[kind].strip()))
    return found


class _Reader:
    """Recursive descent over the tokens that are left; so deep and no deeper."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.limit: int | None = None
        self._depth = 0

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
        self._depth += token.kind in ("not", "open")
        if self._depth > _DEEPEST:
            raise Invalid(reason=reason("review.query-syntax", near=token.text))
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
            digits = token.text.isascii() and token.text.isdecimal()
            if not digits or len(token.text) > 9 or int(token.text) == 0:
                raise bad_value(operator, token.text, "it must be a whole number from 1 to 999999999")
            self.limit = int(token.text)
            return And(())
        return Term(operator, token.text, token.operator)

    def _next_is(self, kind: str, text: str = "") -> bool:
        return bool(self.tokens) and self.tokens[0].kind == kind and text in ("", self.tokens[0].text)


def as_written(error: Invalid, term: Term) -> Invalid:
    """The same refusal with the operator as it was spelled: who asks for `size:m` never wrote `delta`."""
    if error.reason is None or error.reason.kind != "review.query-bad-value" or not term.written:
        return error
    return Invalid(reason=reason(error.reason.kind, **{**dict(error.reason.params), "operator": term.written}))


def bad_value(operator: str, value: str, why: str) -> Invalid:
    """The refusal of a value that an operator cannot have."""
    return Invalid(reason=reason("review.query-bad-value", operator=operator, value=value, why=why))

# SPDX-License-Identifier: Apache-2.0
"""The language of copy conditions and submit requirements, read into a tree of atoms.

Pure. The grammar is that of Gerrit's queries: AND, also the one that is not written, binds tighter than OR; `-` and
NOT negate. An atom keeps its text, because answers list atoms as people wrote them. A value may be quoted by
`"..."`, `'...'` or `{...}`, as a whole or behind a comma.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

_MOST_ATOMS = 200
_PIECE = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\{[^}]*\}|[^\s()"'{}])"""
_QUOTES = {'"': '"', "'": "'", "{": "}"}
_TOKEN = re.compile(
    rf"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<join>(?:AND|OR)(?=[\s(]|$))|(?P<not>NOT(?=[\s(])|-(?=[a-z(]))
    |(?P<operator>[a-z_]+):(?P<value>{_PIECE}+)|(?P<bad>\S+))""",
    re.VERBOSE,
)


class BadExpression(ValueError):
    """Why an expression cannot be read or judged, for the one who wrote it."""


@dataclass(frozen=True, slots=True)
class Atom:
    """`operator:value`; `text` is how it was written."""

    operator: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    parts: tuple[Node, ...]


Node: TypeAlias = Atom | Not | All | Any


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """Read an expression; BadExpression tells what is wrong with it."""
    reader = _Reader(list(_tokens(text)))
    if not reader.left:
        raise BadExpression("it is empty")
    node = reader.any_of(0)
    if reader.left:
        raise BadExpression(f"'{reader.left[0].text}' is not expected there")
    return node


def atoms(node: Node) -> Iterator[Atom]:
    """The atoms of an expression, in order."""
    match node:
        case Atom():
            yield node
        case Not(part):
            yield from atoms(part)
        case All(parts) | Any(parts):
            for part in parts:
                yield from atoms(part)


def holds(node: Node, judge: Callable[[Atom], bool]) -> bool:
    """Whether an expression is true, by whether each atom is."""
    match node:
        case Atom():
            return judge(node)
        case Not(part):
            return not holds(part, judge)
        case All(parts):
            return all(holds(part, judge) for part in parts)
        case Any(parts):
            return any(holds(part, judge) for part in parts)


def arguments(value: str) -> tuple[str, ...]:
    """The parts of a value between its commas, each without its quotes."""
    parts, closing = [""], ""
    for sign in _bare(value):
        if sign == "," and not closing:
            parts.append("")
            continue
        closing = "" if sign == closing else closing or _QUOTES.get(sign, "")
        parts[-1] += sign
    return tuple(unquoted(part) for part in parts if part)


def unquoted(value: str) -> str:
    """A value without the quotes that are around all of it, or around what follows its `=`."""
    name, sign, rest = value.partition("=")
    if sign and rest[:1] in ("'", '"', "{"):
        return f"{name}={_bare(rest)}"
    return _bare(value)


def _bare(value: str) -> str:
    for opening, closing in _QUOTES.items():
        inside = value[1:-1]
        if len(value) > 1 and value[0] == opening and value[-1] == closing and opening not in inside:
            return inside.replace('\\"', '"').replace("\\\\", "\\") if opening == '"' else inside
    return value


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    operator: str = ""
    value: str = ""


def _tokens(text: str) -> Iterator[_Token]:
    at, count = 0, 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        count += 1
        if match is None or match["bad"] or count > 4 * _MOST_ATOMS:
            raise BadExpression(f"'{text[at : at + 40].strip()}' is no operator with a value")
        at = match.end()
        kind = next(name for name in ("open", "close", "join", "not", "operator") if match[name])
        yield _Token(kind, match[0].strip(), match["operator"] or "", match["value"] or "")


class _Reader:
    """Recursive descent over the tokens that are left."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.left = tokens

    def any_of(self, depth: int) -> Node:
        if depth > 50:
            raise BadExpression("it is nested too deeply")
        parts = [self._all_of(depth)]
        while self._take("join", "OR"):
            parts.append(self._all_of(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all_of(self, depth: int) -> Node:
        parts = [self._one(depth)]
        while self.left:
            if self._take("join", "AND") or self.left[0].kind in ("operator", "not", "open"):
                parts.append(self._one(depth))
            else:
                break
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, depth: int) -> Node:
        if not self.left:
            raise BadExpression("something is missing at its end")
        token = self.left.pop(0)
        match token.kind:
            case "operator":
                return Atom(token.operator, token.value, token.text)
            case "not":
                if depth > 50:
                    raise BadExpression("it is nested too deeply")
                return Not(self._one(depth + 1))
            case "open":
                inside = self.any_of(depth + 1)
                if not self._take("close"):
                    raise BadExpression("a ')' is missing")
                return inside
            case _:
                raise BadExpression(f"'{token.text}' is not expected there")

    def _take(self, kind: str, text: str = "") -> bool:
        if self.left and self.left[0].kind == kind and text in ("", self.left[0].text):
            self.left.pop(0)
            return True
        return False

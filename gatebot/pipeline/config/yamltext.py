# SPDX-License-Identifier: Apache-2.0
"""YAML text to plain values that remember their lines, from libyaml's events.

YAML 1.1 with PyYAML's scalars, because that is what Zuul's users have; Zuul's tags; duplicate keys are problems, not
overwritten; limits on depth and on nodes, counted with aliases expanded. Ten times faster than PyYAML's own
constructor. Knows nothing of jobs and pipelines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeAlias, cast

import yaml
from yaml import events as ev
from yaml.resolver import Resolver

from ...reasons import Reason, reason

MAX_BYTES = 16 * 1024 * 1024
MAX_NODES = 1_000_000
MAX_DEPTH = 64

Node: TypeAlias = "bool | int | float | str | YamlMap | YamlList | Tagged | Encrypted | None"


class YamlMap(dict[str, Node]):
    """A mapping; `line` is its first line, `lines` that of each key."""

    __slots__ = ("height", "line", "lines")

    def __init__(self, line: int) -> None:
        self.line = line
        self.lines: dict[str, int] = {}
        self.height = 0


class YamlList(list[Node]):
    """A sequence; `lines` are those of its entries."""

    __slots__ = ("height", "line", "lines")

    def __init__(self, line: int) -> None:
        self.line = line
        self.lines: list[int] = []
        self.height = 0


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value under `!override` (it replaces what was inherited) or `!inherit` (it is added to it)."""

    value: Node
    override: bool


ENCRYPTED = ("!encrypted/pkcs1-oaep", "!encrypted/gatebot-sealed")


@dataclass(frozen=True, slots=True)
class Encrypted:
    """`!encrypted/pkcs1-oaep` (Zuul's) or `!encrypted/gatebot-sealed` (ours): base64, Zuul's in one or more chunks."""

    chunks: tuple[str, ...]
    tag: str = "!encrypted/pkcs1-oaep"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong on which line."""

    line: int
    reason: Reason


class Unreadable(Exception):
    """The text as a whole cannot be read."""

    def __init__(self, line: int, why: Reason) -> None:
        super().__init__(why.kind)
        self.problem = Problem(line, why)


class _Mark(Protocol):
    line: int


class _Event(Protocol):
    """The attributes of all of libyaml's events; each event has those that it needs."""

    start_mark: _Mark
    anchor: str | None
    tag: str | None
    value: str
    implicit: tuple[bool, bool]


class _Source(Protocol):
    def get_event(self) -> _Event: ...


_ALIAS: type[object] = ev.AliasEvent
_SCALAR: type[object] = ev.ScalarEvent
_MAPPING: type[object] = ev.MappingStartEvent
_MAPPING_END: type[object] = ev.MappingEndEvent
_SEQUENCE_END: type[object] = ev.SequenceEndEvent
_END: type[object] = ev.StreamEndEvent


def read(data: bytes) -> tuple[Node, tuple[Problem, ...]]:
    """The value of a text of one document, and the problems that are local to a place (duplicate keys, unknown tags).

    Raises Unreadable.
    """
    if len(data) > MAX_BYTES:
        raise Unreadable(1, reason("config.file-too-large", size=len(data), limit=MAX_BYTES))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise Unreadable(data.count(b"\n", 0, problem.start) + 1, reason("config.not-utf-8")) from None
    try:
        reader = _Reader(cast("_Source", yaml.CSafeLoader(text)))
        return reader.document(), tuple(reader.problems)
    except yaml.YAMLError as problem:
        raise Unreadable(*_explained(problem, text)) from None


def _explained(problem: yaml.YAMLError, text: str) -> tuple[int, Reason]:
    """libyaml's complaint in one line, with the line it is about."""
    if isinstance(problem, yaml.MarkedYAMLError):
        mark = problem.problem_mark or problem.context_mark
        words = ", ".join(part for part in (problem.context, problem.problem) if part)
        return (mark.line + 1 if mark else 1), reason("config.not-yaml", problem=words)
    position = getattr(problem, "position", None)
    line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
    return line, reason("config.not-yaml", problem=str(getattr(problem, "reason", problem)))


class _Reader:
    """One pass over the events of one text."""

    def __init__(self, source: _Source) -> None:
        self._next: Callable[[], _Event] = source.get_event
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0
        self.problems: list[Problem] = []

    def document(self) -> Node:
        self._next()  # the stream's start
        event = self._next()
        if type(event) is _END:
            return None
        value = self._value(self._next(), 0)
        self._next()  # the document's end
        event = self._next()
        if type(event) is not _END:
            raise Unreadable(event.start_mark.line + 1, reason("config.second-document"))
        return value

    def _value(self, event: _Event, depth: int) -> Node:
        before = self._count
        kind = type(event)
        self._grow(1, event)
        if kind is _ALIAS:
            return self._alias(event, depth)
        if kind is _SCALAR:
            value = self._scalar(event)
        elif depth >= MAX_DEPTH:
            raise Unreadable(event.start_mark.line + 1, reason("config.too-deep", limit=MAX_DEPTH))
        elif kind is _MAPPING:
            value = self._tagged(event, self._mapping(event, depth))
        else:
            value = self._tagged(event, self._sequence(event, depth))
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._count - before)
        return value

    def _grow(self, nodes: int, event: _Event) -> None:
        self._count += nodes
        if self._count > MAX_NODES:
            raise Unreadable(event.start_mark.line + 1, reason("config.too-many-nodes", limit=MAX_NODES))

    def _alias(self, event: _Event, depth: int) -> Node:
        line = event.start_mark.line + 1
        if event.anchor not in self._anchors:
            raise Unreadable(line, reason("config.unknown-alias", alias=str(event.anchor)))
        value, size = self._anchors[event.anchor]
        self._grow(size, event)
        if depth + _height(value) > MAX_DEPTH:
            raise Unreadable(line, reason("config.too-deep", limit=MAX_DEPTH))
        return value

    def _sequence(self, start: _Event, depth: int) -> YamlList:
        result = YamlList(start.start_mark.line + 1)
        event = self._next()
        while type(event) is not _SEQUENCE_END:
            line = event.start_mark.line + 1
            item = self._value(event, depth + 1)
            result.append(item)
            result.lines.append(line)
            result.height = max(result.height, _height(item) + 1)
            event = self._next()
        return result

    def _mapping(self, start: _Event, depth: int) -> YamlMap:
        result = YamlMap(start.start_mark.line + 1)
        merged: list[YamlMap] = []
        event = self._next()
        while type(event) is not _MAPPING_END:
            line = event.start_mark.line + 1
            merge = type(event) is _SCALAR and event.value == "<<" and event.implicit[0]
            key = self._value(event, depth + 1)
            value = self._value(self._next(), depth + 1)
            result.height = max(result.height, _height(value) + 1)
            if merge:
                merged += self._merges(value, line)
            elif isinstance(key, YamlMap | YamlList | Tagged | Encrypted):
                self.problems.append(Problem(line, reason("config.odd-key")))
            else:
                name = _key(key)
                if name in result:
                    self.problems.append(
                        Problem(line, reason("config.duplicate-key", key=name, first=result.lines[name]))
                    )
                result[name] = value
                result.lines[name] = line
            event = self._next()
        for source in merged:
            for name in source:
                if name not in result:
                    result[name] = source[name]
                    result.lines[name] = source.lines[name]
        return result

    def _merges(self, value: Node, line: int) -> list[YamlMap]:
        """The mappings that `<<` names: one, or a list of them."""
        sources = value if isinstance(value, YamlList) else [value]
        good = [source for source in sources if isinstance(source, YamlMap)]
        if len(good) < len(sources):
            self.problems.append(Problem(line, reason("config.odd-merge")))
        return good

    def _scalar(self, event: _Event) -> Node:
        tag = event.tag
        if tag is None or tag == "!":
            return _plain(event.value) if event.implicit[0] else event.value
        if tag.startswith("tag:yaml.org,2002:"):
            return event.value if tag.endswith(":str") else _plain(event.value)
        if tag in ENCRYPTED:
            return Encrypted((event.value,), tag)
        return self._tagged(event, _plain(event.value) if event.value == "" else event.value)

    def _tagged(self, event: _Event, value: Node) -> Node:
        tag = event.tag
        if tag is None or tag == "!" or tag.startswith("tag:yaml.org,2002:"):
            return value
        if tag in ("!override", "!inherit"):
            return Tagged(value, tag == "!override")
        if tag in ENCRYPTED and isinstance(value, YamlList):
            return Encrypted(tuple(str(chunk) for chunk in value), tag)
        self.problems.append(Problem(event.start_mark.line + 1, reason("config.unknown-tag", tag=tag)))
        return value


def _height(value: Node) -> int:
    if isinstance(value, YamlMap | YamlList):
        return value.height + 1
    return _height(value.value) if isinstance(value, Tagged) else 0


def _key(value: bool | int | float | str | None) -> str:
    """A key as JSON will have it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


_TRUE = ("yes", "true", "on")
_RESOLVERS = cast(
    "dict[str | None, list[tuple[str, _Matcher]]]",
    Resolver.yaml_implicit_resolvers,  # pyright: ignore[reportUnknownMemberType]
)


class _Matcher(Protocol):
    def match(self, text: str) -> object: ...


@lru_cache(maxsize=50_000)
def _plain(text: str) -> bool | int | float | str | None:
    """An unquoted scalar by YAML 1.1; what JSON cannot say (dates, infinities) stays text."""
    for tag, matcher in _RESOLVERS.get(text[:1], ()):
        if matcher.match(text):
            match tag.rpartition(":")[2]:
                case "null":
                    return None
                case "bool":
                    return text.lower() in _TRUE
                case "int":
                    return _integer(text)
                case "float":
                    return _float(text)
                case _:
                    return text
    return text


def _integer(text: str) -> int | str:
    """Decimal, 0b, 0x, 0 for octal, and 1:30 in base 60."""
    digits = text.replace("_", "").lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    try:
        if digits.startswith(("0b", "0x")):
            return sign * int(digits, 0)
        if ":" in digits:
            total = 0
            for part in digits.split(":"):
                total = total * 60 + int(part)
            return sign * total
        return sign * int(digits, 8 if digits.startswith("0") and digits != "0" else 10)
    except ValueError:
        return text


def _float(text: str) -> float | str:
    """Decimal, and 1:30.5 in base 60; infinities and not-a-number stay text."""
    digits = text.replace("_", "").lower()
    try:
        if ":" in digits:
            total = 0.0
            for part in digits.lstrip("+-").split(":"):
                total = total * 60 + float(part)
            return -total if digits.startswith("-") else total
        return float(digits) if digits.strip("+-")[:2] not in (".i", ".n") else text
    except ValueError:
        return text

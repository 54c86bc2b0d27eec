# SPDX-License-Identifier: Apache-2.0
"""Reading attributes of a mapping that `schema.py` has found good, and giving problems their place.

Getters return None for what is not said. They see through `!override` and `!inherit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...assignment import Json
from .model import ConfigError, Location, Pattern
from .yamltext import Encrypted, Node, Problem, Tagged, YamlList, YamlMap

AROUND = 1  # lines shown before and after the one at fault


def get(conf: YamlMap, name: str) -> Node:
    value = conf.get(name)
    return value.value if isinstance(value, Tagged) else value


def text(conf: YamlMap, name: str) -> str | None:
    value = conf.get(name)
    return value if isinstance(value, str) else None


def flag(conf: YamlMap, name: str) -> bool | None:
    value = conf.get(name)
    return value if isinstance(value, bool) else None


def number(conf: YamlMap, name: str) -> int | None:
    value = conf.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def entries(conf: YamlMap, name: str) -> list[tuple[Node, int]] | None:
    """The entries of "one or a list", with their lines; None when the attribute is not there."""
    if name not in conf:
        return None
    value = get(conf, name)
    if isinstance(value, YamlList):
        return list(zip(value, value.lines, strict=True))
    return [] if value is None else [(value, conf.lines[name])]


def texts(conf: YamlMap, name: str) -> tuple[str, ...] | None:
    found = entries(conf, name)
    return None if found is None else tuple(item for item, _ in found if isinstance(item, str))


def mappings(conf: YamlMap, name: str) -> tuple[YamlMap, ...]:
    return tuple(item for item, _ in entries(conf, name) or () if isinstance(item, YamlMap))


def patterns(conf: YamlMap, name: str) -> tuple[Pattern, ...] | None:
    found = entries(conf, name)
    return None if found is None else tuple(pattern(item) for item, _ in found)


def pattern(value: Node) -> Pattern:
    if isinstance(value, YamlMap):
        return Pattern(text(value, "regex") or "", flag(value, "negate") or False)
    return Pattern(str(value))


def variables(conf: YamlMap, name: str) -> dict[str, Json] | None:
    value = get(conf, name)
    return {key: plain(item) for key, item in value.items()} if isinstance(value, YamlMap) else None


def plain(value: Node) -> Json:
    """A value as JSON; tags mean nothing inside variables."""
    match value:
        case YamlMap():
            return {key: plain(item) for key, item in value.items()}
        case YamlList():
            return [plain(item) for item in value]
        case Tagged():
            return plain(value.value)
        case Encrypted():
            return list(value.chunks)
        case _:
            return value


def kept(value: Node) -> Json:
    """A value of a secret as JSON: what is encrypted stays so, marked by its tag."""
    match value:
        case Encrypted(chunks, tag):
            return {tag: list(chunks)}
        case YamlMap():
            return {key: kept(item) for key, item in value.items()}
        case YamlList():
            return [kept(item) for item in value]
        case _:
            return plain(value)


def located(problem: Problem, file: Location, stanza: str, lines: Sequence[str]) -> ConfigError:
    """A problem with its place and the lines around it."""
    line = min(max(problem.line, 1), max(len(lines), 1))
    first, last = max(line - AROUND, 1), min(line + AROUND, len(lines))
    snippet = tuple((number, lines[number - 1][:200]) for number in range(first, last + 1))
    return ConfigError(problem.reason, replace(file, line=line), stanza, snippet)

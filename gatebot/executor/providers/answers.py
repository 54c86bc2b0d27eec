# SPDX-License-Identifier: Apache-2.0
"""Reading what an API answered, whatever it is: what is not there, or is something else, is empty.

Pure. Answers of clusters and clouds are others' words; nothing in them makes this side fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias, cast

Object: TypeAlias = dict[str, object]


def table(value: Mapping[str, object], name: str) -> Object:
    """A table in a table."""
    found = value.get(name)
    return cast("Object", found) if isinstance(found, dict) else {}


def tables(value: object) -> Iterable[Object]:
    """The tables of a list."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return (cast("Object", item) for item in items if isinstance(item, dict))


def number(value: object) -> int:
    """A whole number; what is none is 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0

# SPDX-License-Identifier: Apache-2.0
"""The answers of `gerrit query` for people: each field on a line, what is inside of it two blanks further in.

Pure. Gerrit's own form, its ways with lists and with texts of several lines included: scripts have learnt to read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ...assignment import Json

_MOMENTS = frozenset({"createdOn", "lastUpdated", "timestamp", "grantedOn"})


def change_text(told: Mapping[str, Json]) -> str:
    """One change, with an empty line behind it."""
    return "\n".join([f"change {told.get('id')}", *_fields(told, 1), "", ""])


def plain_text(told: Mapping[str, Json]) -> str:
    """What is no change: the counts at the end, or an error."""
    return "\n".join([*_fields(told, 0), "", ""])


def _fields(told: Mapping[str, Json], depth: int) -> list[str]:
    return [line for name, value in told.items() for line in _field(name, value, depth)]


def _field(name: str, value: Json, depth: int) -> list[str]:
    head = f"{'  ' * depth}{name}:"
    match value:
        case dict():
            return [head, *_fields(value, depth + 1)]
        case list() if value and all(isinstance(one, str) for one in value):
            return [head, f" [{', '.join(map(str, value))}]"]
        case list():
            inside = (_fields(one, depth + 1) for one in value if isinstance(one, dict))
            return [head, *(line for lines in inside for line in lines)]
        case bool():
            return [f"{head} {'true' if value else 'false'}"]
        case int() if name in _MOMENTS:
            return [f"{head} {datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"]
        case _:
            first, *more = str(value).rstrip("\n").split("\n")
            return [f"{head} {first}", *(" " * (len(head) + 1) + line for line in more)]

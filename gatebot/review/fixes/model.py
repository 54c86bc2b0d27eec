# SPDX-License-Identifier: Apache-2.0
"""Fix suggestions: pieces of files with what shall stand there instead, as comments carry them.

Floor 0: values, how rows keep them as text, and how Gerrit's JSON says them. Those that stand in the texts of comments
are read in `suggestion.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict, cast

from ...assignment import Json
from ...change import TextRange

_NAMES = ("start_line", "start_character", "end_line", "end_character")


@dataclass(frozen=True, slots=True)
class Replacement:
    """A piece of a file, and the text that shall stand there."""

    path: str
    range: TextRange
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """One suggestion: all of its replacements, or none."""

    id: str
    description: str
    replacements: tuple[Replacement, ...]


def to_text(fixes: Sequence[Fix]) -> str:
    """Suggestions as a row keeps them; empty: none."""
    return json.dumps([info(one) for one in fixes], separators=(",", ":")) if fixes else ""


class _Replacement(TypedDict):
    path: str
    range: dict[str, int]
    replacement: str


class _Fix(TypedDict):
    fix_id: str
    description: str
    replacements: list[_Replacement]


def from_text(text: str) -> tuple[Fix, ...]:
    """The suggestions of a row."""
    kept = cast("list[_Fix]", json.loads(text)) if text else []
    return tuple(Fix(one["fix_id"], one["description"], tuple(map(_replacement, one["replacements"]))) for one in kept)


def _replacement(kept: _Replacement) -> Replacement:
    return Replacement(kept["path"], TextRange(*(kept["range"][name] for name in _NAMES)), kept["replacement"])


def info(fix: Fix) -> dict[str, Json]:
    """Gerrit's FixSuggestionInfo."""
    replacements: list[Json] = [
        {
            "path": one.path,
            "range": {name: getattr(one.range, name) for name in _NAMES},
            "replacement": one.text,
        }
        for one in fix.replacements
    ]
    return {"fix_id": fix.id, "description": fix.description, "replacements": replacements}

# SPDX-License-Identifier: Apache-2.0
"""Fix suggestions: pieces of files with what shall stand there instead, as comments carry them.

Floor 0: values, how rows keep them as text, and how Gerrit's JSON says them. A block of a comment's text that begins
with ```suggestion is a suggestion for the lines that the comment is on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict, cast

from ...assignment import Json
from ...change import TextRange

_BLOCK = re.compile(r"^```suggestion[^\n]*\n(?P<text>.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
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


def suggested(id: str, path: str, text: str, line: int | None, span: TextRange | None) -> Fix | None:
    """The suggestion that the text of a comment on lines makes by a block; its name is the comment's."""
    found = _BLOCK.search(text)
    if found is None or line is None:
        return None
    first, last = (span.start_line, span.end_line) if span is not None else (line, line)
    if span is not None and span.end_character == 0 and last > first:
        last -= 1
    return Fix(id, "Suggested edit", (Replacement(path, TextRange(first, 0, last + 1, 0), found["text"]),))

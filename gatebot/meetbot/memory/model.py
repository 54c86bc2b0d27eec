# SPDX-License-Identifier: Apache-2.0
"""The values of the memory across meetings: actions with what became of them, decisions.

Frozen values only. An action is a fact of its meeting's record; its row here says whether it is still open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class How(StrEnum):
    """What closed an action."""

    DONE = "done"
    MERGED = "merged"
    PAGE = "page"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Action:
    """One `#action`. `name` is its meeting's; `people` are the nicks it names; `reference` leads to what closed it."""

    id: int
    meeting: int
    name: str
    channel: str
    at: datetime
    nick: str
    text: str
    line: int
    people: tuple[str, ...] = ()
    closed: datetime | None = None
    closed_by: str = ""
    how: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Something agreed, accepted, rejected or voted, and the meeting where."""

    meeting: int
    name: str
    title: str
    channel: str
    kind: str
    text: str
    nick: str
    at: datetime
    line: int

# SPDX-License-Identifier: Apache-2.0
"""The values of dashboards: sections, and what speaks for looking at a change first.

Floor 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...reasons import Reason


@dataclass(frozen=True, slots=True)
class Section:
    """One list: its title, the query behind it, and how many changes it shows at most. `turns`: those that wait."""

    title: str
    query: str
    limit: int = 50
    turns: bool = False
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of lists. `own`: its titles are texts of ours, to be said in the reader's language."""

    title: str
    sections: tuple[Section, ...]
    own: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A change that waits for somebody: since when, why, what a review of it lets go on."""

    change: int
    since: datetime
    why: tuple[Reason, ...]
    unblocks: int = 0
    last: bool = False

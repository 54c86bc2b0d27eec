# SPDX-License-Identifier: Apache-2.0
"""What people tell everybody who uses the site: a line at the top of every page.

Only the value; who tells it, and how long it stands, is decided in the rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Banner:
    """One line: an `alert` or a `notice`, its text in parts, each with the address that it leads to or none, since
    when, and until when (None: until somebody ends it)."""

    id: int
    kind: str
    parts: tuple[tuple[str, str | None], ...]
    at: datetime
    until: datetime | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(text for text, _ in self.parts)

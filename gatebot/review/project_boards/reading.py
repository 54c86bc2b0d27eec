# SPDX-License-Identifier: Apache-2.0
"""Reads the file of a dashboard: `[dashboard]` with title, description and foreach, `[section "NAME"]` with a query.

Pure. A file that is none, or that has no list, is no dashboard.
"""

from __future__ import annotations

from ..config.syntax import parse
from .model import Board, Name

MOST_LISTS = 20
LARGEST = 64 * 1024


def board(data: bytes, name: Name, project: str, defined_in: str) -> Board | None:
    """The dashboard that a file describes."""
    if len(data) > LARGEST or b"\0" in data:
        return None
    file, troubles = parse(data.decode("utf-8", "replace"), name.path)
    lists = [(one, (file.get("section", "query", one) or "").strip()) for one in file.subsections("section")]
    lists = [(one, query) for one, query in lists if query]
    if troubles or not lists or len(lists) > MOST_LISTS:
        return None

    def text(key: str) -> str:
        return (file.get("dashboard", key) or "").strip()

    return Board(name, project, defined_in, text("title"), text("description"), text("foreach"), tuple(lists))

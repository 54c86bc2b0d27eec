# SPDX-License-Identifier: Apache-2.0
"""The files of a difference as pages show them: their rows, with the words that differ marked.

What git says of a difference in; nothing is read here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..repo import FileChange, FileDiff
from . import views
from .diffs.replacing import compared
from .model import COMMIT_MESSAGE


@dataclass(frozen=True, slots=True)
class FileView:
    """One file of a difference, as rows."""

    change: FileChange
    rows: tuple[views.DiffRow, ...]
    lines: int
    truncated: bool = False


def file_view(diff: FileDiff) -> FileView:
    """A file as git tells its difference."""
    rows: list[views.DiffRow] = []
    for hunk in diff.hunks:
        heading = f"@@ −{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@ {hunk.heading}"
        rows += views.hunk_rows(heading, [views.Line(x.sign, x.old, x.new, x.text) for x in hunk.lines])
    return FileView(diff.change, tuple(rows), len(rows), diff.truncated)


def message_view(before: str, after: str) -> FileView:
    """A commit message that was written anew, as a file."""
    lines = compared(before.strip().splitlines(), after.strip().splitlines())
    added, deleted = (sum(line.sign == sign for line in lines) for sign in "+-")
    rows = tuple(views.hunk_rows("", lines)[1:])
    change = FileChange(COMMIT_MESSAGE, COMMIT_MESSAGE, "M", added, deleted, False, len(before), len(after))
    return FileView(change, rows, len(rows))

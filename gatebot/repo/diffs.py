# SPDX-License-Identifier: Apache-2.0
"""Differences between two trees as values for pages and REST: files, hunks, lines, renames.

Floor 2. Sizes are limited here, because a page must never hold a repository: past the limit of
lines the files are still listed with their counts.
"""

from __future__ import annotations

import pygit2
from pygit2.enums import DiffFind, DiffFlag, DiffOption

from .model import DiffLine, FileChange, FileDiff, Hunk

_BIG = 2 * 1024 * 1024  # a file past this is compared by name only
_LINE = 4000  # characters of one line shown


def compare(
    repository: pygit2.Repository,
    old: pygit2.Tree | None,
    new: pygit2.Tree,
    path: str | None,
    *,
    lines: int,
    context: int,
) -> tuple[FileDiff, ...]:
    """Every file that differs, in the order of paths; with `path` only that file, at its old or new name."""
    flags = DiffOption.INCLUDE_TYPECHANGE | DiffOption.INDENT_HEURISTIC
    if old is None:
        found = new.diff_to_tree(swap=True, flags=flags, context_lines=context)
    else:
        found = old.diff_to_tree(new, flags=flags, context_lines=context)
    found.find_similar(DiffFind.FIND_RENAMES)
    shown: list[FileDiff] = []
    left = lines
    for index, delta in enumerate(found.deltas):
        if path is not None and path not in (delta.new_file.path, delta.old_file.path):
            continue
        if max(delta.old_file.size, delta.new_file.size) > _BIG:
            shown.append(FileDiff(_change(repository, delta, (0, 0)), (), truncated=True))
            continue
        patch = found[index]
        counts = (0, 0) if patch is None else patch.line_stats[1:]
        change = _change(repository, delta, counts)
        total = 0 if patch is None else sum(len(hunk.lines) for hunk in patch.hunks) if lines else 0
        if patch is None or change.binary:
            shown.append(FileDiff(change, ()))
        elif total > left or not lines:
            shown.append(FileDiff(change, (), truncated=True))
        else:
            left -= total
            shown.append(FileDiff(change, tuple(_hunk(hunk) for hunk in patch.hunks)))
    return tuple(shown)


def _change(repository: pygit2.Repository, delta: pygit2.DiffDelta, counts: tuple[int, int]) -> FileChange:
    status = delta.status_char()
    binary = bool(delta.flags & DiffFlag.BINARY)
    return FileChange(
        path=delta.old_file.path if status == "D" else delta.new_file.path,
        old_path=delta.new_file.path if status == "A" else delta.old_file.path,
        status=status,
        added=counts[0],
        deleted=counts[1],
        binary=binary,
        old_size=_size(repository, delta.old_file),
        size=_size(repository, delta.new_file),
        old_mode=int(delta.old_file.mode),
        mode=int(delta.new_file.mode),
        old_id=_id(delta.old_file),
        id=_id(delta.new_file),
    )


def _id(file: pygit2.DiffFile) -> str:
    """The blob; empty where there is no file."""
    id = str(file.id)
    return "" if set(id) == {"0"} else id


def _size(repository: pygit2.Repository, file: pygit2.DiffFile) -> int:
    if file.size or file.id == pygit2.Oid(hex="0" * 40):
        return file.size
    if file.id not in repository.odb:
        return 0
    return repository.odb.read_header(file.id)[1]


def _hunk(hunk: pygit2.DiffHunk) -> Hunk:
    heading = hunk.header.split("@@", 2)[-1].strip()
    lines = tuple(
        DiffLine(
            line.origin,
            line.old_lineno if line.old_lineno >= 0 else None,
            line.new_lineno if line.new_lineno >= 0 else None,
            line.content.rstrip("\r\n")[:_LINE],
        )
        for line in hunk.lines
        if line.origin in " +-"
    )
    return Hunk(hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines, heading, lines)

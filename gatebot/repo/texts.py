# SPDX-License-Identifier: Apache-2.0
"""Files of commits for who reads them closely: entries, content, what differs line by line, who wrote a line.

Floor 2. Reads only, of one repository at a time; differences here have no context and no limit of
lines, because the caller has the texts. Lists of files are in `diffs.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pygit2
from pygit2.enums import BlameFlag, DiffOption

from . import program
from .model import Person, TagInfo

WHITESPACE = {
    "IGNORE_NONE": DiffOption.NORMAL,
    "IGNORE_TRAILING": DiffOption.IGNORE_WHITESPACE_EOL,
    "IGNORE_LEADING_AND_TRAILING": DiffOption.IGNORE_WHITESPACE_CHANGE,
    "IGNORE_ALL": DiffOption.IGNORE_WHITESPACE,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a commit: its blob, its mode, how many bytes it has."""

    id: str
    mode: int
    size: int
    binary: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """Where two texts differ: from which line (0 is the first) how many lines, before and after."""

    old: int
    old_count: int
    new: int
    new_count: int


@dataclass(frozen=True, slots=True)
class Blamed:
    """Lines that one commit wrote, from 1, both ends included."""

    commit: str
    author: str
    time: int
    message: str
    ranges: tuple[tuple[int, int], ...]


class Texts:
    """The files of one repository."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._repository = pygit2.Repository(str(path))

    def entry(self, commit: str, path: str) -> Entry | None:
        """The file at a path of a commit; nothing for directories and submodules."""
        found: pygit2.Object = self._repository[commit].peel(pygit2.Tree)
        if not path:
            return None
        try:
            found = found[path]  # type: ignore[index]
        except (KeyError, ValueError):
            return None
        if not isinstance(found, pygit2.Blob):
            return None
        return Entry(str(found.id), int(found.filemode or 0), found.size, found.is_binary)

    def tag(self, id: str) -> TagInfo | None:
        """A tag that has an object of its own; None: the id is something else's."""
        found = self._repository.get(id)
        if not isinstance(found, pygit2.Tag):
            return None
        who = cast("pygit2.Signature | None", found.tagger)
        tagger = Person(who.name, who.email, who.time, who.offset) if who is not None else None
        return TagInfo(str(found.target), found.message or "", tagger)

    def data(self, blob: str) -> bytes:
        """The content of a file."""
        found = self._repository[blob]
        return found.data if isinstance(found, pygit2.Blob) else b""

    def pieces(self, old: bytes, new: bytes, whitespace: str = "IGNORE_NONE") -> tuple[Piece, ...]:
        """Where two texts differ, from the first line to the last."""
        flags = WHITESPACE[whitespace] | DiffOption.INDENT_HEURISTIC | DiffOption.FORCE_TEXT
        patch = pygit2.Patch.create_from(old, new, flag=flags, context_lines=0, interhunk_lines=0)
        found: list[Piece] = []
        for hunk in patch.hunks:
            # git counts from the line before when a side has no line.
            before = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
            after = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
            found.append(Piece(before, hunk.old_lines, after, hunk.new_lines))
        return tuple(found)

    def blame(self, commit: str, path: str) -> tuple[Blamed, ...]:
        """Which commits wrote the lines of a file, in the order of their first line."""
        ranges: dict[str, list[tuple[int, int]]] = {}
        blamed = self._repository.blame(path, newest_commit=pygit2.Oid(hex=commit), flags=BlameFlag.NORMAL)
        for hunk in blamed:
            start = hunk.final_start_line_number
            ranges.setdefault(str(hunk.final_commit_id), []).append((start, start + hunk.lines_in_hunk - 1))
        found: list[Blamed] = []
        for id, lines in ranges.items():
            wrote = self._repository[id].peel(pygit2.Commit)
            found.append(Blamed(id, wrote.author.name, wrote.author.time, wrote.message, tuple(lines)))
        return tuple(found)

    def archive(self, commit: str, form: str) -> bytes:
        """A tree as an archive: `tar`, `tar.gz` or `zip`."""
        return program.run(["archive", f"--format={form}", commit], git_dir=self._path).stdout

    def output(self, arguments: Sequence[str]) -> bytes:
        """What a read-only git command prints."""
        return program.run(arguments, git_dir=self._path).stdout

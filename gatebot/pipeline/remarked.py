# SPDX-License-Identifier: Apache-2.0
"""Remarks of jobs on lines of what was tested, on the lines of the change that people read.

As in Zuul, where changes ahead, or the branch, have moved lines. A line that the change does not have, because it is
somebody else's or comes after the end, becomes a remark on the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..change import FileComment, TextRange
from ..errors import NotFound
from ..repo import Repositories
from .queue.model import ItemChange
from .tracing import Replaced, traced


def on_lines_of(
    change: ItemChange, found: tuple[FileComment, ...], repositories: Repositories, store: str, tested: str
) -> tuple[FileComment, ...]:
    """What was said of files, on lines of the change; `tested` is the commit that jobs had, in this store."""
    paths = {one.path for one in found if one.line}
    try:
        moved = {path: _replaced(repositories, store, change.commit, tested, path) for path in paths}
        length = {path: _length(repositories.read_file(store, change.commit, path)) for path in paths}
    except NotFound:  # what was tested is gone: the lines stay as they were said
        return found

    def on_its_line(one: FileComment) -> FileComment:
        line = traced(moved[one.path], one.line)
        if not 0 < line <= length[one.path]:
            return replace(one, line=0, span=None)
        return replace(one, line=line, span=_moved(moved[one.path], one.span))

    return tuple(on_its_line(one) if one.line else one for one in found)


def _moved(replaced: Sequence[Replaced], span: TextRange | None) -> TextRange | None:
    """A piece of the change's file; none, where the change does not have all of it."""
    if span is None:
        return None
    start, end = traced(replaced, span.start_line), traced(replaced, span.end_line)
    whole = start and end - start == span.end_line - span.start_line
    return replace(span, start_line=start, end_line=end) if whole else None


def _length(content: bytes | None) -> int:
    return 0 if content is None else content.count(b"\n") + (content[-1:] not in (b"", b"\n"))


def _replaced(repositories: Repositories, store: str, own: str, tested: str, path: str) -> Sequence[Replaced]:
    if own == tested:
        return ()
    differences = repositories.diff(store, own, tested, path, context=0)
    hunks = [hunk for one in differences if one.change.path == path for hunk in one.hunks]
    return [Replaced(hunk.old_count, hunk.new_start, hunk.new_count) for hunk in hunks]

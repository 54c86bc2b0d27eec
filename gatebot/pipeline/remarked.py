# SPDX-License-Identifier: Apache-2.0
"""Remarks of jobs on lines of what was tested, on the lines of the change that people read.

As in Zuul, where changes ahead, or the branch, have moved lines. A line that the change does not have, because it is
somebody else's, becomes a remark on the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..change import FileComment
from ..errors import NotFound
from ..repo import Repositories
from .queue.model import ItemChange
from .tracing import Replaced, traced


def on_lines_of(
    change: ItemChange, found: tuple[FileComment, ...], repositories: Repositories, store: str, tested: str
) -> tuple[FileComment, ...]:
    """What was said of files, on lines of the change; `tested` is the commit that jobs had, in this store."""
    if tested == change.commit:
        return found
    try:
        moved = {
            path: _replaced(repositories, store, change.commit, tested, path)
            for path in {one.path for one in found if one.line}
        }
    except NotFound:  # what was tested is gone: the lines stay as they were said
        return found
    return tuple(replace(one, line=traced(moved[one.path], one.line)) if one.line else one for one in found)


def _replaced(repositories: Repositories, store: str, own: str, tested: str, path: str) -> Sequence[Replaced]:
    differences = repositories.diff(store, own, tested, path, context=0)
    hunks = [hunk for one in differences if one.change.path == path for hunk in one.hunks]
    return [Replaced(hunk.old_count, hunk.new_start, hunk.new_count) for hunk in hunks]

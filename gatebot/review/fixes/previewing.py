# SPDX-License-Identifier: Apache-2.0
"""What suggestions would change of a patch set, file by file, before anybody writes them.

Reads the files of the patch set; how texts are changed is decided in `applying.py`. Blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...assignment import Json
from ...errors import Conflict, NotFound
from ...reasons import reason
from ..files.diff_info import Half, diff_info
from ..files.service import Files, Looked
from ..model import PatchSet
from .applying import rewritten
from .model import Replacement


def preview(
    files: Files, project: str, patch_set: PatchSet, replacements: Sequence[Replacement]
) -> dict[str, dict[str, Json]]:
    """Gerrit's DiffInfo of each file that the replacements are in."""
    texts, halves = files.texts(project), dict[str, Half]()

    def read(path: str) -> bytes:
        halves[path] = old = files.half(texts, project, patch_set.commit, path, None)
        if not old.path:
            raise NotFound(reason=reason("review.no-such-file", file=path[:200], patch_set=patch_set.number))
        if old.binary:
            raise Conflict(reason=reason("review.fix-binary", file=path[:200]))
        return old.text

    found: dict[str, dict[str, Json]] = {}
    for path, made in rewritten(replacements, read):
        old, new = halves[path], replace(halves[path], text=made, id="")
        pieces = texts.pieces(old.text, new.text, Looked().whitespace)
        found[path] = diff_info(old, new, pieces, None, renamed="", intraline=False)
    return found

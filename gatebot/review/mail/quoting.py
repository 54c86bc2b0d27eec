# SPDX-License-Identifier: Apache-2.0
"""Inline comments as a letter quotes them: under the line that they are about, with what they answer.

Pure: the texts of files are handed in. Comments on the whole patch set come first, then the commit message, then files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

from ..fixes.suggestion import plain
from ..model import COMMIT_MESSAGE, PATCH_SET_LEVEL, Change, InlineComment, Side
from .model import Quote

_CONTEXT = 200
_ANSWERED_LINES = 10


def quotes(
    change: Change,
    comments: Iterable[InlineComment],
    earlier: Mapping[str, InlineComment],
    line_of: Callable[[InlineComment], str],
    site: str,
    gettext: Callable[[str], str],
) -> tuple[Quote, ...]:
    """The quotes in the order in which they are read; `line_of` finds the line that a comment is about."""
    found = sorted(comments, key=_place)
    return tuple(
        Quote(
            file=one.file,
            patch_set=one.patch_set,
            text=plain(one.text, gettext),
            url=f"{site.rstrip('/')}/c/{quote(change.project)}/+/{change.number}#message-{one.message}",
            line=one.line,
            side=one.side.value,
            context=line_of(one)[:_CONTEXT],
            answers=_answered(one, earlier, gettext),
            unresolved=one.unresolved,
        )
        for one in found
    )


def _place(one: InlineComment) -> tuple[int, str, int, bool]:
    rank = {PATCH_SET_LEVEL: 0, COMMIT_MESSAGE: 1}.get(one.file, 2)
    return rank, one.file, one.line or 0, one.side is Side.REVISION


def _answered(one: InlineComment, earlier: Mapping[str, InlineComment], gettext: Callable[[str], str]) -> str:
    before = earlier.get(one.in_reply_to)
    return "" if before is None else answered(plain(before.text, gettext))


def answered(text: str) -> str:
    """As much of a comment as an answer to it quotes."""
    return "\n".join(text.strip().splitlines()[:_ANSWERED_LINES])

# SPDX-License-Identifier: Apache-2.0
"""What the review pages show, made from the room's values: rows of lists, lines of differences, links in text.

Pure. Pages hand these to templates; no template decides more than how a thing looks. Text of
people is escaped here where links are put into it, and only http(s) addresses become links.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from .model import Change, InlineComment, Message, Vote

_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One row of a unified difference: `kind` is `same`, `add`, `del` or `hunk`."""

    kind: str
    text: str
    sign: str = ""
    old: int | None = None
    new: int | None = None


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message of the conversation with its links made clickable."""

    id: int
    account: int | None
    patch_set: int
    created: datetime
    tag: str
    html: str


@dataclass(frozen=True, slots=True)
class NoteView:
    """An inline comment beside its line."""

    who: str
    text: str
    created: datetime
    unresolved: bool


@dataclass(frozen=True, slots=True)
class VoteRange:
    """What the reader may vote under one label, and what he says now."""

    label: str
    values: tuple[tuple[int, str], ...]
    now: int


def linked(text: str) -> str:
    """Text as safe HTML with its http(s) addresses as links."""
    pieces: list[str] = []
    end = 0
    for found in _LINK.finditer(text):
        address = html.escape(found.group())
        pieces += [html.escape(text[end : found.start()]), f'<a href="{address}" rel="nofollow">{address}</a>']
        end = found.end()
    return "".join([*pieces, html.escape(text[end:])])


def message_view(message: Message) -> MessageView:
    """A message as the page shows it."""
    return MessageView(
        message.id, message.account, message.patch_set, message.created, message.tag, linked(message.text)
    )


def notes(comments: Iterable[InlineComment], people: Mapping[int, str]) -> dict[tuple[str, int], list[NoteView]]:
    """Inline comments by file and line; those on a whole file stand at line 1."""
    found: dict[tuple[str, int], list[NoteView]] = {}
    for comment in comments:
        view = NoteView(
            people.get(comment.account, str(comment.account)), comment.text, comment.created, comment.unresolved
        )
        found.setdefault((comment.file, comment.line or 1), []).append(view)
    return found


def latest_votes(votes: Iterable[Vote]) -> tuple[tuple[str, int], ...]:
    """The one value that sums up each label in a list: a veto wins, then the highest."""
    values: dict[str, list[int]] = {}
    for vote in votes:
        values.setdefault(vote.label, []).append(vote.value)
    return tuple((label, min(cast) if min(cast) < 0 else max(cast)) for label, cast in sorted(values.items()))


def tone(change: Change, submittable: bool, blocked: bool) -> str:
    """The colour of the verdict line, beside its icon and words."""
    match change.status.value:
        case "MERGED":
            return "merge"
        case "ABANDONED":
            return ""
        case _:
            return "good" if submittable else "bad" if blocked else "run"

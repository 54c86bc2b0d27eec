# SPDX-License-Identifier: Apache-2.0
"""A review as it is sent, and how Gerrit's JSON says it.

Pure. JSON is read as leniently as Gerrit reads it: numbers and booleans may be strings, keys that
are not known are passed over. What cannot be meant is refused by field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from ..assignment import Json
from ..errors import Invalid
from ..reasons import reason
from .model import PATCH_SET_LEVEL, DraftedComment, ReviewerState, Side, TextRange

Object: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Draft:
    """Message, votes, inline comments and new reviewers, published in one go."""

    message: str = ""
    votes: tuple[tuple[str, int], ...] = ()
    comments: tuple[DraftedComment, ...] = ()
    reviewers: tuple[tuple[int, ReviewerState], ...] = ()
    work_in_progress: bool | None = None
    tag: str = ""

    @property
    def says_something(self) -> bool:
        """Whether there is anything to be published as a message."""
        return bool(self.message or self.votes or self.comments)


def draft_from(body: Object) -> Draft:
    """Gerrit's ReviewInput, but for the reviewers: their names must be looked up, see `reviewers_from`."""
    labels = object_of(body.get("labels"), "labels")
    comments = object_of(body.get("comments"), "comments")
    ready = flag(body.get("ready"), "ready") is True
    return Draft(
        message=text_of(body.get("message"), "message"),
        votes=tuple((name, number(value, f"labels.{name}")) for name, value in labels.items()),
        comments=tuple(_comment(file, one) for file, many in comments.items() for one in _list(many, "comments")),
        work_in_progress=False if ready else flag(body.get("work_in_progress"), "work_in_progress"),
        tag=text_of(body.get("tag"), "tag"),
    )


def reviewers_from(body: Object) -> tuple[tuple[str, ReviewerState], ...]:
    """Who is to be added, as they were named."""
    found: list[tuple[str, ReviewerState]] = []
    for one in _list(body.get("reviewers"), "reviewers"):
        said = object_of(one, "reviewers")
        state = text_of(said.get("state"), "reviewers.state").upper() or ReviewerState.REVIEWER.value
        if state not in (ReviewerState.REVIEWER, ReviewerState.CC):
            raise bad("reviewers.state", "it is REVIEWER or CC")
        found.append((text_of(said.get("reviewer"), "reviewers.reviewer"), ReviewerState(state)))
    return tuple(found)


def _comment(file: str, value: Json) -> DraftedComment:
    said = object_of(value, f"comments.{file}")
    side = text_of(said.get("side"), "side").upper() or Side.REVISION.value
    if side not in (Side.REVISION, Side.PARENT):
        raise bad("side", "it is REVISION or PARENT")
    span = object_of(said.get("range"), "range")
    where = None
    if span:
        names = ("start_line", "start_character", "end_line", "end_character")
        where = TextRange(*(number(span.get(name), f"range.{name}") for name in names))
    line = number(said["line"], "line") if said.get("line") is not None else None
    if line is None and where is not None:
        line = where.end_line
    words = text_of(said.get("message"), "message").strip()
    if not words:
        raise bad(f"comments.{file}", "its message is empty")
    return DraftedComment(
        file=file,
        text=words,
        line=None if file == PATCH_SET_LEVEL else line,
        side=Side(side),
        range=where,
        in_reply_to=text_of(said.get("in_reply_to"), "in_reply_to"),
        unresolved=flag(said.get("unresolved"), "unresolved"),
    )


def text_of(value: Json, field: str) -> str:
    """A text; nothing is the empty one."""
    if value is None:
        return ""
    if isinstance(value, str | int | float):
        return str(value)
    raise bad(field, "it must be a text")


def number(value: Json, field: str) -> int:
    """A whole number, also written as a text."""
    try:
        if isinstance(value, str | int):
            return int(value)
    except ValueError:
        pass
    raise bad(field, "it must be a whole number")


def flag(value: Json, field: str) -> bool | None:
    """Yes, no, or not said."""
    match value:
        case None | bool():
            return value
        case str() if value.lower() in ("true", "false"):
            return value.lower() == "true"
        case _:
            raise bad(field, "it must be true or false")


def object_of(value: Json, field: str) -> Object:
    """An object; nothing is the empty one."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    raise bad(field, "it must be an object")


def texts(value: Json, field: str) -> tuple[str, ...]:
    """A list of texts; one text alone is a list of it."""
    if isinstance(value, str):
        return (value,)
    return tuple(text_of(one, field) for one in _list(value, field))


def _list(value: Json, field: str) -> list[Json]:
    if value is None:
        return []
    if isinstance(value, list):
        return cast("list[Json]", value)
    raise bad(field, "it must be a list")


def bad(field: str, why: str) -> Invalid:
    """The refusal of one field."""
    return Invalid(reason=reason("review.bad-field", field=field, why=why))

# SPDX-License-Identifier: Apache-2.0
"""A review as it is sent, and how Gerrit's JSON says it.

Pure. JSON is read as leniently as Gerrit reads it: numbers and booleans may be strings, keys that
are not known are passed over. What cannot be meant is refused by field.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias, cast

from ..assignment import Json
from ..errors import Invalid, NotPermitted
from ..reasons import reason
from .attention.model import NOBODY, Moves
from .fixes.model import Fix, Replacement, to_text
from .mail.model import NO_WISH, Wish
from .model import PATCH_SET_LEVEL, DraftedComment, ReviewerState, Side, TextRange

_MOST_FIXES = 200
PUBLISH = ("KEEP", "PUBLISH", "PUBLISH_ALL_REVISIONS")
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
    publish: str = "KEEP"
    turns: Moves = NOBODY
    automatic: bool = True
    wish: Wish = NO_WISH

    @property
    def says_something(self) -> bool:
        """Whether there is anything to be published as a message."""
        return bool(self.message or self.votes or self.comments)


def json_from(raw: bytes) -> Json:
    """What somebody sent as JSON. Half characters and zeros can be written in it, but not be kept: every text here is
    UTF-8 without zeros."""
    try:
        value: Json = json.loads(raw)
        if b"\\u0000" in json.dumps(value, ensure_ascii=False).encode() and _has_zero(value):
            raise ValueError("a text holds a zero character")
    except RecursionError:
        raise Invalid(reason=reason("review.bad-json", why="it is nested too deeply")) from None
    except ValueError as error:
        raise Invalid(reason=reason("review.bad-json", why=str(error))) from None
    return value


def _has_zero(value: Json) -> bool:
    match value:
        case str():
            return "\0" in value
        case dict():
            return any("\0" in name or _has_zero(one) for name, one in value.items())
        case list():
            return any(map(_has_zero, value))
        case _:
            return False


def draft_from(body: Object) -> Draft:
    """Gerrit's ReviewInput, but for the reviewers: their names must be looked up, see `reviewers_from`."""
    labels = object_of(body.get("labels"), "labels")
    comments = object_of(body.get("comments"), "comments")
    ready = flag(body.get("ready"), "ready") is True
    if ready and flag(body.get("work_in_progress"), "work_in_progress") is True:
        raise bad("ready", "work_in_progress and ready are mutually exclusive")
    if text_of(body.get("on_behalf_of"), "on_behalf_of"):
        raise NotPermitted(reason=reason("review.not-for-others"))
    return Draft(
        message=text_of(body.get("message"), "message"),
        votes=tuple((name, number(value, f"labels.{name}")) for name, value in labels.items()),
        comments=tuple(comment_from(file, one) for file, many in comments.items() for one in _list(many, "comments")),
        work_in_progress=False if ready else flag(body.get("work_in_progress"), "work_in_progress"),
        tag=text_of(body.get("tag"), "tag"),
        publish=_publish(text_of(body.get("drafts"), "drafts").upper() or "KEEP"),
        automatic=flag(body.get("ignore_automatic_attention_set_rules"), "ignore_automatic_attention_set_rules")
        is not True,
    )


def _publish(value: str) -> str:
    if value not in PUBLISH:
        raise bad("drafts", f"it is one of {', '.join(PUBLISH)}")
    return value


def turns_from(body: Object, name: str) -> tuple[tuple[str, str], ...]:
    """Who is to come into the attention set or to leave it, as they were named, each with the reason."""
    found: list[tuple[str, str]] = []
    for one in _list(body.get(name), name):
        said = object_of(one, name)
        user, why = (text_of(said.get(field), f"{name}.{field}").strip() for field in ("user", "reason"))
        if not user or not why:
            raise Invalid(reason=reason("review.field-needed", field=f"{name}.{'reason' if user else 'user'}"))
        found.append((user, why[:1000]))
    return tuple(found)


def reviewers_from(body: Object) -> tuple[tuple[str, ReviewerState, bool], ...]:
    """Who is to be added, as they were named; and whether a large group is meant."""
    found: list[tuple[str, ReviewerState, bool]] = []
    for one in _list(body.get("reviewers"), "reviewers"):
        said = object_of(one, "reviewers")
        confirmed = flag(said.get("confirmed"), "reviewers.confirmed") is True
        found.append((text_of(said.get("reviewer"), "reviewers.reviewer"), state_from(said), confirmed))
    return tuple(found)


def state_from(said: Object) -> ReviewerState:
    """What somebody who is added becomes."""
    state = text_of(said.get("state"), "reviewers.state").upper() or ReviewerState.REVIEWER.value
    if state not in (ReviewerState.REVIEWER, ReviewerState.CC):
        raise bad("reviewers.state", "it is REVIEWER or CC")
    return ReviewerState(state)


def comment_from(file: str, value: Json) -> DraftedComment:
    """Gerrit's CommentInput for a file."""
    said = object_of(value, f"comments.{file}")
    side = text_of(said.get("side"), "side").upper() or Side.REVISION.value
    if side not in (Side.REVISION, Side.PARENT):
        raise bad("side", "it is REVISION or PARENT")
    where = _range(said.get("range"))
    line = number(said["line"], "line") if said.get("line") else None
    if line is not None and line < 0:
        raise bad("line", "lines are counted from 1")
    if line is None and where is not None:
        line = where.end_line
    if file == PATCH_SET_LEVEL and (line or where is not None or side != Side.REVISION):
        raise bad(f"comments.{file}", "it has no side, range or line")
    words = text_of(said.get("message"), "message").strip()
    if not words:
        raise bad(f"comments.{file}", "its message is empty")
    return DraftedComment(
        file=file,
        text=words,
        line=line,
        side=Side(side),
        range=where,
        in_reply_to=text_of(said.get("in_reply_to"), "in_reply_to"),
        unresolved=flag(said.get("unresolved"), "unresolved"),
        fixes=to_text(fixes_from(said.get("fix_suggestions"))),
    )


def _range(value: Json) -> TextRange | None:
    span = object_of(value, "range")
    if not span:
        return None
    names = ("start_line", "start_character", "end_line", "end_character")
    for name in names:
        if span.get(name) is None:
            raise Invalid(reason=reason("review.field-needed", field=f"range.{name}"))
    where = TextRange(*(number(span.get(name), f"range.{name}") for name in names))
    begin, end = (where.start_line, where.start_character), (where.end_line, where.end_character)
    if begin > end or begin[0] < 1 or min(begin[1], end[1]) < 0:
        raise bad("range", f"{begin[0]}:{begin[1]} - {end[0]}:{end[1]} is no range of a text")
    return where


def fixes_from(value: Json) -> tuple[Fix, ...]:
    """Gerrit's list of FixSuggestionInfo; the names that suggestions go by are made from what they say."""
    found: list[Fix] = []
    for one in _list(value, "fix_suggestions")[:_MOST_FIXES]:
        said = object_of(one, "fix_suggestions")
        description = text_of(said.get("description"), "fix_suggestions.description").strip()
        if not description:
            raise bad("fix_suggestions.description", "it says what the suggestion does")
        replacements = replacements_from(said.get("replacements"), "fix_suggestions.replacements")
        named = sha256(repr((len(found), description, replacements)).encode()).hexdigest()
        found.append(Fix(f"{named[:8]}_{named[8:16]}", description[:1000], replacements))
    return tuple(found)


def replacements_from(value: Json, field: str) -> tuple[Replacement, ...]:
    """Gerrit's list of FixReplacementInfo."""
    found: list[Replacement] = []
    for one in _list(value, field)[:_MOST_FIXES]:
        said = object_of(one, field)
        path, span = text_of(said.get("path"), f"{field}.path"), _range(said.get("range"))
        if not path or span is None:
            raise bad(field, "each names a path and a range")
        found.append(Replacement(path, span, text_of(said.get("replacement"), f"{field}.replacement")))
    if not found:
        raise bad(field, "there is nothing to be replaced")
    return tuple(found)


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
        if isinstance(value, str | int) and abs(read := int(value)) < 2**31:
            return read
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

# SPDX-License-Identifier: Apache-2.0
"""Answers of another Gerrit's REST as values.

Pure. What an older Gerrit leaves out is empty here; what is not understood raises, and `service.py` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from ...access_rules import SYSTEM_GROUPS
from ...change import TextRange
from ..attention.model import Attention
from ..fixes.model import Fix, Replacement, to_text
from ..model import PATCH_SET_LEVEL, InlineComment, Kind, Reviewer, ReviewerState, Side, Vote
from .model import Answer, Listed, TheirAccount, TheirChange, TheirGroup, TheirMessage, TheirSet

WHOLE = (
    "ALL_REVISIONS", "DETAILED_LABELS", "DETAILED_ACCOUNTS", "MESSAGES", "REVIEWER_UPDATES", "SKIP_DIFFSTAT",
)  # fmt: skip
COUNTED = ("MESSAGES", "DETAILED_LABELS", "SKIP_DIFFSTAT")
_PATCH_SET = re.compile(r"refs/changes/\d\d/(\d+)/(\d+)")
_HEADER = re.compile(r"(?:Patch Set \d+:|Uploaded patch set \d+:)((?: -?[\w-]+?(?:[+-]\d+)?)+)\.?(?:\n|$)")
_CAST = re.compile(r"([\w-]+?)([+-]\d+)\Z")


def moment(text: str) -> datetime:
    """Their times: UTC, with nine digits of a second."""
    return datetime.fromisoformat(text[:26]).replace(tzinfo=UTC)


def version(text: str) -> tuple[int, ...]:
    """The first two numbers of a version; of one that somebody built himself, nothing."""
    return tuple(int(part) for part in text.split("-")[0].split(".")[:2] if part.isdecimal())


def patch_set_of(ref: str) -> tuple[int, int] | None:
    """Change and patch set that a reference of theirs holds; None: it is another reference."""
    found = _PATCH_SET.fullmatch(ref)
    return (int(found[1]), int(found[2])) if found is not None else None


def account(info: Answer, keys: Iterable[Answer] = ()) -> TheirAccount:
    """An account as a query for details tells it, with the keys that SSH takes."""
    return TheirAccount(
        id=int(info["_account_id"]),
        username=str(info.get("username", "")),
        name=str(info.get("name", "")),
        email=str(info.get("email", "")),
        active=not info.get("inactive", False),
        others=tuple(map(str, info.get("secondary_emails", ()))),
        keys=tuple(str(key["ssh_public_key"]).strip() for key in keys if key.get("valid", True)),
    )


def group(name: str, info: Answer) -> TheirGroup:
    """A group with its members."""
    return TheirGroup(
        uuid=str(info["id"]),
        name=name,
        description=str(info.get("description", "")),
        owner=str(info.get("owner_id", "")),
        visible=bool(info.get("options", {}).get("visible_to_all", False)),
        created=moment(str(info["created_on"])),
        members=tuple(int(one["_account_id"]) for one in info.get("members", ())),
        includes=tuple(str(one["id"]) for one in info.get("includes", ())),
    )


def is_internal(info: Answer) -> bool:
    """Whether a group is one of their site: not of a directory elsewhere, and not that of everybody."""
    return ":" not in str(info["id"]) and info["id"] not in SYSTEM_GROUPS.values()


def listed(info: Answer) -> Listed:
    """A change in a list."""
    current = sum(1 for _ in _current_votes(info))
    return Listed(
        int(info["_number"]), str(info["project"]), str(info["status"]), str(info["updated"]),
        int(info.get("total_comment_count", 0)), len(info.get("messages", ())), current,
    )  # fmt: skip


def change(info: Answer, comments: Mapping[str, list[Answer]]) -> TheirChange:
    """A change asked for with `WHOLE`, and its comments by file."""
    sets = tuple(sorted((_patch_set(commit, told) for commit, told in info["revisions"].items()), key=_number))
    current = next((one.number for one in sets if one.commit == info.get("current_revision")), sets[-1].number)
    messages = tuple(_message(one, current) for one in info.get("messages", ()))
    picked = info.get("cherry_pick_of_change")
    submitter = info.get("submitter")
    return TheirChange(
        number=int(info["_number"]),
        project=str(info["project"]),
        branch=str(info["branch"]),
        change_id=str(info["change_id"]),
        subject=str(info["subject"]),
        status=str(info["status"]),
        owner=int(info["owner"]["_account_id"]),
        current=current,
        created=moment(str(info["created"])),
        updated=moment(str(info["updated"])),
        seen=str(info["updated"]),
        topic=str(info.get("topic", "")),
        hashtags=tuple(map(str, info.get("hashtags", ()))),
        work_in_progress=bool(info.get("work_in_progress")),
        private=bool(info.get("is_private")),
        submitted=moment(str(info["submitted"])) if info.get("submitted") else None,
        submitter=int(submitter["_account_id"]) if submitter else None,
        submission=str(info.get("submission_id", "")),
        revert_of=int(info["revert_of"]) if info.get("revert_of") else None,
        picked_from=(int(picked), int(info.get("cherry_pick_of_patch_set", 1))) if picked else None,
        patch_sets=sets,
        messages=messages,
        comments=tuple(_comments(int(info["_number"]), comments)),
        votes=(*_former_votes(messages, current), *_votes(info, current)),
        reviewers=tuple(_reviewers(info)),
        attention=tuple(_attention(info)),
    )


def _number(one: TheirSet) -> int:
    return one.number


def _patch_set(commit: str, told: Answer) -> TheirSet:
    kind = str(told.get("kind", "REWORK"))
    return TheirSet(
        number=int(told["_number"]),
        commit=commit,
        kind=Kind(kind) if kind in [*Kind] else Kind.REWORK,
        uploader=int(told["uploader"]["_account_id"]),
        created=moment(str(told["created"])),
        description=str(told.get("description", "")),
    )


def _message(told: Answer, current: int) -> TheirMessage:
    author = told.get("author")
    return TheirMessage(
        id=str(told["id"]),
        patch_set=int(told.get("_revision_number", current)),
        account=int(author["_account_id"]) if author and "_account_id" in author else None,
        text=str(told["message"]),
        created=moment(str(told["date"])),
        tag=str(told.get("tag", "")),
    )


def _comments(number: int, files: Mapping[str, list[Answer]]) -> Iterable[tuple[str, InlineComment]]:
    found = [(file, told) for file, several in files.items() for told in several]
    for file, told in sorted(found, key=lambda one: (str(one[1]["updated"]), str(one[1]["id"]))):
        span = _range(told.get("range"))
        line = int(told["line"]) if told.get("line") else (span.end_line if span is not None else None)
        yield (
            str(told.get("change_message_id", "")),
            InlineComment(
                id=str(told["id"]),
                change=number,
                patch_set=int(told["patch_set"]),
                account=int(told["author"]["_account_id"]),
                file=file,
                text=str(told.get("message", "")),
                created=moment(str(told["updated"])),
                message=0,
                line=None if file == PATCH_SET_LEVEL else line,
                side=Side(str(told.get("side", Side.REVISION.value))),
                range=span,
                in_reply_to=str(told.get("in_reply_to", "")),
                unresolved=bool(told.get("unresolved", False)),
                tag=str(told.get("tag", "")),
                fixes=to_text([_fix(one) for one in told.get("fix_suggestions", ())]),
            ),
        )


def _range(told: Answer | None) -> TextRange | None:
    if not told:
        return None
    names = ("start_line", "start_character", "end_line", "end_character")
    return TextRange(*(int(told.get(name, 0)) for name in names))


def _fix(told: Answer) -> Fix:
    replacements = (
        Replacement(str(one["path"]), span, str(one["replacement"]))
        for one in told.get("replacements", ())
        if (span := _range(one.get("range"))) is not None
    )
    return Fix(str(told.get("fix_id", "")), str(told.get("description", "")), tuple(replacements))


def _current_votes(info: Answer) -> Iterable[tuple[str, Answer]]:
    for label, told in info.get("labels", {}).items():
        yield from ((label, vote) for vote in told.get("all", ()) if vote.get("value"))


def _votes(info: Answer, current: int) -> Iterable[Vote]:
    for label, vote in _current_votes(info):
        granted = moment(str(vote.get("date") or info["updated"]))
        yield Vote(label, int(vote["value"]), int(vote["_account_id"]), granted, current, str(vote.get("tag", "")))


def _former_votes(messages: Iterable[TheirMessage], current: int) -> Iterable[Vote]:
    """Votes on earlier patch sets: REST lists them no more, the messages of those who cast them do."""
    cast: dict[tuple[int, str, int], Vote] = {}
    for one in messages:
        header = _HEADER.match(one.text)
        if header is None or one.account is None or one.patch_set >= current:
            continue
        for word in header[1].split():
            vote = _CAST.match(word)
            label = vote[1] if vote is not None else word.removeprefix("-")
            cast.pop((one.patch_set, label, one.account), None)
            if vote is not None and int(vote[2]):
                made = Vote(label, int(vote[2]), one.account, one.created, one.patch_set, one.tag)
                cast[(one.patch_set, label, one.account)] = made
    return cast.values()


def _reviewers(info: Answer) -> Iterable[Reviewer]:
    since = {
        int(one["reviewer"]["_account_id"]): moment(str(one["updated"]))
        for one in info.get("reviewer_updates", ())
        if "_account_id" in one.get("reviewer", {})
    }
    for state in ReviewerState:
        for one in info.get("reviewers", {}).get(state.value, ()):
            if "_account_id" in one:
                id = int(one["_account_id"])
                yield Reviewer(id, state, since.get(id) or moment(str(info["created"])))


def _attention(info: Answer) -> Iterable[Attention]:
    for name, active in (("attention_set", True), ("removed_from_attention_set", False)):
        for id, told in info.get(name, {}).items():
            why = str(told.get("reason", ""))
            yield Attention(int(id), active, moment(str(told["last_update"])), why)

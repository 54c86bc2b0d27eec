# SPDX-License-Identifier: Apache-2.0
"""What the review pages show, made from the room's values: rows of lists, lines of differences, links in text.

Pure. Pages hand these to templates; no template decides more than how a thing looks. Text of
people is escaped where links are put into it, in `trackers/linking.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from itertools import pairwise

from ..reasons import Reason
from .model import COMMIT_MESSAGE, PATCH_SET_LEVEL, Change, InlineComment, Message, Side, Status, Vote
from .ports import BuildLine
from .rules import VERIFIED
from .trackers.linking import linked
from .trackers.model import Rule
from .whole import ChangeView


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a difference as git has it; a number is None on the side that lacks the line."""

    sign: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One row of a unified difference: `kind` is `same`, `add`, `del` or `hunk`.

    `parts` are pieces of the line, each with whether it is what differs from the line it replaces.
    """

    kind: str
    parts: tuple[tuple[str, bool], ...]
    sign: str = ""
    old: int | None = None
    new: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change in a list."""

    number: int
    path: str
    subject: str
    topic: str
    project: str
    branch: str
    owner: str
    status: Status
    work_in_progress: bool
    position: Reason | None
    votes: tuple[tuple[str, int], ...]
    updated: datetime
    why: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message of the conversation with its links made clickable."""

    id: int
    account: int | None
    patch_set: int
    created: datetime
    tag: str
    html: str


Place = tuple[str, str, int]
"""Where a comment is: file, side (`old`, `new`) and line; 0: the whole file."""


@dataclass(frozen=True, slots=True)
class NoteView:
    """An inline comment beside its line; `at` says which line that is, where the page does not show it."""

    who: str
    text: str
    created: datetime
    unresolved: bool
    at: str = ""
    id: str = ""
    draft: bool = False
    place: tuple[int, str, int, str] = (0, "", 0, "")


@dataclass(frozen=True, slots=True)
class VoteRange:
    """What the reader may vote under one label, and what he says now."""

    label: str
    values: tuple[tuple[int, str], ...]
    now: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A patch set failed: the builds for which it did, and the message that tells it; 0: there is none."""

    builds: tuple[BuildLine, ...]
    message: int


def change_row(view: ChangeView, position: Reason | None) -> ChangeRow:
    """A change as a row of a list; `position` is where it stands in the gate."""
    change, owner = view.change, view.people.get(view.change.owner)
    return ChangeRow(
        number=change.number,
        path=change.path,
        subject=change.subject,
        topic=change.topic,
        project=change.project,
        branch=change.branch,
        owner=owner.username if owner else str(change.owner),
        status=change.status,
        work_in_progress=change.work_in_progress,
        position=position,
        votes=latest_votes(view.votes),
        updated=change.updated,
    )


def message_view(message: Message, rules: Sequence[Rule] = ()) -> MessageView:
    """A message as the page shows it; `rules` say what becomes a link beside addresses."""
    shown = linked(message.text, rules)
    return MessageView(message.id, message.account, message.patch_set, message.created, message.tag, shown)


def in_order(said: Sequence[Message], merged: str, gate: int | None) -> list[Message]:
    """The conversation as it happened: the gate tells with its vote what passed only after it has merged, `merged`."""
    found = list(said)
    for place, (before, after) in enumerate(pairwise(said)):
        voted = after.tag.startswith(_REPORTS) and _VOTED.match(after.text)
        if before.tag == merged and before.account == after.account == gate and voted:
            found[place], found[place + 1] = after, before
    return found


def notes(
    comments: Iterable[InlineComment], people: Mapping[int, str], shown: Collection[Place]
) -> dict[Place, list[NoteView]]:
    """Inline comments by their places; those on a whole file or on the patch set have line 0.

    One on a line that is not `shown` is on its file, and one on a file that is not, on the patch set. One on several
    lines is on the last, and names them.
    """
    found: dict[Place, list[NoteView]] = {}
    for comment in comments:
        place = _place(comment)
        span = comment.range if place[2] else None
        several = span is not None and span.start_line < span.end_line
        lines = f"{span.start_line}-{span.end_line}" if span is not None and several else str(place[2])
        at = f"{comment.file}:{lines}" if several else ""
        if place not in shown and comment.file not in (COMMIT_MESSAGE, PATCH_SET_LEVEL):
            at = f"{comment.file}:{lines}" if place[2] else comment.file
            whole = (comment.file, "new", 0)
            place = whole if whole in shown else (PATCH_SET_LEVEL, "new", 0)
        who = people.get(comment.account, str(comment.account))
        wrote = (comment.patch_set, comment.file, comment.line or 0, comment.side.value)
        draft = comment.message == 0
        view = NoteView(who, comment.text, comment.created, comment.unresolved, at, comment.id, draft, wrote)
        found.setdefault(place, []).append(view)
    return found


def _place(comment: InlineComment) -> Place:
    whole = comment.line is None or comment.file in (COMMIT_MESSAGE, PATCH_SET_LEVEL)
    side = "old" if comment.side is Side.PARENT and not whole else "new"
    return comment.file, side, 0 if whole else comment.line or 0


def hunk_rows(heading: str, lines: Sequence[Line]) -> list[DiffRow]:
    """A hunk as rows; in a block that replaces lines one by one, the differing words are marked."""
    rows = [DiffRow("hunk", ((heading, False),))]
    block: list[Line] = []
    for line in lines:
        if line.sign == " " or (line.sign == "-" and block and block[-1].sign == "+"):
            rows += _block_rows(block)
            block = []
        if line.sign == " ":
            rows.append(DiffRow("same", ((line.text, False),), " ", line.old, line.new))
        else:
            block.append(line)
    return rows + _block_rows(block)


def _block_rows(block: Sequence[Line]) -> list[DiffRow]:
    """Lines taken away and then added, in the order of the difference."""
    gone, come = [line for line in block if line.sign == "-"], [line for line in block if line.sign == "+"]
    marked: dict[int, tuple[tuple[str, bool], ...]] = {}
    if len(gone) == len(come) <= _PAIRS:
        for place, (before, after) in enumerate(zip(gone, come, strict=True)):
            pair = words_that_differ(before.text, after.text)
            if pair is not None:
                marked[place], marked[place + len(gone)] = pair
    return [
        DiffRow(
            "del" if line.sign == "-" else "add",
            marked.get(place, ((line.text, False),)),
            "−" if line.sign == "-" else "+",
            line.old,
            line.new,
        )
        for place, line in enumerate((*gone, *come))
    ]


_Parts = tuple[tuple[str, bool], ...]
_REPORTS = "autogenerated:gatebot:"
_VOTED = re.compile(r"Patch Set \d+: \S")
_NO_FAILURE = ("", "SUCCESS", "SKIPPED", "CANCELED", "ABORTED", "RETRY")
_PAIRS, _LONGEST = 50, 300  # past these, marking words costs more than it tells
_WORD = re.compile(r"\w+|\s+|.")


def words_that_differ(before: str, after: str) -> tuple[_Parts, _Parts] | None:
    """Both lines in pieces; None when they have too little in common for the marks to help."""
    if max(len(before), len(after)) > _LONGEST:
        return None
    old, new = _WORD.findall(before), _WORD.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < 0.5:
        return None
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        left += [("".join(old[a:b]), tag != "equal")] if b > a else []
        right += [("".join(new[c:d]), tag != "equal")] if d > c else []
    return tuple(left), tuple(right)


def newest_builds(builds: Iterable[BuildLine], patch_set: int) -> list[BuildLine]:
    """Of each job in each pipeline the newest build for a patch set, pipelines and jobs by name."""
    found: dict[tuple[str, str], BuildLine] = {}
    for build in builds:
        if build.patch_set == patch_set:
            found.setdefault((build.pipeline, build.job), build)
    return [build for _, build in sorted(found.items())]


def failed_builds(builds: Iterable[BuildLine], patch_set: int) -> list[BuildLine]:
    """The builds for which a patch set failed its last test; none while it is tested again."""
    newest = newest_builds(several := list(builds), patch_set)
    failed = [one for one in newest if one.voting and one.result not in _NO_FAILURE]
    if not failed or any(not one.result for one in newest):
        return []
    last = next(one.pipeline for one in several if one in failed)
    return [one for one in failed if one.pipeline == last]


def latest_votes(votes: Iterable[Vote]) -> tuple[tuple[str, int], ...]:
    """The one value that sums up each label in a list: a veto wins, then the highest."""
    values: dict[str, list[int]] = {}
    for vote in votes:
        values.setdefault(vote.label, []).append(vote.value)
    return tuple((label, min(cast) if min(cast) < 0 else max(cast)) for label, cast in sorted(values.items()))


def refusal(view: ChangeView, builds: Iterable[BuildLine], patch_set: int, gate: str) -> Failure | None:
    """That the gate's own vote on the current patch set is against it, and why; None while it is tested again."""
    names = {id: one.username for id, one in view.people.items()}
    against = any(one.label == VERIFIED and one.value < 0 and names.get(one.account) == gate for one in view.votes)
    several = list(builds)
    waits = any(not one.result for one in newest_builds(several, patch_set))
    if not view.change.is_open or patch_set != view.change.current or not against or waits:
        return None
    said = [one.id for one in view.messages if one.patch_set == patch_set and one.tag.startswith(_REPORTS)]
    return Failure(tuple(failed_builds(several, patch_set)), max(said, default=0))


def tone(change: Change, submittable: bool, blocked: bool) -> str:
    """The colour of the verdict line, beside its icon and words."""
    match change.status.value:
        case "MERGED":
            return "merge"
        case "ABANDONED":
            return ""
        case _:
            return "good" if submittable else "bad" if blocked else "run"

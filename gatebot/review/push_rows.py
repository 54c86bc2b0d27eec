# SPDX-License-Identifier: Apache-2.0
"""The rows of a push: what is known of its commits before, what is written when its references have moved.

Transaction functions of floor 2. `PushOrder` is the payload of a push's intent: it says everything
that is needed to finish the push after the server died between two beats.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import msgspec
from sqlalchemy import BindParameter, bindparam, select

from .. import journal
from ..db import Session
from ..events import ReviewerAdded, TopicChanged, VoteCast, WorkInProgressChanged
from . import conversation, hosting, intents, landing_rows, publishing, store
from .mail import store as mail
from .mail.model import NO_WISH, Wish
from .model import Change, Intent, Kind, RefMove, ReviewerState, Status, Upload, Vote, change_ref
from .receive import Plan
from .rules import Rules, rules_of
from .tables import changes, patch_sets

KIND = "push"
#: The labels of a project, inside a transaction.
Labels: TypeAlias = Callable[[Session, str], Rules]
_commits: BindParameter[str] = bindparam("commits", expanding=True)
_of_commits = (
    select(patch_sets.c.commit, changes.c.number)
    .join(changes, changes.c.number == patch_sets.c.change)
    .where(changes.c.project == bindparam("project"), patch_sets.c.commit.in_(_commits))
    .order_by(changes.c.number)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit of a push for review: patch set `patch_set` of change `number`."""

    number: int
    patch_set: int
    change_id: str
    commit: str
    kind: Kind
    unchanged_files: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options of a push ask for, with people as account ids."""

    topic: str | None = None
    hashtags: tuple[str, ...] = ()
    reviewers: tuple[int, ...] = ()
    cc: tuple[int, ...] = ()
    labels: tuple[tuple[str, int], ...] = ()
    message: str = ""
    wip: bool | None = None
    private: bool | None = None
    merged: bool = False
    private_new: bool = False
    wip_new: bool = False
    mail: Wish = NO_WISH
    publish_comments: bool = False
    keep_attention: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """A change whose commit lands past review; `new`: the commit is patch set `patch_set`, which is made for it."""

    number: int
    patch_set: int
    branch: str
    commit: str
    new: bool = False


@dataclass(frozen=True, slots=True)
class PushOrder:
    """Everything a push will do. `branch` is empty for a push past review, which makes no entries."""

    project: str
    account: int
    branch: str = ""
    entries: tuple[Entry, ...] = ()
    wishes: Wishes = Wishes()
    closes: tuple[Close, ...] = ()


def to_payload(order: PushOrder) -> str:
    """An order as the text of an intent."""
    return msgspec.json.encode(order).decode()


def from_payload(text: str) -> PushOrder:
    """The order back."""
    return msgspec.json.decode(text, type=PushOrder)


@dataclass(frozen=True, slots=True)
class Row:
    """A change that is here, the commit of its current patch set, and the commits of all of them."""

    change: Change
    current: str
    commits: frozenset[str]


def known_by_id(session: Session, project: str, branch: str, change_ids: Iterable[str]) -> dict[str, tuple[Row, ...]]:
    """For each Change-Id the changes of this branch."""
    found = {name: store.find_by_id(session, name, project, branch) for name in dict.fromkeys(change_ids)}
    rows = _rows(session, [change for changes in found.values() for change in changes])
    return {name: tuple(rows[change.number] for change in changes) for name, changes in found.items()}


def known_by_commit(session: Session, project: str, commits: Iterable[str]) -> dict[str, tuple[Row, ...]]:
    """For each commit that is a patch set (current or not) of changes of this project: those changes."""
    found: dict[str, list[int]] = {}
    wanted = list(dict.fromkeys(commits))
    for start in range(0, len(wanted), 500):
        asked = {"project": project, "commits": wanted[start : start + 500]}
        for row in session.execute(_of_commits, asked):
            found.setdefault(row.commit, []).append(row.number)
    numbers = {number for several in found.values() for number in several}
    rows = _rows(session, store.find_changes(session, numbers).values())
    return {commit: tuple(rows[number] for number in dict.fromkeys(several)) for commit, several in found.items()}


def _rows(session: Session, found: Iterable[Change]) -> dict[int, Row]:
    known = {change.number: change for change in found}
    of = store.patch_sets_of(session, list(known)) if known else {}
    return {
        number: Row(
            change,
            next(one.commit for one in of[number] if one.number == change.current),
            frozenset(one.commit for one in of[number]),
        )
        for number, change in known.items()
    }


def rules_in(session: Session, project: str) -> Rules:
    """The labels and requirements of a project's preset."""
    found = hosting.find_project(session, project)
    return rules_of(found.rules if found else "default")


def open_review(
    session: Session, key: str, project: str, account: int, branch: str, plan: Plan, wishes: Wishes, at: datetime
) -> Intent | None:
    """Beat 0 of a push for review: numbers, and what will be made of them.

    None: a change was merged, or began to land, since the plan was made.
    """
    landing = landing_rows.being_landed(session)
    for before in (step.existing.change for step in plan.steps if step.existing is not None):
        now = store.get_change(session, before.number)
        if now.number in landing or not now.is_open or now.current != before.current:
            return None
    made = sum(step.existing is None for step in plan.steps)
    number = intents.allocate_changes(session, made) if made else 0
    entries: list[Entry] = []
    for step in plan.steps:
        if step.existing is None:
            entries.append(Entry(number, 1, step.change_id, step.commit.id, step.kind))
            number += 1
        else:
            change = step.existing.change
            entries.append(
                Entry(
                    change.number, change.current + 1, step.change_id, step.commit.id, step.kind, step.unchanged_files
                )
            )  # fmt: skip
    moves = tuple(
        RefMove(project, change_ref(entry.number, entry.patch_set), "0" * 40, entry.commit, project)
        for entry in entries
    )
    order = PushOrder(project, account, branch, tuple(entries), wishes)
    return intents.open_intent(session, KIND, key, moves, to_payload(order), at)


def owns_only(session: Session, account: int, made: Collection[int]) -> bool:
    """Whether these changes are the first of an account."""
    others = select(changes.c.number).where(changes.c.owner == account, changes.c.number.not_in(made))
    return session.execute(others.limit(1)).first() is None


def give_up(session: Session, intent: Intent, at: datetime) -> None:
    """Close an intent of which nothing moved."""
    intents.close_intent(session, intent.id, '{"done":false}', at)


def finish_review(
    session: Session, intent: Intent, order: PushOrder, uploads: Mapping[str, Upload], labels: Labels, at: datetime
) -> tuple[Change, ...]:
    """Beat 2 of a push for review: changes, patch sets and what was asked for with them."""
    if not intents.close_intent(session, intent.id, '{"done":true}', at):
        return ()
    rules = labels(session, order.project)
    done: list[Change] = []
    for entry in order.entries:
        upload = uploads[entry.commit]
        mail.wished(session, entry.number, order.account, order.wishes.mail, at)
        if entry.patch_set == 1:
            change = store.create_change(session, _new(order, entry), upload, at)
            _tell_topic(session, order, change, "", at)
            if order.wishes.merged:
                values = {"submitted": at, "submitter": order.account, "merged_as": entry.commit}
                store.update_change(session, change.number, at, status=Status.MERGED.value, **values)
        else:
            change = store.add_patch_set(
                session, entry.number, upload, entry.kind, rules, at, unchanged_files=entry.unchanged_files
            )
            change = _change_existing(session, order, change, at)
        _invite(session, order, change, at)
        _vote(session, order, change, at)
        if order.wishes.publish_comments and entry.patch_set > 1:
            turns = not order.wishes.keep_attention
            publishing.publish_drafts(session, change.number, change.current, order.account, at, turns=turns)
        done.append(store.get_change(session, change.number))
    return tuple(done)


def _new(order: PushOrder, entry: Entry) -> store.NewChange:
    wishes = order.wishes
    return store.NewChange(
        number=entry.number,
        project=order.project,
        branch=order.branch,
        change_id=entry.change_id,
        topic=wishes.topic or "",
        hashtags=wishes.hashtags,
        work_in_progress=wishes.wip_new if wishes.wip is None else wishes.wip,
        private=wishes.private_new if wishes.private is None else wishes.private,
    )


def _change_existing(session: Session, order: PushOrder, change: Change, at: datetime) -> Change:
    """Apply what the options say of a change that was here before; what they do not name stays."""
    wishes, number = order.wishes, change.number
    if wishes.topic is not None and wishes.topic != change.topic:
        store.update_change(session, number, at, topic=wishes.topic)
    if wishes.wip is not None and wishes.wip != change.work_in_progress:
        store.update_change(session, number, at, work_in_progress=wishes.wip)
        journal.append(session, WorkInProgressChanged(number, wishes.wip, order.account), at)
    if wishes.private is not None and wishes.private != change.private and order.account == change.owner:
        store.update_change(session, number, at, private=wishes.private)
    if wishes.hashtags:
        store.set_hashtags(session, number, (*change.hashtags, *wishes.hashtags), at)
    changed = store.get_change(session, number)
    _tell_topic(session, order, changed, change.topic, at)
    return changed


def _tell_topic(session: Session, order: PushOrder, change: Change, old: str, at: datetime) -> None:
    """The fact of a topic that a push gives, also to a new change; of hashtags there is none, as in Gerrit."""
    if change.topic != old:
        journal.append(session, TopicChanged(change.number, change.topic, old, order.account), at)


def _invite(session: Session, order: PushOrder, change: Change, at: datetime) -> None:
    wanted = [(account, ReviewerState.REVIEWER) for account in order.wishes.reviewers]
    wanted += [(account, ReviewerState.CC) for account in order.wishes.cc]
    for account, state in wanted:
        if account != change.owner and conversation.set_reviewer(
            session, change.number, account, state, at, by=order.account
        ):
            journal.append(session, ReviewerAdded(change.number, account, order.account), at)


def _vote(session: Session, order: PushOrder, change: Change, at: datetime) -> None:
    for label, value in order.wishes.labels:
        vote = Vote(label, value, order.account, at, change.current)
        old = conversation.set_vote(session, change.number, vote)
        journal.append(session, VoteCast(change.number, change.current, label, value, order.account, old), at)
    if any(value for _, value in order.wishes.labels):
        # Who votes is a reviewer, the owner too; it is not his turn by that.
        voter = (change.number, order.account, ReviewerState.REVIEWER)
        if conversation.set_reviewer(session, *voter, at, asked=False):
            journal.append(session, ReviewerAdded(change.number, order.account, order.account), at)

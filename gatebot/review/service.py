# SPDX-License-Identifier: Apache-2.0
"""What people and programs do to a change: vote, comment, ask for reviewers, take votes back.

Each method is one transaction: rights are checked where the rows are written, and the facts are
appended with them. What a change is (open, ready, its topic) is in `states.py`, submitting in
`submitting.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from .. import access, journal
from ..access import SITE, Actor, Verb
from ..clock import Clock
from ..db import Database, Session
from ..errors import Conflict, Invalid, NotFound
from ..events import CommentAdded, ReviewerAdded, VoteCast
from ..identity import accounts_in
from ..reasons import reason
from . import conversation, publishing, states, store
from .attention import store as attention
from .attention.model import REMOVED, VOTE_REMOVED, Moves
from .drafts import Draft
from .judging import Judge
from .mail import store as mail
from .mail.model import NO_WISH, Wish
from .model import (
    AttentionMoved,
    Change,
    CommentBlanked,
    ReviewerRemoved,
    ReviewerState,
    Status,
    Vote,
)
from .permission import checked_vote, require, require_account, require_open, target_of

MOST_BYTES = 16 * 1024


class Review:
    """Reviews changes; `rules` are the access rules of the site."""

    def __init__(self, db: Database, judge: Judge, clock: Clock, rules: access.Rulebook = access.DEFAULT) -> None:
        self._db = db
        self._judge = judge
        self._clock = clock
        self._rules = rules

    async def post(
        self, actor: Actor, change: int, patch_set: int, draft: Draft, event_key: str | None = None
    ) -> Change:
        """Publish a review. `event_key` names what it answers: the same again is published once."""
        ids = [uuid.uuid4().hex[:16] for _ in draft.comments]
        return await self._db.run(self._post, actor, change, patch_set, draft, ids, event_key)

    async def add_reviewer(
        self, actor: Actor, change: int, account: int, state: ReviewerState, wish: Wish = NO_WISH
    ) -> bool:
        """Ask somebody for a review, or keep him informed; whether that is news."""
        return await self._db.run(self._add_reviewer, actor, change, account, state, wish)

    async def remove_reviewer(self, actor: Actor, change: int, account: int, wish: Wish = NO_WISH) -> None:
        """Take somebody from the reviewers, with his votes."""
        await self._db.run(self._remove_reviewer, actor, change, account, wish)

    async def delete_vote(self, actor: Actor, change: int, account: int, label: str, wish: Wish = NO_WISH) -> None:
        """Take one vote away: one's own, or another's with the right to remove reviewers."""
        await self._db.run(self._delete_vote, actor, change, account, label, wish)

    async def blank_comment(self, actor: Actor, change: int, comment: str, why: str) -> None:
        """Take the text of a comment away, saying who did it and why; for administrators."""
        await self._db.run(self._blank_comment, actor, change, comment, why)

    async def move_attention(self, actor: Actor, change: int, moves: Moves) -> None:
        """Make it somebody's turn, or no longer."""
        await self._db.run(self._move_attention, actor, change, moves)

    # -- transactions ----------------------------------------------------------------------------------

    def _post(
        self,
        session: Session,
        actor: Actor,
        number: int,
        patch_set: int,
        draft: Draft,
        ids: Sequence[str],
        event_key: str | None,
    ) -> Change:
        now = self._clock.now()
        change = store.get_change(session, number)
        if event_key is not None and conversation.is_reported(session, event_key):
            return change
        account = require(actor, Verb.COMMENT, target_of(change), self._rules)
        store.get_patch_set(session, number, patch_set)
        _check_sizes(draft)
        _check_answered(session, number, draft)
        mail.wished(session, number, account, draft.wish, now)
        cast = self._cast(session, actor, change, patch_set, draft, now)
        for reviewer, state in draft.reviewers:
            self._ask(session, actor, change, reviewer, state)
        if draft.work_in_progress is not None and draft.work_in_progress != change.work_in_progress:
            states.set_work_in_progress(session, actor, change, draft.work_in_progress, self._rules, now)
        published = publishing.comments_of(session, account, number, patch_set, draft, ids)
        if account != change.owner and conversation.state_of(session, number, account) is None:
            # Who says something hears what is answered.
            conversation.set_reviewer(session, number, account, ReviewerState.CC, now)
        if draft.says_something or published:
            text = message_text(patch_set, cast, len(published), draft.message)
            said = conversation.add_message(
                session, number, patch_set, account, text, now, tag=draft.tag, event_key=event_key
            )
            publishing.store_comments(session, said, published)
            votes = tuple((vote.label, vote.value) for vote in cast)
            added = CommentAdded(number, patch_set, account, said.id, text, draft.tag, votes, len(published))
            journal.append(session, added, now)
            if draft.automatic:
                publishing.next_turns(session, change, said, cast, published)
        if draft.turns.add or draft.turns.remove:
            attention.move(session, number, draft.turns, now)
        return store.get_change(session, number)

    def _blank_comment(self, session: Session, actor: Actor, change: int, comment: str, why: str) -> None:
        account = require(actor, Verb.ADMINISTRATE_SERVER, SITE, self._rules)
        known = accounts_in(session, [account])
        name = known[account].name if account in known else str(account)
        text = f"Comment removed by: {name}; Reason: {why[:1000]}"
        for one in conversation.list_comments(session, change):
            if one.id == comment:
                mail.unsay(session, change, one.text, text)
        conversation.blank_comment(session, change, comment, text)
        journal.append(session, CommentBlanked(change, comment, account), self._clock.now())

    def _move_attention(self, session: Session, actor: Actor, number: int, moves: Moves) -> None:
        account = require(actor, Verb.COMMENT, target_of(store.get_change(session, number)), self._rules)
        before, now = _inside(session, number), self._clock.now()
        attention.move(session, number, moves, now)
        after = _inside(session, number)
        if before != after:
            came, left = tuple(sorted(after - before)), tuple(sorted(before - after))
            journal.append(session, AttentionMoved(number, account, came, left), now)

    def _cast(
        self, session: Session, actor: Actor, change: Change, patch_set: int, draft: Draft, now: datetime
    ) -> list[Vote]:
        """Store the votes; a vote is a fact only when it differs from the one before."""
        if not draft.votes:
            return []
        if change.status is not Status.MERGED:
            require_open(change)
        if patch_set != change.current:
            raise Conflict(reason=reason("review.vote-on-old-patch-set", current=change.current, patch_set=patch_set))
        account = require_account(actor)
        known = self._judge.rules(session, change.project).on(change.branch)
        cast: list[Vote] = []
        for name, value in draft.votes:
            label = checked_vote(actor, name, value, change, known, self._rules)
            vote = Vote(label, value, account, now, patch_set, draft.tag)
            former = conversation.set_vote(session, change.number, vote)
            of_label = known.label(label)
            if change.status is Status.MERGED and of_label is not None and not of_label.allow_post_submit:
                raise Conflict(reason=reason("review.label-closed", label=label))
            if change.status is Status.MERGED and value < former:
                # Gerrit's rule: what was merged can still be praised, not blocked.
                raise Conflict(reason=reason("review.lowers-merged", label=label))
            cast.append(vote)
            if former != value:
                journal.append(session, VoteCast(change.number, patch_set, label, value, account, former), now)
        if any(vote.value for vote in cast):
            self._ask(session, actor, change, account, ReviewerState.REVIEWER, asked=False)
        return cast

    def _add_reviewer(
        self, session: Session, actor: Actor, number: int, account: int, state: ReviewerState, wish: Wish
    ) -> bool:
        change = store.get_change(session, number)
        by = require(actor, Verb.COMMENT, target_of(change), self._rules)
        mail.wished(session, number, by, wish, self._clock.now())
        return self._ask(session, actor, change, account, state)

    def _ask(
        self, session: Session, actor: Actor, change: Change, account: int, state: ReviewerState, *, asked: bool = True
    ) -> bool:
        now = self._clock.now()
        by = require(actor, Verb.COMMENT, target_of(change), self._rules)
        news = conversation.set_reviewer(session, change.number, account, state, now, asked=asked, by=by)
        if news:
            journal.append(session, ReviewerAdded(change.number, account, by), now)
        return news

    def _remove_reviewer(self, session: Session, actor: Actor, number: int, account: int, wish: Wish) -> None:
        now = self._clock.now()
        change = store.get_change(session, number)
        by = self._may_remove(actor, change, account)
        lost = conversation.remove_reviewer(session, number, account, change.current, by, now)
        if lost is None:
            raise NotFound(reason=reason("review.no-such-reviewer", account=account, change=number))
        for vote in lost:
            gone = VoteCast(number, change.current, vote.label, 0, account, vote.value)
            journal.append(session, gone, now)
        mail.wished(session, number, by, wish, now)
        journal.append(session, ReviewerRemoved(number, account, by), now)
        attention.remove(session, number, [(account, REMOVED)], now)

    def _delete_vote(self, session: Session, actor: Actor, number: int, account: int, label: str, wish: Wish) -> None:
        now = self._clock.now()
        change = store.get_change(session, number)
        require_open(change)
        by = self._may_remove(actor, change, account)
        former = conversation.set_vote(session, number, Vote(label, 0, account, now, change.current))
        if former == 0:
            raise NotFound(reason=reason("review.no-such-vote", account=account, label=label))
        text = f"Removed {label}{former:+d}"
        conversation.add_message(session, number, change.current, by, text, now, tag="autogenerated:gerrit:deleteVote")
        mail.wished(session, number, by, wish, now)
        journal.append(session, VoteCast(number, change.current, label, 0, account, former, by), now)
        if by != account:
            attention.add(session, number, [(account, VOTE_REMOVED.format(label=f"{label}{former:+d}"))], now)

    def _may_remove(self, actor: Actor, change: Change, account: int) -> int:
        if actor.account == account:
            return account
        return require(actor, Verb.REMOVE_REVIEWER, target_of(change), self._rules)


def message_text(patch_set: int, votes: Sequence[Vote], comments: int, text: str) -> str:
    """Gerrit's form of a review message, which Zuul's comment filters and IRC bots read."""
    cast = "".join(f" {v.label}{v.value:+d}" if v.value else f" -{v.label}" for v in votes)
    count = "" if not comments else f"({comments} comment{'s' if comments > 1 else ''})"
    return "\n\n".join(part for part in (f"Patch Set {patch_set}:{cast}", count, text.strip()) if part)


def _check_sizes(draft: Draft) -> None:
    for text in (draft.message, *(comment.text for comment in draft.comments)):
        size = len(text.encode())
        if size > MOST_BYTES:
            # 400 as in Gerrit: a client that retries what it gets other answers for would send it again and again.
            raise Invalid(reason=reason("review.too-long", size=size, limit=MOST_BYTES))


def _check_answered(session: Session, change: int, draft: Draft) -> None:
    """What a comment answers is there."""
    answered = [one.in_reply_to for one in draft.comments if one.in_reply_to]
    known = {one.id for one in conversation.list_comments(session, change)} if answered else set[str]()
    for id in answered:
        if id not in known:
            raise Invalid(reason=reason("review.no-such-comment", id=id[:80], change=change))


def _inside(session: Session, change: int) -> frozenset[int]:
    """Whose turn it is on a change."""
    found = attention.attention_of(session, [change]).get(change, ())
    return frozenset(one.account for one in found if one.active)

# SPDX-License-Identifier: Apache-2.0
"""The reply form of a change: what it offers a reader, and the review in what he sends.

Pure. Votes are only those that the decider permits; a vote that is sent as it stands already is no vote. Whose turn it
is then follows from Gerrit's rules, unless the reader says otherwise by the boxes of the form.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from .attention.model import Moves, Reply
from .attention.turns import after_reply
from .drafts import Draft
from .model import DraftedComment, ReviewerState
from .whole import ChangeView

_VOTE = re.compile(r"[+-]?[0-9]{1,2}")
_NAMES = re.compile(r"[,;\n]")
_BY_HAND = "changed by hand in a reply"


@dataclass(frozen=True, slots=True)
class Heir:
    """Somebody whose turn it may be after the reply; `expected`: it is, if nobody says otherwise."""

    account: int
    name: str
    expected: bool


def heirs(view: ChangeView, account: int) -> tuple[Heir, ...]:
    """Who may have the next turn: owner, uploader, reviewers and who is in the attention set, without the author."""
    reply = Reply(author=account, owner=view.change.owner, uploader=view.current.uploader)
    moves = after_reply(reply, "")
    inside = {one.account for one in view.attention if one.active}
    inside = (inside | {who for who, _ in moves.add}) - {who for who, _ in moves.remove}
    people = {view.change.owner, view.current.uploader, *inside}
    people |= {one.account for one in view.reviewers if one.state is ReviewerState.REVIEWER}
    known = [(view.people[id].name or view.people[id].username, id) for id in people - {account} if id in view.people]
    return tuple(Heir(id, name, id in inside) for name, id in sorted(known))


def names_in(text: str) -> tuple[str, ...]:
    """The people and groups that a field names, with commas between them."""
    return tuple(dict.fromkeys(name.strip() for name in _NAMES.split(text) if name.strip()))


def review_of(form: Mapping[str, str], now: Mapping[str, int]) -> Draft:
    """The review in a form: only votes that differ from what the reader says already.

    `was-LABEL` is what he said when the form was made: what he left alone there is no vote, whatever he said elsewhere.
    """
    votes: list[tuple[str, int]] = []
    for name, value in form.items():
        label = name.removeprefix("label-")
        untouched = value == form.get(f"was-{label}")
        if label != name and not untouched and _VOTE.fullmatch(value) and int(value) != now.get(label, 0):
            votes.append((label, int(value)))
    comments: tuple[DraftedComment, ...] = ()
    if text := form.get("comment-text", "").strip():
        line = form.get("comment-line", "")
        number = int(line) if line.isdecimal() and len(line) < 10 else 0
        comments = (DraftedComment(form.get("comment-file", ""), text, number or None, unresolved=True),)
    publish = "PUBLISH_ALL_REVISIONS" if form.get("publish") else "KEEP"
    found = Draft(form.get("message", "").strip(), tuple(votes), comments, publish=publish)
    return replace(found, turns=_turns(form))


def with_people(draft: Draft, reviewers: Iterable[int], copied: Iterable[int]) -> Draft:
    """The same, asking these for a review and keeping those informed; who is both is asked."""
    asked = dict.fromkeys(reviewers)
    told = [account for account in dict.fromkeys(copied) if account not in asked]
    people = [(account, ReviewerState.REVIEWER) for account in asked]
    return replace(draft, reviewers=(*people, *((account, ReviewerState.CC) for account in told)))


def _turns(form: Mapping[str, str]) -> Moves:
    """Where the boxes of the next turns differ from what they were when the form was made."""
    expected, wanted = _numbers(form, "expected-"), _numbers(form, "turn-")
    return Moves(_all(wanted - expected), _all(expected - wanted))


def _numbers(form: Mapping[str, str], prefix: str) -> set[int]:
    found = {name.removeprefix(prefix) for name, value in form.items() if name.startswith(prefix) and value}
    return {int(number) for number in found if number.isascii() and number.isdecimal() and len(number) < 10}


def _all(accounts: Collection[int]) -> tuple[tuple[int, str], ...]:
    return tuple((account, _BY_HAND) for account in sorted(accounts))

# SPDX-License-Identifier: Apache-2.0
"""`gerrit review`: votes, messages and what else is done to patch sets, several at once.

What goes wrong with one is told, the others are still done; then the command fails. Votes on labels that there are not,
or that the asker may not give, are passed over, as Gerrit does without `--strict-labels`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from ... import words as sentences
from ...access import Actor
from ...errors import GatebotError, Invalid, NotPermitted
from ..drafts import Draft, Object, draft_from, json_from, reviewers_from, text_of
from ..mail.model import NO_WISH, Notify, Wish
from ..mail.wishes import level_of
from ..model import PatchSet, ReviewerState
from ..permission import checked_vote
from ..room import ReviewRoom
from ..whole import ChangeView
from . import arguments
from .arguments import Given, Option
from .model import Call, Failed
from .naming import Naming

_OPTIONS = (
    Option(("--abandon",), about="abandon the specified change(s)"),
    Option(("--branch", "-b"), "BRANCH", "branch containing the specified patch set(s)"),
    Option(("--json", "-j"), about="read review input json from stdin"),
    Option(("--label", "-l"), "LABEL=VALUE", "custom label(s) to assign"),
    Option(("--message", "-m"), "MESSAGE", "cover message to publish on change(s)"),
    Option(("--notify", "-n"), "[NONE | OWNER | OWNER_REVIEWERS | ALL]", "Who to send email notifications to"),
    Option(("--project", "-p"), "PROJECT", "project containing the specified patch set(s)"),
    Option(("--move",), "BRANCH", "move the specified change(s)"),
    Option(("--rebase",), about="rebase the specified change(s)"),
    Option(("--restore",), about="restore the specified abandoned change(s)"),
    Option(("--strict-labels",), about="fail on votes that cannot be given"),
    Option(("--submit", "-s"), about="submit the specified patch set(s)"),
    Option(("--tag", "-t"), "TAG", "applies a tag to the given review"),
    Option(("--work-in-progress",), about="mark the specified change(s) as work in progress"),
    Option(("--ready",), about="mark the specified change(s) as ready for review"),
)
_NOTIFY = ("NONE", "OWNER", "OWNER_REVIEWERS", "ALL")
_VOTE = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*?)(?:=([+-]?\d+)|([+-]\d+))?")
_MOST_JSON = 1024 * 1024
_APART = (
    ("--abandon", "--submit"), ("--abandon", "--restore"), ("--restore", "--submit"), ("--rebase", "--abandon"),
    ("--rebase", "--restore"), ("--rebase", "--submit"), ("--rebase", "--move"), ("--move", "--abandon"),
    ("--move", "--restore"), ("--move", "--submit"), ("--work-in-progress", "--ready"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be done to every patch set; `named` are votes by the lower-case names of labels."""

    given: Given
    draft: Draft
    named: tuple[tuple[str, int], ...]
    reviewers: tuple[tuple[str, ReviewerState, bool], ...] = ()


class Reviewing:
    """Does reviews."""

    def __init__(self, room: ReviewRoom, naming: Naming) -> None:
        self._room = room
        self._naming = naming

    async def run(self, call: Call) -> None:
        """The command."""
        given = arguments.read(_OPTIONS, call.words, others=True)
        if given.has(arguments.HELP):
            raise Failed(arguments.usage("gerrit review", "{COMMIT | CHANGE,PATCHSET} ...", _OPTIONS))
        wish = await self._wish(call, given)
        where = {"project": given.text("--project"), "branch": given.text("--branch")}
        found = [await self._naming.patch_set(call.actor, word, **where) for word in dict.fromkeys(given.rest)]
        failed = False
        for view, patch_set in found:
            try:
                await self._review(call, view, patch_set, wish)
            except GatebotError as error:
                text = sentences.say(error.reason, call.language) if error.reason else str(error)
                await call.terminal.complain(f"error: {text}\n\n")
                failed = True
        if failed:
            raise Failed("fatal: one or more reviews failed; review output above")

    async def _wish(self, call: Call, given: Given) -> _Wish:
        if not given.rest:
            raise Failed('fatal: Argument "{COMMIT | CHANGE,PATCHSET}" is required')
        for one, other in _APART:
            if given.has(one) and given.has(other):
                raise Failed(f"fatal: {one[2:]} and {other[2:]} actions are mutually exclusive")
        if (notify := given.text("--notify", "ALL").upper()) not in _NOTIFY:
            raise Failed(f'fatal: "{notify}" is not a valid value for "--notify"')
        if given.has("--json"):
            body = _object(await call.terminal.all_input(_MOST_JSON))
            level = Notify(notify) if given.all("--notify") else level_of(text_of(body.get("notify"), "notify"))
            return _Wish(given, replace(draft_from(body), wish=Wish(level)), (), reviewers_from(body))
        ready = False if given.has("--ready") else True if given.has("--work-in-progress") else None
        draft = Draft(
            message="" if given.has("--abandon") or given.has("--restore") else given.text("--message"),
            votes=tuple(_vote(word) for word in given.all("--label")),
            work_in_progress=ready,
            tag=given.text("--tag"),
            wish=Wish(Notify(notify)) if given.all("--notify") else NO_WISH,
        )
        return _Wish(given, draft, tuple((name, arguments.score(f"--{name}", value)) for name, value in given.others))

    async def _review(self, call: Call, view: ChangeView, patch_set: PatchSet, wish: _Wish) -> None:
        actor, number, text = call.actor, view.change.number, wish.given.text("--message")
        if wish.given.has("--restore"):
            await self._room.states.restore(actor, number, text, wish.draft.wish)
        draft = await self._draft(actor, view, wish)
        if draft.says_something or draft.reviewers or draft.work_in_progress is not None:
            await self._room.revisions.require_files(view.change.project, patch_set, (c.file for c in draft.comments))
            await self._room.review.post(actor, number, patch_set.number, draft)
        if wish.given.has("--abandon"):
            await self._room.states.abandon(actor, number, text, wish.draft.wish)
        if wish.given.has("--rebase"):
            await self._room.rebasing.rebase(actor, number)
        if wish.given.all("--move"):
            await self._room.moving.move(actor, number, wish.given.text("--move").removeprefix("refs/heads/"))
        if wish.given.has("--submit"):
            done = await self._room.submission.submit(actor, number)
            if not done.merged:
                # It is on its way; but who hears success takes the change for merged.
                raise _OnItsWay(reason=done.says)

    async def _draft(self, actor: Actor, view: ChangeView, wish: _Wish) -> Draft:
        """The review of this very change: with the votes that its labels and the asker's rights allow."""
        labels = {label.name.lower(): label.name for label in view.rules.labels}
        unknown = next((name for name, _ in wish.named if name not in labels), None)
        if unknown is not None:
            raise Failed(f'fatal: "--{unknown}" is not a valid option')
        for name, value in wish.named:
            label = view.rules.label(labels[name])
            if label is not None and not label.lowest <= value <= label.highest:
                between = f"{label.lowest}..{label.highest:+d}"
                raise Failed(f'fatal: "{value}" must be in range {between} for "--{name}"')
        votes: list[tuple[str, int]] = []
        for name, value in (*wish.draft.votes, *((labels[name], value) for name, value in wish.named)):
            try:
                votes.append((checked_vote(actor, name, value, view.change, view.rules, self._room.rules), value))
            except (Invalid, NotPermitted):
                if wish.given.has("--strict-labels"):
                    raise
        people: list[tuple[int, ReviewerState]] = []
        for name, state, confirmed in wish.reviewers:
            people += [
                (one, state) for one in await self._naming.invited(actor, view.change, name, confirmed=confirmed)
            ]
        return replace(wish.draft, votes=tuple(votes), reviewers=tuple(people))


class _OnItsWay(GatebotError):
    """Submitted to the gate, which merges it when its jobs pass."""


def _vote(word: str) -> tuple[str, int]:
    """`LABEL=VALUE`, `LABEL+VALUE`, or the label alone, which is +1."""
    match = _VOTE.fullmatch(word)
    if match is None:
        raise Failed(f'fatal: "{word}" is not a valid value for "--label"')
    return match[1], arguments.score("--label", match[2] or match[3] or "1")


def _object(raw: bytes) -> Object:
    if len(raw) > _MOST_JSON:
        raise Failed(f"fatal: the review input is longer than {_MOST_JSON} bytes")
    value = json_from(raw)
    if not isinstance(value, Mapping):
        raise Failed("fatal: the review input is no JSON object")
    return cast("Object", value)

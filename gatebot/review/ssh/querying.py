# SPDX-License-Identifier: Apache-2.0
"""`gerrit query`: changes by a query, one JSON object a line, or as text; the counts come last.

Thin: the query is the room's own, and so is what the asker may see.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import msgspec

from ... import words as sentences
from ...assignment import Json
from ...db import Database
from ...errors import Invalid
from ...identity import accounts_in
from ...repo import FileChange
from .. import conversation
from ..model import Vote
from ..room import ReviewRoom
from ..search import MOST
from ..whole import ChangeView
from . import arguments, attributes, text_form
from .arguments import Given, Option
from .model import Call, Failed

_OPTIONS = (
    Option(("--format",), "[TEXT | JSON]", "Output display format"),
    Option(("--current-patch-set",), about="Include information about current patch set"),
    Option(("--patch-sets",), about="Include information about all patch sets"),
    Option(("--all-approvals",), about="Include information about all patch sets and approvals"),
    Option(("--comments",), about="Include patch set and inline comments"),
    Option(("--files",), about="Include file list on patch sets"),
    Option(("--commit-message",), about="Include the full commit message for a change"),
    Option(("--dependencies",), about="Include depends-on and needed-by information"),
    Option(("--submit-records",), about="Include submit and label status"),
    Option(("--all-reviewers",), about="Include all reviewers"),
    Option(("--start", "-S"), "N", "Number of changes to skip"),
    Option(("--no-limit",), about="Return all results, overriding the default limit"),
)


class Querying:
    """Answers queries."""

    def __init__(self, db: Database, room: ReviewRoom) -> None:
        self._db = db
        self._room = room

    async def run(self, call: Call) -> None:
        """The command."""
        given = arguments.read(_OPTIONS, call.words, minus=True)
        if given.has(arguments.HELP):
            raise Failed(arguments.usage("gerrit query", "QUERY ...", _OPTIONS))
        form = given.text("--format", "TEXT").upper()
        if form not in ("TEXT", "JSON", "JSON_COMPACT"):
            raise Failed(f'fatal: "{form}" is not a valid value for "--format"')
        if not given.rest:
            raise Failed('fatal: Argument "QUERY" is required')
        as_json = form != "TEXT"
        began = time.monotonic()
        try:
            count, more = await self._changes(call, given, as_json=as_json)
            last: dict[str, Json] = {
                "type": "stats",
                "rowCount": count,
                "runTimeMilliseconds": int((time.monotonic() - began) * 1000),
                "moreChanges": more,
            }
        except Invalid as error:
            text = sentences.say(error.reason, call.language) if error.reason else str(error)
            last = {"type": "error", "message": text}
        await call.terminal.say(line(last) if as_json else text_form.plain_text(last))

    async def _changes(self, call: Call, given: Given, *, as_json: bool) -> tuple[int, bool]:
        """Say them, page by page; how many, and whether there are more."""
        query, start, count = " ".join(given.rest), given.number("--start"), 0
        while True:
            found, more = await self._room.reading.search(call.actor, query, MOST, start + count)
            for view in found:
                told = await self._told(call, view, given)
                await call.terminal.say(line(told) if as_json else text_form.change_text(told))
            count += len(found)
            if not (more and found and given.has("--no-limit")):
                return count, more

    async def _told(self, call: Call, view: ChangeView, given: Given) -> dict[str, Json]:
        change, people = view.change, view.people
        message = view.current.message if given.has("--commit-message") else ""
        told = attributes.change(change, people, self._room.judge.site, message=message, always=True)
        if given.has("--comments"):
            told["comments"] = attributes.messages(view.messages, people)
        if given.has("--current-patch-set"):
            told["currentPatchSet"] = (await self._patch_sets(view, given, only_current=True))[0]
        if given.has("--patch-sets") or given.has("--all-approvals"):
            told["patchSets"] = [*await self._patch_sets(view, given, only_current=False)]
        if given.has("--dependencies"):
            told |= await self._dependencies(call, view)
        if given.has("--submit-records"):
            told["submitRecords"] = attributes.submit_records(view)
        if given.has("--all-reviewers") and view.reviewers:
            told["allReviewers"] = [attributes.account(people, one.account) for one in view.reviewers]
        return told

    async def _patch_sets(self, view: ChangeView, given: Given, *, only_current: bool) -> list[dict[str, Json]]:
        """Votes are told of the current patch set, and of all of them where they are asked for."""
        people: attributes.People = view.people
        votes: Sequence[Vote] = view.votes
        if given.has("--all-approvals") or (given.has("--comments") and not only_current):
            votes = await self._db.read(conversation.list_votes, view.change.number)
            people = {**people, **await self._db.read(accounts_in, {vote.account for vote in votes})}
        shown = view.patch_sets[-1:] if only_current else view.patch_sets
        found: list[dict[str, Json]] = []
        for one in shown:
            touched: Sequence[FileChange] = await self._room.revisions.files(view.change.project, one)
            told = attributes.patch_set(one, people, touched)
            sizes = {name: told.pop(name) for name in ("sizeInsertions", "sizeDeletions")}
            merged = attributes.submit_approval(view.change, people) if one is view.current else []
            cast = attributes.approvals((vote for vote in votes if vote.patch_set == one.number), people)
            if (merged or cast) and (only_current or given.has("--all-approvals") or given.has("--comments")):
                told["approvals"] = [*merged, *cast]
            inline = attributes.inline((said for said in view.comments if said.patch_set == one.number), people)
            if inline and given.has("--comments"):
                told["comments"] = inline
            if given.has("--files"):
                told["files"] = attributes.files(one, touched)
            found.append(told | sizes)
        return found

    async def _dependencies(self, call: Call, view: ChangeView) -> Mapping[str, Json]:
        current = view.current
        chain = await self._room.reading.related(call.actor, view.change, current)
        others = [(change, its) for change, its in chain if change.number != view.change.number]
        above: list[Json] = [attributes.dependency(*pair) for pair in others if pair[1].commit in current.parents]
        below: list[Json] = [attributes.dependency(*pair) for pair in others if current.commit in pair[1].parents]
        told: dict[str, Json] = {"dependsOn": above} if above else {}
        return told | ({"neededBy": below} if below else {})


def line(told: Mapping[str, Json]) -> str:
    """One JSON object on a line of its own."""
    return msgspec.json.encode(told).decode() + "\n"

# SPDX-License-Identifier: Apache-2.0
"""Entries of the journal told to one reader, as far as he may see what they are about.

Reads from the database and from git; how an event looks is decided in `happenings.py`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import fields

from ...access import Actor, Target, Verb, may
from ...assignment import Json
from ...db import Database
from ...events import BranchMoved, ChangeDeleted, CommentAdded, ProjectCreated, TagMoved
from ...fact import Event
from ...identity import accounts_in
from ...journal import Entry
from .. import hosting
from ..model import CustomKeyedValuesChanged, HeadMoved
from ..permission import target_of
from ..room import ReviewRoom
from . import happenings, store
from .happenings import Scene

_PEOPLE = frozenset({"uploader", "account", "added_by", "reviewer", "by"})


class Telling:
    """Makes events."""

    def __init__(self, db: Database, room: ReviewRoom) -> None:
        self._db = db
        self._room = room

    async def events(self, actor: Actor, entries: Sequence[Entry]) -> AsyncGenerator[tuple[int, dict[str, Json]]]:
        """The events of some entries with their ids, in order; what the reader may not see is left out."""
        changes = {number for entry in entries if (number := _change_of(entry.event))}
        visible = await self._room.reading.visible(actor, changes)
        for entry, cast in happenings.grouped(entries):
            number = _change_of(entry.event)
            if isinstance(entry.event, ChangeDeleted):
                told = await self._of_gone(actor, entry.event)
            elif number:
                told = await self._of_change(entry.event, number, cast) if number in visible else None
            else:
                told = await self._of_project(actor, entry.event)
            if told is not None:
                yield entry.id, told | {"eventCreatedOn": int(entry.at.timestamp()), "eventId": entry.id}

    async def _of_change(self, fact: Event, number: int, cast: happenings.Cast) -> dict[str, Json] | None:
        message = fact.message if isinstance(fact, CommentAdded) else 0
        patch_set = getattr(fact, "patch_set", 0)
        ground = await self._db.read(store.ground_of, number, patch_set, _people_of(fact), message)
        if ground is None:
            return None
        rules = await self._db.read(self._room.judge.rules, ground.change.project)
        scene = Scene(
            change=ground.change,
            patch_set=ground.patch_set,
            people=ground.people,
            site=self._room.judge.site,
            labels=tuple(label.name for label in rules.labels),
            votes=ground.votes,
            comments=ground.comments,
            keyed=await self._room.keyed.of(number) if isinstance(fact, CustomKeyedValuesChanged) else {},
            files=await self._room.revisions.files(ground.change.project, ground.patch_set),
        )
        return happenings.of_change(fact, scene, cast)

    async def _of_gone(self, actor: Actor, fact: ChangeDeleted) -> dict[str, Json] | None:
        """To whoever could have seen it: of a private one, to its owner and those who see all private changes."""
        target, rules = target_of(happenings.gone(fact)), self._room.rules
        private = fact.private and actor.account != fact.owner
        if not may(actor, Verb.READ, target, rules) or (private and not may(actor, Verb.VIEW_PRIVATE, target, rules)):
            return None
        people = await self._db.read(accounts_in, {fact.account, fact.owner})
        return happenings.of_gone(fact, people, self._room.judge.site)

    async def _of_project(self, actor: Actor, fact: Event) -> dict[str, Json] | None:
        target, head = None, ""
        match fact:
            case BranchMoved(project=project, branch=branch):
                target = Target(project, branch if branch.startswith("refs/") else f"refs/heads/{branch}")
            case TagMoved(project=project, tag=tag):
                target = Target(project, f"refs/tags/{tag}")
            case ProjectCreated(project=project):
                target = Target(project)
                found = await self._db.read(hosting.find_project, project)
                head = found.default_branch if found else "main"
            case HeadMoved(project=project):
                target = Target(project)
            case _:
                pass
        if target is None or not may(actor, Verb.READ, target, self._room.rules):
            return None
        people = await self._db.read(accounts_in, _people_of(fact))
        return happenings.of_project(fact, people, head)


def _change_of(fact: Event) -> int:
    """The number of the change that a fact is about, 0 when it is about none."""
    return getattr(fact, "change", 0)


def _people_of(fact: Event) -> set[int]:
    """The accounts that a fact names."""
    names = {one.name for one in fields(fact)} & _PEOPLE
    return {value for name in names if (value := getattr(fact, name)) is not None}

# SPDX-License-Identifier: Apache-2.0
"""What an executor is told of a build: the job in full, the commits to check out, the changes that it is about.

Reads what that takes, and changes nothing. What the builds of an item have in common is described once for all that
begin together: behind a long queue it names hundreds of changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from ..assignment import AssignedChange, Assignment, FrozenJob
from ..db import Database
from . import history, returning, store
from .config.secrets import used
from .merger import Merger
from .ports import Review
from .queue import facts
from .queue.model import NOTHING, Item, ItemChange, PlannedJob, Queue
from .secret_data import SecretData
from .workspace import checkouts, chosen, includes, wanted

_REMEMBERED = 2000  # messages of patch sets


@dataclass(frozen=True, slots=True)
class Described:
    """What is the same for all builds of an attempt of an item: its changes and those ahead, and where those are."""

    changes: tuple[AssignedChange, ...]
    places: tuple[tuple[str, str], ...]


class Assigning:
    """Describes builds. Frozen jobs and messages never change, so they are remembered."""

    def __init__(self, review: Review, merger: Merger, db: Database, secrets: SecretData, log_url: str) -> None:
        self._review = review
        self._merger = merger
        self._db = db
        self._secrets = secrets
        self._log_url = log_url
        self._frozen: dict[str, FrozenJob] = {}
        self._messages: dict[tuple[int, int], tuple[str, str]] = {}

    def remember(self, jobs: Iterable[FrozenJob]) -> list[FrozenJob]:
        """Keep frozen jobs by their definition; those that were not known."""
        new = {job.definition: job for job in jobs if job.definition not in self._frozen}
        self._frozen.update(new)
        return list(new.values())

    async def describe(self, queue: Queue, item: Item) -> Described:
        """What the builds that an item begins now have in common."""
        prepared = item.prepared
        numbers, state = ((), NOTHING) if prepared is None else (prepared.ahead, prepared.state)
        present = {change.number: other for other in queue.items.values() for change in other.changes}
        items = {present[number].id: present[number] for number in numbers if number in present}
        ahead = [change for other in items.values() for change in other.changes]
        commits = [state.get(change.place, change.commit) for change in ahead]
        commits += [
            change.commit if prepared is None else prepared.commit_of(item, position)
            for position, change in enumerate(item.changes)
        ]
        changes = (*ahead, *item.changes)
        told = [
            _told(change, commit, await self._message(change)) for change, commit in zip(changes, commits, strict=True)
        ]
        places = dict.fromkeys([(change.project, change.branch) for change in changes])
        return Described(tuple(told), tuple(places))

    async def assignment(
        self, queue: Queue, item: Item, command: facts.BuildAssigned, about: Described, *, post_review: bool
    ) -> Assignment:
        """One build of an item, as its executor is told of it."""
        prepared, planned = item.prepared, item.job(command.job)
        if planned is None:
            raise LookupError(f"the item {item.id} has no job {command.job}")
        job = chosen(await self._job(planned.definition), command.choice)
        state, pinned = (NOTHING, NOTHING) if prepared is None else (prepared.state, prepared.pinned)
        own = item.subject(planned)
        project, branch = ("", "") if own is None else (own.project, own.branch)
        merger, members = self._merger, {change.project for change in item.changes}
        before, needed = returning.parents(item, command.job), command.provided
        handed = returning.HandedOn()
        if before or needed:
            handed = await self._db.read(history.handed_on, before, needed, self._log_url, self._secrets)
        return Assignment(
            build=command.build,
            buildset=facts.buildset_id(item.id, item.attempt),
            item=item.id,
            fence=command.fence,
            tenant=queue.tenant,
            pipeline=queue.pipeline,
            post_review=post_review,
            project=project,
            branch=branch,
            commit=state.get(f"{project}:{branch}", ""),
            job=job,
            checkouts=checkouts(
                wanted(job, project, "" if own is None else merger.read_of(own), merger.choose, members),
                state,
                pinned,
                [at for at in about.places if includes(job, at[0], project, members)],
                merger.store(queue, project),
            ),
            changes=about.changes,
            old_commit=item.ref.old if item.ref is not None else "",
            new_commit=item.ref.new if item.ref is not None else "",
            attempt=command.tries,
            event_id=item.id,
            inherited=handed.data,
            secrets=await asyncio.to_thread(merger.vault.open, job) if used(job) else {},
            members=item.numbers,
            subject=planned.change,
            child_jobs=() if prepared is None else tuple(one.name for one in prepared.jobs if _needs(one, planned.key)),
            secret_data=handed.secret_data,
            provided=handed.artifacts,
            landed=item.landed,
        )

    async def _job(self, definition: str) -> FrozenJob:
        known = self._frozen.get(definition)
        if known is None:
            known = await self._db.read(store.job, definition)
            if known is None:
                raise LookupError(f"the job {definition} was not kept")
            self._frozen[definition] = known
        return known

    async def _message(self, change: ItemChange) -> tuple[str, str]:
        """Message and topic of a patch set."""
        key = (change.number, change.patch_set)
        known = self._messages.get(key)
        if known is None:
            found = await self._review.change(*key)
            known = (found.message, found.topic) if found is not None else ("", "")
            if len(self._messages) >= _REMEMBERED:
                self._messages.clear()
            self._messages[key] = known
        return known


def _told(change: ItemChange, commit: str, message: tuple[str, str]) -> AssignedChange:
    return AssignedChange(
        change.number,
        change.patch_set,
        change.project,
        change.branch,
        commit,
        change.change_id,
        change.subject,
        change.url,
        *message,
    )


def _needs(job: PlannedJob, key: str) -> bool:
    """Whether a job depends directly on another of its item."""
    return any(need.name == key for need in job.needs)

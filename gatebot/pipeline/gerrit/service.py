# SPDX-License-Identifier: Apache-2.0
"""A Gerrit as a source of changes: what the gate asks is answered from the mirror, what it says goes to Gerrit.

Nothing that the gate asks waits for Gerrit. Reports and landings do, with a time limit, and are tried again by whoever
carries them out.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache

from ...access_rules import Actor
from ...change import SPACE, ChangeFacts, Landed, Landing, LandRefused, own_number
from ...clock import Clock
from ...db import Database
from ...depends import depends_on, is_change_id
from ...errors import NotFound, Refused
from ...reasons import Reason
from ...repo import Repositories
from . import store
from .client import Client
from .landing import Lander
from .model import ABANDONED, Mirrored, Person, Place
from .ports import Use
from .reading import number_of
from .requirements import waits_for

log = logging.getLogger(__name__)

_MOST_BYTES = 16_000
_CUT = "\n[the rest was cut]"


class GerritSource:
    """One connection, as the gate sees it."""

    def __init__(
        self, place: Place, use: Use, client: Client, lander: Lander, repositories: Repositories, db: Database,
        clock: Clock,
    ) -> None:  # fmt: skip
        self.place = place
        self._use = use
        self._client = client
        self._lander = lander
        self._repositories = repositories
        self._db = db
        self._clock = clock
        # A commit's files never change, and the gate asks for them again and again.
        self._files = lru_cache(maxsize=4096)(self._read_files)

    def numbers(self, number: int) -> bool:
        """Whether a change or an account of this number is of this Gerrit."""
        return self.place.space < number < self.place.space + SPACE

    def hosts(self, project: str) -> bool:
        """Whether a project is mirrored from this Gerrit."""
        return project in self._use.projects()

    async def person(self, id: int) -> Person | None:
        """Who is behind an account."""
        return await self._db.read(store.person, id)

    # What the gate asks

    async def change(self, number: int, patch_set: int | None = None) -> ChangeFacts | None:
        """One patch set of a change, the current one by default."""
        found = await self._db.read(store.find, number)
        return None if found is None else self._facts(found, patch_set)

    async def named(self, address: str) -> tuple[int, ...]:
        """The changes that a `Depends-On:` names, by an address of this Gerrit or by Change-Id."""
        if is_change_id(address):
            found = await self._db.read(store.by_change_id, self.place.space, address)
            return tuple(one.facts.number for one in found)
        number = number_of(address, self.place)
        return () if number is None else (number,)

    async def by_topic(self, number: int, topic: str) -> tuple[int, ...]:
        """The open changes of this Gerrit under a topic."""
        found = await self._db.read(store.by_topic, self.place.space, topic) if topic else ()
        return tuple(one.facts.number for one in found)

    async def open_changes(self, project: str) -> tuple[int, ...]:
        """The open changes of a project, oldest first."""
        return await self._db.read(store.open_changes, self.place.space, project)

    async def by_commit(self, project: str, commit: str) -> ChangeFacts | None:
        """The open change whose current patch set is this commit."""
        found = await self._db.read(store.by_commit, self.place.space, project, commit)
        return None if found is None else self._facts(found, None)

    async def depending_on(self, number: int) -> tuple[int, ...]:
        """The open changes that name it in `Depends-On:`, or that stand on its current patch set."""
        known = await self._db.read(store.find, number)
        if known is None:
            return ()
        facts = known.facts
        near = await self._db.read(
            store.naming, self.place.space, f"/{own_number(number)}", facts.change_id, facts.commit
        )
        return tuple(
            other.facts.number
            for other in near
            if other.facts.number != number
            and (facts.commit in other.facts.parents or self._names(other.facts.message, number, facts.change_id))
        )

    async def ready(self, number: int) -> Reason | None:
        """What its submit requirements still ask for, apart from the labels that the gate votes on."""
        known = await self._db.read(store.find, number)
        return None if known is None else waits_for(known, self._use.labels())

    # What the gate says

    async def report(
        self, change: int, patch_set: int, *, message: str, votes: Mapping[str, int], tag: str, event_key: str
    ) -> None:
        """Comment and vote as the connection's account; what was reported once is not reported again."""
        if await self._db.read(store.reported, event_key):
            return
        known = await self._db.read(store.find, change)
        if known is not None:
            counts = known.facts.current == patch_set and known.facts.status != ABANDONED
            await self._say(known, patch_set, _shortened(message), votes if counts else {}, tag)
        await self._db.run_silent(store.set_reported, event_key, self._clock.now())

    async def land(self, landing: Landing) -> Landed | LandRefused:
        """Merge the changes of one item; the same item again has the same answer."""
        return await self._lander.land(landing)

    async def _say(self, known: Mirrored, patch_set: int, message: str, votes: Mapping[str, int], tag: str) -> None:
        project, number = known.facts.project, own_number(known.facts.number)
        body = {"message": message, "tag": tag, "omit_duplicate_comments": True}
        try:
            await self._client.review(project, number, patch_set, {**body, "labels": dict(votes)})
        except Refused as refused:
            log.warning("%s refused a vote on change %d: %s", self.place.name, number, refused)
            try:
                await self._client.review(project, number, patch_set, body)
            except Refused as again:
                log.warning("%s refused a report on change %d: %s", self.place.name, number, again)

    # For pages

    async def hidden(self, actor: Actor, changes: Collection[int], visible_to: str) -> frozenset[int]:
        """Those of some changes that a reader may not see: private ones, and all where the connection says so."""
        if "Administrators" in actor.groups:
            return frozenset()
        if visible_to == "administrators" or (visible_to == "signed-in" and actor.account is None):
            return frozenset(changes)
        known = await self._db.read(store.projects_of, tuple(changes))
        return frozenset(number for number in changes if number not in known or known[number][1])

    async def project_of(self, number: int) -> str:
        """The project of a change."""
        known = await self._db.read(store.projects_of, (number,))
        if number not in known:
            raise NotFound(f"{self.place.name} has no change {own_number(number)} that is known here.")
        return known[number][0]

    def _names(self, message: str, number: int, change_id: str) -> bool:
        return any(url == change_id or number_of(url, self.place) == number for url in depends_on(message))

    def _facts(self, known: Mirrored, patch_set: int | None) -> ChangeFacts | None:
        asked = next((one for one in known.patch_sets if one.number == (patch_set or known.facts.current)), None)
        if asked is None:
            return None
        facts = replace(
            known.facts,
            patch_set=asked.number,
            commit=asked.commit,
            parents=asked.parents,
            subject=asked.subject,
            message=asked.message,
            uploader=asked.uploader,
            author=asked.author,
            votes=known.facts.votes if asked.number == known.facts.current else (),
        )
        return replace(facts, files=self._files(facts.project, facts.commit))

    def _read_files(self, project: str, commit: str) -> tuple[str, ...]:
        """The paths that a commit touches; none of one that is not here, because it was merged long ago."""
        if not self._repositories.exists(project) or self._repositories.resolve(project, commit) is None:
            return ()
        changed = self._repositories.changed_files(project, commit)
        return tuple(sorted({name for file in changed for name in (file.path, file.old_path) if name}))


def _shortened(message: str) -> str:
    """Gerrit takes no longer messages: a report is cut rather than refused."""
    data = message.encode()
    if len(data) <= _MOST_BYTES:
        return message
    return data[: _MOST_BYTES - len(_CUT)].decode("utf-8", "ignore") + _CUT

# SPDX-License-Identifier: Apache-2.0
"""A Gerrit as a source of changes: what the gate asks is answered from the mirror, what it says goes to Gerrit.

Nothing that the gate asks waits for Gerrit. Reports and landings do, with a time limit, and are tried again by whoever
carries them out.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict

from ...access_rules import Actor
from ...change import FileComment, Landed, Landing, LandRefused, own_number
from ...clock import Clock
from ...db import Database
from ...errors import NotFound, Refused
from ...reasons import Reason
from ...repo import Repositories
from . import store
from .client import Client
from .known import KnownChanges
from .landing import Lander
from .model import ABANDONED, Mirrored, Person, Place
from .ports import Use
from .requirements import waits_for

log = logging.getLogger(__name__)

_MOST_BYTES = 16_000
_CUT = "\n[the rest was cut]"


class GerritSource(KnownChanges):
    """One connection, as the gate sees it."""

    def __init__(
        self, place: Place, use: Use, client: Client, lander: Lander, repositories: Repositories, db: Database,
        clock: Clock,
    ) -> None:  # fmt: skip
        super().__init__(place, use, repositories, db)
        self._client = client
        self._lander = lander
        self._clock = clock

    async def person(self, id: int) -> Person | None:
        """Who is behind an account."""
        return await self._db.read(store.person, id)

    async def ready(self, number: int) -> Reason | None:
        """What its submit requirements still ask for, apart from the labels that the gate votes on."""
        known = await self._db.read(store.find, number)
        return None if known is None else waits_for(known, self._use.labels())

    # What the gate says

    async def report(
        self, change: int, patch_set: int, *, message: str, votes: Mapping[str, int], tag: str, event_key: str,
        comments: Sequence[FileComment] = (),
    ) -> None:  # fmt: skip
        """Comment and vote as the connection's account; what was reported once is not reported again."""
        if await self._db.read(store.reported, event_key):
            return
        known = await self._db.read(store.find, change)
        if known is not None:
            counts = known.facts.current == patch_set and known.facts.status != ABANDONED
            body = {"message": _shortened(message), "tag": tag, "omit_duplicate_comments": True}
            await self._say(known, patch_set, body, _inline(comments), votes if counts else {})
        await self._db.run_silent(store.set_reported, event_key, self._clock.now())

    async def land(self, landing: Landing) -> Landed | LandRefused:
        """Merge the changes of one item; the same item again has the same answer."""
        return await self._lander.land(landing)

    async def _say(
        self, known: Mirrored, patch_set: int, body: Mapping[str, object], inline: Mapping[str, object],
        votes: Mapping[str, int],
    ) -> None:  # fmt: skip
        """As much as Gerrit takes: remarks on files that it does not know, then votes that it refuses, are left out."""
        project, number = known.facts.project, own_number(known.facts.number)
        voting = {**body, "labels": dict(votes)}
        for less in ({**voting, "comments": inline}, voting, body):
            try:
                await self._client.review(project, number, patch_set, less)
            except Refused as refused:
                log.warning("%s refused a report on change %d: %s", self.place.name, number, refused)
            else:
                return

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


def _inline(comments: Sequence[FileComment]) -> dict[str, list[dict[str, object]]]:
    """Remarks on lines as Gerrit's REST takes them; without a line they are on the file."""
    found: dict[str, list[dict[str, object]]] = {}
    for one in comments:
        place: dict[str, object] = {"line": one.line} if one.line else {}
        if one.line and one.span is not None:
            place["range"] = asdict(one.span)
        found.setdefault(one.path, []).append({"message": _shortened(one.message), "unresolved": False, **place})
    return found


def _shortened(message: str) -> str:
    """Gerrit takes no longer messages: a report is cut rather than refused."""
    data = message.encode()
    if len(data) <= _MOST_BYTES:
        return message
    return data[: _MOST_BYTES - len(_CUT)].decode("utf-8", "ignore") + _CUT

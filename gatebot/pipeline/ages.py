# SPDX-License-Identifier: Apache-2.0
"""Remembers when votes become old enough, or too old, for a pipeline: that nothing happens then is no event of Gerrit.

An adapter. Both that a time is awaited and that it came are facts in the journal, so that a restart forgets none.
"""

from __future__ import annotations

from datetime import datetime

from .. import journal
from ..clock import Clock
from ..db import Database, Session
from .model import AgeAwaited, AgeReached

_KINDS = (AgeAwaited, AgeReached)
_Key = tuple[str, str, int]


class Ages:
    """The times that are awaited, by tenant, pipeline and change."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._awaited: dict[_Key, AgeAwaited] = {}

    async def load(self) -> None:
        """Find again what was awaited when the server ended."""
        self._awaited = await self._db.read(_awaited)

    async def wait(self, awaited: AgeAwaited) -> None:
        """From now on this time, or none, is awaited."""
        key = _key(awaited)
        if awaited == self._awaited.get(key) or (awaited.due is None and key not in self._awaited):
            return
        await self._db.run(journal.append, awaited, self._clock.now())
        self._keep(awaited)

    async def fire(self) -> None:
        """Tell of the times that have come."""
        now = self._clock.now()
        for one in [one for one in self._awaited.values() if _has_come(one.due, now)]:
            await self._db.run(journal.append, AgeReached(one.tenant, one.pipeline, one.change, one.refused), now)
            del self._awaited[_key(one)]

    def _keep(self, awaited: AgeAwaited) -> None:
        if awaited.due is None:
            self._awaited.pop(_key(awaited), None)
        else:
            self._awaited[_key(awaited)] = awaited


def _awaited(session: Session) -> dict[_Key, AgeAwaited]:
    found: dict[_Key, AgeAwaited] = {}
    after = 0
    while entries := journal.read_in(session, after, _KINDS):
        after = entries[-1].id
        for entry in entries:
            match entry.event:
                case AgeAwaited() as event if event.due is not None:
                    found[_key(event)] = event
                case AgeAwaited() | AgeReached() as event:
                    found.pop(_key(event), None)
                case _:
                    pass
    return found


def _has_come(due: datetime | None, now: datetime) -> bool:
    return due is not None and due <= now


def _key(event: AgeAwaited | AgeReached) -> _Key:
    return event.tenant, event.pipeline, event.change

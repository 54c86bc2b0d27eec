# SPDX-License-Identifier: Apache-2.0
"""Reads and writes the pairs that programs keep with changes.

Who may write them, and what they may be, is decided here. What is so already is told to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ... import access, journal
from ...access import Actor
from ...clock import Clock
from ...db import Database, Session
from ...errors import Invalid
from ...reasons import reason
from .. import deeds
from .. import store as changes
from ..model import CustomKeyedValuesChanged
from . import store

_MOST, _LONGEST_KEY, _LONGEST = 100, 100, 10_000


class KeyedValues:
    """The values of changes."""

    def __init__(self, db: Database, clock: Clock, rules: access.Rulebook) -> None:
        self._db = db
        self._clock = clock
        self._rules = rules

    async def of(self, change: int) -> dict[str, str]:
        """All of a change."""
        return await self._db.read(store.of_change, change)

    async def change(self, actor: Actor, number: int, add: Mapping[str, str], remove: Sequence[str]) -> dict[str, str]:
        """Write some and take some away; all of them as they are then."""
        for key, value in add.items():
            _check(key, value)
        return await self._db.run(self._change, actor, number, add, remove)

    def _change(
        self, session: Session, actor: Actor, number: int, add: Mapping[str, str], remove: Sequence[str]
    ) -> dict[str, str]:
        account = deeds.set_keyed_values(actor, changes.get_change(session, number), self._rules)
        before = store.of_change(session, number)
        given = {key: value for key, value in add.items() if before.get(key) != value}
        gone = tuple(sorted(key for key in set(remove) - set(add) if key in before))
        if len({*before, *given}) - len(gone) > _MOST:
            raise Invalid(reason=reason("review.bad-field", field="add", why=f"a change has at most {_MOST} values"))
        if given or gone:
            store.put(session, number, given, gone)
            fact = CustomKeyedValuesChanged(number, account, tuple(given.items()), gone)
            journal.append(session, fact, self._clock.now())
        return store.of_change(session, number)


def _check(key: str, value: str) -> None:
    if not key or len(key) > _LONGEST_KEY or not key.isprintable() or "=" in key or key != key.strip():
        why = f"a key is a text of 1 to {_LONGEST_KEY} characters without ="
        raise Invalid(reason=reason("review.bad-field", field="add", why=why))
    if len(value) > _LONGEST:
        why = f"a value has at most {_LONGEST} characters"
        raise Invalid(reason=reason("review.bad-field", field=f"add.{key}", why=why))

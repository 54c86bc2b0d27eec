# SPDX-License-Identifier: Apache-2.0
"""Follows the journal once for each webhook and tells it what happens, one event at a time, in order.

How far a webhook is moves when an event was taken: after a kill that event may come once more, with the same id, and
none is missing. A webhook that fails keeps no other waiting.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from ...access import STRANGER, Actor
from ...assignment import Json
from ...clock import Clock
from ...db import Database
from ...identity import Identity
from ...journal import Entry, Journal
from ..deliveries.posting import Poster
from ..mail.service import last_change
from ..ssh import happenings
from ..ssh.telling import Telling
from . import store
from .deciding import delivered, failed, safe_place, wants
from .model import Due, Progress, Standing, Webhook
from .posting import Teller

log = logging.getLogger(__name__)
_BATCH = 50  # rights are looked at anew with each


class Webhooks:
    """The webhooks of a site."""

    def __init__(
        self, webhooks: Sequence[Webhook], db: Database, journal: Journal, clock: Clock, telling: Telling,
        identity: Identity, poster: Poster | None = None,
    ) -> None:  # fmt: skip
        self._db = db
        self._journal = journal
        teller = Teller(poster or Poster())
        self._lines = [_Line(webhook, db, journal, clock, telling, identity, teller) for webhook in webhooks]

    async def settle(self) -> None:
        """Take up where each webhook was."""
        names = [line.webhook.name for line in self._lines]
        found = await self._db.run_silent(store.settle, names, await self._journal.last())
        for line in self._lines:
            line.take_up(found[line.webhook.name])

    async def run(self) -> None:
        """Tell for ever."""
        await self.settle()
        async with asyncio.TaskGroup() as tasks:
            for line in self._lines:
                tasks.create_task(line.run())
            await asyncio.get_running_loop().create_future()

    async def deliver(self) -> None:
        """Tell everybody what is due now, and return."""
        for line in self._lines:
            await line.deliver()

    async def standings(self) -> tuple[Standing, ...]:
        """How each webhook stands."""
        return tuple([await line.standing() for line in self._lines])


class _Line:
    """One webhook and what it is to be told."""

    def __init__(
        self, webhook: Webhook, db: Database, journal: Journal, clock: Clock, telling: Telling, identity: Identity,
        teller: Teller,
    ) -> None:  # fmt: skip
        self.webhook = webhook
        self._db = db
        self._journal = journal
        self._clock = clock
        self._telling = telling
        self._identity = identity
        self._teller = teller
        self._progress = Progress(0)
        self._after = 0  # nothing up to here concerns a webhook; not worth a row each time

    def take_up(self, progress: Progress) -> None:
        """Go on from here."""
        self._progress, self._after = progress, progress.upto

    async def standing(self) -> Standing:
        """How it stands."""
        waiting = await self._journal.read(self._after, kinds=happenings.KINDS, limit=1)
        return Standing(self.webhook.name, self._progress, waiting[0].at if waiting else None)

    async def run(self) -> None:
        """Tell for ever."""
        while True:
            last = await self.deliver()
            due = self._progress.due
            if due is None:
                await self._journal.wait(last)
            else:
                await self._clock.sleep(max(0.0, (due - self._clock.now()).total_seconds()))

    async def deliver(self) -> int:
        """Tell what is due now; the newest entry that was looked at."""
        while True:
            last = await self._journal.last()
            due = self._progress.due
            if due is not None and due > self._clock.now():
                return last
            entries = await self._journal.read(self._after, kinds=happenings.KINDS, limit=_BATCH)
            if not entries:
                self._after = max(self._after, last)
                return last
            # A full batch may end in the middle of a transaction: its last change waits for the rest.
            await self._tell(entries if len(entries) < _BATCH else entries[: last_change(entries)])

    async def _tell(self, entries: Sequence[Entry]) -> None:
        """Tell the events of some entries, up to the first that fails."""
        ids = [entry.id for entry, _ in happenings.grouped(entries)]
        at = {entry.id: entry.at for entry in entries}
        position, due = 0, Due(ids[0], "", at[ids[0]], safe_place(ids, 0, entries[-1].id))
        try:
            actor = await self._actor()
            if actor is None:
                await self._failed(due, f"there is no active account {self.webhook.account}")
                return
            async with aclosing(self._telling.events(actor, entries)) as events:
                async for id, told in events:
                    position = ids.index(id, position)
                    due = Due(id, str(told["type"]), at[id], safe_place(ids, position, entries[-1].id))
                    if wants(self.webhook, told) and not await self._told(due, told):
                        return
        except Exception as error:
            # An event that cannot be told must not end the webhook, nor the site.
            log.exception("webhook %s: %s cannot be told", self.webhook.name, due.name)
            await self._failed(due, f"it cannot be told: {type(error).__name__}")
            return
        await self._save(replace(self._progress, upto=max(self._progress.upto, entries[-1].id), event=0, due=None))

    async def _told(self, due: Due, told: Mapping[str, Json]) -> bool:
        problem = await self._teller.tell(self.webhook, told)
        if problem:
            await self._failed(due, problem)
            return False
        await self._save(delivered(self._progress, due, self._clock.now()))
        return True

    async def _failed(self, due: Due, problem: str) -> None:
        before = self._progress
        after = failed(before, due, problem, self._clock.now(), random.random())  # noqa: S311
        if after.left_count > before.left_count:
            told = "webhook %s: %s was left behind after %d tries: %s"
            log.error(told, self.webhook.name, due.name, before.tries + 1, problem)
        elif problem != before.problem:
            log.warning("webhook %s: %s was not delivered: %s", self.webhook.name, due.name, problem)
        await self._save(after)

    async def _save(self, progress: Progress) -> None:
        await self._db.run_silent(store.save, self.webhook.name, progress)
        self.take_up(progress)

    async def _actor(self) -> Actor | None:
        """As whom events are told: a stranger, or the account of the settings; None: it is not there."""
        if not self.webhook.account:
            return STRANGER
        account = await self._identity.by_username(self.webhook.account)
        return account.actor if account is not None and account.active else None

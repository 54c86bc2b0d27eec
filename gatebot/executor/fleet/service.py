# SPDX-License-Identifier: Apache-2.0
"""Who may run builds for this site: enrolled by an administrator, admitted once by a token, known by another since.

The token that an administrator passes on is good for one machine and for a day. A revoked executor is refused at once
by everything that it asks; what it still runs is given away when its leases end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ...access import DEFAULT, Actor, Rulebook, Target, Verb, may
from ...clock import Clock
from ...db import Database
from ...errors import Conflict, Invalid, NotFound, NotPermitted, Unauthenticated
from ...keys import boxes
from ...reasons import reason
from . import store
from .fleet import Fleet
from .model import NAME, Claim, Enrolled
from .passes import Passes, hashed, new_token
from .roster import stale

_TOKEN_LIVES = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """An executor as people see it."""

    executor: Enrolled
    builds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """All executors on other machines; none comes where they are not `on`."""

    db: Database
    clock: Clock
    fleet: Fleet
    passes: Passes
    on: bool = True
    rules: Rulebook = DEFAULT

    # -- for people

    async def enrol(self, actor: Actor, name: str) -> str:
        """Let an executor come; the token that it comes with."""
        self._require(actor)
        if not self.on:
            raise Conflict(reason=reason("executor.dispatch-off"))
        if not NAME.fullmatch(name):
            raise Invalid(reason=reason("executor.bad-name", name=name[:80]))
        token, now = new_token(), self.clock.now()
        await self.db.run(store.enrol, Enrolled(name, hashed(token), now, now + _TOKEN_LIVES))
        self.fleet.roster.forget(name)
        return token

    async def every(self) -> Sequence[Seen]:
        """All that may come, by name."""
        return [Seen(one, self.fleet.roster.running(one.name)) for one in await self.db.read(store.every)]

    async def revoke(self, actor: Actor, name: str) -> None:
        """Let an executor come no more."""
        self._require(actor)
        if not await self.db.run(store.revoke, name):
            raise NotFound(reason=reason("executor.no-such-executor", name=name[:80]))
        self.fleet.roster.forget(name)

    def _require(self, actor: Actor) -> None:
        if actor.account is None:
            raise Unauthenticated(reason=reason("executor.sign-in"))
        if not may(actor, Verb.ADMINISTRATE_SERVER, Target(), self.rules):
            raise NotPermitted(reason=reason("executor.administrators-only"))

    # -- for executors

    async def admit(self, token: str, key: str, version: str) -> tuple[str, str]:
        """An executor comes for the first time, with its public key: its name, and the token that it keeps."""
        found = await self.db.read(store.by_token, hashed(token))
        if found is None or found.key:
            raise Unauthenticated(reason=reason("executor.token-wrong"))
        if found.expires is not None and found.expires < self.clock.now():
            raise Unauthenticated(reason=reason("executor.token-expired", name=found.name))
        boxes.encrypt(key, "", b"")  # refuses what is no key
        kept = new_token()
        name = await self.db.run(store.admit, hashed(token), hashed(kept), key, version)
        if name is None:  # another machine was faster
            raise Unauthenticated(reason=reason("executor.token-wrong"))
        return name, kept

    async def known(self, token: str) -> Enrolled:
        """The executor that shows this token."""
        found = await self.db.read(store.by_token, hashed(token))
        if found is None or not found.key:
            raise Unauthenticated(reason=reason("executor.not-enrolled"))
        return found

    async def speaking(self, text: str, build: str = "") -> Claim:
        """The claim under which a build's pass is shown. Raises for what is none, and for a run that lost its build."""
        shown = self.passes.of_build(text)
        if shown is None or build not in ("", shown.build):
            raise Unauthenticated(reason=reason("executor.pass-wrong"))
        if await self.db.read(store.find, shown.executor) is None:
            raise Unauthenticated(reason=reason("executor.not-enrolled"))
        claim = self.fleet.roster.claim_of(shown.executor, shown.build, shown.fence)
        if self.fleet.roster.builds[shown.build].ended:  # it cleans up
            return claim
        if await self.fleet.fences.alive({shown.build: shown.fence}):
            raise stale(shown.build, shown.fence)
        return claim

    def of_nats(self, text: str) -> str | None:
        """The executor whose pass for NATS this is."""
        return self.passes.of_nats(text)

# SPDX-License-Identifier: Apache-2.0
"""Who has which build, and which executors on other machines live, as this server knows it.

Only memory and no clock: `now` is an argument. What must outlive the server is in `store.py`, what is done about it in
`fleet.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ...assignment import Assignment, NodeWait
from ...errors import Conflict, SettingsError
from ...reasons import Reason, reason
from ..labels import label_from
from ..model import Label
from ..placing import Offer
from .choosing import Member, Wish, stranded, waits
from .leases import shortened
from .model import SILENT_SECONDS, Abilities, Beat, Claim, Enrolled


@dataclass(slots=True)
class Given:
    """A build that was given to the fleet. `executor` None: it waits; `claim`: somebody has it.

    `ended`: it is not wanted any more, because of `why`; what it began is still cleaned up.
    """

    fence: int
    assignment: Assignment | None = None
    wish: Wish | None = None
    executor: str | None = None
    offered: datetime | None = None
    claim: Claim | None = None
    ended: bool = False
    why: Reason | None = None


@dataclass(slots=True)
class Roster:
    """`builds` are those given to executors on other machines, or to nobody yet."""

    builds: dict[str, Given] = field(default_factory=dict[str, Given])
    _beats: dict[str, tuple[Beat, datetime]] = field(default_factory=dict[str, tuple[Beat, datetime]])
    _last: dict[str, tuple[Abilities, datetime]] = field(default_factory=dict[str, tuple[Abilities, datetime]])

    def heard(self, name: str, beat: Beat, now: datetime) -> None:
        """An executor lives."""
        self._beats[name] = beat, now
        self.remember(name, beat.abilities, now)

    def remember(self, name: str, abilities: Abilities, heard: datetime) -> None:
        """What an executor could do when it was heard of last, by this server or one before it."""
        self._last[name] = abilities, heard

    def forget(self, name: str) -> None:
        """An executor may not come any more; its builds are given away when their leases end."""
        self._beats.pop(name, None)
        self._last.pop(name, None)

    def lives(self, name: str | None, now: datetime) -> bool:
        """Whether an executor was heard of just now."""
        known = self._beats.get(name or "")
        return known is not None and (now - known[1]).total_seconds() < SILENT_SECONDS

    def members(self, now: datetime) -> Iterator[Member]:
        """Those that live, with the room that they have."""
        for name, (beat, _) in tuple(self._beats.items()):  # metrics are read on a thread of their own
            if self.lives(name, now):
                has = tuple(build for build, given in tuple(self.builds.items()) if given.executor == name)
                yield replace(member(name, max(beat.slots - len(has), 0), beat.abilities), running=has)

    def waits(self, members: Sequence[Member], labels: Mapping[str, Label], now: datetime) -> Mapping[str, NodeWait]:
        """What builds wait for that nobody has room for, and those whose executor has no nodes for them yet."""
        nobodys = [one.wish for one in tuple(self.builds.values()) if one.executor is None and one.wish is not None]
        told = [beat.waits for name, (beat, _) in tuple(self._beats.items()) if self.lives(name, now)]
        own = {build: wait for waits in told for build, wait in waits.items() if build in self.builds}
        silent = [(member(name, 0, abilities), since) for name, abilities, since in self.silent(now)]
        return {**own, **dict(stranded(members, silent, labels, nobodys)), **waits(members, labels, nobodys)}

    def silent(self, now: datetime) -> Iterator[tuple[str, Abilities, str]]:
        """The executors that came once and are not heard of any more: what they could do, and since when they are."""
        for name, (abilities, heard) in tuple(self._last.items()):
            if (now - heard).total_seconds() >= SILENT_SECONDS:
                yield name, abilities, f"{heard:%H:%M}" if heard.date() == now.date() else f"{heard:%Y-%m-%d %H:%M}"

    def running(self, name: str) -> tuple[str, ...]:
        """The builds that an executor has."""
        return tuple(build for build, given in self.builds.items() if given.executor == name and not given.ended)

    def runs(self, builds: Iterable[str]) -> None:
        """What these builds were given is not needed again; one that ended since the beat is not there any more."""
        for build in builds:
            given = self.builds.get(build)
            if given is not None:
                given.assignment = None

    def shorten(self, name: str, beat: Beat, now: datetime) -> dict[str, datetime]:
        """The leases of an executor that a farewell made longer end as always again, once it knows; since when."""
        has = (one.claim for one in self.builds.values() if one.claim is not None and one.claim.executor == name)
        found = shortened(tuple(has), beat, now)
        for build, claim in found.items():
            self.builds[build].claim = claim
        return {build: claim.heard for build, claim in found.items()}

    def has(self, name: str, build: str, fence: int) -> bool:
        """Whether this run of a build is this executor's: also one that is not wanted any more and cleans up."""
        given = self.builds.get(build)
        if given is None or given.claim is None:
            return False
        return given.claim.executor == name and given.claim.fence == given.fence == fence

    def claim_of(self, name: str, build: str, fence: int) -> Claim:
        """The claim that an executor speaks under. Raises `Conflict` where it is not his, or not any more."""
        given = self.builds.get(build)
        if given is None or given.claim is None or not self.has(name, build, fence):
            raise stale(build, fence)
        return given.claim


def alive(executor: Enrolled, now: datetime) -> bool:
    """Whether an executor was heard of just now, by this server or one before it."""
    return executor.heard is not None and (now - executor.heard).total_seconds() < SILENT_SECONDS


def member(name: str, free: int, abilities: Abilities) -> Member:
    """An executor as the choice sees it."""
    offers = {
        provider: Offer(capacity, provider in abilities.trusted, abilities.trying.get(provider))
        for provider, capacity in (*abilities.capacities.items(), *abilities.unusable.items())
    }
    return Member(name, free, offers, dict(_labels(abilities)), unready=abilities.unready)


def _labels(abilities: Abilities) -> Iterator[tuple[str, Label]]:
    """Its own labels, as far as this version knows what they say."""
    for name, keys in abilities.labels.items():
        with contextlib.suppress(SettingsError):
            yield name, label_from(name, keys)


def stale(build: str, fence: int) -> Conflict:
    """The refusal of everything that a build with an old fence still wants."""
    return Conflict(reason=reason("executor.stale-fence", build=build, fence=fence))

# SPDX-License-Identifier: Apache-2.0
"""All places that changes come from, as the one that the gate asks: each question goes where its change is at home.

A change of this site has its own number; those of other Gerrits have theirs plus a multiple of `change.SPACE`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..change import ChangeFacts, FileComment, Landed, Landing, LandRefused, own_number
from ..reasons import Reason, reason
from .ports import People, Person, Review, Source


class Sources:
    """`own` is this site's review room, which has what no other has."""

    def __init__(self, own: Review, people: People, others: Sequence[Source] = ()) -> None:
        self._own = own
        self._people = people
        self._others = tuple(others)

    async def change(self, number: int, patch_set: int | None = None) -> ChangeFacts | None:
        """A change and one of its patch sets (None: the newest)."""
        return await self._of(number).change(number, patch_set)

    async def named(self, address: str) -> tuple[int, ...]:
        """The changes that an address, or a `Change-Id`, of a `Depends-On:` footer names, wherever they are."""
        found = [await source.named(address) for source in (self._own, *self._others)]
        return tuple(number for numbers in found for number in numbers)

    async def by_topic(self, number: int, topic: str) -> tuple[int, ...]:
        """The open changes under this topic, where the change of this number is at home."""
        return await self._of(number).by_topic(number, topic)

    async def kept_from(self, numbers: Collection[int], by: Collection[int]) -> frozenset[int]:
        """Those of some changes that one of these accounts may not see; each place knows of its own."""
        hidden: frozenset[int] = frozenset()
        for place in (self._own, *self._others):
            here = [number for number in numbers if self._of(number) is place]
            hidden |= await place.kept_from(here, by) if here else frozenset()
        return hidden

    async def open_changes(self, project: str) -> tuple[int, ...]:
        """The open changes of a project, oldest first."""
        return await self._host(project).open_changes(project)

    async def by_commit(self, project: str, branch: str, commit: str) -> ChangeFacts | None:
        """The open change whose current patch set is this commit."""
        return await self._host(project).by_commit(project, branch, commit)

    async def depending_on(self, number: int) -> tuple[int, ...]:
        """The open changes that name it in `Depends-On:`, or that stand on its current patch set."""
        return await self._of(number).depending_on(number)

    async def ready(self, number: int) -> Reason | None:
        """What the submit rule still asks for, apart from the gate's own vote; None: nothing."""
        return await self._of(number).ready(number)

    async def report(
        self, change: int, patch_set: int, *, message: str, votes: Mapping[str, int], tag: str, event_key: str,
        comments: Sequence[FileComment] = (),
    ) -> None:  # fmt: skip
        """Comment and vote as the gate; the same `event_key` again does nothing."""
        home = self._of(change)
        await home.report(
            change, patch_set, message=message, votes=votes, tag=tag, event_key=event_key, comments=comments
        )

    async def land(self, landing: Landing) -> Landed | LandRefused:
        """Move the branches to the tested commits. What is at home in several places cannot land all or none."""
        homes = [self._of(one.number) for one in landing.changes]
        if any(home is not homes[0] for home in homes):
            told = ", ".join(str(own_number(one.number)) for one in landing.changes)
            return LandRefused(landing.item, reason("pipeline.gerrit-several-places", changes=told))
        return await homes[0].land(landing)

    async def by_id(self, id: int) -> Person | None:
        """Who is behind an account, wherever it is at home."""
        home = next((source for source in self._others if source.numbers(id)), None)
        return await (self._people.by_id(id) if home is None else home.person(id))

    def _host(self, project: str) -> Review:
        return next((source for source in self._others if source.hosts(project)), self._own)

    def _of(self, number: int) -> Review:
        return next((source for source in self._others if source.numbers(number)), self._own)

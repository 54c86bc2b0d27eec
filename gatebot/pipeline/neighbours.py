# SPDX-License-Identifier: Apache-2.0
"""Looks up the changes around a change, each once in a batch of events: what it needs, its topic, who waits for it.

An adapter around the port to the rooms of changes. It keeps what it read until the batch ends, so that a storm of
events about one topic asks for each change once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..change import ChangeFacts
from ..depends import depends_on
from ..reasons import Reason
from .config.layout import Layout
from .joining import MERGED, OPEN, Candidate
from .ports import Review


class Neighbours:
    """What is known of changes in this batch."""

    def __init__(self, review: Review) -> None:
        self._review = review
        self._changes: dict[tuple[int, int | None], ChangeFacts | None] = {}
        self._candidates: dict[int, Candidate] = {}
        self._named: dict[str, tuple[int, ...]] = {}
        self._topics: dict[tuple[int, str], tuple[int, ...]] = {}
        self._behind: dict[int, tuple[int, ...]] = {}
        self._seen: dict[frozenset[int], dict[int, bool]] = {}
        self._ready: dict[int, Reason | None] = {}

    async def change(self, number: int, patch_set: int | None = None) -> ChangeFacts | None:
        """A change and one of its patch sets (None: the newest)."""
        key = number, patch_set
        if key not in self._changes:
            found = await self._review.change(number, patch_set)
            self._changes[key] = found
            if found is not None:
                self._changes[number, found.patch_set] = found
        return self._changes[key]

    async def ready(self, number: int) -> Reason | None:
        """What people still have to do before it may merge."""
        if number not in self._ready:
            self._ready[number] = await self._review.ready(number)
        return self._ready[number]

    async def behind(self, number: int) -> tuple[int, ...]:
        """The open changes that need it."""
        if number not in self._behind:
            self._behind[number] = await self._review.depending_on(number)
        return self._behind[number]

    async def topic(self, change: ChangeFacts, topic: str) -> tuple[int, ...]:
        """The open changes under a topic, on the site of this change."""
        key = change.number, topic
        if key not in self._topics:
            found = await self._review.by_topic(change.number, topic) if topic else ()
            self._topics.update(((mate, topic), found) for mate in (*found, change.number))
        return self._topics[key]

    async def hidden(self, change: ChangeFacts, numbers: Collection[int]) -> frozenset[int]:
        """Those that its owner or its uploader may not see: jobs of the change would show them what these say."""
        by = frozenset((change.owner, change.uploader))
        known = self._seen.setdefault(by, {})
        new = [number for number in numbers if number not in known]
        kept = await self._review.kept_from(new, by) if new else frozenset[int]()
        known.update((number, number not in kept) for number in new)
        return frozenset(number for number in numbers if not known[number])

    async def around(
        self, layout: Layout, start: ChangeFacts, most: int, *, ahead: bool = True, whole: bool = True
    ) -> dict[int, Candidate] | None:
        """The change and all that it needs, at whatever remove; None: those are more than `most`.

        Of what is not open nothing further is looked up. Without `ahead` it is alone; where it is not the `whole` that
        is asked for, it is only what the people of the change may see: a gate waits for the rest, others test without.
        """
        found: dict[int, Candidate] = {start.number: Candidate(start)}
        waiting = [start] if ahead and start.status == OPEN else []
        while waiting:
            facts = waiting.pop()
            found[facts.number] = await self._candidate(layout, facts)
            needs = found[facts.number].needs
            hidden = frozenset[int]() if whole else await self.hidden(start, needs)
            for number in needs:
                if number in found or number in hidden:
                    continue
                if len(found) > most:
                    return None
                other = await self.change(number)
                assert other is not None, "what a candidate needs was looked at before"
                found[number] = Candidate(other)
                if other.status == OPEN:
                    waiting.append(other)
        return found

    async def _candidate(self, layout: Layout, facts: ChangeFacts) -> Candidate:
        known = self._candidates.get(facts.number)
        if known is None:
            known = self._candidates[facts.number] = await self._look_up(facts)
        if facts.topic and layout.queue(facts.project, facts.branch)[1].dependencies_by_topic:
            mates = await self.topic(facts, facts.topic)
            hidden = await self.hidden(facts, mates)
            there = [number for number in mates if number not in hidden]
            inside = [number for number in there if (one := await self.change(number)) and one.status == OPEN]
            return replace(known, mates=tuple(inside))
        return known

    async def _look_up(self, facts: ChangeFacts) -> Candidate:
        under: list[int] = []
        for parent in facts.parents:
            stands_on = await self._review.by_commit(facts.project, facts.branch, parent)
            if stands_on is not None and stands_on.status != MERGED:
                self._changes.setdefault((stands_on.number, None), stands_on)
                under.append(stands_on.number)
        named: list[int] = []
        unknown: list[str] = []
        for address in depends_on(facts.message):
            numbers = await self._names(address)
            hidden = await self.hidden(facts, numbers)
            there = [number for number in numbers if number not in hidden]
            others = [one for number in there if (one := await self.change(number)) is not None]
            named += [one.number for one in others if one.status != MERGED]
            if not others:
                unknown.append(address)
        return Candidate(facts, tuple(under), tuple(named), unknown=tuple(unknown))

    async def _names(self, address: str) -> tuple[int, ...]:
        if address not in self._named:
            self._named[address] = await self._review.named(address)
        return self._named[address]

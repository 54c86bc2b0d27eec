# SPDX-License-Identifier: Apache-2.0
"""The review room is a place of changes like any other: the contract, on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatebot.access import Actor
from gatebot.identity import CORE, Identity
from gatebot.review import conversation
from gatebot.review.drafts import Draft
from gatebot.review.room import furnish
from tests.fakes.review_house import BOB, SITE, ReviewHouse
from tests.fakes.source_contract import SourceContract, Uploaded


class ReviewPlace:
    """Implements `PlaceOfChanges`."""

    project = "api"

    def __init__(self, house: ReviewHouse) -> None:
        self._house = house
        self.repositories = house.repositories
        self._room = furnish(
            house.db, house.repositories, Identity(house.db, house.clock), house.clock, house.gates, SITE
        )
        self.source = self._room.for_gate
        house.project(self.project)
        house.gates.branches = {(self.project, "main")}

    async def push(self, files: dict[str, str], subject: str, body: str = "", onto: str = "") -> Uploaded:
        change = self._house.push(
            self.project, files, subject, onto or self._house.tip(self.project), body and f"{body}\n"
        )
        url = f"{SITE}c/{self.project}/+/{change.number}"
        return Uploaded(change.number, self._house.commit_of(change), url, change.change_id)

    async def approve(self, change: Uploaded) -> None:
        votes = (("Code-Review", 2), ("Workflow", 1))
        await self._room.review.post(Actor(BOB, frozenset({CORE})), change.number, 1, Draft("", votes))

    async def move(self, files: dict[str, str]) -> None:
        old = self._house.tip(self.project)
        new = self._house.commit(self.project, files, "Move\n", old)
        assert self.repositories.update_ref(self.project, "refs/heads/main", old, new)

    async def tip(self) -> str:
        return self._house.tip(self.project)

    async def said(self, change: Uploaded) -> list[str]:
        return [message.text for message in self._house.read(conversation.list_messages, change.number)]


@pytest.fixture
async def place(room_url: str, tmp_path: Path) -> AsyncIterator[ReviewPlace]:
    house = await asyncio.to_thread(ReviewHouse, room_url, tmp_path / "git")
    yield ReviewPlace(house)
    await asyncio.to_thread(house.close)


class TestReviewRoom(SourceContract):
    """On SQLite and on PostgreSQL."""

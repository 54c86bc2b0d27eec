# SPDX-License-Identifier: Apache-2.0
"""A Gerrit is a place of changes like any other: the contract, on a real one, by both ways of merging."""

from __future__ import annotations

import asyncio

import pytest

from gatebot.events import PatchSetCreated, VoteCast
from tests.fakes.source_contract import SourceContract, Uploaded
from tests.gerrit.house import Author, House, Pushed


class GerritPlace:
    """Implements `PlaceOfChanges`."""

    def __init__(self, house: House, author: Author) -> None:
        self._house = house
        self._author = author
        self.source = house.hub.source
        self.repositories = house.app.repositories
        self.project = author.name("api")
        self._pushed: dict[int, Pushed] = {}

    async def push(self, files: dict[str, str], subject: str, body: str = "", onto: str = "") -> Uploaded:
        on = onto or "origin/main"
        made = await asyncio.to_thread(self._author.push, "api", files, subject, body=body, onto=on)
        number = self._house.local(made)
        self._pushed[number] = made
        await self._house.heard(PatchSetCreated, made)
        return Uploaded(number, made.commit, made.url, made.change_id)

    async def approve(self, change: Uploaded) -> None:
        pushed = self._pushed[change.number]
        await asyncio.to_thread(self._author.approve, pushed)
        await self._house.heard(VoteCast, pushed)

    async def move(self, files: dict[str, str]) -> None:
        await asyncio.to_thread(self._author.commit_directly, "api", files)

    async def tip(self) -> str:
        return await asyncio.to_thread(self._author.tip, "api")

    async def said(self, change: Uploaded) -> list[str]:
        return await asyncio.to_thread(self._author.said, self._pushed[change.number])


@pytest.fixture
async def place(house: House, author: Author) -> GerritPlace:
    return GerritPlace(house, author)


@pytest.mark.parametrize("landing", ["submit", "push"], indirect=True)
class TestGerrit(SourceContract):
    """With a Gerrit that merges, and with branches that the site moves itself."""

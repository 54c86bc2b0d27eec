# SPDX-License-Identifier: Apache-2.0
"""Changes of several places in one gate: each question goes where its change is at home, whichever place names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from gatebot.change import SPACE, Landing, LandingChange, LandRefused
from gatebot.pipeline.sources import Sources

pytestmark = pytest.mark.zuul(49, differs="the other ends are Gerrit sites; GitHub and the like are not spoken to")


@dataclass
class Place:
    """One place of changes; it remembers what it was asked."""

    address: str
    space: int = 0
    project: str = "api"
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def numbers(self, number: int) -> bool:
        return number // SPACE == self.space

    def hosts(self, project: str) -> bool:
        return project == self.project

    async def named(self, address: str) -> tuple[int, ...]:
        found = address.removeprefix(self.address)
        return (self.space * SPACE + int(found),) if found != address else ()

    async def change(self, number: int, patch_set: int | None = None) -> None:
        self.asked.append(("change", number))

    async def depending_on(self, number: int) -> tuple[int, ...]:
        self.asked.append(("depending_on", number))
        return (number + 1,)

    async def open_changes(self, project: str) -> tuple[int, ...]:
        self.asked.append(("open_changes", project))
        return ()

    async def report(self, change: int, patch_set: int, **told: object) -> None:
        self.asked.append(("report", change, told["comments"]))

    async def land(self, landing: Landing) -> None:
        self.asked.append(("land", landing.item))


def places() -> tuple[Sources, Place, Place]:
    own, gerrit = Place("https://own/"), Place("https://gerrit/", 1, "nova")
    made: Any = Sources
    return made(own, None, [gerrit]), own, gerrit


@pytest.mark.parametrize(("address", "number"), [("https://own/7", 7), ("https://gerrit/7", SPACE + 7)])
async def test_a_footer_may_name_a_change_of_any_place(address: str, number: int) -> None:
    sources, _, _ = places()
    assert await sources.named(address) == (number,)
    assert await sources.named("https://elsewhere/7") == ()


async def test_what_is_asked_of_a_change_is_asked_where_it_is_at_home() -> None:
    sources, own, gerrit = places()
    assert await sources.depending_on(SPACE + 7) == (SPACE + 8,)
    await sources.change(7)
    await sources.open_changes("nova")
    await sources.report(SPACE + 7, 1, message="", votes={}, tag="", event_key="")
    assert own.asked == [("change", 7)]
    assert gerrit.asked == [("depending_on", SPACE + 7), ("open_changes", "nova"), ("report", SPACE + 7, ())]


async def test_changes_of_several_places_cannot_merge_all_or_none_and_are_refused_together() -> None:
    sources, own, gerrit = places()

    def landing(*numbers: int) -> Landing:
        changes = tuple(LandingChange(number, 1, "api", "main", "a", "b", "store") for number in numbers)
        return Landing("item", "gate", changes)

    assert isinstance(await sources.land(landing(7, SPACE + 7)), LandRefused)
    assert (own.asked, gerrit.asked) == ([], [])
    await sources.land(landing(SPACE + 7))
    assert gerrit.asked == [("land", "item")]

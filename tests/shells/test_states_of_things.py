# SPDX-License-Identifier: Apache-2.0
"""What becomes of the changes and builds that people speak of, as far as a reader may see it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from gatebot.access import STRANGER, Actor
from gatebot.app.named import SiteStates
from gatebot.change import SPACE
from gatebot.db import Session
from gatebot.pipeline.store import builds
from gatebot.review import store
from gatebot.review.reading import Reading
from gatebot.review.trackers.rules import SHIPPED
from tests.fakes.review_house import ReviewHouse
from tests.shells.test_trackers import push

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def rooms(migrated_url: str, tmp_path: Path) -> Iterator[ReviewHouse]:
    rooms = ReviewHouse(migrated_url, tmp_path / "git")
    rooms.project("demo/api")
    yield rooms
    rooms.close()


class Elsewhere:
    """The sight of changes of another place: everybody sees the first, nobody the second."""

    async def hidden(self, actor: Actor, changes: Collection[int]) -> frozenset[int]:
        return frozenset(changes) - {SPACE + 1}

    async def change_project(self, actor: Actor, change: int) -> str:
        return "far"


def build(session: Session, uuid: str, change: int | None, result: str = "") -> None:
    row = {"uuid": uuid, "buildset": "s", "item": "i", "tenant": "t", "pipeline": "gate", "job": "unit"}
    row |= {"project": "demo/api", "branch": "main", "change": change, "patch_set": 1 if change else None}
    row |= {"voting": True, "attempt": 1, "fence": 1, "result": result, "created": NOON}
    session.execute(sa.insert(builds).values(row))


async def test_states_are_told_to_who_may_see_them_and_nobody_learns_what_else_there_is(rooms: ReviewHouse) -> None:
    seen, hidden = push(rooms, "Add a door", ""), push(rooms, "A secret", "")
    owner = Actor(hidden.owner, frozenset())
    rooms.write(partial(store.update_change, private=True), hidden.number, rooms.clock.now())
    rooms.write(partial(store.update_change, work_in_progress=True), seen.number, rooms.clock.now())
    uuids = {"a": seen.number, "b": hidden.number, "c": None, "d": SPACE + 1, "e": SPACE + 2}
    for letter, change in uuids.items():
        rooms.write(build, letter * 32, change, "SUCCESS" if letter in "abc" else "")
    reading = Reading(rooms.db, rooms.judge, rooms.clock)
    states = SiteStates(rooms.db, reading, Elsewhere(), SHIPPED["launchpad"])
    asked = [
        f"change/{seen.number}",
        f"change/{hidden.number}",
        "change/99",
        *(f"build/{one * 32}" for one in "abcdef"),
    ]
    told = await states.of(STRANGER, asked)
    assert list(told) == [f"change/{seen.number}", *(f"build/{one * 32}" for one in "acd")]
    change = told[f"change/{seen.number}"]
    assert (change.word, change.draft, change.title) == ("NEW", True, "Add a door (demo/api main)")
    assert (told[f"build/{'a' * 32}"].word, told[f"build/{'a' * 32}"].title) == (
        "SUCCESS",
        f"unit (demo/api {seen.number},1)",
    )
    assert (told[f"build/{'c' * 32}"].title, told[f"build/{'d' * 32}"].title) == (
        "unit (demo/api main)",
        "unit (demo/api 1,1)",
    )
    assert f"change/{hidden.number}" in await states.of(owner, asked)
    assert [bug.url for bug in states.bugs("is it bug 7?")] == ["https://bugs.launchpad.net/bugs/7"]
    assert SiteStates(rooms.db, reading, Elsewhere(), ()).bugs("bug 7") == ()

# SPDX-License-Identifier: Apache-2.0
"""What becomes of the changes and builds that people speak of, as far as a reader may see it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from gatebot import journal
from gatebot.access import STRANGER, Actor
from gatebot.app import topics
from gatebot.app.named import SiteStates
from gatebot.change import SPACE
from gatebot.db import Session
from gatebot.events import ChangeAbandoned, ChangeMerged, FixesChanged
from gatebot.journal import Entry, Journal
from gatebot.meetbot.model import State
from gatebot.pipeline.store import builds
from gatebot.review import store
from gatebot.review.bugs.service import Fixes
from gatebot.review.bugs.store import fixing
from gatebot.review.model import Change, PrivateChanged, Status
from gatebot.review.reading import Reading
from gatebot.review.trackers.model import Rule
from gatebot.review.trackers.rules import ANY_ID, SHIPPED
from gatebot.targets import topic_of
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


FIX = "https://bugs.launchpad.net/bugs/7"


async def test_a_bug_shows_how_far_its_fix_is_to_who_may_see_the_changes(rooms: ReviewHouse) -> None:
    rules = SHIPPED["launchpad"]
    reading = Reading(rooms.db, rooms.judge, rooms.clock)
    states = SiteStates(rooms.db, reading, Elsewhere(), rules)
    fixes = Fixes(rooms.db, Journal(rooms.db), rooms.clock, rules)

    async def told(actor: Actor = STRANGER) -> State | None:
        while await fixes.catch_up():
            pass
        return (await states.of(actor, [f"bug/{FIX}", "bug/https://bugs.launchpad.net/bugs/99"])).get(f"bug/{FIX}")

    def news() -> int:
        return len(rooms.facts(FixesChanged))

    old = push(rooms, "Partly", "Partial-Bug: 7\n")
    push(rooms, "Looks like it", "Related-Bug: #7\nCloses-Bug: #77\n")
    await fixes.begin()  # what was there before anybody followed it is found too
    state = await told()
    assert state == State("bug", "FIX_IN_REVIEW", f"{old.number}: Partly (demo/api main)", url=f"/{old.number}")
    assert news() == 0
    status(rooms, old, Status.MERGED)
    state = await told()
    assert (state and state.plain, news()) == ("part of the fix merged", 1)
    hidden = push(rooms, "Secretly", "Closes-Bug: 7\n")
    rooms.write(partial(store.update_change, private=True), hidden.number, rooms.clock.now())
    assert (await told(), news()) == (state, 1)  # strangers do not even learn that something happened
    mine = await told(Actor(hidden.owner, frozenset()))
    assert mine
    assert (mine.word, mine.url) == ("FIX_IN_REVIEW", f"/{hidden.number}")
    rooms.write(partial(store.update_change, private=False), hidden.number, rooms.clock.now())
    rooms.write(journal.append, PrivateChanged(hidden.number, False, hidden.owner), rooms.clock.now())
    status(rooms, hidden, Status.MERGED)
    late = push(rooms, "Again", "Closes-Bug: 7\n")
    state = await told()
    assert state
    assert (state.word, state.url) == ("FIX_MERGED_ANOTHER_IN_REVIEW", f"/{hidden.number}")
    assert topics.of(Entry(1, NOON, rooms.facts(FixesChanged)[-1])) == (topic_of(f"bug/{FIX}"),)
    status(rooms, late, Status.ABANDONED)
    state = await told()
    assert state
    assert (state.plain, state.title.count(";")) == ("fix merged", 1)
    status(rooms, hidden, Status.ABANDONED)
    status(rooms, old, Status.ABANDONED)
    assert await told() is None
    # By other rules the messages say something else: they are read anew.
    other = Fixes(
        rooms.db,
        Journal(rooms.db),
        rooms.clock,
        [Rule(ANY_ID, "https://bugs.example.org/{id}", ("Related-Bug", "Closes-Bug"))],
    )
    await other.begin()
    assert {one.url for one in rooms.read(fixing, ["https://bugs.example.org/77", FIX])} == {
        "https://bugs.example.org/77"
    }


def status(rooms: ReviewHouse, change: Change, wanted: Status) -> None:
    """A change becomes this, and the journal tells it."""
    rooms.write(partial(store.update_change, status=wanted), change.number, rooms.clock.now())
    merged = ChangeMerged(change.number, 1, change.project, change.branch, "d" * 40, 1)
    fact = merged if wanted is Status.MERGED else ChangeAbandoned(change.number, 1)
    rooms.write(journal.append, fact, rooms.clock.now())

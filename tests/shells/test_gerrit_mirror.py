# SPDX-License-Identifier: Apache-2.0
"""A Gerrit that is mirrored while something is merged there from here: what was heard too early, and what was lost.

Rows and git are real; of Gerrit there are its answers, a repository, and what goes wrong.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gatebot import journal, words
from gatebot.change import SPACE, Landed, Landing, LandingChange, LandRefused
from gatebot.db import Database
from gatebot.errors import Refused, Unavailable
from gatebot.events import ChangeMerged
from gatebot.pipeline.gerrit import store
from gatebot.pipeline.gerrit.landing import Lander
from gatebot.pipeline.gerrit.mirror import Mirror
from gatebot.pipeline.gerrit.model import Place
from gatebot.repo import GitError, Repositories
from gatebot.repo.program import run
from tests.fakes.clock import FakeClock
from tests.fakes.git import WorkTree

ANSWER = Path(__file__).parent.parent / "data" / "gerrit" / "change.json"
PROJECT = "demo/api"


@dataclass
class There:
    """The Gerrit: one project with one change, which is ready to be merged."""

    tree: WorkTree
    repositories: Repositories
    info: dict[str, Any]
    wrong: list[Exception] = field(default_factory=list[Exception])
    """What an answer to `submit` is lost by: it merges all the same."""
    deaf: list[Exception] = field(default_factory=list[Exception])
    """What fetches fail by that come after the merge."""
    hears: Any = None
    second: dict[str, Any] = field(default_factory=dict[str, Any])
    """What a second change says otherwise; empty: there is none."""

    async def change(self, project: str, number: int) -> dict[str, Any] | None:
        if (project, number) == (PROJECT, 2) and self.second:
            return json.loads(json.dumps({**self.info, **self.second}))
        return json.loads(json.dumps(self.info)) if (project, number) == (PROJECT, 1) else None

    async def find(self, number: int) -> str | None:
        return None

    async def together(self, project: str, number: int) -> tuple[set[int], int]:
        return {number}, 0

    async def review(self, *_: object) -> None:
        return None

    async def query(self, text: str) -> list[dict[str, Any]]:
        return [self.info]

    async def comments(self, project: str, number: int) -> dict[str, Any]:
        return {}

    async def submit(self, project: str, number: int) -> None:
        self.tree.git("branch", "-f", "main", self.info["current_revision"])
        self.info |= {"status": "MERGED", "meta_rev_id": "f" * 40, "updated": "2026-11-28 06:00:00.000000000"}
        if self.hears is not None:
            self.hears()
        if self.wrong:
            raise self.wrong.pop()

    def fetch(self, project: str, refspecs: Sequence[str]) -> None:
        if self.info["status"] == "MERGED" and self.deaf:
            raise self.deaf.pop()
        run(["fetch", "-q", "--no-tags", str(self.tree.path), *refspecs], git_dir=self.repositories.path(project))

    def push(self, project: str, moves: Sequence[tuple[str, str, str]]) -> None:
        self.tree.git("branch", "-f", "main", moves[0][2])
        self.info |= {"status": "MERGED", "updated": "2026-11-28 06:00:00.000000000"}
        if self.wrong:
            raise self.wrong.pop()

    def head(self, project: str) -> str:
        return "main"


@dataclass
class Tenants:
    """How the tenants use it; `merges` is what the gate's queues say is being merged."""

    merges: set[int] = field(default_factory=set[int])

    def projects(self) -> frozenset[str]:
        return frozenset({PROJECT})

    def labels(self) -> frozenset[str]:
        return frozenset({"Verified"})

    def reads(self, project: str, branch: str) -> bool:
        return False

    def merging(self) -> dict[int, str]:
        return dict.fromkeys(self.merges, PROJECT)

    def refresh(self) -> None:
        return None


@dataclass
class House:
    there: There
    use: Tenants
    mirror: Mirror
    lander: Lander
    pushing: Lander
    db: Database
    order: Landing

    async def merges(self) -> list[tuple[int, str | None]]:
        """The merges that the journal knows: change and item."""
        found = await self.db.read(journal.read_in, 0, (ChangeMerged,))
        return [(one.event.change, one.event.item) for one in found if isinstance(one.event, ChangeMerged)]


@pytest.fixture
async def house(tmp_path: Path, migrated_sqlite: Path, fake_clock: FakeClock) -> AsyncIterator[House]:
    shutil.copy(migrated_sqlite, tmp_path / "gatebot.db")
    db = Database.open(f"sqlite:///{tmp_path / 'gatebot.db'}", durable=False)
    repositories = Repositories(tmp_path / "git")
    tree = WorkTree.new(tmp_path / "there")
    begun = tree.commit("Begin")
    tree.git("checkout", "-q", "--detach")
    made = tree.commit("Add a", a_dot_txt="a\n")
    tree.git("update-ref", "refs/changes/01/1/1", made)
    info = json.loads(ANSWER.read_text())
    current = {**info["revisions"][info["current_revision"]], "_number": 1, "ref": "refs/changes/01/1/1"}
    info |= {"revisions": {made: current}, "current_revision": made, "submit_requirements": [], "submit_records": []}
    there = There(tree, repositories, info)
    place = Place("hub", "https://review.example.org", await db.run_silent(store.space_of, "hub"))
    ties: Any = (there, there, repositories, db, fake_clock)
    use = Tenants()
    mirror = Mirror(place, *ties, use)  # type: ignore[arg-type]
    submitting, pushing = (Lander(mirror, *ties, pushes=pushes) for pushes in (False, True))
    await mirror.catch_up()
    one = LandingChange(place.space + 1, 1, PROJECT, "main", begun, made, PROJECT)
    yield House(
        there, use, mirror, submitting, pushing, db, Landing("item-1", "gate", (one,), votes=(("Verified", 2),))
    )
    await db.close()


async def test_a_merge_that_is_heard_before_it_is_written_belongs_to_its_item(house: House) -> None:
    heard: list[asyncio.Task[object]] = []
    house.there.hears = lambda: heard.append(asyncio.create_task(house.mirror.look(PROJECT, 1)))
    assert await house.lander.land(house.order) == Landed("item-1")
    await asyncio.gather(*heard)
    assert await house.merges() == [(SPACE + 1, "item-1")]
    assert house.mirror.theirs(PROJECT)["main"] == house.order.changes[0].commit


async def test_a_merge_whose_answer_was_lost_is_a_merge(house: House) -> None:
    house.there.wrong = [Refused("change is merged")]  # Gerrit's answer to the second attempt
    assert await house.lander.land(house.order) == Landed("item-1")
    assert await house.merges() == [(SPACE + 1, "item-1")]


async def test_a_push_whose_answer_was_lost_is_a_merge(house: House) -> None:
    house.there.wrong = [GitError("git push ended with status 128: the remote end hung up unexpectedly")]
    assert await house.pushing.land(house.order) == Landed("item-1")
    assert await house.merges() == [(SPACE + 1, "item-1")]


async def test_nobody_else_tells_of_a_merge_that_is_to_be_looked_at_again(house: House) -> None:
    house.there.deaf, house.use.merges = [Unavailable("the network is away")], {SPACE + 1}
    with pytest.raises(Unavailable):
        await house.lander.land(house.order)
    await house.mirror.look(PROJECT, 1)
    await house.mirror.catch_up()
    assert await house.merges() == []
    assert await house.lander.land(house.order) == Landed("item-1")
    house.use.merges.clear()
    await house.mirror.catch_up()
    assert await house.merges() == [(SPACE + 1, "item-1")]
    known = await house.db.read(store.find, SPACE + 1)
    assert known is not None
    assert known.facts.status == "MERGED"


async def test_a_refused_merge_leaves_the_change_to_whoever_hears_of_it(house: House) -> None:
    house.there.info["work_in_progress"] = True
    answer = await house.lander.land(house.order)
    assert isinstance(answer, LandRefused)
    assert answer.reason.kind == "review.rules-no-longer-hold"
    house.there.info |= {"work_in_progress": False, "updated": "2026-11-28 07:00:00.000000000"}
    await house.there.submit(PROJECT, 1)
    await house.mirror.look(PROJECT, 1)
    assert await house.merges() == [(SPACE + 1, None)]


async def test_a_landing_that_was_cut_between_two_submits_says_what_is_merged_and_what_next(house: House) -> None:
    house.there.second = {"_number": 2, "change_id": "I" + "2" * 40, "status": "NEW"}
    (first,) = house.order.changes
    several = replace(house.order, changes=(first, replace(first, number=SPACE + 2)))
    await house.there.submit(PROJECT, 1)
    answer = await house.lander.land(several)
    assert isinstance(answer, LandRefused)
    assert words.say(answer.reason) == (
        "ATTENTION: changes that need each other merged only in part. Merged: 1. Not merged: 2. Approve those that are "
        "not merged once more, so that the gate tests and merges them on top, or merge them by hand; or revert what is "
        "merged."
    )
    assert await house.merges() == [(SPACE + 1, None)]

# SPDX-License-Identifier: Apache-2.0
"""Executors on other machines when something is lost: a word, the connection, the right to be there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from gatebot.assignment import Assignment
from gatebot.executor.fleet import store
from gatebot.executor.fleet.model import FAREWELL_SECONDS, SILENT_SECONDS, Verb, Word
from gatebot.executor.fleet.parting import Parting
from gatebot.executor.fleet.ports import Post
from tests.fakes.clock import SkippingClock
from tests.fakes.dispatch_contract import Ground, holds
from tests.fakes.executor import job
from tests.fakes.far import ADMIN, FarMachine, FarWorkshop, far_workshop


@pytest.fixture
async def shop(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[FarWorkshop]:
    (tmp_path / "gatebot.db").write_bytes(migrated_sqlite.read_bytes())
    async with far_workshop(tmp_path, f"sqlite:///{tmp_path / 'gatebot.db'}", SkippingClock()) as made:
        yield made


@dataclass
class Forgetful:
    """Loses the first word to everybody."""

    post: Post
    lost: list[tuple[str, Word]] = field(default_factory=list[tuple[str, Word]])

    async def send(self, executor: str, word: Word) -> None:
        if not any(name == executor for name, _ in self.lost):
            self.lost.append((executor, word))
        else:
            await self.post.send(executor, word)


def ground(shop: FarWorkshop) -> Ground:
    return Ground(shop.fleet, shop.give, shop.reports, shop.stores, shop.logs, 4)


async def busy(shop: FarWorkshop, beat: Path) -> tuple[FarMachine, Assignment]:
    """A machine with a build that makes a file again and again."""
    far = await shop.machine("far")
    far.begin()
    await shop.lives("far")
    given = ground(shop).build(f"while true; do touch {beat}; sleep 0.02; done")
    await shop.give(given)
    await holds(beat.exists)
    return far, given


async def test_an_offer_that_was_lost_is_made_again(shop: FarWorkshop) -> None:
    assert shop.fleet.post is not None
    shop.fleet.post = forgetful = Forgetful(shop.fleet.post)
    far = await shop.machine("far")
    far.begin()
    await shop.lives("far")
    given = ground(shop).build("echo hello")
    await shop.give(given)
    assert [(name, word.verb) for name, word in forgetful.lost] == [("far", Verb.OFFER)]
    skip(shop, 5)
    await shop.fleet.tick()
    assert (await shop.reports.of(given.build)).result == "SUCCESS"
    await far.stop()


async def test_a_build_that_waits_for_another_machine_says_who_has_the_room(shop: FarWorkshop, tmp_path: Path) -> None:
    far = await shop.machine("far", slots=1)
    far.begin()
    await shop.lives("far")
    flag = tmp_path / "go"
    first, second = (ground(shop).build(f"while [ ! -e {flag} ]; do sleep 0.02; done; echo {n}") for n in range(2))
    await shop.give(first)
    await shop.reports.begun(first.build)
    await shop.give(second)
    roster, now = shop.fleet.roster, shop.clock.now()
    (wait,) = roster.waits(tuple(roster.members(now)), shop.fleet.labels(), now).values()
    assert (wait.label, wait.before, wait.holders, wait.slots) == ("small", (), (first.build,), 1)
    flag.touch()
    assert (await shop.reports.of(second.build)).result == "SUCCESS"
    await far.stop()


async def test_who_is_not_answered_for_ten_seconds_ends_its_builds_itself(shop: FarWorkshop, tmp_path: Path) -> None:
    near, beat = await shop.machine("near"), tmp_path / "beat"
    far, given = await busy(shop, beat)
    own = far.agent.clock = SkippingClock()  # its own machine's clock
    far.server.url = "http://127.0.0.1:1"  # and no way back
    await far.line.close()
    own.skip(SILENT_SECONDS)
    await holds(lambda: not far.agent.executor.running)
    beat.unlink()
    assert far.uplink.runs == {}
    assert shop.reports.completions == {}
    near.begin()
    await shop.lives("near")
    assert not beat.exists()
    await shop.give(replace(given, fence=2))
    await holds(beat.exists)
    assert near.uplink.runs == {given.build: 2}
    assert far.agent.executor.running == {}
    for machine in (far, near):
        await machine.stop()


async def test_what_waits_for_a_machine_that_is_away_takes_no_room_of_others(shop: FarWorkshop) -> None:
    far, near = await shop.machine("far", own={"board": {}}), await shop.machine("near")
    far.begin()
    near.begin()
    await shop.lives("far", "near")
    assert shop.fleet.free_slots() == 8
    await far.stop()
    skip(shop, SILENT_SECONDS + 1)
    await near.agent.beat_once()
    waiting = [ground(shop).build(f"echo on a board {n}", job(label="board")) for n in range(5)]
    for one in waiting:
        await shop.give(one)
    assert shop.fleet.free_slots() == 4
    given = ground(shop).build("echo elsewhere")
    await shop.give(given)
    assert (await shop.reports.of(given.build)).result == "SUCCESS"
    assert set(shop.reports.completions) == {given.build}
    await near.stop()


async def test_after_a_farewell_builds_go_on_alone_for_two_minutes(shop: FarWorkshop, tmp_path: Path) -> None:
    far, given = await busy(shop, tmp_path / "beat")
    await part(shop)
    assert far.agent.executor.running
    (claim,) = await shop.fleet.db.read(store.every_claim)
    assert claim.heard > shop.clock.now() + timedelta(seconds=FAREWELL_SECONDS - SILENT_SECONDS - 60)
    own = far.agent.clock = SkippingClock()  # its own machine's clock
    far.server.url = "http://127.0.0.1:1"  # and no way back
    await far.line.close()
    own.skip(FAREWELL_SECONDS / 2)
    await far.agent.beat_once()
    assert far.uplink.runs == {given.build: 1}
    own.skip(FAREWELL_SECONDS / 2)
    await holds(lambda: not far.agent.executor.running)
    assert far.uplink.runs == {}
    await far.stop()


async def test_who_had_an_answer_since_the_farewell_is_given_away_as_fast_as_ever(
    shop: FarWorkshop, tmp_path: Path
) -> None:
    far, given = await busy(shop, tmp_path / "beat")
    await part(shop)
    shop.fleet.parting = None
    shop.fleet.roster.builds.clear()  # as a server that starts again
    await shop.fleet.start()
    assert shop.fences.remembered[given.build] > shop.clock.now() + timedelta(seconds=SILENT_SECONDS)
    await far.agent.beat_once()
    await far.agent.beat_once()
    assert shop.fences.remembered[given.build] <= shop.clock.now()
    (claim,) = await shop.fleet.db.read(store.every_claim)
    assert claim.heard <= shop.clock.now()
    await far.stop()


async def test_a_short_silence_changes_nothing(shop: FarWorkshop, tmp_path: Path) -> None:
    far, flag = await shop.machine("far"), tmp_path / "flag"
    far.begin()
    await shop.lives("far")
    given = ground(shop).build(f"while [ ! -e {flag} ]; do sleep 0.02; done; echo it went on")
    await shop.give(given)
    await shop.reports.begun(given.build)
    await far.line.close()
    await holds(far.line.connected)
    await far.agent.beat_once()
    flag.touch()
    assert (await shop.reports.of(given.build)).fence == 1
    assert "it went on" in ground(shop).text(given.build)
    await far.stop()


async def test_builds_of_an_executor_that_was_revoked_are_ended_and_given_away(
    shop: FarWorkshop, tmp_path: Path
) -> None:
    far, _ = await busy(shop, tmp_path / "beat")
    await shop.enrolment.revoke(ADMIN, "far")
    await far.agent.beat_once()
    assert far.agent.executor.running == {}
    assert shop.fleet.free_slots() == 0
    assert shop.reports.completions == {}
    await far.stop()


async def test_a_new_server_knows_who_has_what(shop: FarWorkshop, tmp_path: Path) -> None:
    far, flag = await shop.machine("far"), tmp_path / "flag"
    far.begin()
    await shop.lives("far")
    given = ground(shop).build(f"while [ ! -e {flag} ]; do sleep 0.02; done")
    over = ground(shop).build("true")
    for one in (given, over):
        await shop.give(one)
        await shop.reports.begun(one.build)
    await shop.reports.of(over.build)
    shop.fleet.roster.builds.clear()  # as a server that starts again
    await shop.fleet.start()
    assert shop.fleet.roster.running("far") == (given.build,)
    assert set(shop.fences.remembered) == {given.build}
    flag.touch()
    assert (await shop.reports.of(given.build)).result == "SUCCESS"
    await far.stop()


async def part(shop: FarWorkshop) -> None:
    """The server says that it ends."""
    assert shop.fleet.post is not None
    living = shop.fleet.roster.members(shop.clock.now())
    shop.fleet.parting = Parting(one.name for one in living)
    await shop.fleet.parting.say(shop.fleet.post)


def skip(shop: FarWorkshop, seconds: float) -> None:
    assert isinstance(shop.clock, SkippingClock)
    shop.clock.skip(seconds)

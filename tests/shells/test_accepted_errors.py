# SPDX-License-Identifier: Apache-2.0
"""Errors that a tenant has inherited: they stop what they concern, unless an administrator accepts them for a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gatebot.access import Actor
from gatebot.errors import Invalid, NotFound, NotPermitted
from gatebot.events import ConfigErrorAccepted, ConfigErrorUnaccepted
from gatebot.journal import read_in
from gatebot.pipeline.accepting.service import Accepting
from tests.fakes.pages import WebHouse
from tests.fakes.pipeline_house import PROJECT, PipelineHouse
from tests.fakes.review_house import BOB

LOST = PROJECT.replace("gate: {jobs: [unit]}", "gate: {jobs: [unit, gone]}")
ADMIN = Actor(1, frozenset({"Administrators"}))


async def inherit(house: PipelineHouse) -> None:
    """The tenant has an error."""
    await asyncio.to_thread(house.commit_to, "api", {".zuul.yaml": LOST})
    await asyncio.to_thread(house.layouts.refresh)


async def key(web: WebHouse) -> str:
    async with web.client.get("/api/tenant/main/config-errors") as answer:
        (error,) = await answer.json()
    assert error["short_error"] == "There is no job gone. Define it, or correct the name."
    return error["id"]


async def test_an_accepted_error_stops_nobody_until_its_day_and_the_report_says_whose_it_is(
    web: WebHouse, house: PipelineHouse
) -> None:
    await inherit(house)
    accepting = Accepting(web.overview, house.db, house.clock)
    one = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.approve(one)
    await house.settle()
    assert "gate" not in house.running
    assert "There is no job gone." in house.said(1)[-1]
    day = f"{house.clock.now() + timedelta(days=2):%Y-%m-%d}"
    error = await key(web)
    made = await accepting.accept(ADMIN, "main", error, "ann", "until the job is back", day)
    assert (made.owner, f"{made.until:%Y-%m-%d}") == ("ann", day)
    await house.approve(one)
    await house.settle()
    assert house.running["gate"] == [1]
    await house.passes(1, "unit")
    assert house.status(1) == "MERGED"
    said = "\n".join(house.said(1))
    assert f"Warning: An error of the configuration is accepted until {day} (ann: until the job is back): " in said
    page = await web.page("/config-errors")
    assert f"Accepted until {day} (ann): until the job is back" in page
    house.clock.advance(timedelta(days=3).total_seconds())
    two = house.push("api", {"b.txt": "b\n"}, "Add b")
    await house.approve(two)
    await house.settle()
    assert "gate" not in house.running
    assert "There is no job gone." in house.said(2)[-1]


SEALED = """
- secret: {name: token, data: {key: !encrypted/pkcs1-oaep [bm90aGluZw==]}}
- job: {name: publish, run: x, secrets: token, files: docs/.*}
- project: {queue: shared, gate: {jobs: [unit, publish]}}
"""


async def test_a_secret_that_cannot_be_decrypted_is_accepted_and_still_stops_who_needs_it(
    web: WebHouse, house: PipelineHouse
) -> None:
    await asyncio.to_thread(house.commit_to, "api", {".zuul.yaml": SEALED})
    await asyncio.to_thread(house.layouts.refresh)
    async with web.client.get("/api/tenant/main/config-errors") as answer:
        (error,) = await answer.json()
    assert error["object"] == "secret token"
    day = f"{house.clock.now() + timedelta(days=2):%Y-%m-%d}"
    accepting = Accepting(web.overview, house.db, house.clock)
    made = await accepting.accept(ADMIN, "main", error["id"], "ann", "the key comes on Monday", day)
    assert (made.project, made.owner) == ("api", "ann")
    page = await web.page("/config-errors")
    told = f"Accepted until {day} (ann): the key comes on Monday Changes that need the secret are stopped all the same."
    assert told in " ".join(page.split())
    needs = house.push("api", {"docs/a": "a\n"}, "Write docs")
    await house.approve(needs)
    await house.settle()
    assert "gate" not in house.running
    said = house.said(needs.number)[-1]
    assert f"ann is to mend this by {day} (the key comes on Monday):" in said
    assert "token" in said
    other = house.push("api", {"a.txt": "a\n"}, "Add a")
    await house.approve(other)
    await house.settle()
    assert house.running["gate"] == [other.number]
    await house.passes(other.number, "unit")
    assert house.status(other.number) == "MERGED"
    assert "Warning" not in "\n".join(house.said(other.number))


async def test_only_administrators_accept_errors_that_are_there_for_a_reason_and_a_time(
    web: WebHouse, house: PipelineHouse
) -> None:
    await inherit(house)
    accepting = Accepting(web.overview, house.db, house.clock)
    error, day = await key(web), f"{house.clock.now() + timedelta(days=2):%Y-%m-%d}"
    with pytest.raises(NotPermitted):
        await accepting.accept(Actor(BOB, frozenset()), "main", error, "ann", "why", day)
    with pytest.raises(NotFound):
        await accepting.accept(ADMIN, "main", "0" * 16, "ann", "why", day)
    with pytest.raises(Invalid):
        await accepting.accept(ADMIN, "main", error, "ann", "", day)
    for until in ("soon", "2001-01-01", "2999-01-01"):
        with pytest.raises(Invalid):
            await accepting.accept(ADMIN, "main", error, "ann", "why", until)
    assert await accepting.all(ADMIN, "main") == {}
    await accepting.accept(ADMIN, "main", error, "ann", "why", day)
    await accepting.accept(ADMIN, "main", error, "bob", "why", day)
    assert [one.owner for one in (await accepting.all(ADMIN, "main")).values()] == ["bob"]
    await accepting.withdraw(ADMIN, "main", error)
    with pytest.raises(NotFound):
        await accepting.withdraw(ADMIN, "main", error)
    told = [type(one.event) for one in house.review.read(read_in, 0, (ConfigErrorAccepted, ConfigErrorUnaccepted))]
    assert told == [ConfigErrorAccepted, ConfigErrorAccepted, ConfigErrorUnaccepted]


async def test_strangers_are_asked_who_they_are(web: WebHouse, house: PipelineHouse) -> None:
    await inherit(house)
    at = f"/api/tenant/main/config-error/{await key(web)}/accept"
    async with web.client.post(at, json={"owner": "a", "reason": "b", "until": "2030-01-01"}) as answer:
        assert answer.status in (401, 403)
    async with web.client.delete(at) as answer:
        assert answer.status in (401, 403)
    async with web.client.get("/api/tenant/main/config-errors-accepted") as answer:
        assert await answer.json() == []


async def test_administrators_accept_on_the_page(web: WebHouse, house: PipelineHouse) -> None:
    await inherit(house)
    assert "Who mends it" not in await web.page("/config-errors")
    await web.sign_in("root")
    assert "Who mends it" in await web.page("/config-errors")
    error, day = await key(web), f"{house.clock.now() + timedelta(days=2):%Y-%m-%d}"
    fields = {"tenant": "main", "owner": "ann", "reason": "It comes back", "until": day}
    _, page = await web.send(f"/config-errors/{error}/accept", **fields)
    assert f"Accepted until {day}; ann mends it." in page
    assert "Accept no more" in page
    _, page = await web.send(f"/config-errors/{error}/withdraw", tenant="main")
    assert "The error stops changes again." in page

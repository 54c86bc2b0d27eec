# SPDX-License-Identifier: Apache-2.0
"""Autohold requests: which build uses which, what is let go when, and the page of those who may ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gatebot.db import Database
from gatebot.pipeline import autohold
from gatebot.pipeline.autohold import Autohold
from gatebot.pipeline.store import builds
from tests.fakes.clock import FakeClock
from tests.fakes.pages import WebHouse
from tests.shells.test_pages import words


def build(clock: FakeClock, name: str, **more: object) -> dict[str, object]:
    row: dict[str, object] = {
        "uuid": name * 32, "buildset": "s", "item": "i", "tenant": "main", "pipeline": "check", "job": "unit",
        "project": "api", "branch": "main", "change": 7, "patch_set": 2, "voting": True, "attempt": 1, "fence": 1,
        "node": "small", "created": clock.now(),
    }  # fmt: skip
    return row | more


@pytest.mark.zuul(115)
async def test_the_narrowest_request_is_used_first_and_each_as_often_as_it_says(
    migrated_url: str, fake_clock: FakeClock
) -> None:
    db = Database.open(migrated_url)
    now = fake_clock.now()
    wide = Autohold(0, "main", "api", "unit", autohold.ANY, "look", 1, 1, now)
    narrow = replace(wide, ref_filter=autohold.of_change(7), seconds=3600)
    other = replace(wide, ref_filter="refs/heads/stable.*")
    wide, narrow, other = [await db.run(autohold.add, one) for one in (wide, narrow, other)]
    rows = [build(fake_clock, name) for name in "abcd"] + [build(fake_clock, "e", job="style")]
    rows.append(build(fake_clock, "f", change=None, patch_set=None, branch="stable/1"))
    for row in rows:
        await db.run(lambda session, row=row: session.execute(builds.insert(), row))

    async def claimed(name: str, result: str = "FAILURE") -> str:
        hold = await db.run(autohold.claim, name * 32, result, now)
        return hold.request if hold is not None else ""

    async def over(at: datetime) -> list[str]:
        return [one.build for one in await db.read(autohold.keeping, at) if one.over]

    for result in ("SUCCESS", "ABORTED", "CANCELED", "SKIPPED"):
        assert await claimed("a", result) == ""
    assert await claimed("e") == ""
    assert await claimed("a") == await claimed("a") == str(narrow.id), "asked again, it is the same"
    assert await claimed("b") == str(wide.id)
    assert await claimed("c") == "", "both are used up"
    assert await claimed("f", "TIMED_OUT") == str(other.id)
    found = await db.read(autohold.find, "main", narrow.id)
    assert found is not None
    assert (found.used, [one.build for one in found.builds]) == (1, ["a" * 32])
    assert await db.read(autohold.find, "elsewhere", narrow.id) is None
    assert await over(now) == []
    assert await over(now + timedelta(hours=1)) == ["a" * 32]
    assert await db.run(autohold.delete, "main", wide.id)
    assert not await db.run(autohold.delete, "main", wide.id)
    assert await over(now) == ["b" * 32]
    await db.run(autohold.let_go, ["b" * 32])
    assert await over(now) == []
    await db.close()


async def test_those_who_may_ask_for_nodes_on_a_page_and_let_them_go(web: WebHouse) -> None:
    said = words(await web.page("/autoholds"))
    assert "No nodes are asked for." in said
    assert "Ask for nodes" not in said
    await web.sign_in("bob")
    fields = {"tenant": "main", "project": "api", "job": "unit", "change": "7", "count": "2", "hours": "24"}
    status, page = await web.send("/autoholds", **fields, reason="It fails on Mondays.")
    assert status == 200
    said = words(page)
    assert "The nodes of the next 2 failed builds of unit in api are kept." in said
    assert "unit api · refs/changes/07/7/.* ◷ 0 of 2 Let go It fails on Mondays." in said
    assert "each is kept for 24 h 00 min" in said
    _, page = await web.send("/autoholds/1/delete", tenant="main")
    assert "Nodes of unit in api are not held any more." in words(page)
    assert "No nodes are asked for." in words(page)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"count": "0"}, "Ask for 1 to 100 failed builds."),
        ({"reason": ""}, "Say which job, and what the nodes are wanted for."),
        ({"project": "none"}, "There is no project none in the tenant main"),
        ({"change": "x"}, "“x” names no change."),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(web: WebHouse, fields: dict[str, str], told: str) -> None:
    await web.sign_in("bob")
    good = {"tenant": "main", "project": "api", "job": "unit", "count": "1", "reason": "look"}
    status, page = await web.send("/autoholds", **good | fields)
    assert status in (400, 404)
    assert told in words(page)
    assert "No nodes are asked for." in words(await web.page("/autoholds"))


async def test_who_lacks_the_permission_is_told_which(web: WebHouse) -> None:
    await web.sign_in("ann")
    status, page = await web.send("/autoholds", tenant="main", project="api", job="unit", reason="look")
    assert status == 403
    assert "This needs the permission autohold on refs/* of api." in words(page)

# SPDX-License-Identifier: Apache-2.0
"""A change is deleted over REST: by whom, what goes, what stays, and what comes of a server that dies meanwhile."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from gatebot.access import ADMINISTRATORS, Actor
from gatebot.db import Session, metadata
from gatebot.events import ChangeDeleted
from gatebot.reasons import Reason
from gatebot.review import store
from gatebot.review.intents import open_intents
from gatebot.review.model import Change
from gatebot.review.tables import changes
from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ReviewHouse

ROOT = 1_000_003
REFS = ("refs/changes/01/1/1", "refs/changes/01/1/2")


async def furnished(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    """Two patch sets with votes, comments, a draft, a star and a mark; and another change with some of it."""
    house.new_patch_set(change, {"a.txt": "other\n"})
    house.push("demo/api", {"c.txt": "c\n"}, "Add c", house.tip("demo/api"))
    for number in (1, 2):
        review = {
            "message": "Look", "labels": {"Code-Review": 1}, "reviewers": [{"reviewer": "ann", "state": "CC"}],
            "comments": {"/PATCHSET_LEVEL": [{"message": "Hm", "unresolved": True}]},
        }  # fmt: skip
        await rest("bob", "POST", f"/changes/{number}/revisions/current/review", review)
        draft = {"path": "/COMMIT_MSG", "line": 7, "message": "Typo"}
        await rest("bob", "PUT", f"/changes/{number}/revisions/current/drafts", draft, 201)
        await rest("bob", "PUT", f"/accounts/self/starred.changes/{number}", {}, 204)
        await rest("bob", "POST", f"/changes/{number}/hashtags", {"add": ["new"]})


def rows(session: Session, number: int) -> dict[str, int]:
    """How many rows are about a change, by table."""
    found = {"review_changes": len(session.execute(select(changes).where(changes.c.number == number)).all())}
    for table in metadata.sorted_tables:
        if table.name.startswith("review_") and (of := table.c.get("change")) is not None:
            found[table.name] = len(session.execute(select(table).where(of == number)).all())
    return {name: count for name, count in found.items() if count}


async def test_it_goes_with_all_that_is_its_own_and_with_nothing_else(
    house: ReviewHouse, rest: RestClient, change: Change
) -> None:
    await furnished(house, rest, change)
    other, commit = house.read(rows, 2), house.commit_of(house.change(1))
    assert len(house.read(rows, 1)) >= 9
    assert await rest("root", "DELETE", "/changes/1", status=204) == ""
    assert house.read(rows, 1) == {}
    assert house.read(rows, 2) == other
    assert [house.tip("demo/api", ref) for ref in REFS] == ["0" * 40] * 2
    assert house.tip("demo/api", "refs/changes/02/2/1") != "0" * 40
    (fact,) = house.facts(ChangeDeleted)
    assert isinstance(fact, ChangeDeleted)
    assert (fact.change, fact.title, fact.project, fact.branch) == (1, "Add a and b", "demo/api", "main")
    assert await rest("root", "GET", "/changes/1", status=404)
    assert [one["_number"] for one in await rest("bob", "GET", "/changes/?q=is:open%20OR%20message:Add")] == [2]
    assert await rest("root", "DELETE", "/changes/1", status=404)
    # The commit can be pushed again, and is another change: the number is not used again.
    assert house.push("demo/api", {"a.txt": "again\n"}, "Add a and b", house.tip("demo/api")).number == 3
    assert house.repositories.commit("demo/api", commit).subject == "Add a and b"


async def test_others_may_not_not_even_its_owner_where_the_project_does_not_let_him(
    house: ReviewHouse, rest: RestClient, change: Change
) -> None:
    assert await rest("", "DELETE", "/changes/1", status=401) == "You must be signed in to do this."
    for who in ("bob", "ann"):
        assert await rest(who, "DELETE", "/changes/1", status=403)
    actions = await rest("root", "GET", "/changes/1?o=CHANGE_ACTIONS")
    assert actions["actions"]["/"]["method"] == "DELETE"
    assert house.change(1).is_open


async def test_what_is_merged_or_in_the_gate_is_not_deleted(
    house: ReviewHouse, rest: RestClient, change: Change
) -> None:
    house.gates.positions[1] = Reason("pipeline.waits", ())
    assert await rest("root", "DELETE", "/changes/1", status=409) == (
        "The change is in the gate. Wait until it left it, or dequeue it, and delete it then."
    )
    house.gates.positions.clear()
    house.approve(change)
    assert (await rest("bob", "POST", "/changes/1/submit", {}))["status"] == "MERGED"
    assert await rest("root", "DELETE", "/changes/1", status=409) == (
        "Deleting merged change is not allowed: revert it."
    )
    assert house.tip("demo/api", REFS[0]) != "0" * 40


async def test_what_a_killed_server_began_to_delete_is_deleted_at_the_next_start(
    house: ReviewHouse, rest: RestClient, change: Change
) -> None:
    deleting = rest.room.deleting
    house.write(deleting._open, Actor(ROOT, frozenset({ADMINISTRATORS})), 1)  # pyright: ignore[reportPrivateUsage]
    assert house.read(store.find_change, 1) is not None
    assert await asyncio.to_thread(deleting.settle) == 1
    assert house.read(store.find_change, 1) is None
    assert house.tip("demo/api", REFS[0]) == "0" * 40
    assert house.read(open_intents) == ()
    assert await asyncio.to_thread(deleting.settle) == 0

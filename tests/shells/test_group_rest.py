# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on groups over real HTTP, as its clients make them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gatebot.identity import Identity
from gatebot.review.rest import routes
from gatebot.review.room import furnish
from tests.fakes.asker import FakeAsker, errors_as_text
from tests.fakes.review_house import ANN, BOB, ROOT, SITE, ReviewHouse
from tests.shells.test_review_rest import Client


@pytest.fixture
def house(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ReviewHouse]:
    (tmp_path / "gatebot.db").write_bytes(migrated_sqlite.read_bytes())
    house = ReviewHouse(f"sqlite:///{tmp_path / 'gatebot.db'}", tmp_path / "git")
    yield house
    house.close()


@pytest.fixture
async def client(house: ReviewHouse) -> AsyncIterator[Client]:
    identity = Identity(house.db, house.clock)
    room = furnish(house.db, house.repositories, identity, house.clock, house.gates, SITE)
    app = web.Application(middlewares=[errors_as_text])
    app.add_routes(routes(room, FakeAsker(house)))
    async with TestClient(TestServer(app)) as http:
        yield Client(http)


async def test_a_group_is_made_and_told_in_gerrits_shape(client: Client) -> None:
    body = {"description": "Tags", "visible_to_all": True, "members": ["ann", str(BOB)], "owner": "Core"}
    made: Any = await client("root", "PUT", "/groups/Release%20Team", body, 201)
    assert len(made["id"]) == 40
    assert made["name"] == "Release Team"
    assert made["url"] == f"#/admin/groups/uuid-{made['id']}"
    assert made["options"] == {"visible_to_all": True}
    assert (made["description"], made["owner"], made["group_id"]) == ("Tags", "Core", 5)
    assert made["created_on"].endswith(".000000000")
    assert [one["_account_id"] for one in made["members"]] == [ANN, BOB]
    assert made["includes"] == []
    plain = {name: value for name, value in made.items() if name not in ("members", "includes")}
    for name in ("Release%20Team", made["id"], "5"):
        assert await client("ann", "GET", f"/groups/{name}") == plain
    assert await client("bob", "GET", "/groups/5/detail") == made
    assert await client("", "PUT", "/groups/Other", {}, 401)
    told = await client("ann", "PUT", "/groups/Other", {}, 403)
    assert told == "This needs the capability createGroup of this site. Ask an administrator for it."
    told = await client("root", "PUT", "/groups/Release%20Team", {}, 409)
    assert told == "There is a group Release Team already. Choose another name."
    assert await client("root", "PUT", "/groups/Other", {"members": ["nobody"]}, 422)
    assert await client("root", "PUT", "/groups/Other", {"owner": "nobody"}, 422)
    assert await client("root", "GET", "/groups/Other", None, 404)


async def test_groups_are_listed_by_name_and_found_by_words(client: Client) -> None:
    everything: Any = await client("root", "GET", "/groups/")
    assert list(everything) == [
        "Administrators", "Anonymous Users", "Change Owner", "Core", "Project Owners", "Registered Users",
        "Service Users", "Third-Party CI",
    ]  # fmt: skip
    assert everything["Registered Users"] == {"id": "global%3ARegistered-Users", "options": {}}
    assert list(await client("ann", "GET", "/groups/?m=core")) == ["Core"]  # type: ignore[call-overload]
    assert list(await client("ann", "GET", "/groups/?g=Core&g=Nobody")) == ["Core"]  # type: ignore[call-overload]
    page: Any = await client("ann", "GET", "/groups/?n=2&S=1&o=MEMBERS")
    assert list(page) == ["Anonymous Users", "Change Owner"]
    assert page["Change Owner"]["_more_groups"] is True
    assert page["Change Owner"]["members"] == []
    assert list(await client("bob", "GET", "/groups/?user=self")) == ["Core"]  # type: ignore[call-overload]
    assert await client("ann", "GET", "/groups/?owned") == {}
    found: Any = await client("ann", "GET", "/groups/?query=inname:user%20owner:Administrators")
    assert [one["name"] for one in found] == ["Anonymous Users", "Registered Users", "Service Users"]
    told = await client("ann", "GET", "/groups/?query=color:red", None, 400)
    assert told == (
        "There is no term color:red for groups. Use name:, inname:, uuid:, description:, owner: or is:visibletoall."
    )


async def test_a_group_that_is_not_for_all_is_there_for_its_members_and_owners_only(client: Client) -> None:
    await client("root", "PUT", "/groups/Quiet", {"members": ["bob"]}, 201)
    assert await client("bob", "GET", "/groups/Quiet/name") == "Quiet"
    assert await client("root", "GET", "/groups/Quiet/name") == "Quiet"
    assert "Quiet" not in await client("ann", "GET", "/groups/")  # type: ignore[operator]
    for who in ("ann", ""):
        told = await client(who, "GET", "/groups/Quiet/members", None, 404)
        assert told == "There is no group Quiet. `gatebot group list` shows those that exist."
    assert await client("ann", "PUT", "/groups/Quiet/members/ann", None, 404)
    told = await client("ann", "PUT", "/groups/Core/members/ann", None, 403)
    assert told == "Only members of Administrators change the group Core. Ask one of them."


async def test_members_come_and_go_one_by_one_and_together(client: Client) -> None:
    await client("root", "PUT", "/groups/Team", {"members": []}, 201)
    added: Any = await client("root", "PUT", "/groups/Team/members/ann", None, 201)
    assert added["_account_id"] == ANN
    assert await client("root", "PUT", "/groups/Team/members/ann", {}, 200)
    both: Any = await client("root", "POST", "/groups/Team/members.add", {"_one_member": "bob", "members": ["root"]})
    assert [one["username"] for one in both] == ["bob", "root"]
    await client("root", "POST", "/groups/Team/members.delete", {"members": ["root"]}, 204)
    await client("root", "DELETE", "/groups/Team/members/bob", None, 204)
    told = await client("root", "DELETE", "/groups/Team/members/bob", None, 404)
    assert told == "bob is not in the group Team."
    included: Any = await client("root", "PUT", "/groups/Team/groups/Core", None, 201)
    assert included["name"] == "Core"
    assert [one["name"] for one in await client("root", "GET", "/groups/Team/groups/")] == ["Core"]  # type: ignore[attr-defined]
    direct: Any = await client("root", "GET", "/groups/Team/members/")
    everybody: Any = await client("root", "GET", "/groups/Team/members/?recursive")
    assert [one["username"] for one in direct] == ["ann"]
    assert [one["username"] for one in everybody] == ["ann", "bob"]
    told = await client("root", "PUT", "/groups/Team/groups/Nobody", None, 422)
    assert told == "There is no group Nobody. `gatebot group list` shows those that exist."
    await client("root", "POST", "/groups/Team/groups.delete", {"groups": ["Core"]}, 204)
    history: Any = await client("root", "GET", "/groups/Team/log.audit")
    assert [(one["type"], one["user"]["_account_id"], one["member"].get("username", "")) for one in history] == [
        ("REMOVE_GROUP", ROOT, ""), ("ADD_GROUP", ROOT, ""), ("REMOVE_USER", ROOT, "bob"),
        ("REMOVE_USER", ROOT, "root"), ("ADD_USER", ROOT, "root"), ("ADD_USER", ROOT, "bob"), ("ADD_USER", ROOT, "ann"),
    ]  # fmt: skip


async def test_owners_describe_rename_hand_over_and_end_a_group(client: Client) -> None:
    await client("root", "PUT", "/groups/Team", {"members": ["ann"]}, 201)
    assert await client("ann", "PUT", "/groups/Team/description", {"description": "Us"}) == "Us"
    assert await client("ann", "GET", "/groups/Team/description") == "Us"
    await client("ann", "DELETE", "/groups/Team/description", None, 204)
    assert await client("ann", "PUT", "/groups/Team/options", {"visible_to_all": True}) == {"visible_to_all": True}
    assert await client("ann", "PUT", "/groups/Team/name", {"name": "Crew"}) == "Crew"
    assert await client("ann", "GET", "/groups/Team", None, 404)
    owner: Any = await client("ann", "PUT", "/groups/Crew/owner", {"owner": "Core"})
    assert owner["name"] == "Core"
    assert await client("ann", "PUT", "/groups/Crew/name", {"name": "Team"}, 403)
    assert await client("bob", "DELETE", "/groups/Crew", None, 403)
    assert await client("", "PUT", "/groups/Core/owner", {}, 401)
    assert await client("ann", "PUT", "/groups/Core/owner", {"owner": "Nobody"}, 403)
    await client("root", "DELETE", "/groups/Crew", None, 204)
    assert await client("root", "GET", "/groups/Crew", None, 404)
    told = await client("root", "DELETE", "/groups/Core", None, 409)
    assert told == (
        "Core is a group that every site has; it keeps its name. Change its members instead, or make another group."
    )
    assert await client("root", "PUT", "/groups/Registered%20Users/name", {"name": "x"}, 403)

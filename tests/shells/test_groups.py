# SPDX-License-Identifier: Apache-2.0
"""Groups on both engines: identity, names, members, groups in groups, history."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gatebot import db
from gatebot.errors import Conflict, Invalid, NotFound
from gatebot.identity import ADMINISTRATORS, CORE, Identity
from tests.fakes.clock import FakeClock


@pytest.fixture
async def identity(migrated_url: str, fake_clock: FakeClock) -> AsyncIterator[Identity]:
    database = db.Database.open(migrated_url, durable=False)
    yield Identity(database, fake_clock)
    await database.close()


async def person(identity: Identity, name: str, *groups: str) -> int:
    return (await identity.create(name, name=name.title(), email=f"{name}@example.org", groups=groups)).id


async def groups_of(identity: Identity, id: int) -> set[str]:
    account = await identity.by_id(id)
    assert account is not None
    assert (await identity.by_ids([id]))[id] == account, "one and many are read alike"
    return set(account.groups)


async def test_a_site_begins_with_four_groups_that_keep_their_names(identity: Identity) -> None:
    found = await identity.list_groups()
    assert [one.name for one in found] == ["Administrators", "Core", "Service Users", "Third-Party CI"]
    assert len({one.uuid for one in found}) == len({one.number for one in found}) == 4
    assert {one.owner for one in found} == {found[0].uuid}
    for wrong in (identity.rename_group(CORE, "Cores"), identity.delete_group(ADMINISTRATORS)):
        with pytest.raises(Conflict, match="is a group that every site has; it keeps its name"):
            await wrong


async def test_a_group_is_found_by_name_uuid_and_number_and_keeps_its_identity(identity: Identity) -> None:
    made = await identity.create_group("Release Team", description="Tags", visible=True)
    assert len(made.uuid) == 40
    assert made.owner == made.uuid
    for name in ("Release Team", "release team", made.uuid, str(made.number)):
        assert await identity.find_group(name) == made
    ann = await person(identity, "ann", "Release Team")
    renamed = await identity.rename_group("Release Team", "Releasers")
    assert (renamed.uuid, renamed.number) == (made.uuid, made.number)
    assert await identity.find_group(made.uuid) == renamed
    assert await identity.find_group("Release Team") is None
    assert await groups_of(identity, ann) == {"Releasers"}
    changed = await identity.change_group("Releasers", description="", owner=CORE, visible=False)
    core = await identity.find_group(CORE)
    assert core is not None
    assert (changed.description, changed.owner, changed.visible) == ("", core.uuid, False)


async def test_names_are_taken_and_checked(identity: Identity) -> None:
    await identity.create_group("Team")
    for taken in ("Team", "TEAM", "registered users", "core"):
        with pytest.raises(Conflict, match=r"^There is a group .* already\. Choose another name\.$"):
            await identity.create_group(taken)
    for wrong in ("", " x", "x ", "a\nb", "x" * 256):
        with pytest.raises(Invalid, match=r"^A group cannot be called"):
            await identity.create_group(wrong)
    with pytest.raises(NotFound, match=r"^There is no group Nobody\. `gatebot group list` shows those that exist\.$"):
        await identity.members_of("Nobody")


async def test_who_is_in_a_group_is_in_the_groups_that_contain_it(identity: Identity) -> None:
    ann, bob = await person(identity, "ann"), await person(identity, "bob")
    for name in ("Small", "Middle", "Large"):
        await identity.create_group(name)
    await identity.change_members("Small", add=[ann])
    await identity.change_members("Middle", include=["Small"])
    await identity.change_members("Large", include=["Middle"], add=[bob])
    assert await groups_of(identity, ann) == {"Small", "Middle", "Large"}
    assert await groups_of(identity, bob) == {"Large"}
    assert [one.id for one in await identity.members_of("Large")] == [bob]
    assert [one.id for one in await identity.members_of("Large", recursive=True)] == [ann, bob]
    assert [one.name for one in await identity.subgroups_of("Large")] == ["Middle"]
    await identity.change_members("Small", include=["Large"])
    assert await groups_of(identity, bob) == {"Small", "Middle", "Large"}, "a circle is one group by three names"
    await identity.change_members("Large", exclude=["Middle"])
    assert await groups_of(identity, ann) == {"Small", "Middle"}


async def test_everybody_may_be_in_a_group_but_nobody_joins_everybody(identity: Identity) -> None:
    ann = await person(identity, "ann")
    await identity.create_group("Testers")
    await identity.change_members("Testers", include=["Registered Users"])
    assert await groups_of(identity, ann) == {"Testers"}
    with pytest.raises(Conflict, match="nobody joins or leaves it"):
        await identity.change_members("Registered Users", add=[ann])


async def test_who_came_and_left_is_remembered_and_all_of_one_change_or_nothing_happens(
    identity: Identity, fake_clock: FakeClock
) -> None:
    ann = await person(identity, "ann")
    await identity.create_group("Team", members=[ann], by=ann)
    await identity.change_members("Team", remove=[ann], include=[CORE], by=ann)
    with pytest.raises(NotFound):
        await identity.change_members("Team", add=[ann, 77])
    core = await identity.find_group(CORE)
    assert core is not None
    told = [(one.kind, one.member, one.account, one.at) for one in await identity.group_history("Team")]
    now = fake_clock.now()
    assert told == [
        ("ADD_GROUP", core.uuid, ann, now),
        ("REMOVE_USER", str(ann), ann, now),
        ("ADD_USER", str(ann), ann, now),
    ]


async def test_a_group_that_is_taken_away_is_nowhere(identity: Identity) -> None:
    ann = await person(identity, "ann")
    told: list[str] = []

    async def tell() -> None:
        told.append("changed")

    identity.groups_changed.append(tell)
    made = await identity.create_group("Team", members=[ann])
    await identity.create_group("Outer")
    await identity.change_members("Outer", include=["Team"])
    await identity.delete_group("Team")
    assert await identity.find_group(made.uuid) is None
    assert await groups_of(identity, ann) == set()
    assert await identity.subgroups_of("Outer") == ()
    assert told == ["changed"] * 3

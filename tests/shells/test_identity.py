# SPDX-License-Identifier: Apache-2.0
"""Accounts, groups, passwords, tokens and sessions, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from gatebot import db, events
from gatebot.errors import Conflict, Invalid, NotFound, TooManyAttempts
from gatebot.identity import ADMINISTRATORS, CORE, SERVICE_USERS, THIRD_PARTY_CI, Account, Identity
from gatebot.identity.passwords import Attempts
from gatebot.journal import Journal
from tests.fakes.clock import FakeClock

DAY = 86_400


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[db.Database]:
    database = db.Database.open(migrated_url, durable=False)
    yield database
    await database.close()


@pytest.fixture
def identity(database: db.Database, fake_clock: FakeClock) -> Identity:
    return Identity(database, fake_clock)


async def ada(identity: Identity, **overrides: object) -> Account:
    """Create Ada, whose password is `correct horse`."""
    fields = {"name": "Ada Lovelace", "email": "ada@example.org", "password": "correct horse", **overrides}
    return await identity.create("ada", **fields)  # type: ignore[arg-type]


async def test_accounts_are_numbered_as_in_gerrit_and_journaled(identity: Identity, database: db.Database) -> None:
    first = await ada(identity, groups=[CORE])
    second = await identity.create("bob", name="Bob", email="bob@example.org")
    assert first == Account(1000000, "ada", "Ada Lovelace", "ada@example.org", True, frozenset({"Core"}))
    assert second.id == 1000001
    entries = await Journal(database).read(0)
    assert [entry.event for entry in entries] == [
        events.AccountCreated(account=1000000, username="ada"),
        events.AccountCreated(account=1000001, username="bob"),
    ]


async def test_accounts_are_found_by_id_name_and_address_in_any_case(identity: Identity) -> None:
    account = await ada(identity, groups=[CORE])
    assert await identity.by_id(account.id) == account
    assert await identity.by_username("ADA") == account
    assert await identity.by_email("Ada@Example.org") == account
    assert await identity.all() == (account,)
    assert await identity.by_ids([account.id, 7]) == {account.id: account}
    assert await identity.by_id(7) is None
    assert await identity.by_username("nobody") is None
    assert await identity.by_email("nobody@example.org") is None


@pytest.mark.parametrize(
    ("username", "email", "error", "text"),
    [
        ("Ada", "other@example.org", Conflict, "The username Ada is taken. Choose another one."),
        (
            "ada2",
            "ADA@example.org",
            Conflict,
            "The address ADA@example.org belongs to another account. Use another address, or sign in to that account.",
        ),
        (
            "a da",
            "x@example.org",
            Invalid,
            "The username a da cannot be used. Use 1 to 64 letters, digits, and the characters . _ - @, "
            "beginning with a letter or digit.",
        ),
        ("eve", "nowhere", Invalid, "nowhere is not an e-mail address. Write one such as name@example.org."),
    ],
)
async def test_names_and_addresses_are_unique_and_checked(
    identity: Identity, username: str, email: str, error: type[Exception], text: str
) -> None:
    await ada(identity)
    with pytest.raises(error) as refused:
        await identity.create(username, name="X", email=email)
    assert str(refused.value) == text


async def test_a_refused_account_leaves_nothing_behind(identity: Identity, database: db.Database) -> None:
    with pytest.raises(Invalid) as refused:
        await ada(identity, groups=["Nobody"])
    assert (
        str(refused.value)
        == "There is no group Nobody. The groups are: Administrators, Core, Service Users, Third-Party CI."
    )
    assert await identity.all() == ()
    assert await Journal(database).last() == 0


async def test_groups_are_joined_and_left(identity: Identity) -> None:
    account = await ada(identity)
    assert await identity.groups() == (ADMINISTRATORS, CORE, SERVICE_USERS, THIRD_PARTY_CI)
    await identity.add_to_group(account.id, CORE)
    joined = await identity.add_to_group(account.id, CORE)
    assert joined.groups == {CORE}
    assert await identity.by_id(account.id) == joined
    left = await identity.remove_from_group(account.id, CORE)
    assert left.groups == frozenset()
    with pytest.raises(NotFound, match="There is no account 7"):
        await identity.add_to_group(7, CORE)


async def test_a_password_is_checked_and_can_be_changed(identity: Identity, database: db.Database) -> None:
    account = await ada(identity)
    assert await identity.check_password("ada", "correct horse") == account
    assert await identity.check_password("ada", "wrong horse") is None
    assert await identity.check_password("nobody", "correct horse") is None
    await identity.set_password(account.id, "battery staple")
    assert await identity.check_password("ada", "correct horse") is None
    assert await identity.check_password("ada", "battery staple") == account
    stored = await database.read(lambda session: session.execute(sa.text("select password from account")).scalar_one())
    assert stored.startswith("$argon2id$")
    with pytest.raises(Invalid, match="A password has 8 to 1000 characters"):
        await identity.set_password(account.id, "short")


async def test_an_account_without_password_has_none_that_fits(identity: Identity) -> None:
    await ada(identity, password=None)
    assert await identity.check_password("ada", "") is None
    assert await identity.check_password("ada", "None") is None


async def test_a_token_is_told_once_and_stored_hashed(identity: Identity, database: db.Database) -> None:
    account = await ada(identity)
    bob = await identity.create("bob", name="Bob", email="bob@example.org")
    token = await identity.create_token(account.id, "laptop")
    assert await identity.check_token("ada", token) == account
    assert await identity.check_token(None, token) == account
    assert await identity.check_token(bob.username, token) is None
    assert await identity.check_token(None, token + "x") is None
    query = sa.text("select hash from account_token")
    stored = await database.read(lambda session: session.execute(query).scalar_one())
    assert len(stored) == 64
    assert token not in stored
    with pytest.raises(Conflict, match="You have a token named laptop"):
        await identity.create_token(account.id, "laptop")
    assert [known.name for known in await identity.tokens(account.id)] == ["laptop"]
    assert await identity.delete_token(account.id, "laptop")
    assert not await identity.delete_token(account.id, "laptop")
    assert await identity.check_token("ada", token) is None


async def test_authenticate_takes_a_token_or_the_password(identity: Identity) -> None:
    account = await ada(identity)
    token = await identity.create_token(account.id, "laptop")
    assert await identity.authenticate("ada", token) == account
    assert await identity.authenticate("ada", "correct horse") == account
    assert await identity.authenticate("ada", "gbt_guess") is None
    assert await identity.authenticate("bob", token) is None


async def test_an_inactive_account_proves_nothing(identity: Identity) -> None:
    account = await ada(identity)
    token = await identity.create_token(account.id, "laptop")
    cookie = await identity.open_session(account.id)
    assert await identity.authenticate("ada", "correct horse") == account
    await identity.set_active(account.id, False)
    assert await identity.authenticate("ada", "correct horse") is None
    assert await identity.authenticate("ada", token) is None
    assert await identity.check_token(None, token) is None
    assert await identity.session(cookie) is None


async def test_a_session_lasts_while_it_is_used_and_can_be_ended(identity: Identity, fake_clock: FakeClock) -> None:
    account = await ada(identity)
    cookie = await identity.open_session(account.id)
    for _ in range(4):
        fake_clock.advance(20 * DAY)
        assert await identity.session(cookie) == account
    fake_clock.advance(31 * DAY)
    assert await identity.session(cookie) is None
    cookie = await identity.open_session(account.id)
    await identity.close_session(cookie)
    assert await identity.session(cookie) is None
    assert await identity.session("guess") is None


async def test_another_password_ends_all_sessions(identity: Identity) -> None:
    account = await ada(identity)
    cookie = await identity.open_session(account.id)
    await identity.set_password(account.id, "battery staple")
    assert await identity.session(cookie) is None


async def test_guessing_is_slowed_down_for_one_name_from_one_address(identity: Identity, fake_clock: FakeClock) -> None:
    account = await ada(identity)
    guesses = [identity.authenticate("ada", f"guess {n}", "192.0.2.1") for n in range(20)]
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, TooManyAttempts)]
    assert outcomes.count(None) == Attempts.BURST
    assert len(refused) == 20 - Attempts.BURST
    assert str(refused[0]) == (
        "Too many wrong passwords for ada from your address. Try again in 10 seconds, or use a token."
    )
    assert await identity.authenticate("ada", "correct horse", "192.0.2.2") == account
    fake_clock.advance(10)
    assert await identity.authenticate("ada", "correct horse", "192.0.2.1") == account

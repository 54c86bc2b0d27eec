# SPDX-License-Identifier: Apache-2.0
"""The rows of accounts and groups that come from another Gerrit.

Transaction functions. Who has the same username or address as somebody here is the same person and keeps what he has
here. A group keeps its UUID, by which rules know it; one whose name is taken gets the name of its site behind it, and
where every site has a group of that name, each of the two contains the other.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime

from ...db import Session
from ...errors import GatebotError
from ...identity import Group, account_in, addresses, group_store
from ...identity import store as accounts
from ...identity.ssh_keys import add_key, keys_of, read_key
from ...identity.store import NewAccount
from . import store
from .model import Mark, TheirAccount, TheirGroup, Told

MADE, MET = "made", "met"
_UNFIT = re.compile(r"[^A-Za-z0-9_.@-]+")
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")


def bring_account(
    session: Session, source: str, one: TheirAccount, taken: Collection[int], at: datetime
) -> tuple[int, Told]:
    """An account and its number here; `taken` are numbers that other accounts there have."""
    told = Told()
    known = store.mark_of(session, source, "account", str(one.id))
    if known is None:
        known = _meet(session, one) or _make(session, one, taken, told, at)
        store.mark(session, source, "account", str(one.id), known)
    id = int(known.here)
    if known.seen == MADE:
        _complete(session, id, one, told, at)
    return id, told


def _meet(session: Session, one: TheirAccount) -> Mark | None:
    """Who is here already."""
    found = accounts.username_in(session, one.username) if one.username else None
    if found is None and one.email:
        found = accounts.email_in(session, one.email)
    return Mark(str(found.id), MET) if found is not None else None


def _make(session: Session, one: TheirAccount, taken: Collection[int], told: Told, at: datetime) -> Mark:
    username = _free_name(session, one)
    email = one.email if _ADDRESS.fullmatch(one.email) else f"{username}@localhost"
    if accounts.email_in(session, email) is not None:
        email = f"account-{one.id}@localhost"
    # A number of theirs stays with its owner, also where he comes later.
    free = account_in(session, one.id) is None
    number = one.id if free else max([*accounts.accounts_in(session), *taken, accounts.FIRST_ACCOUNT]) + 1
    made = accounts.create(session, NewAccount(username, one.name or username, email, None, ()), at, number)
    if not one.active:
        accounts.set_active(session, made.id, False)
    told.count("accounts")
    if not free:
        told.note(f"Account {one.id} ({username}) has the number {made.id} here: {one.id} was taken.")
    return Mark(str(made.id), MADE)


def _free_name(session: Session, one: TheirAccount) -> str:
    wanted = one.username or one.email.partition("@")[0] or f"account-{one.id}"
    base = _UNFIT.sub("-", wanted).strip("-.@")[:50] or f"account-{one.id}"
    return base if accounts.username_in(session, base) is None else f"{base}-{one.id}"


def _complete(session: Session, id: int, one: TheirAccount, told: Told, at: datetime) -> None:
    """Further addresses and keys of an account that an import made."""
    for email in one.others:
        if _ADDRESS.fullmatch(email) and accounts.email_in(session, email) is None:
            addresses.put(session, id, email, at)
            told.count("addresses")
    for text in one.keys:
        try:
            key = read_key(text)
        except GatebotError as error:
            told.note(f"A key of {one.username} is left out: {error}")
            continue
        if key.encoded not in {known.encoded for known in keys_of(session, id)}:
            add_key(session, id, key, at)
            told.count("SSH keys")


def bring_group(session: Session, source: str, one: TheirGroup, host: str, at: datetime) -> Told:
    """A group, without members yet: those may be groups that come later."""
    told = Told()
    if store.mark_of(session, source, "group", one.uuid) is not None or group_store.find(session, one.uuid):
        store.mark(session, source, "group", one.uuid, Mark(one.uuid))
        return told
    twin = group_store.find(session, one.name)
    name = f"{one.name} ({host})" if twin is not None else one.name
    new = Group(name, one.uuid, description=one.description, owner=one.uuid, visible=one.visible)
    made = group_store.create(session, new, (), None, one.created)
    if twin is not None and twin.name in group_store.SHIPPED:
        group_store.add_subgroup(session, made, twin, None, at)
        group_store.add_subgroup(session, twin, made, None, at)
        told.note(f"The group {one.name} of there is {name} here; its members are in {twin.name}, and the other way.")
    elif twin is not None:
        told.note(f"The group {one.name} of there is {name} here: that name was taken.")
    told.count("groups")
    store.mark(session, source, "group", one.uuid, Mark(one.uuid))
    return told


def join_group(session: Session, one: TheirGroup, people: Mapping[int, int], at: datetime) -> Told:
    """Members, contained groups and owner of a group; who is a member here stays one."""
    told, group = Told(), group_store.get(session, one.uuid)
    for id in one.members:
        if id in people:
            told.count("members", int(group_store.add_member(session, group, people[id], None, at)))
    for uuid in one.includes:
        member = group_store.find(session, uuid)
        if member is None:
            told.note(f"The group {one.name} contains {uuid}, which is no group of the site there: left out.")
        else:
            told.count("members", int(group_store.add_subgroup(session, group, member, None, at)))
    if group.owner == group.uuid and one.owner not in ("", one.uuid) and group_store.find(session, one.owner):
        group_store.change(session, group, owner=one.owner)
    return told


def members_here(session: Session, one: TheirGroup, people: Mapping[int, int]) -> int:
    """How many members and contained groups of a group are in it here."""
    group = group_store.find(session, one.uuid)
    if group is None:
        return 0
    here = {member.id for member in group_store.members_of(session, group)}
    inside = {member.uuid for member in group_store.subgroups_of(session, group)}
    return sum(people.get(id) in here for id in one.members) + sum(uuid in inside for uuid in one.includes)


def accounts_here(session: Session, source: str, theirs: Collection[int]) -> int:
    """How many of these accounts are here."""
    known = store.marks(session, source, "account")
    here = accounts.accounts_in(session)
    return sum(str(id) in known and int(known[str(id)].here) in here for id in theirs)

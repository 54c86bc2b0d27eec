# SPDX-License-Identifier: Apache-2.0
"""The tables of groups, and whom nested groups make a member of what.

Only definitions and pure functions; the transactions over them are in `group_store.py`, and those of
accounts, which show the groups of each, in `store.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ..access_rules import ANONYMOUS, REGISTERED, SYSTEM_GROUPS
from ..db import metadata, utc

account_groups = sa.Table(
    "account_group",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("uuid", sa.Text, nullable=False, server_default="", index=True, unique=True),
    sa.Column("number", sa.Integer, nullable=False, server_default="0", index=True, unique=True),
    sa.Column("owner", sa.Text, nullable=False, server_default=""),
    sa.Column("visible", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("created", utc),
)
members = sa.Table(
    "account_member",
    metadata,
    sa.Column("account", sa.Integer, sa.ForeignKey("account.id"), primary_key=True),
    sa.Column("group", sa.Text, sa.ForeignKey("account_group.name"), primary_key=True),
)
# A member is the UUID of a group: of one of the site, or of everybody's (`global:Registered-Users`).
nested = sa.Table(
    "account_group_nested",
    metadata,
    sa.Column("group", sa.Text, sa.ForeignKey("account_group.name"), primary_key=True),
    sa.Column("member", sa.Text, primary_key=True),
)
group_log = sa.Table(
    "account_group_log",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("uuid", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("member", sa.Text, nullable=False),
    sa.Column("account", sa.Integer),
    sa.Column("at", utc, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of accounts. `owner` is the UUID of the group whose members change it; `number` 0: nobody joins it."""

    name: str
    uuid: str
    number: int = 0
    description: str = ""
    owner: str = ""
    visible: bool = True
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class GroupChange:
    """One line of a group's history: an account (`ADD_USER`, by id) or a group (`ADD_GROUP`, by UUID) came or left."""

    kind: str
    member: str
    account: int | None
    at: datetime


def shipped_uuid(name: str) -> str:
    """The UUID of a group that every site has from the beginning, the same everywhere."""
    return hashlib.sha1(f"gatebot group {name}".encode(), usedforsecurity=False).hexdigest()


def containing(direct: Iterable[str], edges: Collection[tuple[str, str, str | None]]) -> frozenset[str]:
    """The groups that an account belongs to: its own, and those that contain one of them, however deep.

    Edges are (group, UUID of the member, its name when it is a group of the site).
    """
    found = set(direct)
    everybody = {SYSTEM_GROUPS[ANONYMOUS], SYSTEM_GROUPS[REGISTERED]}
    grown = True
    while grown:
        more = {group for group, uuid, name in edges if (name in found or uuid in everybody) and group not in found}
        found |= more
        grown = bool(more)
    return frozenset(found)

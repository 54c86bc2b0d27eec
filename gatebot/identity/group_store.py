# SPDX-License-Identifier: Apache-2.0
"""The transactions over groups: making, renaming, describing, and who and what is a member.

Plain functions of a session, as in `store.py`. Who may call them is decided by `group_rights.py` of
the review room; `by` is who did it, for the group's history.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from ..access_rules import SYSTEM_GROUPS
from ..db import Session
from ..errors import Conflict, GatebotError, Invalid, NotFound
from ..reasons import Reason, reason
from ..words import say
from . import store
from .group_tables import Group, GroupChange, account_groups, group_log, members, nested, shipped_uuid

_LONGEST = 255

ADD_USER, REMOVE_USER, ADD_GROUP, REMOVE_GROUP = "ADD_USER", "REMOVE_USER", "ADD_GROUP", "REMOVE_GROUP"
SHIPPED = (store.ADMINISTRATORS, store.CORE, store.SERVICE_USERS, store.THIRD_PARTY_CI)
"""The groups that rules of every new site name: they keep their names."""


def find(session: Session, identifier: str) -> Group | None:
    """The group of this UUID, name (in any case of letters) or number; also one that nobody joins."""
    for name, uuid in SYSTEM_GROUPS.items():
        if identifier == uuid or identifier.lower() == name.lower():
            return Group(name, uuid, owner=shipped_uuid(store.ADMINISTRATORS))
    asked = sa.or_(account_groups.c.uuid == identifier, sa.func.lower(account_groups.c.name).in_([identifier.lower()]))
    if identifier.isascii() and identifier.isdigit() and len(identifier) < 10:
        asked = sa.or_(asked, account_groups.c.number == int(identifier))
    rows = [_group(row) for row in session.execute(sa.select(account_groups).where(asked))]
    named = [one for one in rows if one.name.lower() == identifier.lower()]
    return next(iter([*named, *rows]), None)


def get(session: Session, identifier: str) -> Group:
    """The same; a sentence when there is none."""
    found = find(session, identifier)
    if found is None:
        raise _refuse(NotFound, reason("hall.group-missing", group=identifier))
    return found


def every(session: Session) -> tuple[Group, ...]:
    """All groups of the site by name; those of everybody are not among them."""
    return tuple(_group(row) for row in session.execute(sa.select(account_groups).order_by(account_groups.c.name)))


def create(session: Session, group: Group, members_of_it: Iterable[int], by: int | None, at: datetime) -> Group:
    """Make a group; its number is chosen here, and without an owner it owns itself."""
    _check_name(session, group.name)
    last = session.execute(sa.select(sa.func.max(account_groups.c.number))).scalar()
    made = replace(group, number=(last or 0) + 1, owner=group.owner or group.uuid, created=at)
    session.execute(account_groups.insert().values(
        name=made.name, description=made.description, uuid=made.uuid, number=made.number, owner=made.owner,
        visible=made.visible, created=at,
    ))  # fmt: skip
    for id in dict.fromkeys(members_of_it):
        add_member(session, made, id, by, at)
    return made


def rename(session: Session, group: Group, name: str) -> Group:
    """Call a group otherwise. Its UUID stays, by which rules know it."""
    if name == group.name:
        return group
    _refuse_shipped(group)
    _check_name(session, name, besides=group.name)
    values = {
        "name": name, "description": group.description, "uuid": f"{group.uuid}-", "number": -group.number,
        "owner": group.owner, "visible": group.visible, "created": group.created,
    }  # fmt: skip
    # Members point to the name: the new row comes first, then they move over, then the old row goes.
    session.execute(account_groups.insert().values(values))
    session.execute(members.update().where(members.c.group == group.name).values(group=name))
    session.execute(nested.update().where(nested.c.group == group.name).values(group=name))
    session.execute(account_groups.delete().where(account_groups.c.name == group.name))
    kept = {"uuid": group.uuid, "number": group.number}
    session.execute(account_groups.update().where(account_groups.c.name == name).values(kept))
    return replace(group, name=name)


def change(
    session: Session, group: Group, *, description: str | None = None, owner: str | None = None,
    visible: bool | None = None,
) -> Group:  # fmt: skip
    """Store what is told of a group: only what is given changes."""
    asked = {"description": description, "owner": owner, "visible": visible}
    given = {name: value for name, value in asked.items() if value is not None}
    if given:
        session.execute(account_groups.update().where(account_groups.c.name == group.name).values(given))
    return get(session, group.uuid)


def delete(session: Session, group: Group) -> None:
    """Take a group away. Rules that name it permit nobody anything from then on."""
    _refuse_shipped(group)
    session.execute(members.delete().where(members.c.group == group.name))
    session.execute(nested.delete().where(sa.or_(nested.c.group == group.name, nested.c.member == group.uuid)))
    session.execute(account_groups.delete().where(account_groups.c.name == group.name))


def members_of(session: Session, group: Group, *, recursive: bool = False) -> tuple[store.Account, ...]:
    """The accounts in a group by id; `recursive`: also those of the groups in it."""
    direct = sa.select(members.c.account).where(members.c.group == group.name)
    accounts = store.accounts_in(session) if recursive else store.accounts_in(session, session.scalars(direct))
    return tuple(account for account in accounts.values() if not recursive or group.name in account.groups)


def subgroups_of(session: Session, group: Group) -> tuple[Group, ...]:
    """The groups in a group, by name."""
    uuids = session.scalars(sa.select(nested.c.member).where(nested.c.group == group.name)).all()
    found = [one for uuid in uuids if (one := find(session, uuid)) is not None]
    return tuple(sorted(found, key=lambda one: one.name))


def add_member(session: Session, group: Group, id: int, by: int | None, at: datetime) -> bool:
    """Let an account in; False when it was there."""
    _refuse_everybodys(group)
    there = sa.select(members.c.account).where(members.c.account == id, members.c.group == group.name)
    if session.execute(there).first() is not None:
        return False
    store.join(session, id, group.name)
    _log(session, group, ADD_USER, str(id), by, at)
    return True


def remove_member(session: Session, group: Group, id: int, by: int | None, at: datetime) -> bool:
    """Let an account go; False when it was not there."""
    gone = session.execute(members.delete().where(members.c.account == id, members.c.group == group.name)).rowcount
    if gone:
        _log(session, group, REMOVE_USER, str(id), by, at)
    return bool(gone)


def add_subgroup(session: Session, group: Group, member: Group, by: int | None, at: datetime) -> bool:
    """Make all of a group members of another; False when they were."""
    _refuse_everybodys(group)
    there = sa.select(nested.c.member).where(nested.c.group == group.name, nested.c.member == member.uuid)
    if session.execute(there).first() is not None:
        return False
    session.execute(nested.insert().values(group=group.name, member=member.uuid))
    _log(session, group, ADD_GROUP, member.uuid, by, at)
    return True


def remove_subgroup(session: Session, group: Group, member: Group, by: int | None, at: datetime) -> bool:
    """Undo that; False when it was not so."""
    asked = nested.delete().where(nested.c.group == group.name, nested.c.member == member.uuid)
    gone = session.execute(asked).rowcount
    if gone:
        _log(session, group, REMOVE_GROUP, member.uuid, by, at)
    return bool(gone)


def history(session: Session, group: Group) -> tuple[GroupChange, ...]:
    """Who and what came and left, the latest first."""
    rows = session.execute(sa.select(group_log).where(group_log.c.uuid == group.uuid).order_by(group_log.c.id.desc()))
    return tuple(GroupChange(row.kind, row.member, row.account, row.at) for row in rows)


def _check_name(session: Session, name: str, besides: str = "") -> None:
    if not name or name != name.strip() or len(name) > _LONGEST or not name.isprintable():
        raise _refuse(Invalid, reason("hall.group-name-invalid", group=name[:60], limit=_LONGEST))
    found = find(session, name)
    if found is not None and found.name.lower() == name.lower() and found.name != besides:
        raise _refuse(Conflict, reason("hall.group-name-taken", group=found.name))


def _refuse_shipped(group: Group) -> None:
    _refuse_everybodys(group)
    if group.name in SHIPPED:
        raise _refuse(Conflict, reason("hall.group-shipped", group=group.name))


def _refuse_everybodys(group: Group) -> None:
    if not group.number:
        raise _refuse(Conflict, reason("hall.group-of-everybody", group=group.name))


def _refuse(kind: type[GatebotError], why: Reason) -> GatebotError:
    return kind(say(why), reason=why)


def _log(session: Session, group: Group, kind: str, member: str, by: int | None, at: datetime) -> None:
    session.execute(group_log.insert().values(uuid=group.uuid, kind=kind, member=member, account=by, at=at))


def _group(row: sa.Row[*tuple[object, ...]]) -> Group:
    return Group(row.name, row.uuid, row.number, row.description, row.owner, row.visible, row.created)

# SPDX-License-Identifier: Apache-2.0
"""The rows of accounts, groups, tokens and sessions, and the transactions over them.

Plain functions of a session: no clock, no randomness, no hashing. Tokens and sessions arrive here
as hashes only, so a stolen database opens no door.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa

from .. import journal
from ..access import Actor
from ..db import Session, metadata, utc
from ..errors import Conflict, Invalid, NotFound
from ..events import AccountCreated
from ..reasons import reason
from ..words import say
from . import addresses
from .group_tables import account_groups, containing, members, nested

ADMINISTRATORS = "Administrators"
CORE = "Core"
SERVICE_USERS = "Service Users"
THIRD_PARTY_CI = "Third-Party CI"
GATE = "gatebot"
"""The username of the gate's own account."""

FIRST_ACCOUNT = 1_000_000
_USERNAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}")
_LONGEST_EMAIL = 254
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")

_account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("username", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("password", sa.Text, nullable=True),
    sa.Column("created", utc, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False, server_default=""),
    sa.Column("status", sa.Text, nullable=False, server_default=""),
)
_token = sa.Table(
    "account_token",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("account", sa.Integer, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created", utc, nullable=False),
    sa.UniqueConstraint("account", "name"),
)
_session = sa.Table(
    "account_session",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("account", sa.Integer, sa.ForeignKey("account.id"), nullable=False, index=True),
    sa.Column("expires", utc, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Account:
    """One person or program. An account that is not active can do nothing, but its name stays on what it did.

    `groups` are all that it belongs to, also because one of its groups is a member of them. `display_name` is how it
    wants to be called, `status` what it says of itself (out until Monday); both may be empty.
    """

    id: int
    username: str
    name: str
    email: str
    active: bool
    groups: frozenset[str]
    display_name: str = ""
    status: str = ""

    @property
    def actor(self) -> Actor:
        """The account as permissions ask for it."""
        return Actor(self.id, self.groups, self.username)


@dataclass(frozen=True, slots=True)
class Token:
    """What a list of tokens shows; the token itself is told once, when it is made."""

    name: str
    created: datetime


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is needed to create an account; `password` is a hash."""

    username: str
    name: str
    email: str
    password: str | None
    groups: tuple[str, ...]


_by_id = sa.select(_account).where(_account.c.id == sa.bindparam("id"))
_ids: sa.BindParameter[int] = sa.bindparam("ids", expanding=True)
_with_groups = sa.outerjoin(_account, members, members.c.account == _account.c.id)
_all = sa.select(_account, members.c.group).select_from(_with_groups).order_by(_account.c.id)
_by_ids = _all.where(_account.c.id.in_(_ids))
_by_username = sa.select(_account).where(sa.func.lower(_account.c.username) == sa.bindparam("username"))
_edges = sa.select(nested.c.group, nested.c.member, account_groups.c.name).select_from(
    sa.outerjoin(nested, account_groups, account_groups.c.uuid == nested.c.member)
)
_next_id = sa.select(sa.func.coalesce(sa.func.max(_account.c.id), FIRST_ACCOUNT - 1) + 1)
_groups_of = sa.select(members.c.group).where(members.c.account == sa.bindparam("id"))


def create(session: Session, new: NewAccount, at: datetime, id: int | None = None) -> Account:
    """Add an account and say so in the journal; without `id` it gets the next number."""
    check_new(session, new)
    number: int = session.execute(_next_id).scalar_one() if id is None else id
    session.execute(
        _account.insert().values(
            id=number,
            username=new.username,
            name=new.name,
            email=new.email,
            active=True,
            password=new.password,
            created=at,
        )
    )
    account = Account(number, new.username, new.name, new.email, True, frozenset())
    for group in new.groups:
        account = join(session, number, group)
    journal.append(session, AccountCreated(account=number, username=new.username), at)
    return account


def check_new(session: Session, new: NewAccount, *, but_email: bool = False) -> None:
    """Refuse what no account can be called; `but_email`: whose address it is does not matter."""
    if not _USERNAME.fullmatch(new.username):
        why = reason("hall.username-invalid", username=new.username)
        raise Invalid(say(why), reason=why)
    if not is_email(new.email):
        why = reason("hall.email-invalid", email=new.email)
        raise Invalid(say(why), reason=why)
    if username_in(session, new.username) is not None:
        why = reason("hall.username-taken", username=new.username)
        raise Conflict(say(why), reason=why)
    if not but_email and email_in(session, new.email) is not None:
        why = reason("hall.email-taken", email=new.email)
        raise Conflict(say(why), reason=why)


def is_email(text: str) -> bool:
    """Whether it looks like an address."""
    return len(text) <= _LONGEST_EMAIL and _EMAIL.fullmatch(text) is not None


def account_in(session: Session, id: int) -> Account | None:
    """One account by its id, inside a transaction."""
    return _whole(session, session.execute(_by_id, {"id": id}).one_or_none())


def accounts_in(session: Session, ids: Iterable[int] | None = None) -> dict[int, Account]:
    """Several accounts by their ids, or all of them, inside a transaction; unknown ids are left out."""
    rows = session.execute(_all) if ids is None else session.execute(_by_ids, {"ids": sorted(set(ids))})
    of_each = [list(several) for _, several in groupby(rows, key=lambda row: row.id)]
    edges = _edges_in(session)
    return {one[0].id: _plain(one[0], [row.group for row in one if row.group is not None], edges) for one in of_each}


def username_in(session: Session, username: str) -> Account | None:
    """One account by its username, in any case of letters."""
    return _whole(session, session.execute(_by_username, {"username": username.lower()}).one_or_none())


def email_in(session: Session, email: str) -> Account | None:
    """One account by its preferred address or a further one, in any case of letters."""
    row = session.execute(sa.select(_account).where(sa.func.lower(_account.c.email) == email.lower())).first()
    if row is None and (owner := addresses.owner(session, email)) is not None:
        row = session.execute(_by_id, {"id": owner}).one_or_none()
    return _whole(session, row)


def password_in(session: Session, username: str) -> tuple[Account, str | None] | None:
    """An account and the hash of its password."""
    row = session.execute(_by_username, {"username": username.lower()}).one_or_none()
    account = _whole(session, row)
    return None if row is None or account is None else (account, row.password)


def set_password(session: Session, id: int, password: str | None) -> None:
    """Store the hash of another password and end all sessions: who knew the old one is out."""
    _must(session, id)
    session.execute(_account.update().where(_account.c.id == id).values(password=password))
    session.execute(_session.delete().where(_session.c.account == id))


def set_active(session: Session, id: int, active: bool) -> Account:
    """Let an account act, or no longer."""
    account = _must(session, id)
    session.execute(_account.update().where(_account.c.id == id).values(active=active))
    return replace(account, active=active)


def set_said(
    session: Session, id: int, *, name: str | None = None, display_name: str | None = None, status: str | None = None
) -> Account:
    """Store what an account says of itself: only what is given changes."""
    given = {"name": name, "display_name": display_name, "status": status}
    said = {field: text for field, text in given.items() if text is not None}
    if said:
        session.execute(_account.update().where(_account.c.id == id).values(said))
    return _must(session, id)


def set_email(session: Session, id: int, email: str) -> None:
    """Let another address be the preferred one; whose it is was asked before."""
    session.execute(_account.update().where(_account.c.id == id).values(email=email))


def created_at(session: Session, id: int) -> datetime:
    """When an account was made."""
    _must(session, id)
    return session.execute(sa.select(_account.c.created).where(_account.c.id == id)).scalar_one()


def join(session: Session, id: int, group: str) -> Account:
    """Make an account a member of a group; nothing happens when it is one."""
    _must(session, id)
    _must_be_group(session, group)
    if group not in _direct(session, id):
        session.execute(members.insert().values(account=id, group=group))
    return _must(session, id)


def leave(session: Session, id: int, group: str) -> Account:
    """End a membership; nothing happens when there is none."""
    _must(session, id)
    session.execute(members.delete().where(members.c.account == id, members.c.group == group))
    return _must(session, id)


def group_names(session: Session) -> tuple[str, ...]:
    """All groups of the site."""
    return tuple(session.execute(sa.select(account_groups.c.name).order_by(account_groups.c.name)).scalars())


def add_token(session: Session, id: int, name: str, hash: str, at: datetime) -> None:
    """Store the hash of a new token under a name that the account does not use yet."""
    _must(session, id)
    taken = sa.select(_token.c.hash).where(_token.c.account == id, _token.c.name == name)
    if session.execute(taken).first() is not None:
        why = reason("hall.token-name-taken", name=name)
        raise Conflict(say(why), reason=why)
    session.execute(_token.insert().values(hash=hash, account=id, name=name, created=at))


def drop_token(session: Session, id: int, name: str) -> bool:
    """Make a token useless; False when there is none of that name."""
    gone = session.execute(_token.delete().where(_token.c.account == id, _token.c.name == name))
    return gone.rowcount > 0


def tokens_of(session: Session, id: int) -> tuple[Token, ...]:
    """The tokens of an account, oldest first."""
    rows = session.execute(sa.select(_token).where(_token.c.account == id).order_by(_token.c.created, _token.c.name))
    return tuple(Token(row.name, row.created) for row in rows)


def token_owner(session: Session, hash: str) -> Account | None:
    """Whose token this is."""
    found = sa.select(_account).join(_token, _token.c.account == _account.c.id).where(_token.c.hash == hash)
    return _whole(session, session.execute(found).one_or_none())


def add_session(session: Session, id: int, hash: str, now: datetime, expires: datetime) -> None:
    """Open a session, and sweep away those that are over."""
    _must(session, id)
    session.execute(_session.delete().where(_session.c.expires <= now))
    session.execute(_session.insert().values(hash=hash, account=id, expires=expires))


def session_owner(session: Session, hash: str, now: datetime) -> tuple[Account, datetime] | None:
    """Whose session this is, and until when."""
    found = (
        sa.select(_account, _session.c.expires)
        .join(_session, _session.c.account == _account.c.id)
        .where(_session.c.hash == hash, _session.c.expires > now)
    )
    row = session.execute(found).one_or_none()
    account = _whole(session, row)
    return None if row is None or account is None else (account, row.expires)


def prolong_session(session: Session, hash: str, expires: datetime) -> None:
    """Move the end of a session."""
    session.execute(_session.update().where(_session.c.hash == hash).values(expires=expires))


def end_session(session: Session, hash: str) -> None:
    """Make a session useless; nothing happens when there is none."""
    session.execute(_session.delete().where(_session.c.hash == hash))


def _must(session: Session, id: int) -> Account:
    account = account_in(session, id)
    if account is None:
        why = reason("hall.account-unknown", account=id)
        raise NotFound(say(why), reason=why)
    return account


def _must_be_group(session: Session, name: str) -> None:
    names = group_names(session)
    if name not in names:
        why = reason("hall.group-unknown", group=name, groups=", ".join(names))
        raise Invalid(say(why), reason=why)


def _whole(session: Session, row: sa.Row[*tuple[object, ...]] | None) -> Account | None:
    return None if row is None else _plain(row, _direct(session, row.id), _edges_in(session))


def _direct(session: Session, id: int) -> Sequence[str]:
    return session.execute(_groups_of, {"id": id}).scalars().all()


def _edges_in(session: Session) -> list[tuple[str, str, str | None]]:
    """Which group contains which; few."""
    return [(row.group, row.member, row.name) for row in session.execute(_edges)]


def _plain(
    row: sa.Row[*tuple[object, ...]], groups: Iterable[str], edges: Sequence[tuple[str, str, str | None]]
) -> Account:
    within = containing(groups, edges)
    return Account(row.id, row.username, row.name, row.email, row.active, within, row.display_name, row.status)

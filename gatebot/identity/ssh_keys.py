# SPDX-License-Identifier: Apache-2.0
"""The public keys of accounts, by which SSH knows who connects: their rows, and the calls over them.

A key is stored as its algorithm and its base64 text, so that it is found by comparing. One account's keys are
numbered from 1 and numbers are not used twice while later ones are there, as in Gerrit.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from ..clock import Clock
from ..db import Database, Session, metadata, utc
from ..errors import Conflict, Invalid, NotFound
from ..reasons import reason
from ..words import say
from . import store
from .store import Account

_SHORTEST_RSA = 2048
_LONGEST = 16 * 1024
_MOST = 100
_PRIVATE = ("PRIVATE KEY", "PuTTY-User-Key-File", "Private-Lines:")

_key = sa.Table(
    "account_ssh_key",
    metadata,
    sa.Column("account", sa.Integer, sa.ForeignKey("account.id"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("algorithm", sa.Text, nullable=False),
    sa.Column("encoded", sa.Text, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("created", utc, nullable=False),
    sa.UniqueConstraint("account", "encoded"),
)


@dataclass(frozen=True, slots=True)
class SshKey:
    """One public key; `seq` is its number among those of its account."""

    seq: int
    algorithm: str
    encoded: str
    comment: str

    @property
    def text(self) -> str:
        """As `authorized_keys` has it."""
        return f"{self.algorithm} {self.encoded} {self.comment}".rstrip()

    @property
    def fingerprint(self) -> str:
        """What `ssh-keygen -l` shows of it, for people to compare."""
        digest = hashlib.sha256(b64decode(self.encoded)).digest()
        return f"SHA256:{b64encode(digest).decode().rstrip('=')}"


class SshKeys:
    """Keys of accounts, for callers in the event loop."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def add_ssh_key(self, id: int, text: str) -> SshKey:
        """Let a key open an account; the same key again is the one that is there."""
        return await self._db.run_silent(add_key, id, read_key(text), self._clock.now())

    async def ssh_keys(self, id: int) -> tuple[SshKey, ...]:
        """The keys of an account, in the order of their numbers."""
        return await self._db.read(keys_of, id)

    async def delete_ssh_key(self, id: int, seq: int) -> None:
        """Make a key useless."""
        await self._db.run_silent(_drop, id, seq)

    async def by_ssh_key(self, username: str, encoded: str) -> Account | None:
        """Who connects under this name with this key; None: nobody, or not any more."""
        return await self._db.read(_owner, username, encoded)


def read_key(text: str) -> SshKey:
    """A key as `ssh-keygen` writes it into its `.pub` file."""
    if any(mark in text for mark in _PRIVATE):
        told = reason("hall.ssh-key-private")
        raise Invalid(say(told), reason=told)
    parts = text.split(None, 2) if len(text) <= _LONGEST else []
    if len(parts) < 2 or "\n" in text.strip():
        raise _unusable("write one line such as `ssh-ed25519 AAAA... you@laptop`, the content of the .pub file")
    algorithm, encoded = parts[:2]
    try:
        key = load_ssh_public_key(f"{algorithm} {encoded}".encode())
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable(
            "it is not a public key of OpenSSH; send the content of the .pub file, not the private key"
        ) from None
    if isinstance(key, RSAPublicKey) and key.key_size < _SHORTEST_RSA:
        raise _unusable(f"RSA keys need {_SHORTEST_RSA} bits, this one has {key.key_size}; use ssh-keygen -t ed25519")
    return SshKey(0, algorithm, encoded, parts[2].strip() if len(parts) > 2 else "")


def _unusable(why: str) -> Invalid:
    told = reason("hall.ssh-key-unusable", why=why)
    return Invalid(say(told), reason=told)


def add_key(session: Session, id: int, new: SshKey, at: datetime) -> SshKey:
    """Let a key open an account, inside a transaction; the same key again is the one that is there."""
    if store.account_in(session, id) is None:
        why = reason("hall.account-unknown", account=id)
        raise NotFound(say(why), reason=why)
    there = keys_of(session, id)
    for known in there:
        if known.encoded == new.encoded:
            return known
    if len(there) >= _MOST:
        why = reason("hall.ssh-keys-many", limit=_MOST)
        raise Conflict(say(why), reason=why)
    made = SshKey(max((key.seq for key in there), default=0) + 1, new.algorithm, new.encoded, new.comment)
    values = {"account": id, "seq": made.seq, "algorithm": made.algorithm, "encoded": made.encoded}
    session.execute(_key.insert().values(**values, comment=made.comment, created=at))
    return made


def keys_of(session: Session, id: int) -> tuple[SshKey, ...]:
    """The keys of an account inside a transaction, in the order of their numbers."""
    rows = session.execute(sa.select(_key).where(_key.c.account == id).order_by(_key.c.seq))
    return tuple(SshKey(row.seq, row.algorithm, row.encoded, row.comment) for row in rows)


def _drop(session: Session, id: int, seq: int) -> None:
    gone = session.execute(_key.delete().where(_key.c.account == id, _key.c.seq == seq))
    if gone.rowcount == 0:
        why = reason("hall.ssh-key-unknown", number=seq)
        raise NotFound(say(why), reason=why)


def _owner(session: Session, username: str, encoded: str) -> Account | None:
    account = store.username_in(session, username)
    if account is None or not account.active:
        return None
    known = sa.select(_key.c.seq).where(_key.c.account == account.id, _key.c.encoded == encoded)
    return account if session.execute(known).first() is not None else None

# SPDX-License-Identifier: Apache-2.0
"""Who people and programs are: accounts, groups, passwords, tokens, sessions.

Here is the one name that others import, `Identity`; `accounts.py`, `credentials.py`, `sessions.py`,
`groups.py`, `address_book.py` and `ssh_keys.py` hold its subjects, `store.py`, `addresses.py` and `group_store.py` the
rows, `passwords.py` the hashing and the brake on guessing.
What an account may do is not decided here but in `access.py`.
"""

from __future__ import annotations

from ..clock import Clock
from ..db import Database
from .accounts import Accounts
from .address_book import Addresses
from .credentials import Credentials
from .group_store import find as group_in
from .group_tables import Group, GroupChange
from .groups import Groups
from .sessions import Sessions
from .ssh_keys import SshKey, SshKeys
from .store import ADMINISTRATORS, CORE, GATE, SERVICE_USERS, THIRD_PARTY_CI, Account, Token, account_in, accounts_in

__all__ = [
    "ADMINISTRATORS",
    "CORE",
    "GATE",
    "SERVICE_USERS",
    "THIRD_PARTY_CI",
    "Account",
    "Group",
    "GroupChange",
    "Identity",
    "SshKey",
    "Token",
    "account_in",
    "accounts_in",
    "group_in",
]


class Identity(Accounts, Addresses, Credentials, Groups, Sessions, SshKeys):
    """Everything about who is asking, over one database."""

    def __init__(self, db: Database, clock: Clock) -> None:
        Accounts.__init__(self, db, clock)
        Addresses.__init__(self, db, clock)
        Credentials.__init__(self, db, clock)
        Groups.__init__(self, db, clock)
        Sessions.__init__(self, db, clock)
        SshKeys.__init__(self, db, clock)

# SPDX-License-Identifier: Apache-2.0
"""Which groups an account is in, by the UUIDs that agreements name.

Transaction functions; the agreements themselves are configuration.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...access_rules import ANONYMOUS, REGISTERED, SYSTEM_GROUPS
from ...db import Session
from ...identity import Account, Group, group_store


def groups_of(session: Session, account: Account) -> frozenset[str]:
    """The groups of an account, those of everybody among them."""
    return uuids_of(account, group_store.every(session))


def uuids_of(account: Account, groups: Iterable[Group]) -> frozenset[str]:
    """The same, among these groups of the site."""
    own = {one.uuid for one in groups if one.name in account.groups}
    return frozenset({*own, SYSTEM_GROUPS[ANONYMOUS], SYSTEM_GROUPS[REGISTERED]})

# SPDX-License-Identifier: Apache-2.0
"""Gerrit's little language for finding accounts: words, `name:`, `email:`, `username:`, `is:active`.

Pure. All terms must fit; an operator that is not known is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from ...errors import Invalid
from ...reasons import reason
from ..whole import Known

Terms: TypeAlias = Sequence[tuple[str, str]]
_TERM = re.compile(r'(?:([a-z]+):)?(?:"([^"]*)"?|\{([^}]*)\}?|(\S+))')
_OPERATORS = ("name", "email", "username", "is", "id")


def account_query(text: str, *, active_only: bool = False) -> Terms:
    """Read a query. Only accounts that may act are found, unless it names others with `is:inactive`."""
    found: list[tuple[str, str]] = []
    for operator, quoted, braced, word in _TERM.findall(text):
        value = (quoted or braced or word).lower()
        if operator and operator not in _OPERATORS:
            known = ", ".join(_OPERATORS)
            raise Invalid(reason=reason("review.query-unknown-operator", operator=f"{operator}:{value}", known=known))
        if operator == "is" and value not in ("active", "inactive"):
            why = "the values are active and inactive"
            raise Invalid(reason=reason("review.query-bad-value", operator=operator, value=value, why=why))
        if value != "and":
            found.append((operator, value))
    if active_only or not any(operator == "is" for operator, _ in found):
        found.append(("is", "active"))
    return found


def fits(account: Known, terms: Terms) -> bool:
    """Whether an account is one of those that are looked for."""
    return all(_fits(account, operator, value) for operator, value in terms)


def _fits(account: Known, operator: str, value: str) -> bool:
    name, email, username = account.name.lower(), account.email.lower(), account.username.lower()
    match operator:
        case "is":
            return account.active == (value == "active")
        case "id":
            return value == str(account.id)
        case "name":
            return value in name
        case "email":
            return email.startswith(value)
        case "username":
            return username == value
        case _:
            parts = [username, *re.split(r"[\s.@_-]+", name), *re.split(r"[.@_+-]", email), email, name]
            return value == str(account.id) or any(part.startswith(value) for part in parts)


def ranked(accounts: Sequence[Known], recent: Sequence[int]) -> list[Known]:
    """Accounts for a suggestion: those who were busy here lately come first, then by name."""
    order = {account: place for place, account in enumerate(recent)}
    return sorted(accounts, key=lambda one: (order.get(one.id, len(order)), one.name.lower(), one.id))

# SPDX-License-Identifier: Apache-2.0
"""Whom the name of a group invites to a change: its members, as far as they may see the change.

A large group must be meant, and a very large one is nobody. The sentences are Gerrit's.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..access import Actor, Rulebook, Verb, may
from ..errors import Invalid, NotFound, Unprocessable
from ..identity import Account
from ..reasons import reason
from .groups.service import GroupService
from .model import Change
from .permission import target_of

ASKS_ABOVE, MOST = 10, 20
"""A group with more members than the one must be confirmed, with more than the other it cannot be invited."""


@dataclass(frozen=True, slots=True)
class Inviting:
    """Expands groups."""

    groups: GroupService
    rules: Rulebook

    async def group(self, actor: Actor, change: Change, name: str, *, confirmed: bool = False) -> tuple[Account, ...]:
        """The members of a group who are to be reviewers; refused where nobody is called so."""
        try:
            group = await self.groups.find(actor, name)
            members = await self.groups.members(actor, group.uuid, recursive=True)
        except NotFound:
            raise Unprocessable(reason=reason("review.nobody-called", name=name[:80])) from None
        if not group.number:
            raise Invalid(reason=reason("review.group-no-reviewer", group=group.name))
        found = tuple(one for one in members if one.active and self._sees(one, change))
        if len(found) > MOST:
            raise Invalid(reason=reason("review.group-too-large", group=group.name))
        if len(found) > ASKS_ABOVE and not confirmed:
            raise Invalid(reason=reason("review.group-confirm", group=group.name, count=len(found)))
        if not found:
            raise Invalid(reason=reason("review.group-empty", group=group.name))
        return found

    def _sees(self, account: Account, change: Change) -> bool:
        return may(account.actor, Verb.READ, target_of(change), self.rules)

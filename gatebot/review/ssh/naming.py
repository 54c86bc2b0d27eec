# SPDX-License-Identifier: Apache-2.0
"""What the words of commands name: changes and patch sets in every form that Gerrit takes, and accounts.

Refusals are worded as Gerrit words them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...access import Actor
from ...errors import Invalid, NotFound
from ...identity import Account
from ..model import Change, PatchSet
from ..room import ReviewRoom
from ..whole import ChangeView
from .model import Failed

_NUMBERS = re.compile(r"(\d{1,9}),(\d{1,9})")
_COMMIT = re.compile(r"[0-9a-fA-F]{4,40}")


class Naming:
    """Finds what is named, as far as the asker may see it."""

    def __init__(self, room: ReviewRoom) -> None:
        self._room = room

    async def patch_set(
        self, actor: Actor, word: str, *, project: str = "", branch: str = ""
    ) -> tuple[ChangeView, PatchSet]:
        """`CHANGE,PATCHSET`, or a commit of which enough is written; `CHANGE` alone is its current patch set."""
        numbers = _NUMBERS.fullmatch(word)
        if numbers is not None:
            view = await self._change(actor, numbers[1], numbers[1])
            found = [(view, one) for one in view.patch_sets if one.number == int(numbers[2])]
        elif _COMMIT.fullmatch(word):
            found = await self._by_commit(actor, word, project, branch)
            if not found and word.isdecimal() and len(word) < 10:
                found = await self._alone(actor, word)
        elif word.isdecimal() and len(word) < 10:
            found = await self._alone(actor, word)
        else:
            raise Failed(f'fatal: "{word}" is not a valid patch set')
        if not found:
            raise Failed(f'fatal: "{word}" no such patch set')
        if len(found) > 1:
            raise Failed(f'fatal: "{word}" matches multiple patch sets')
        view, patch_set = found[0]
        if project and view.change.project != project:
            raise Failed(f"fatal: change {view.change.number} not in project {project}")
        if branch and view.change.branch != branch.removeprefix("refs/heads/"):
            raise Failed(f"fatal: change {view.change.number} not in branch {branch}")
        return view, patch_set

    async def change(self, actor: Actor, word: str, *, project: str = "") -> ChangeView:
        """A number, `Iid`, `PROJECT~BRANCH~Iid`, or `PROJECT~N`."""
        if project and "~" not in word and word.isdecimal():
            return await self._change(actor, f"{project}~{word}", word)
        return await self._change(actor, word, word)

    async def account(self, asking: Account | None, word: str) -> Account | None:
        """`self`, an id, a username or an address."""
        identity = self._room.identity
        if word in ("self", "me") and asking is not None:
            return asking
        if word.isdecimal() and len(word) < 10 and (found := await identity.by_id(int(word))):
            return found
        return await identity.by_username(word) or await identity.by_email(word)

    async def invited(self, actor: Actor, change: Change, word: str, *, confirmed: bool = False) -> tuple[int, ...]:
        """The account that is named, or the members of a group who see the change."""
        account = await self.account(None, word)
        if account is not None:
            return (account.id,)
        members = await self._room.inviting.group(actor, change, word, confirmed=confirmed)
        return tuple(one.id for one in members)

    async def _change(self, actor: Actor, identifier: str, word: str) -> ChangeView:
        try:
            found = await self._room.reading.find(actor, identifier)
            return await self._room.reading.view(actor, found.number)
        except NotFound:
            raise Failed(f'fatal: "{word}" no such change') from None

    async def _alone(self, actor: Actor, word: str) -> list[tuple[ChangeView, PatchSet]]:
        view = await self._change(actor, word, word)
        return [(view, view.current)]

    async def _by_commit(self, actor: Actor, word: str, project: str, branch: str) -> list[tuple[ChangeView, PatchSet]]:
        query = f"commit:{word}"
        if project:
            query += f' project:"{project}"'
        if branch:
            query += f' branch:"{branch}"'
        try:
            views: Sequence[ChangeView] = (await self._room.reading.search(actor, query, 10))[0]
        except Invalid:
            return []
        return [(view, one) for view in views for one in view.patch_sets if one.commit.startswith(word.lower())]

# SPDX-License-Identifier: Apache-2.0
"""Where the server makes patch sets for somebody: reverts, picks, rebases, edits all come through here; and branches.

What a push would be asked is asked of each commit: rights, the project's state and policy, its configuration. Then
`making.py` makes them, all or none. Everything here blocks; callers use a thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .. import access
from ..access import Actor, Target, Verb
from ..clock import Clock
from ..db import Database, Session
from ..errors import Conflict, GatebotError, Invalid, NotPermitted
from ..identity import Account, account_in
from ..reasons import reason
from ..repo import MergeConflict, Person, Repositories, person
from ..words import say
from . import deeds, push_flaws, store, topics
from .making import Maker, Wanted
from .model import Change, branch_ref
from .permission import require, require_account
from .push_config import ConfigGuard
from .push_facts import Push, Reader, facts
from .receive import CONFIG, Refusal

_LONGEST = 64 * 1024  # characters of a message; who needs more pushes it
COMMIT_ID = re.compile(r"[0-9a-f]{40}\Z")


@dataclass(frozen=True, slots=True)
class Workbench:
    """`sees` tells those of some changes that somebody may read."""

    db: Database
    repositories: Repositories
    maker: Maker
    clock: Clock
    rules: access.Rulebook
    reader: Reader
    guard: ConfigGuard
    sees: Callable[[Session, Actor, Iterable[int]], frozenset[int]]

    def account(self, actor: Actor) -> Account:
        """Who acts, with name and address."""
        return self.db.read_now(_account, require_account(actor))

    def person(self, account: Account) -> Person:
        """The same as git names him, now."""
        return person(account.name or account.username, account.email, int(self.clock.now().timestamp()))

    def scratch(self, project: str) -> str:
        """A store where commits can be made before anybody may see them."""
        return self.maker.scratch(project)

    def is_in(self, project: str, commit: str, tip: str) -> bool:
        """Whether a commit that somebody names is one of a branch's."""
        try:
            known = self.repositories.commit(project, commit).id
        except GatebotError:
            return False
        return self.repositories.is_ancestor(project, known, tip)

    def change_at(self, session: Session, actor: Actor, project: str, commit: str) -> Change | None:
        """The change that a commit is a patch set of, where the actor sees it."""
        found = store.find_by_commits(session, project, (commit,)).get(commit)
        return found if found is not None and self.sees(session, actor, [found.number]) else None

    def pick(self, place: str, commit: str, onto: str) -> tuple[str, tuple[str, ...]]:
        """The tree of a commit put onto another, and the files that have git's marks of conflicts in it."""
        picked = self.repositories.pick(place, commit, onto)
        return picked.tree, picked.paths if isinstance(picked, MergeConflict) else ()

    def require_writable(self, project: str) -> None:
        """A project that is only read takes no patch set."""
        if self.reader.policies.of(project).read_only:
            raise Conflict(reason=reason("review.make-read-only", project=project))

    def make(self, actor: Actor, account: Account, wanted: Sequence[Wanted]) -> tuple[Change, ...]:
        """Make all of these, or none; refused as a push of them would be."""
        for one in wanted:
            if not one.number:
                self.require_unhidden(actor, one.project, one.branch, one.change_id)
            self._vet(actor, account, one)
        return self.maker.make(account.id, wanted)

    def require_unhidden(self, actor: Actor, project: str, branch: str, change_id: str) -> None:
        """A Change-Id that a change has which the asker may not see: it is taken, and no more is told."""
        found = self.db.read_now(store.find_by_id, change_id, project, branch)
        numbers = [change.number for change in found]
        if set(numbers) - self.db.read_now(self.sees, actor, numbers):
            raise Conflict(reason=reason("review.change-id-hidden", id=change_id))

    def _vet(self, actor: Actor, account: Account, one: Wanted) -> None:
        self.require_writable(one.project)
        if (flaw := topics.flaw(one.topic)) is not None:
            raise Invalid(reason=flaw)
        if (unsigned := self.reader.unsigned(one.project, account)) is not None:
            raise NotPermitted(reason=reason("review.make-refused", self.reader.agreeing, text=say(unsigned)))
        ref = branch_ref(one.branch)
        require(actor, Verb.UPLOAD, Target(one.project, ref, account.id), self.rules)
        if one.number:
            deeds.amend(actor, self.db.read_now(store.get_change, one.number), self.rules)
        push = Push(one.project, account, (), (), "")
        commit = facts(self.repositories.commit(one.store, one.commit))
        if len(commit.message) > _LONGEST:
            raise Invalid(reason=reason("review.message-too-long", limit=_LONGEST))
        flaw = push_flaws.of_change(commit, self.reader.past_review(push, [commit]), self.reader.rights(push, ref))
        if flaw is not None:
            raise _refused(flaw)
        if ref == CONFIG:
            why = self.guard.against(
                actor, one.project, lambda name: self.repositories.read_file(one.store, one.commit, name)
            )
            if why is not None:
                raise Conflict(reason=why)


def _refused(flaw: Refusal) -> Conflict:
    hint = flaw.hint or flaw.told
    return Conflict(reason=reason("review.make-refused", *((hint,) if hint is not None else ()), text=flaw.text))


def _account(session: Session, account: int) -> Account:
    known = account_in(session, account)
    if known is None:
        raise Conflict(reason=reason("review.no-such-account", account=account))
    return known

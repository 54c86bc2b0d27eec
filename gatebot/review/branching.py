# SPDX-License-Identifier: Apache-2.0
"""Branches and tags made and taken away where nobody pushes, and configuration that is written here.

In the beats of a push past review: an intent, the references, the rows and the journal; what is begun when the server
dies is finished by `push.py`, which knows the intents. Git objects must be there already.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

import pygit2

from ..access import Actor, Target, Verb, may
from ..errors import Conflict, GatebotError, Invalid, NotFound
from ..identity import Account
from ..reasons import reason
from ..repo import git_output
from . import push_past_rows, push_rows, store
from .model import ZERO, RefMove
from .permission import require, require_account
from .workbench import Workbench

_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_PUBLIC = (_HEADS, _TAGS)


class Branching:
    """Makes and deletes branches and tags."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._db = bench.db
        self._repositories = bench.repositories
        self._clock = bench.clock
        self._rules = bench.rules

    async def create(self, actor: Actor, project: str, branch: str, revision: str) -> str:
        """The commit that the new branch points to."""
        ref = _HEADS + branch.removeprefix(_HEADS)
        require(actor, Verb.CREATE, Target(project, ref), self._rules)
        return await asyncio.to_thread(self._create, actor, project, ref, revision)

    async def create_tag(self, actor: Actor, project: str, tag: str, revision: str, message: str = "") -> str:
        """A tag of a commit; with a message one that has an object of its own. What it points to."""
        ref = _TAGS + tag.removeprefix(_TAGS)
        require(actor, Verb.CREATE_TAG if message else Verb.CREATE, Target(project, ref), self._rules)
        return await asyncio.to_thread(self._create, actor, project, ref, revision, message)

    async def delete(self, actor: Actor, project: str, refs: Sequence[str]) -> None:
        """Take branches and tags away, all or none; not the default branch, nor one that open changes are for."""
        for ref in refs:
            require(actor, Verb.DELETE, Target(project, ref), self._rules)
        await asyncio.to_thread(self._delete, actor, project, refs)

    def find_commit(self, actor: Actor, project: str, revision: str) -> str:
        """The commit of a branch, a tag, or of an id that one of them contains which the actor reads: others may be
        nobody's business."""
        names = [revision] if revision.startswith("refs/") else [revision, _HEADS + revision, _TAGS + revision]
        for name in names:
            if name == "HEAD":
                name = _HEADS + self._repositories.default_branch(project)
            readable = name.startswith(_PUBLIC) and may(actor, Verb.READ, Target(project, name), self._rules)
            if readable and (found := self._repositories.resolve(project, name)):
                return self._repositories.commit(project, found).id
        unknown = NotFound(reason=reason("review.no-such-revision", project=project, revision=revision[:100]))
        try:
            commit = self._repositories.commit(project, revision).id
        except (GatebotError, ValueError, KeyError):
            raise unknown from None
        listing = ["for-each-ref", "--format=%(refname)", f"--contains={commit}", *_PUBLIC]
        refs = git_output(self._repositories.path(project), listing).splitlines()
        if not any(may(actor, Verb.READ, Target(project, ref), self._rules) for ref in refs):
            raise unknown
        return commit

    def move(self, account: int, project: str, moves: tuple[RefMove, ...]) -> None:
        """Move references, all or none."""
        key = uuid.uuid4().hex
        intent = self._db.run_now(push_past_rows.open_direct, key, project, account, moves, (), self._clock.now())
        done: list[RefMove] = []
        for one in moves:
            if not self._repositories.update_ref(project, one.ref, one.old, one.new):
                for back in reversed(done):
                    self._repositories.update_ref(project, back.ref, back.new, back.old)
                self._db.run_now(push_rows.give_up, intent, self._clock.now())
                raise Conflict(reason=reason("review.push-elsewhere"))
            done.append(one)
        order, now = push_rows.from_payload(intent.payload), self._clock.now()
        self._db.run_now(push_past_rows.finish_direct, intent, order, moves, {}, push_rows.rules_in, now)

    def _create(self, actor: Actor, project: str, ref: str, revision: str, message: str = "") -> str:
        account = self._bench.account(actor)
        self._bench.require_writable(project)
        if not pygit2.reference_is_valid_name(ref) or len(ref) > 250:
            raise Invalid(reason=reason("review.branch-name", branch=ref.removeprefix(_HEADS)[:100]))
        target = self.find_commit(actor, project, revision)
        if message:
            target = self._tag(account, project, ref.removeprefix(_TAGS), target, message)
        there = reason("review.branch-exists", branch=ref)
        if self._repositories.resolve(project, ref) is not None:
            raise Conflict(reason=there)
        try:
            self.move(account.id, project, (RefMove(project, ref, ZERO, target, project),))
        except Conflict:
            raise Conflict(reason=there) from None
        return target

    def _tag(self, account: Account, project: str, tag: str, commit: str, message: str) -> str:
        return self._repositories.write_tag(project, tag, commit, self._bench.person(account), message.strip() + "\n")

    def _delete(self, actor: Actor, project: str, refs: Sequence[str]) -> None:
        self._bench.require_writable(project)
        moves: list[RefMove] = []
        for ref in dict.fromkeys(refs):
            at = self._repositories.resolve(project, ref) if ref.startswith(_PUBLIC) else None
            if at is None:
                raise NotFound(reason=reason("review.no-such-revision", project=project, revision=ref[:100]))
            if ref == _HEADS + self._repositories.default_branch(project):
                raise Conflict(reason=reason("review.delete-default", branch=ref))
            branch = ref.removeprefix(_HEADS)
            if ref.startswith(_HEADS) and self._db.read_now(store.open_changes, project, branch):
                raise Conflict(reason=reason("review.delete-with-changes", branch=ref))
            moves.append(RefMove(project, ref, at, ZERO, project))
        self.move(require_account(actor), project, tuple(moves))

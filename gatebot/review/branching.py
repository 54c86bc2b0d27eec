# SPDX-License-Identifier: Apache-2.0
"""Making a branch without a push: by command, at a commit that the project has.

The same right as for a push that makes one, and the same beats: what is about to move is written first, so that a
server that dies in the middle finishes it at its next start.
"""

from __future__ import annotations

import asyncio
import uuid

import pygit2

from ..access import Actor, Rulebook, Target, Verb
from ..clock import Clock
from ..db import Database
from ..errors import Conflict, GatebotError, Invalid, NotFound
from ..reasons import reason
from ..repo import Repositories, git_output
from . import push_past_rows, push_rows
from .model import ZERO, RefMove
from .permission import require

_HEADS = "refs/heads/"
_PUBLIC = (_HEADS, "refs/tags/")


class Branching:
    """Makes branches."""

    def __init__(self, db: Database, repositories: Repositories, clock: Clock, rules: Rulebook) -> None:
        self._db = db
        self._repositories = repositories
        self._clock = clock
        self._rules = rules

    async def create(self, actor: Actor, project: str, branch: str, revision: str) -> str:
        """The commit that the new branch points to."""
        ref = _HEADS + branch.removeprefix(_HEADS)
        account = require(actor, Verb.CREATE, Target(project, ref), self._rules)
        return await asyncio.to_thread(self._create, account, project, ref, revision)

    def _create(self, account: int, project: str, ref: str, revision: str) -> str:
        if not pygit2.reference_is_valid_name(ref):
            raise Invalid(reason=reason("review.branch-name", branch=ref.removeprefix(_HEADS)))
        commit = self._commit(project, revision)
        there = reason("review.branch-exists", branch=ref)
        if self._repositories.resolve(project, ref) is not None:
            raise Conflict(reason=there)
        move = RefMove(project, ref, ZERO, commit, project)
        key, now = uuid.uuid4().hex, self._clock.now()
        intent = self._db.run_now(push_past_rows.open_direct, key, project, account, (move,), (), now)
        if not self._repositories.update_ref(project, ref, ZERO, commit):
            self._db.run_now(push_rows.give_up, intent, now)
            raise Conflict(reason=there)
        order = push_rows.from_payload(intent.payload)
        self._db.run_now(push_past_rows.finish_direct, intent, order, (move,), {}, push_rows.rules_in, now)
        return commit

    def _commit(self, project: str, revision: str) -> str:
        """The commit of a branch, a tag, or of an id that one of them contains: others may be nobody's business."""
        names = [revision] if revision.startswith("refs/") else [revision, _HEADS + revision, f"refs/tags/{revision}"]
        for name in names:
            if (name == "HEAD" or name.startswith(_PUBLIC)) and (found := self._repositories.resolve(project, name)):
                return self._repositories.commit(project, found).id
        unknown = NotFound(reason=reason("review.no-such-revision", project=project, revision=revision))
        try:
            commit = self._repositories.commit(project, revision).id
        except (GatebotError, ValueError, KeyError):
            raise unknown from None
        listing = ["for-each-ref", "--count=1", f"--contains={commit}", *_PUBLIC]
        if not git_output(self._repositories.path(project), listing):
            raise unknown
        return commit

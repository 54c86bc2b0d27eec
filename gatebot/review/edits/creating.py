# SPDX-License-Identifier: Apache-2.0
"""A new change without a clone: a commit that changes no file yet, on a branch or on another change.

What blocks runs on worker threads.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace

from ... import access
from ...access import Actor, Target, Verb
from ...errors import Invalid, Unprocessable
from ...reasons import reason
from ...repo.messages import with_footers
from .. import change_id, hosting
from ..making import Wanted
from ..model import Change
from ..permission import require
from ..workbench import Workbench


@dataclass(frozen=True, slots=True)
class NewChange:
    """What a new change is asked for. `base` is a commit of the branch, empty: its tip.

    `onto` is the commit of another change that it shall stand on; `author` a name and an address, None: the asker's.

    Whether it is private or work in progress the project's policy says where the asker does not.
    """

    project: str
    branch: str
    subject: str
    topic: str = ""
    base: str = ""
    onto: str = ""
    author: tuple[str, str] | None = None
    private: bool | None = None
    work_in_progress: bool | None = None


class Creating:
    """Makes new changes."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._db = bench.db
        self._repositories = bench.repositories

    async def create(self, actor: Actor, wanted: NewChange) -> Change:
        """A new change whose commit changes no file yet."""
        return await asyncio.to_thread(self._create, actor, wanted)

    def _create(self, actor: Actor, wanted: NewChange) -> Change:
        project = self._db.read_now(hosting.find_project, wanted.project)
        target = Target(wanted.project, f"refs/heads/{wanted.branch}")
        if project is None or not access.may(actor, Verb.READ, target, self._bench.rules):
            raise Unprocessable(reason=reason("review.no-such-project", project=wanted.project))
        account = self._bench.account(actor)
        self._bench.require_writable(wanted.project)
        require(actor, Verb.UPLOAD, target, self._bench.rules)
        if not wanted.subject.strip():
            raise Invalid(reason=reason("review.empty-message"))
        tip = self._repositories.branches(wanted.project).get(wanted.branch)
        if tip is None:
            raise Invalid(reason=reason("review.no-destination", branch=wanted.branch))
        base = wanted.onto or tip
        if wanted.base:
            if not self._repositories.is_ancestor(wanted.project, self._known(wanted), tip):
                raise Unprocessable(reason=reason("review.base-elsewhere", base=wanted.base, branch=wanted.branch))
            base = wanted.base
        who, place = self._bench.person(account), self._bench.scratch(wanted.project)
        author = replace(who, name=wanted.author[0], email=wanted.author[1]) if wanted.author else who
        named = change_id.read(wanted.subject)
        id = named if isinstance(named, str) else f"I{secrets.token_hex(20)}"
        message = wanted.subject.strip() + "\n"
        if not isinstance(named, str):
            message = with_footers(message, (f"Change-Id: {id}",))
        tree = self._repositories.commit(wanted.project, base).tree
        commit = self._repositories.write_commit(place, tree, (base,), author, who, message)
        policy = self._bench.reader.policies.of(wanted.project)
        made = Wanted(
            wanted.project, wanted.branch, id, commit, place, topic=wanted.topic,
            private=policy.private if wanted.private is None else wanted.private,
            work_in_progress=policy.work_in_progress if wanted.work_in_progress is None else wanted.work_in_progress,
        )  # fmt: skip
        return self._bench.make(actor, account, [made])[0]

    def _known(self, wanted: NewChange) -> str:
        if len(wanted.base) != 40 or self._repositories.resolve(wanted.project, wanted.base) is None:
            raise Unprocessable(reason=reason("review.base-elsewhere", base=wanted.base, branch=wanted.branch))
        return wanted.base

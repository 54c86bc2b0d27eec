# SPDX-License-Identifier: Apache-2.0
"""A new change without a clone: a commit that changes no file yet, a merge, or a patch; on a branch or another change.

What blocks runs on worker threads.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, replace

import pygit2

from ... import access
from ...access import Actor, Target, Verb
from ...errors import Conflict, Invalid, Unprocessable
from ...reasons import reason
from ...repo.messages import with_footers, with_note
from .. import change_id, hosting
from ..making import Wanted
from ..permission import require
from ..picking import conflicts_told
from ..workbench import Workbench
from .adding import Added, Adding
from .mixing import Merge, Mixed, Mixing, Patch


@dataclass(frozen=True, slots=True)
class NewChange:
    """What a new change is asked for. `base` is a commit of the branch, empty: its tip.

    With `merge` it is a merge of another commit, with `patch` what this makes of the base; `new_branch`: the branch is
    not there yet, and comes when the change is merged. `onto` is the commit of another change that it shall stand on;
    `author` a name and an address, None: the asker's.

    Whether it is private or work in progress the project's policy says where the asker does not.
    """

    project: str
    branch: str
    subject: str
    topic: str = ""
    base: str = ""
    onto: str = ""
    author: tuple[str, str] | None = None
    merge: Merge | None = None
    patch: Patch | None = None
    new_branch: bool = False
    private: bool | None = None
    work_in_progress: bool | None = None


class Creating:
    """Makes new changes; `adding` makes patch sets of those that there are."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._mixing = Mixing(bench)
        self.adding = Adding(bench, self._mixing)
        self._db = bench.db
        self._repositories = bench.repositories

    async def create(self, actor: Actor, wanted: NewChange) -> Added:
        """A new change; files with git's marks of conflicts are told."""
        return await asyncio.to_thread(self._create, actor, wanted)

    def _create(self, actor: Actor, wanted: NewChange) -> Added:
        project = self._db.read_now(hosting.find_project, wanted.project)
        target = Target(wanted.project, f"refs/heads/{wanted.branch}")
        if project is None or not access.may(actor, Verb.READ, target, self._bench.rules):
            raise Unprocessable(reason=reason("review.no-such-project", project=wanted.project))
        account = self._bench.account(actor)
        self._bench.require_writable(wanted.project)
        require(actor, Verb.UPLOAD, target, self._bench.rules)
        if not wanted.subject.strip():
            raise Invalid(reason=reason("review.empty-message"))
        mixed = self._mixed(actor, wanted, self._base(wanted))
        who, place = self._bench.person(account), self._bench.scratch(wanted.project)
        author = replace(who, name=wanted.author[0], email=wanted.author[1]) if wanted.author else who
        named = change_id.read(wanted.subject)
        id = named if isinstance(named, str) else f"I{secrets.token_hex(20)}"
        message = wanted.subject.strip() + "\n"
        if not isinstance(named, str):
            message = with_footers(message, (f"Change-Id: {id}",))
        message = with_note(message, mixed.note)
        commit = self._repositories.write_commit(place, mixed.tree, mixed.parents, author, who, message)
        policy, marked = self._bench.reader.policies.of(wanted.project), wanted.merge is not None and mixed.conflicts
        unready = policy.work_in_progress if wanted.work_in_progress is None else wanted.work_in_progress
        made = Wanted(
            wanted.project, wanted.branch, id, commit, place, topic=wanted.topic,
            private=policy.private if wanted.private is None else wanted.private,
            work_in_progress=unready or bool(marked),
            says=f"Uploaded patch set 1.\n\n{conflicts_told(mixed.conflicts)}" if marked else "",
        )  # fmt: skip
        return Added(self._bench.make(actor, account, [made])[0], mixed.conflicts)

    def _base(self, wanted: NewChange) -> str:
        """The commit that it stands on; empty: it is the first of its branch."""
        tip = self._repositories.branches(wanted.project).get(wanted.branch)
        ref = f"refs/heads/{wanted.branch}"
        if wanted.new_branch and (not pygit2.reference_is_valid_name(ref) or len(ref) > 250):
            raise Invalid(reason=reason("review.branch-name", branch=wanted.branch[:100]))
        if tip is not None and wanted.new_branch and not (wanted.onto or wanted.base):
            raise Conflict(reason=reason("review.create-branch-exists", branch=ref))
        if tip is None and (wanted.base or not wanted.new_branch):
            raise Invalid(reason=reason("review.no-destination", branch=wanted.branch))
        if wanted.base:
            if not self._repositories.is_ancestor(wanted.project, self._known(wanted), tip or ""):
                raise Unprocessable(reason=reason("review.base-elsewhere", base=wanted.base, branch=wanted.branch))
            return wanted.base
        return wanted.onto or tip or ""

    def _mixed(self, actor: Actor, wanted: NewChange, base: str) -> Mixed:
        """The tree, and the parents."""
        if wanted.merge is not None:
            if not base:
                raise Invalid(reason=reason("review.merge-new-branch"))
            return self._mixing.merged(actor, wanted.project, base, wanted.merge)
        if wanted.patch is not None:
            if not base:
                raise Invalid(reason=reason("review.patch-new-branch"))
            return self._mixing.patched(wanted.project, base, wanted.patch)
        if not base:
            return Mixed(self._repositories.write_tree(self._bench.scratch(wanted.project), {}), ())
        return Mixed(self._repositories.commit(wanted.project, base).tree, (base,))

    def _known(self, wanted: NewChange) -> str:
        if len(wanted.base) != 40 or self._repositories.resolve(wanted.project, wanted.base) is None:
            raise Unprocessable(reason=reason("review.base-elsewhere", base=wanted.base, branch=wanted.branch))
        return wanted.base

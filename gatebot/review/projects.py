# SPDX-License-Identifier: Apache-2.0
"""Hosting a project: its repository, then its row, then nobody can say it is half there.

The repository comes first and making it again changes nothing, so a server that dies between the
two leaves an empty directory that the next try uses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from .. import access, journal
from ..access import SITE, Actor, Target, Verb, may
from ..clock import Clock
from ..db import Database, Session
from ..errors import Unprocessable
from ..events import BranchMoved
from ..identity import Account, account_in
from ..lacking import lacking
from ..reasons import reason
from ..repo import ZERO, GitError, Repositories, check_project, person
from . import hosting
from .model import HeadMoved, Project
from .permission import require, require_account


class Projects:
    """Creates projects and stores their settings. `default_branch` is for those that ask for none."""

    def __init__(
        self, db: Database, repositories: Repositories, clock: Clock, rules: access.Rulebook = access.DEFAULT,
        default_branch: str = "main",
    ) -> None:  # fmt: skip
        self._db = db
        self._repositories = repositories
        self._clock = clock
        self._rules = rules
        self.default_branch = default_branch

    async def create(self, actor: Actor, project: Project, *, source: str = "", empty_commit: bool = False) -> Project:
        """Host a project: empty, with one empty commit, or with the full history of `source`."""
        account = require_account(actor)
        if not may(actor, Verb.CREATE_PROJECT, SITE, self._rules):
            raise lacking(Verb.CREATE_PROJECT, SITE)
        return await self.host(project, account, source=source, empty_commit=empty_commit)

    async def host(
        self, project: Project, account: int | None, *, source: str = "", empty_commit: bool = False
    ) -> Project:
        """`create` without asking who may: for set-up, which acts for the site itself."""
        check_project(project.name)
        await self._db.read(hosting.must_be_new, project.name)
        tips = await asyncio.to_thread(self._make, project, source)
        if source:
            default = await asyncio.to_thread(self._repositories.default_branch, project.name)
            project = replace(project, default_branch=default)
        if empty_commit and not tips:
            creator = await self._db.read(account_in, account) if account is not None else None
            tips = await asyncio.to_thread(self._begin, project, creator)
        return await self._db.run(self._write, project, account, tips, "import" if source else "create")

    async def change(self, actor: Actor, project: Project) -> Project:
        """Store a project's settings."""
        require(actor, Verb.OWN, Target(project.name), self._rules)
        return await self._db.run(hosting.change_project, project)

    async def set_head(self, actor: Actor, project: Project, branch: str) -> Project:
        """Make another branch the default one; it must be there."""
        account = require(actor, Verb.OWN, Target(project.name), self._rules)
        if branch not in await asyncio.to_thread(self._repositories.branches, project.name):
            raise Unprocessable(reason=reason("review.branch-gone", project=project.name, branch=branch[:100]))
        await asyncio.to_thread(self._repositories.set_head, project.name, branch)
        return await self._db.run(self._move_head, project, branch, account)

    def _move_head(self, session: Session, project: Project, branch: str, account: int) -> Project:
        if branch != project.default_branch:
            journal.append(session, HeadMoved(project.name, project.default_branch, branch, account), self._clock.now())
        return hosting.change_project(session, replace(project, default_branch=branch))

    def _make(self, project: Project, source: str) -> dict[str, str]:
        if not source:
            if not self._repositories.exists(project.name):
                self._repositories.create(project.name, project.default_branch)
            return self._repositories.branches(project.name)
        try:
            self._repositories.import_from(project.name, source)
        except GitError as error:
            raise GitError(reason=reason("review.import-failed", source=source, why=str(error))) from error
        return self._repositories.branches(project.name)

    def _begin(self, project: Project, creator: Account | None) -> dict[str, str]:
        """One empty commit, so that a clone has a branch to stand on."""
        now = int(self._clock.now().timestamp())
        who = person(creator.name, creator.email, now) if creator else person("gatebot", "gatebot@localhost", now)
        tree = self._repositories.write_tree(project.name, {})  # git needs none to be there, libgit2 does
        commit = self._repositories.write_commit(project.name, tree, (), who, who, "Initial empty repository\n")
        self._repositories.update_ref(project.name, f"refs/heads/{project.default_branch}", ZERO, commit)
        return self._repositories.branches(project.name)

    def _write(
        self, session: Session, project: Project, account: int | None, tips: Mapping[str, str], cause: str
    ) -> Project:
        now = self._clock.now()
        made = hosting.create_project(session, project, account, now)
        for branch, tip in sorted(tips.items()):
            journal.append(session, BranchMoved(project.name, branch, ZERO, tip, cause, account), now)
        return made

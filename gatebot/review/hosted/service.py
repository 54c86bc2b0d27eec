# SPDX-License-Identifier: Apache-2.0
"""Changes `project.config` for those who do not push it: each call is one commit on `refs/meta/config`.

What a push of the same files would be asked is asked here: owners only, the files are checked as a whole, and the
reference moves by compare-and-swap. Blocking work runs on threads.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from ...access import Actor, Target, Verb
from ...errors import Conflict
from ...reasons import reason
from ...repo import ZERO
from ...repo.messages import with_footers
from ..branching import Branching
from ..config.editing import with_values
from ..config.model import ALL_PROJECTS, CONFIG_REF, GROUPS, PROJECT_CONFIG
from ..making import Wanted
from ..model import Change, RefMove
from ..permission import require
from ..workbench import Workbench


@dataclass(frozen=True, slots=True)
class Files:
    """The two files, as texts."""

    config: str = ""
    groups: str = ""


@dataclass(frozen=True, slots=True)
class ConfigEditing:
    """Edits configuration."""

    bench: Workbench
    branching: Branching

    async def edit(self, actor: Actor, project: str, message: str, change: Callable[[Files], Files]) -> str:
        """The commit with the changed files; the one that is there when nothing changes."""
        require(actor, Verb.OWN, Target(project), self.bench.rules)
        return await asyncio.to_thread(self._edit, actor, project, message, change)

    async def propose(self, actor: Actor, project: str, message: str, change: Callable[[Files], Files]) -> Change:
        """A change of `refs/meta/config` with the changed files, for others to review."""
        require(actor, Verb.READ, Target(project, CONFIG_REF), self.bench.rules)
        require(actor, Verb.UPLOAD, Target(project, CONFIG_REF, actor.account), self.bench.rules)
        return await asyncio.to_thread(self._propose, actor, project, message, change)

    def _propose(self, actor: Actor, project: str, message: str, change: Callable[[Files], Files]) -> Change:
        account, place, id = self.bench.account(actor), self.bench.scratch(project), f"I{secrets.token_hex(20)}"
        self.bench.require_writable(project)
        old, tree = self._changed(actor, project, place, change)
        if tree is None:
            raise Conflict(reason=reason("review.config-same"))
        who = self.bench.person(account)
        text = with_footers(f"{message.strip()}\n", (f"Change-Id: {id}",))
        commit = self.bench.repositories.write_commit(place, tree, (old,) if old else (), who, who, text)
        return self.bench.make(actor, account, [Wanted(project, CONFIG_REF, id, commit, place)])[0]

    def _edit(self, actor: Actor, project: str, message: str, change: Callable[[Files], Files]) -> str:
        repositories, account = self.bench.repositories, self.bench.account(actor)
        old, tree = self._changed(actor, project, project, change)
        if tree is None:
            return old
        who, text = self.bench.person(account), message.strip() or "Change the configuration"
        commit = repositories.write_commit(project, tree, (old,) if old else (), who, who, f"{text}\n")
        self.branching.move(account.id, project, (_moved(project, old or ZERO, commit),))
        return commit

    def _changed(
        self, actor: Actor, project: str, store: str, change: Callable[[Files], Files]
    ) -> tuple[str, str | None]:
        """The commit of the files as they are, and the tree with the changed ones in a store; None: nothing changes."""
        repositories = self.bench.repositories
        old = repositories.resolve(project, CONFIG_REF)

        def here(name: str) -> str:
            found = repositories.read_file(project, old, name) if old is not None else None
            return (found or b"").decode("utf-8", "replace")

        before = Files(here(PROJECT_CONFIG), here(GROUPS))
        after = change(before)
        if after == before:
            return old or "", None
        texts = {PROJECT_CONFIG: after.config.encode(), GROUPS: after.groups.encode()}
        why = self.bench.guard.against(actor, project, texts.get)
        if why is not None:
            raise Conflict(reason=why)
        files = {name: text for name, text in texts.items() if text or (old and here(name))}
        return old or "", repositories.write_tree(store, files, onto=old or "")


def inheriting(parent: str) -> Callable[[Files], Files]:
    """Makes a project inherit from another one; All-Projects need not be named."""
    values = [] if parent == ALL_PROJECTS else [parent]

    def change(files: Files) -> Files:
        return replace(files, config=with_values(files.config, "access", None, "inheritFrom", values))

    return change


def _moved(project: str, old: str, new: str) -> RefMove:
    return RefMove(project, CONFIG_REF, old, new, project)

# SPDX-License-Identifier: Apache-2.0
"""Changes `project.config` for those who do not push it: each call is one commit on `refs/meta/config`.

What a push of the same files would be asked is asked here: owners only, the files are checked as a whole, and the
reference moves by compare-and-swap. Blocking work runs on threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ...access import Actor, Target, Verb
from ...errors import Conflict
from ...repo import ZERO
from ..branching import Branching
from ..config.model import CONFIG_REF, GROUPS, PROJECT_CONFIG
from ..model import RefMove
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

    def _edit(self, actor: Actor, project: str, message: str, change: Callable[[Files], Files]) -> str:
        repositories, account = self.bench.repositories, self.bench.account(actor)
        old = repositories.resolve(project, CONFIG_REF)

        def here(name: str) -> str:
            found = repositories.read_file(project, old, name) if old is not None else None
            return (found or b"").decode("utf-8", "replace")

        before = Files(here(PROJECT_CONFIG), here(GROUPS))
        after = change(before)
        if after == before:
            return old or ""
        texts = {PROJECT_CONFIG: after.config.encode(), GROUPS: after.groups.encode()}
        why = self.bench.guard.against(actor, project, texts.get)
        if why is not None:
            raise Conflict(reason=why)
        files = {name: text for name, text in texts.items() if text or (old and here(name))}
        tree = repositories.write_tree(project, files, onto=old or "")
        who, text = self.bench.person(account), message.strip() or "Change the configuration"
        commit = repositories.write_commit(project, tree, (old,) if old else (), who, who, f"{text}\n")
        self.branching.move(account.id, project, (_moved(project, old or ZERO, commit),))
        return commit


def _moved(project: str, old: str, new: str) -> RefMove:
    return RefMove(project, CONFIG_REF, old, new, project)

# SPDX-License-Identifier: Apache-2.0
"""Where the commits of change edits lie: in a scratch store, each held by a reference until its edit is gone.

What was pushed as an edit lies in its project: there a reference holds it too, which nobody is shown (`git_hidden.py`).
What nothing holds in the scratch store (edits that were thrown away, trial merges, commits that became patch sets and
are in their projects since) is thrown away too, when it is old. What blocks is for threads.
"""

from __future__ import annotations

import asyncio
import logging
import re

from ...db import Database
from ...errors import GatebotError
from ...repo import ZERO, Repositories
from ...repo.program import run
from .. import hosting
from ..making import SCRATCH
from ..model import Change
from . import store
from .store import Edit

_HELD, PUSHED = "refs/gatebot/edits/", "refs/meta/gatebot/edits/"
_NAME = re.compile(r".*/edits/(\d{1,9})/(\d{1,9})")
_TRIES = 20  # of one reference, when several move it at once
_OLD, _EVERY = "2.weeks.ago", 86400.0
log = logging.getLogger(__name__)


class Keeping:
    """Holds the commits of edits."""

    def __init__(self, db: Database, repositories: Repositories) -> None:
        self._db = db
        self._repositories = repositories

    def scratch(self, project: str = "") -> str:
        """A store where commits of a project can be made before anybody may see them."""
        return self._repositories.speculation(SCRATCH, (project,) if project else ()).store

    def put(self, change: Change, edit: Edit, before: str) -> bool:
        """Keep an edit as it is now; no, when its commit is not `before` any more (empty: when there is one)."""
        if not self._db.run_now(store.put_edit, edit, before):
            return False
        self.hold(change.project, change.number, edit.account)
        return True

    def replace(self, change: Change, edit: Edit) -> None:
        """Keep an edit in the place of whatever the account had."""
        self._db.run_now(store.replace_edit, edit)
        self.hold(change.project, change.number, edit.account)

    def hold(self, project: str, change: int, account: int) -> None:
        """A reference for an edit's commit, so that no clean-up takes its objects away; none without an edit.

        The project need not be named where there is none any more.
        """
        self._hold(self.scratch(project), _HELD, change, account)
        if project:
            self._hold(project, PUSHED, change, account)

    def _hold(self, place: str, names: str, change: int, account: int) -> None:
        ref = f"{names}{change}/{account}"
        for _ in range(_TRIES):
            edit = self._db.read_now(store.find_edit, change, account)
            wanted, at = (edit.commit if edit is not None else ZERO), self._repositories.resolve(place, ref) or ZERO
            if wanted != ZERO and self._repositories.resolve(place, wanted) is None:
                return  # written here since it was pushed: it may need what was pushed
            if at == wanted or self._repositories.update_ref(place, ref, at, wanted):
                return

    def settle(self) -> None:
        """Hold every edit that there is, also one that was begun before edits were held, and nothing else."""
        place = self._repositories.speculation(SCRATCH).store
        edits = {(edit.change, edit.account): project for project, edit in self._db.read_now(store.all_edits)}
        held = [("", ref) for ref in self._repositories.references(place, _HELD)]
        for project in self._db.read_now(hosting.list_projects):
            held += [(project.name, ref) for ref in self._repositories.references(project.name, PUSHED)]
        gone = {(int(found[1]), int(found[2])): project for project, ref in held if (found := _NAME.fullmatch(ref))}
        for (change, account), project in (gone | edits).items():
            try:
                self.hold(project, change, account)
            except GatebotError:
                log.exception("the edit of change %d by %d", change, account)

    async def run(self) -> None:
        """Tidy up now and every day, for ever."""
        while True:
            try:
                await asyncio.to_thread(self.tidy)
            except GatebotError:
                log.exception("tidying up the scratch store")
            await asyncio.sleep(_EVERY)

    def tidy(self, expire: str = _OLD) -> None:
        """Throw away what nothing holds and nobody has written for two weeks."""
        self.settle()
        run(["prune", f"--expire={expire}"], git_dir=self._repositories.speculation(SCRATCH).path)

# SPDX-License-Identifier: Apache-2.0
"""Notes commits that no push may bring any more, where Gerrit notes them: `refs/meta/reject-commits`.

Blocking; whoever calls it has asked whether somebody may, and found the commits.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import Conflict
from ...identity import Account
from ...reasons import reason
from ...repo import Repositories
from ...repo.program import run
from ..model import ZERO
from ..push_facts import BANNED

MOST_COMMITS = 100


@dataclass(frozen=True, slots=True)
class Banning:
    """Bans commits."""

    repositories: Repositories

    def ban(self, project: str, found: Sequence[str], why: str, account: Account | None) -> tuple[list[str], list[str]]:
        """Note commits by their ids; those that are noted now, and those that were before."""
        notes = self.repositories.resolve(project, BANNED)
        files = self.repositories.list_files(project, notes) if notes else ()
        known = {path.replace("/", "") for path, _ in files}
        new = [one for one in found if one not in known]
        if new:
            self._note(project, notes or ZERO, new, why, account)
        return new, [one for one in found if one in known]

    def _note(self, project: str, before: str, commits: list[str], why: str, account: Account | None) -> None:
        """Write notes; git does that below refs/notes/ only, so the reference moves to its place afterwards."""
        name, email = (account.name, account.email) if account else ("gatebot", "gatebot@localhost")
        config = {"user.name": name or "gatebot", "user.email": email}
        store, draft = self.repositories.path(project), f"refs/notes/ban-{uuid.uuid4().hex}"
        try:
            if before != ZERO:
                run(["update-ref", draft, before, ZERO], git_dir=store)
            for commit in commits:
                line = ["notes", f"--ref={draft}", "add", "--allow-empty", "-m", why, commit]
                run(line, git_dir=store, config=config)
            noted = self.repositories.resolve(project, draft) or ZERO
            if not self.repositories.update_ref(project, BANNED, before, noted):
                raise Conflict(reason=reason("review.push-elsewhere"))
        finally:
            run(["update-ref", "-d", draft], git_dir=store)

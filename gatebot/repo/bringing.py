# SPDX-License-Identifier: Apache-2.0
"""Which files a commit changes on the branch that it is for: what jobs are chosen by, and configuration is known by.

What is shown of a merge is against its first parent. That may be the other branch: whoever merges the main branch into
his own and offers that for the main branch shows what was there before, and brings all that is his.
"""

from __future__ import annotations

from .writing import Repositories


def brought_files(repositories: Repositories, project: str, commit: str, branch_tip: str | None) -> tuple[str, ...]:
    """The paths, sorted, of a rename both. Of a merge those against every parent that is on the branch, or, where none
    is there yet, against all of them: too many rather than too few."""
    parents = repositories.commit(project, commit).parents
    if len(parents) < 2:
        changed = repositories.changed_files(project, commit)
        return tuple(sorted({name for one in changed for name in (one.path, one.old_path) if name}))
    there = [one for one in parents if branch_tip and repositories.is_ancestor(project, one, branch_tip)]
    changed = [file.change for one in there or parents for file in repositories.diff(project, one, commit, lines=0)]
    return tuple(sorted({name for one in changed for name in (one.path, one.old_path) if name}))

# SPDX-License-Identifier: Apache-2.0
"""Which files a commit changes on the branch that it is for: what jobs are chosen by, and configuration is known by.

What is shown of a merge is against its first parent. That may be the other branch: whoever merges the main branch into
his own and offers that for the main branch shows what was there before, and brings all that is his. So does a commit
that grew on another branch, where a project takes such without a merge of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from .model import FileChange
from .writing import Repositories


def brought_files(
    repositories: Repositories, project: str, commit: str, branch_tip: str | None, *, implicit_merges: bool = False
) -> tuple[str, ...]:
    """The paths, sorted, of a rename both. Of a merge those against every parent that is on the branch, or, where none
    is there yet, against all of them: too many rather than too few. With `implicit_merges` a commit may bring along the
    other branch that it stands on."""
    parents = repositories.commit(project, commit).parents
    if len(parents) < 2:
        changed = repositories.changed_files(project, commit)
        if implicit_merges and branch_tip and parents:
            changed += _of_the_other_branch(repositories, project, commit, parents[0], branch_tip)
        return _paths(changed)
    there = [one for one in parents if branch_tip and repositories.is_ancestor(project, one, branch_tip)]
    return _paths(file.change for one in there or parents for file in repositories.diff(project, one, commit, lines=0))


def _of_the_other_branch(
    repositories: Repositories, project: str, commit: str, parent: str, tip: str
) -> tuple[FileChange, ...]:
    """What a commit of one parent brings beside its own: nothing where it stands on its branch, or on a change."""
    if repositories.is_ancestor(project, parent, tip):
        return ()
    tips = repositories.branches(project).values()
    if not any(repositories.is_ancestor(project, parent, other) for other in tips):
        return ()
    base = repositories.merge_base(project, commit, tip)
    return tuple(file.change for file in repositories.diff(project, base, commit, lines=0))


def _paths(changed: Iterable[FileChange]) -> tuple[str, ...]:
    return tuple(sorted({name for one in changed for name in (one.path, one.old_path) if name}))

# SPDX-License-Identifier: Apache-2.0
"""What a new patch set is to the one before it, found out with real merges.

Asks git, in a store of its own, and lets `rules.kind_of` decide.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..repo import CommitInfo, MergedTree, Repositories
from .model import Kind
from .rules import Shape, kind_of


@dataclass(frozen=True, slots=True)
class Compared:
    """The kind of a patch set, and whether it touches the same files as the one before, in the same ways."""

    kind: Kind
    unchanged_files: bool


def compare(repositories: Repositories, project: str, before: str, after: str, store: str = "") -> Compared:
    """Compare two commits of a project; `store` has both where the project has not."""
    place = store or repositories.speculation("receive", (project,)).store
    old, new = repositories.commit(place, before), repositories.commit(place, after)
    kind = kind_of(_shape(old), _shape(new), _rebased(repositories, place, old, new))
    same = kind in (Kind.NO_CHANGE, Kind.NO_CODE_CHANGE) or _files(repositories, place, before) == _files(
        repositories, place, after
    )
    return Compared(kind, same)


def _shape(commit: CommitInfo) -> Shape:
    return Shape(commit.tree, commit.parents, commit.message)


def _rebased(repositories: Repositories, place: str, old: CommitInfo, new: CommitInfo) -> str | None:
    """The tree that the old commit has on the new one's parent: picked, or merged again where it is a merge."""
    if old.parents == new.parents or not old.parents or len(old.parents) != len(new.parents):
        return None
    made = repositories.pick(place, old.id, new.parents[0])
    return made.tree if isinstance(made, MergedTree) else None


def _files(repositories: Repositories, place: str, commit: str) -> frozenset[tuple[str, str]]:
    return frozenset((file.path, file.status) for file in repositories.changed_files(place, commit))

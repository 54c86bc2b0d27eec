# SPDX-License-Identifier: Apache-2.0
"""How a change stands to its repository: whether it merges, where it is merged, whether rows and references agree.

Reads; merges are tried in a store of their own, which nobody sees. Everything here blocks; callers use a thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import GatebotError, NotFound
from ..reasons import reason
from ..repo import FinalCommit, MergeConflict, Repositories, git_output, person
from .model import Change, PatchSet, Status, SubmitType, branch_ref
from .workbench import Workbench

_NOBODY = person("gatebot", "gatebot@localhost", 0)


@dataclass(frozen=True, slots=True)
class Mergeable:
    """Whether a commit can be merged; `conflicts` are the files that a person must look at."""

    possible: bool
    merged: bool = False
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Looks."""

    bench: Workbench

    @property
    def _repositories(self) -> Repositories:
        return self.bench.repositories

    def mergeable(self, project: str, commit: str, branch: str, submit_type: SubmitType) -> Mergeable:
        """Whether a commit goes onto a branch as its project merges."""
        tip = self._repositories.resolve(project, branch_ref(branch))
        if tip is None:
            return Mergeable(True)
        if self._repositories.is_ancestor(project, commit, tip):
            return Mergeable(True, merged=True)
        made = self._repositories.final_commit(
            self.bench.scratch(project), submit_type.value, commit, tip, branch=branch, committer=_NOBODY
        )
        if isinstance(made, FinalCommit):
            return Mergeable(True)
        return Mergeable(False, conflicts=made.paths if isinstance(made, MergeConflict) else ())

    def problems(self, change: Change, patch_sets: Iterable[PatchSet]) -> tuple[str, ...]:
        """What does not fit between rows and references, in Gerrit's words."""
        found: list[str] = []
        for one in patch_sets:
            at = self._repositories.resolve(change.project, one.ref)
            if at is None:
                found.append(f"Ref missing: {one.ref}")
            elif at != one.commit:
                found.append(f"Expected {one.ref} to be {one.commit}, found {at}")
            if not self._has(change.project, one.commit):
                found.append(f"Object missing: patch set {one.number}: {one.commit}")
        if change.status is not Status.MERGED or found:
            return tuple(found)
        ref, commit = branch_ref(change.branch), change.merged_as
        tip = self._repositories.resolve(change.project, ref)
        if tip is None:
            return (f"Destination ref not found (may be new branch): {ref}",)
        if commit and not self._repositories.is_ancestor(change.project, commit, tip):
            told = f"Patch set {change.current} ({commit}) is not merged into destination ref {ref} ({tip})"
            return (f"{told}, but change status is MERGED",)
        return ()

    def included_in(self, project: str, commit: str) -> tuple[str, ...]:
        """The branches and tags that contain a commit, by their whole names."""
        asked = ["for-each-ref", "--format=%(refname)", f"--contains={commit}", "refs/heads/", "refs/tags/"]
        return tuple(git_output(self._repositories.path(project), asked).splitlines())

    def is_pure_revert(self, project: str, commit: str, of: str) -> bool:
        """Whether a commit does nothing but undo another one."""
        try:
            made, undone = self._repositories.commit(project, commit), self._repositories.commit(project, of)
        except GatebotError:
            raise NotFound(reason=reason("review.no-such-revision", project=project, revision=of)) from None
        if not made.parents or not undone.parents:
            return False
        place = self.bench.scratch(project)
        tree = self._repositories.commit(project, undone.parents[0]).tree
        alone = self._repositories.write_commit(place, tree, (of,), _NOBODY, _NOBODY, "revert")
        picked = self._repositories.pick(place, alone, made.parents[0])
        return not isinstance(picked, MergeConflict) and picked.tree == made.tree

    def _has(self, project: str, commit: str) -> bool:
        try:
            return self._repositories.commit(project, commit).id == commit
        except GatebotError:
            return False

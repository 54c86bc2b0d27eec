# SPDX-License-Identifier: Apache-2.0
"""What a merge or a patch makes of a commit: Gerrit's MergeInput and ApplyPatchInput, with its refusals.

Made in a store that nobody sees. What is merged must be in a branch or tag that the asker reads, or be a patch set that
he sees: a commit that is hidden from him is not there. Everything here blocks.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from ...access import Actor
from ...errors import Conflict, Invalid, NotFound
from ...reasons import reason
from ...repo import MergeConflict
from ...repo.patching import PatchRefused, apply_patch
from ..branching import Branching
from ..workbench import COMMIT_ID, Workbench

STRATEGIES = ("resolve", "recursive", "simple-two-way-in-core", "ours", "theirs")


@dataclass(frozen=True, slots=True)
class Merge:
    """What shall be merged: `source` is a branch, a tag or a commit, which must be in `branch` if one is named."""

    source: str
    branch: str = ""
    strategy: str = ""
    allow_conflicts: bool = False


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch as git writes it, as it is or in base64."""

    text: str
    allow_conflicts: bool = False


@dataclass(frozen=True, slots=True)
class Mixed:
    """A tree with the parents that its commit has; `conflicts` are files with git's marks, `note` what is said so."""

    tree: str
    parents: tuple[str, ...]
    conflicts: tuple[str, ...] = ()
    note: str = ""


class Mixing:
    """Merges, and applies patches."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._repositories = bench.repositories
        self._branching = Branching(bench)

    def merged(self, actor: Actor, project: str, onto: str, wish: Merge) -> Mixed:
        """A commit with another one merged into it."""
        if not wish.source:
            raise Invalid(reason=reason("review.merge-nothing"))
        if wish.strategy and wish.strategy not in STRATEGIES:
            raise Invalid(reason=reason("review.merge-strategy", strategy=wish.strategy, known=", ".join(STRATEGIES)))
        source = self._source(actor, project, wish)
        if self._repositories.is_ancestor(project, source, onto):
            raise Conflict(reason=reason("review.merge-merged", commit=source))
        parents = onto, source
        if wish.strategy in ("ours", "theirs"):
            kept = onto if wish.strategy == "ours" else source
            return Mixed(self._repositories.commit(project, kept).tree, parents)
        made = self._repositories.merge(self._bench.scratch(project), onto, source, unrelated=True)
        if not isinstance(made, MergeConflict):
            return Mixed(made.tree, parents)
        if not wish.allow_conflicts:
            files = "\n".join(f"* {path}" for path in made.paths[:50])
            raise Conflict(reason=reason("review.merge-conflicts", files=files))
        return Mixed(made.tree, parents, tuple(sorted(made.paths)))

    def patched(self, project: str, onto: str, wish: Patch) -> Mixed:
        """A commit's tree with a patch; the parents are the caller's to say."""
        text = _decoded(wish.text)
        if not text.strip():
            raise Invalid(reason=reason("review.patch-needed"))
        place = self._bench.scratch(project)
        try:
            made = apply_patch(self._repositories, place, onto, text, marks=wish.allow_conflicts)
        except PatchRefused as refused:
            why = str(refused)
            if "No valid patches in input" in why or "corrupt patch" in why or "unrecognized input" in why:
                raise Invalid(reason=reason("review.patch-format", why=why)) from None
            raise Conflict(reason=reason("review.patch-misfit", why=why)) from None
        if not isinstance(made, MergeConflict):
            return Mixed(made.tree, (onto,))
        return Mixed(made.tree, (onto,), made.paths, _ATTENTION)

    def _source(self, actor: Actor, project: str, wish: Merge) -> str:
        try:
            found = self._branching.find_commit(actor, project, wish.source)
        except NotFound:
            found = self._patch_set(actor, project, wish.source)
        if wish.branch:
            try:
                tip = self._branching.find_commit(actor, project, f"refs/heads/{wish.branch}")
            except NotFound:
                tip = ""
            if not tip or not self._repositories.is_ancestor(project, found, tip):
                raise Invalid(reason=reason("review.merge-unread", source=wish.source))
        return found

    def _patch_set(self, actor: Actor, project: str, source: str) -> str:
        commit = source.lower()
        if not COMMIT_ID.match(commit):
            raise Invalid(reason=reason("review.merge-source", source=source[:200]))
        if self._bench.db.read_now(self._bench.change_at, actor, project, commit) is None:
            raise NotFound(reason=reason("review.merge-missing", source=source))
        return commit


_ATTENTION = "ATTENTION: Conflicts occurred while applying the patch.\nPlease resolve conflict markers."


def _decoded(text: str) -> bytes:
    """A patch that came in base64, as some clients send it: no patch has nothing but its letters."""
    try:
        return base64.b64decode("".join(text.split()), validate=True) if text.strip() else b""
    except (binascii.Error, ValueError):
        return text.encode("utf-8", "surrogateescape")

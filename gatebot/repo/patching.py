# SPDX-License-Identifier: Apache-2.0
"""A patch as a text put onto a commit: the tree that comes of it. All of it fits, or nothing is made.

Floor 2. git applies it to an index of its own, never to files: a path that leads out of the tree is refused by git.
Marks of conflicts can be left only where the patch names the blobs that it was made of, and the store has them.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from . import program
from .model import GitError, MergeConflict, MergedTree
from .writing import Repositories

_SECONDS = 60


class PatchRefused(GitError):
    """The text is no patch, or does not fit."""


def apply_patch(
    repositories: Repositories, store: str, onto: str, patch: bytes, *, marks: bool = False
) -> MergedTree | MergeConflict:
    """The tree of `onto` with the patch; with `marks` what does not fit is left in the files for people to solve."""
    with tempfile.TemporaryDirectory(prefix="gatebot-patch-") as place:
        applying = _Applying(repositories.store_path(store), Path(place))
        applying.git("read-tree", f"{onto}^{{tree}}")
        try:
            applying.git("apply", "--cached", "--whitespace=nowarn", "-", said=patch)
        except PatchRefused:
            if not marks:
                raise
            return applying.with_marks(patch)
        return MergedTree(applying.git("write-tree").strip())


class _Applying:
    """git with an index and a work tree of its own; the objects are the store's."""

    def __init__(self, store: Path, place: Path) -> None:
        self._store = store
        self._files = place / "files"
        self._files.mkdir()
        self._environment = program.environment({"core.bare": "false"}, GIT_INDEX_FILE=str(place / "index"))

    def git(self, *arguments: str, said: bytes = b"", either: bool = False) -> str:
        """What a command prints. Its failure is a refusal in git's words, but for a conflict where `either` may be."""
        where = [f"--git-dir={self._store}", f"--work-tree={self._files}"]
        try:
            done = subprocess.run(
                ["git", *where, *arguments], cwd=self._files, env=self._environment, input=said, capture_output=True,
                check=False, timeout=_SECONDS,
            )  # fmt: skip
        except (subprocess.TimeoutExpired, OSError) as error:
            raise GitError(f"git {arguments[0]} came to no end: {error}") from error
        if done.returncode and not either:
            raise PatchRefused(_words(done.stderr))
        return os.fsdecode(done.stdout)

    def with_marks(self, patch: bytes) -> MergeConflict:
        """Merged three ways in the files that the patch touches; the other files are not written out."""
        names = self.git("apply", "--numstat", "-z", "-", said=patch)
        touched = [name for line in names.split("\0") if (name := line.rpartition("\t")[2])]
        here = set(filter(None, self.git("ls-files", "-z", "--", *touched).split("\0")))
        if here:
            self.git("checkout-index", "--quiet", "--", *sorted(here))
        self.git("update-index", "-q", "--refresh", either=True)
        self.git("apply", "--3way", "--whitespace=nowarn", "-", said=patch, either=True)
        unmerged = dict.fromkeys(line.rpartition("\t")[2] for line in self._unmerged())
        if not unmerged:  # git says why in its first words, before it tries another way
            self.git("apply", "--cached", "--whitespace=nowarn", "-", said=patch)
        self.git("add", "--force", "--", *unmerged)
        return MergeConflict(tuple(unmerged), self.git("write-tree").strip())

    def _unmerged(self) -> list[str]:
        return list(filter(None, self.git("ls-files", "-z", "--unmerged").split("\0")))


def _words(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").splitlines()
    told = [line.removeprefix("error: ").removeprefix("fatal: ") for line in lines if line.strip()]
    return "\n".join(told[:20]) or "git does not say why"

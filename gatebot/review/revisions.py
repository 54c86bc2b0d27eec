# SPDX-License-Identifier: Apache-2.0
"""What git knows of a patch set: its files, its patch, whether a path is in it.

Reads only, on worker threads; a commit never changes, so answers are kept for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import lru_cache

from ..errors import Invalid, NotFound
from ..reasons import reason
from ..repo import FileChange, Repositories
from ..repo.program import run
from .model import COMMIT_MESSAGE, PATCH_SET_LEVEL, PatchSet

_PSEUDO = frozenset({COMMIT_MESSAGE, PATCH_SET_LEVEL, "/MERGE_LIST"})


class Revisions:
    """Reads patch sets from their repositories."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories
        self._files = lru_cache(maxsize=1024)(self._read_files)

    async def files(self, project: str, patch_set: PatchSet, base: PatchSet | None = None) -> tuple[FileChange, ...]:
        """The files that a patch set touches, against its first parent or another patch set."""
        return await asyncio.to_thread(self._files, project, patch_set.commit, base.commit if base else None)

    async def patch(self, project: str, patch_set: PatchSet, only: str = "") -> bytes:
        """The patch as `git format-patch` writes it, to be applied with `git am`; `only` is one file."""
        touched = await self.files(project, patch_set) if only else ()
        if only and only not in {name for file in touched for name in (file.path, file.old_path)}:
            # git would tell of the last commit before that touches it.
            raise NotFound(reason=reason("review.no-such-file", file=only[:200], patch_set=patch_set.number))
        arguments = ["format-patch", "-1", "--stdout", "--no-signature", patch_set.commit]
        arguments += ["--", f":(literal){only}"] if only else []
        path = self._repositories.store_path(project)
        done = await asyncio.to_thread(run, arguments, git_dir=path)
        return done.stdout

    async def require_files(self, project: str, patch_set: PatchSet, paths: Iterable[str]) -> None:
        """Refuse a comment on a file that the patch set neither touches nor has."""
        wanted = set(paths) - _PSEUDO
        if not wanted:
            return
        touched = await self.files(project, patch_set)
        unknown = wanted - {name for file in touched for name in (file.path, file.old_path)}
        for path in sorted(unknown):
            if await asyncio.to_thread(self._repositories.read_file, project, patch_set.commit, path) is None:
                raise Invalid(reason=reason("review.no-such-file", file=path, patch_set=patch_set.number))

    def _read_files(self, project: str, commit: str, base: str | None) -> tuple[FileChange, ...]:
        if base is None:
            return self._repositories.changed_files(project, commit)
        return tuple(diff.change for diff in self._repositories.diff(project, base, commit))

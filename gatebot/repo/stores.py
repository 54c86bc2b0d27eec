# SPDX-License-Identifier: Apache-2.0
"""Where the bare repositories are: below one root, made with safe settings, opened once per thread.

Floor 2. Here lives what concerns a store as a whole: creation, import, the repositories of queues,
and the removal of what a killed process left. Objects and references are in the modules beside it.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pygit2

from ..errors import Conflict, Invalid, NotFound
from . import program
from .model import SPECULATION, check_project, speculation_store, store_directory


@dataclass(frozen=True, slots=True)
class Speculation:
    """The repository of one queue: it borrows the objects of its projects and has references of its own."""

    store: str
    path: Path


class Stores:
    """All repositories below a root directory. Every method may be called from any thread."""

    def __init__(self, root: Path) -> None:
        program.isolate_libgit2()
        self.root = root.absolute()
        self.root.mkdir(parents=True, exist_ok=True)
        self._local = threading.local()
        self._making = threading.Lock()

    def store_path(self, store: str) -> Path:
        """The directory of a store, whether it is there or not."""
        return self.root / store_directory(store)

    def path(self, project: str) -> Path:
        """The directory of a project that exists."""
        found = self.root / f"{check_project(project)}.git"
        if not (found / "HEAD").is_file():
            raise NotFound(f"there is no repository {project}")
        return found

    def exists(self, project: str) -> bool:
        """Whether a project's repository is there. A name that no project may have is not."""
        try:
            return (self.root / f"{check_project(project)}.git" / "HEAD").is_file()
        except Invalid:
            return False

    def projects(self) -> tuple[str, ...]:
        """The names of all repositories, sorted."""
        found = (path.relative_to(self.root).as_posix().removesuffix(".git") for path in self._directories())
        return tuple(sorted(name for name in found if not name.startswith(f"{SPECULATION}/")))

    def create(self, project: str, default_branch: str = "main") -> None:
        """Make an empty repository. It appears whole or not at all. `default_branch` may be a full reference."""
        target = self.root / f"{check_project(project)}.git"
        with self._making:
            if target.exists():
                raise Conflict(f"the repository {project} exists already")
            self._make(target, program.settings_text(served=True), default_branch)

    def import_from(self, project: str, source: str) -> None:
        """Make a repository with all branches and tags of a directory or URL; nothing is left of it if that fails."""
        directory = Path(source).expanduser()
        if directory.is_dir():
            source = str(directory.absolute())
        elif source.startswith("-") or not source.startswith(("https://", "http://", "git://", "ssh://", "file://")):
            raise Invalid(
                f"{source!r} is neither a directory nor a URL to clone from; give a path, or https://, ssh://, git://"
            )
        said = program.run(["ls-remote", "--symref", "--", source, "HEAD"]).stdout.decode("utf-8", "replace")
        head = said.partition("ref: refs/heads/")[2].partition("\t")[0]
        self.create(project, head or "main")
        try:
            both = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
            fetch = ["fetch", "--quiet", "--no-write-fetch-head", "--no-auto-maintenance", "--", source, *both]
            program.run(fetch, git_dir=self.path(project), timeout=None)
        except BaseException:
            shutil.rmtree(self.store_path(project))
            raise

    def speculation(self, queue_id: str, projects: Sequence[str] = ()) -> Speculation:
        """The repository of a queue, made when it is not there, that can read the objects of `projects`."""
        store = speculation_store(queue_id)
        target = self.store_path(store)
        with self._making:
            if not (target / "HEAD").is_file():
                self._make(target, program.settings_text(served=False), "main")
            alternates = target / "objects" / "info" / "alternates"
            known = alternates.read_text().splitlines() if alternates.exists() else []
            # Relative, so that a root that was moved or restored elsewhere still works.
            wanted = [os.path.relpath(self.path(name) / "objects", target / "objects") for name in projects]
            new = [line for line in dict.fromkeys(wanted) if line not in known]
            if new:
                _replace(alternates, "".join(f"{line}\n" for line in [*known, *new]))
        return Speculation(store, target)

    def settle_locks(self) -> int:
        """At start-up: remove locks and half-received packs whose process is dead; renew pinned settings."""
        busy = _directories_in_use(self.root)
        removed = 0
        for path in self._directories():
            served = not path.is_relative_to(self.root / SPECULATION)
            _replace(path / "config", program.settings_text(served=served))
            if any(used.is_relative_to(path) for used in busy):
                continue
            locks = [*path.glob("*.lock"), *(path / "refs").rglob("*.lock")]
            for lock in locks:
                lock.unlink(missing_ok=True)
            incoming = [*(path / "objects").glob("tmp_objdir-*"), *(path / "objects").glob("incoming-*")]
            for directory in incoming:
                shutil.rmtree(directory, ignore_errors=True)
            removed += len(locks) + len(incoming)
        return removed

    def _open(self, store: str) -> pygit2.Repository:
        """The library's handle of a store: one per thread, opened anew when the store can read further objects."""
        opened: dict[str, tuple[int, pygit2.Repository]] = self._local.__dict__.setdefault("opened", {})
        path = self.store_path(store)
        try:
            state = (path / "objects" / "info" / "alternates").stat().st_mtime_ns if "/" in store else 0
        except FileNotFoundError:
            state = 0
        known = opened.get(store)
        if known is not None and known[0] == state:
            return known[1]
        if not (path / "HEAD").is_file():
            raise NotFound(f"there is no repository {store}")
        repository = pygit2.Repository(str(path))
        opened[store] = (state, repository)
        return repository

    def _make(self, target: Path, settings: str, default_branch: str) -> None:
        """Lay out a bare repository beside its place, then move it there."""
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
            (draft / part).mkdir(parents=True)
        (draft / "config").write_text(settings)
        head = default_branch if default_branch.startswith("refs/") else f"refs/heads/{default_branch}"
        (draft / "HEAD").write_text(f"ref: {head}\n")
        draft.rename(target)

    def _directories(self) -> Iterator[Path]:
        for path in self.root.rglob("*.git"):
            if (path / "HEAD").is_file():
                yield path


def _replace(path: Path, text: str) -> None:
    """Write a small file so that a reader sees the old or the new one."""
    if path.exists() and path.read_text() == text:
        return
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text)
    draft.replace(path)


def _directories_in_use(root: Path) -> Iterable[Path]:
    """Working directories of living processes below `root`: git works inside the repository that it serves."""
    found: list[Path] = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            where = entry.readlink()
        except OSError:
            continue
        if where.is_relative_to(root):
            found.append(where)
    return found

# SPDX-License-Identifier: Apache-2.0
"""The files that builds leave, wherever they lie: in a build's directory here, or moved to a far store.

Names are paths below the build's directory. What is elsewhere, hidden, or no plain file is not there for anybody.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Protocol

from ...errors import NotFound
from ...reasons import reason
from .model import FileFacts, Sort

#: In a build's directory: names and sizes of the files that were moved to the far store.
MOVED = ".moved.json"
BLOCK = 256 * 1024
_MOST = 20_000  # files of one build that are listed
_TEXTS = frozenset(
    f".{kind}"
    for kind in (
        *("cfg", "conf", "csv", "css", "diff", "env", "err", "export", "htm", "html", "ini", "journal", "js", "json"),
        *(
            "jsonl",
            "list",
            "log",
            "md",
            "ndjson",
            "out",
            "patch",
            "py",
            "rst",
            "sh",
            "sql",
            "tap",
            "toml",
            "trace",
            "txt",
            "xml",
        ),
        *("yaml", "yml"),
    )
)
_IMAGES = frozenset((".png", ".jpg", ".jpeg", ".gif", ".webp"))


class Far(Protocol):
    """A store elsewhere; names are keys in it."""

    def put(self, key: str, path: Path) -> None:
        """Bring a file."""
        ...

    def read(self, key: str, start: int, length: int) -> bytes:
        """A part of one. Raises `Unavailable` when the store does not answer."""
        ...

    def remove(self, prefix: str) -> None:
        """Everything below a key."""
        ...


class Shelf:
    """All files of all builds of a site."""

    def __init__(self, root: Path, far: Far | None = None) -> None:
        self.root = root
        self.far = far
        self._moved: dict[str, Mapping[str, int]] = {}

    def list(self, build: str, below: str) -> tuple[FileFacts, ...]:
        """The files below a directory of a build, by their names below the build's directory."""
        found = {name: size for name, size in self.moved(build).items() if name.startswith(f"{below}/")}
        found |= dict(_walk(self.root / build, below))
        return tuple(FileFacts(name, found[name], sort_of(name)) for name in sorted(found))

    def size(self, build: str, name: str) -> int | None:
        """The bytes of a file; None when there is none."""
        path = self._path(build, name)
        if path is not None:
            try:
                return path.stat().st_size
            except OSError:
                pass
        return self.moved(build).get(name)

    def read(self, build: str, name: str, start: int, length: int) -> bytes:
        """A part of a file."""
        path = self._path(build, name)
        if path is not None:
            with path.open("rb") as file:
                file.seek(start)
                return file.read(length)
        size = self.moved(build).get(name)
        if size is None or self.far is None:
            raise NotFound(reason=reason("executor.no-such-file", name=name[:200]))
        length = min(length, size - start)
        return self.far.read(f"{build}/{name}", start, length) if length > 0 else b""

    def blocks(self, build: str, name: str, start: int = 0) -> Iterator[bytes]:
        """A file from an offset to its end."""
        while block := self.read(build, name, start, BLOCK):
            start += len(block)
            yield block

    def split(self, build: str, name: str) -> Iterator[bytes]:
        """The lines of a file, without their ends."""
        rest = b""
        for block in self.blocks(build, name):
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
        if rest:
            yield rest

    def local(self, build: str, name: str) -> Path | None:
        """Where a file lies here; None when it lies in the far store. Raises `NotFound` when there is none."""
        if any(part.startswith(".") for part in PurePosixPath(name).parts[:1]):
            raise NotFound(reason=reason("executor.no-such-file", name=name[:200]))
        path = self._path(build, name)
        if path is None and name not in self.moved(build):
            raise NotFound(reason=reason("executor.no-such-file", name=name[:200]))
        return path

    def moved(self, build: str) -> Mapping[str, int]:
        """What of a build is in the far store: sizes by names."""
        known = self._moved.get(build)
        if known is None:
            try:
                known = {
                    str(name): int(size) for name, size in json.loads((self.root / build / MOVED).read_text()).items()
                }
            except (OSError, ValueError):
                return {}
            if len(self._moved) > 1000:
                self._moved.clear()
            self._moved[build] = known
        return known

    def forget(self, build: str) -> None:
        """What is moved of a build has changed."""
        self._moved.pop(build, None)

    def _path(self, build: str, name: str) -> Path | None:
        root = self.root / build
        try:
            path = (root / name).resolve()
            inside = path.is_relative_to(root.resolve()) and path.is_file()
        except (OSError, ValueError):  # no name that a file can have
            return None
        return path if inside else None


def sort_of(name: str) -> Sort:
    """How a file of this name is shown."""
    suffix = PurePosixPath(name.lower()).suffix
    if suffix in _IMAGES:
        return Sort.IMAGE
    return Sort.TEXT if suffix in _TEXTS or not suffix or suffix[1:].isdecimal() else Sort.OTHER


def _walk(root: Path, below: str) -> Iterator[tuple[str, int]]:
    """Plain files below a directory and their sizes; links are not followed."""
    left = _MOST
    for directory, _, files in os.walk(root / below):
        for name in files:
            path = Path(directory, name)
            if path.is_symlink() or not path.is_file():
                continue
            if (left := left - 1) < 0:
                return
            yield str(path.relative_to(root)), path.stat().st_size

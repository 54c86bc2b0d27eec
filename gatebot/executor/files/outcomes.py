# SPDX-License-Identifier: Apache-2.0
"""The test results of builds: found among their artifacts by content, read once, kept beside the log.

Reading happens in the background when a build ends, or when somebody asks first. A file that cannot be read is named
with why; it never hides the others.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import msgspec

from . import junit, subunit
from .model import ARTIFACTS, FileFacts, TestCase, TestRun
from .shelf import Shelf

KEPT = ".tests.json"
_MOST_CASES = 50_000
_LARGEST = 64 * 1024 * 1024  # of one file
_MOST_FILES = 400
_MOST_SAID = 16 * 1024 * 1024  # characters of output of all tests
_NAMES = (".xml", ".subunit", ".subunit2", ".stream")


class Outcomes:
    """The test results of all builds."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._known: OrderedDict[str, TestRun] = OrderedDict()

    def of(self, build: str, *, ended: bool) -> TestRun:
        """The tests of a build; what is read before it ends is not kept."""
        known = self._known.get(build)
        if known is not None:
            return known
        found = self._kept(build)
        if found is None:
            found = self._read(build)
            if ended and self._shelf.list(build, ARTIFACTS):
                write_kept(self._shelf.root / build / KEPT, msgspec.json.encode(found))
        if ended:
            self._known[build] = found
            if len(self._known) > 50:
                self._known.popitem(last=False)
        return found

    def _kept(self, build: str) -> TestRun | None:
        size = self._shelf.size(build, KEPT)
        if size is None:
            return None
        try:
            return msgspec.json.decode(self._shelf.read(build, KEPT, 0, size), type=TestRun)
        except msgspec.MsgspecError:
            return None  # of another version: read again

    def _read(self, build: str) -> TestRun:
        cases: list[TestCase] = []
        troubles: list[str] = []
        cut, said = False, 0
        files = [one for one in self._shelf.list(build, ARTIFACTS) if _may_be(one)]
        for file in files[:_MOST_FILES]:
            try:
                found, more = self._file(build, file, _MOST_CASES - len(cases))
            except junit.Unreadable as trouble:
                troubles.append(f"{file.name}: {trouble}")
                continue
            for case in found:
                said += len(case.output)
                cases.append(case if said <= _MOST_SAID else replace(case, output=""))
            cut = cut or more
        return TestRun(tuple(cases), cut or len(files) > _MOST_FILES, tuple(troubles))

    def _file(self, build: str, file: FileFacts, most: int) -> tuple[list[TestCase], bool]:
        head = self._shelf.read(build, file.name, 0, subunit.LONGEST + 1 if not file.name.endswith(".xml") else 4096)
        reader = junit if junit.looks_so(head) else subunit if subunit.looks_so(head) else None
        if reader is None:
            return [], False
        if file.size > _LARGEST:
            raise junit.Unreadable(f"it has more than {_LARGEST // 1024 // 1024} MiB")
        return reader.read(self._shelf.read(build, file.name, 0, file.size), file.name, most)


def _may_be(file: FileFacts) -> bool:
    return file.name.endswith(_NAMES) and file.size > 0


def write_kept(path: Path, data: bytes) -> None:
    """Write a file as a whole or not at all; a directory that is gone needs none."""
    with contextlib.suppress(OSError):
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(draft, path)

# SPDX-License-Identifier: Apache-2.0
"""Follows a request through all files of a build: an index of request ids, and the lines about one in time order.

The index is made in the background when a build ends, or when somebody asks first; it is bounded, and says when there
was more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import msgspec

from .entries import Entry, entries, exported, is_export, told
from .lines import FileLines
from .model import ARTIFACTS, OUTPUT, RequestLine, Sort
from .outcomes import write_kept
from .shelf import Shelf

KEPT = ".requests.json"
_LARGEST = 256 * 1024 * 1024  # of one file that is indexed
_LARGEST_EXPORT = 64 * 1024 * 1024
_MOST = 300_000  # places of all ids
_MOST_SHOWN = 5_000
_AT_ONCE = 500  # lines that are read together: neighbours are often about the same request
_MOST_READ = 20  # such pieces that are kept while lines are put in order
_LONGEST = 4_000  # characters of an entry that are shown


class Index(msgspec.Struct):
    """`places` of an id: number of the file, line, lines, time. `cut`: there were more places or larger files."""

    files: list[str] = []
    places: dict[str, list[tuple[int, int, int, float]]] = {}
    cut: bool = False


class Requests:
    """The requests of all builds."""

    def __init__(self, shelf: Shelf, lines: FileLines) -> None:
        self._shelf = shelf
        self._lines = lines
        self._known: OrderedDict[str, Index] = OrderedDict()

    def index(self, build: str, *, ended: bool) -> Index:
        """Which ids a build's files hold, and where."""
        known = self._known.get(build) or self._kept(build)
        if known is None:
            known = self._made(build)
            if ended and known.places:
                write_kept(self._shelf.root / build / KEPT, msgspec.json.encode(known))
        if ended:
            self._known[build] = known
            if len(self._known) > 8:
                self._known.popitem(last=False)
        return known

    def lines_of(self, build: str, request: str, *, ended: bool) -> tuple[tuple[RequestLine, ...], bool]:
        """The lines about one request in time order, at most so many; whether there are more."""
        index = self.index(build, ended=ended)
        places = sorted(index.places.get(request, ()), key=lambda place: (place[3], place[0], place[1]))
        shown: list[RequestLine] = []
        read: dict[tuple[str, int], list[str]] = {}
        for file, line, count, at in places[:_MOST_SHOWN]:
            name, first = index.files[file], (line - 1) // _AT_ONCE * _AT_ONCE + 1
            if (name, first) not in read:
                if len(read) >= _MOST_READ:
                    read.clear()
                read[name, first] = self._lines.window(build, name, first, 2 * _AT_ONCE)
            lines = read[name, first][line - first : line - first + count]
            if len(lines) < count:  # long lines: the window was cut
                lines = self._lines.window(build, name, line, count)
            shown.append(RequestLine(name, line, at, told("\n".join(lines))[:_LONGEST]))
        return tuple(shown), index.cut or len(places) > _MOST_SHOWN

    def _kept(self, build: str) -> Index | None:
        size = self._shelf.size(build, KEPT)
        if size is None:
            return None
        try:
            return msgspec.json.decode(self._shelf.read(build, KEPT, 0, size), type=Index)
        except msgspec.MsgspecError:
            return None

    def _made(self, build: str) -> Index:
        texts = [one for one in self._shelf.list(build, ARTIFACTS) if one.sort is Sort.TEXT]
        index = Index(files=[OUTPUT, *(one.name for one in texts)])
        places: dict[str, list[tuple[int, int, int, float]]] = {}
        room = _MOST
        for number, name in enumerate(index.files):
            size = self._shelf.size(build, name) or 0
            if not size or size > _LARGEST:
                index.cut = index.cut or size > 0
                continue
            for entry in self._entries(build, name):
                room -= len(entry.ids)
                if room < 0:
                    index.cut = True
                    break
                for id in entry.ids:
                    places.setdefault(id, []).append((number, entry.line, entry.lines, entry.at))
        index.places = places
        return index

    def _entries(self, build: str, name: str) -> Iterator[Entry]:
        head = self._shelf.read(build, name, 0, 64) if self._shelf.size(build, name) else b""
        if is_export(head):
            return exported(self._shelf.read(build, name, 0, _LARGEST_EXPORT))
        return entries(self._shelf.split(build, name), year_of(self._shelf, build))


def year_of(shelf: Shelf, build: str) -> int:
    """When a build ran, for times that do not say it; its log says it first."""
    said = shelf.read(build, OUTPUT, 0, 4) if shelf.size(build, OUTPUT) else b""
    return int(said) if said.isdigit() else 1970

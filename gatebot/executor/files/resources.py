# SPDX-License-Identifier: Apache-2.0
"""Finds the servers of clouds that a build's files tell of, and the lines about one of them.

Files are read when somebody asks: few look, and a cloud's logs are some megabytes. What is larger than anybody would
wait for is left out, and said.
"""

from __future__ import annotations

from collections import Counter

from .entries import time_of
from .model import ARTIFACTS, RequestLine, Sort
from .requests import year_of
from .shelf import Shelf
from .timeline import Step, concerns, servers_in, timeline

_LARGEST = 64 * 1024 * 1024  # of one file
_MOST = 20_000  # lines of one server
_LONGEST = 4_000  # characters of a line


class Resources:
    """The servers of all builds."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def servers(self, build: str) -> tuple[tuple[tuple[str, int], ...], bool]:
        """The servers that a build's files name and how many lines do, most first; whether a file was left out."""
        found: Counter[str] = Counter()
        names, cut = self._texts(build)
        for name in names:
            for line in self._shelf.split(build, name):
                found.update(servers_in(line))
        return tuple(sorted(found.items(), key=lambda one: (-one[1], one[0]))), cut

    def steps(self, build: str, server: str) -> tuple[tuple[Step, ...], bool]:
        """What happened to a server; whether there was more than is read."""
        year, wanted = year_of(self._shelf, build), server.encode()
        names, cut = self._texts(build)
        lines: list[RequestLine] = []
        for name in names:
            for number, raw in enumerate(self._shelf.split(build, name), 1):
                if not concerns(wanted, raw):
                    continue
                if len(lines) >= _MOST:
                    cut = True
                    break
                text = raw.decode("utf-8", "replace").rstrip("\r")[:_LONGEST]
                lines.append(RequestLine(name, number, time_of(text, year), text))
        return timeline(server, lines), cut

    def _texts(self, build: str) -> tuple[tuple[str, ...], bool]:
        """The files that are read, and whether one is not."""
        texts = [one for one in self._shelf.list(build, ARTIFACTS) if one.sort is Sort.TEXT]
        return tuple(one.name for one in texts if one.size <= _LARGEST), any(one.size > _LARGEST for one in texts)

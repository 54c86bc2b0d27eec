# SPDX-License-Identifier: Apache-2.0
"""The page of a build: how it went, what it was tested with, its log from the first byte.

The page is complete without scripts; with them the log grows while the build runs. Of a large log
the first and the last part are shown, and the page says so; every line has an address.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, replace

from aiohttp import web

from ..errors import NotFound
from ..live import Feed, Piece
from ..reasons import Reason, reason
from ..site import Site
from . import lineage
from .log_html import lines_html, plain
from .logs import BUILD_ID, Logs
from .model import MIB
from .ports import BuildFacts, Builds

_WHOLE = MIB  # a log up to this size is shown in one piece
_PART = 3_000  # lines of each part of a larger one

#: Raises `NotFound` unless the asker may read the build.
Allowed = Callable[[web.Request, str], Awaitable[None]]
#: Those of some changes that the asker may not see.
Hidden = Callable[[web.Request, Collection[int]], Awaitable[frozenset[int]]]


@dataclass(frozen=True, slots=True)
class Part:
    """A run of lines; `skipped` is how many stand between it and the part before."""

    first: int
    last: int
    html: str
    skipped: int = 0


def routes(site: Site, builds: Builds, logs: Logs, allowed: Allowed, hidden: Hidden) -> list[web.RouteDef]:
    """The build's page; its log and artifacts as files are in `rest.py`."""
    pages = Pages(site, builds, logs, allowed, hidden)
    return [web.get(r"/build/{build:[0-9a-f]{32}}", pages.build)]


def feed(logs: Logs, allowed: Allowed) -> Feed:
    """The log of a build as it grows, for the stream of its page."""

    async def follow(request: web.Request, build: str, offset: int) -> AsyncIterator[Piece]:
        if not BUILD_ID.fullmatch(build):
            raise NotFound(reason=reason("executor.no-such-build", build=build))
        await allowed(request, build)
        return _texts(logs, build, offset)

    return follow


async def _texts(logs: Logs, build: str, offset: int) -> AsyncIterator[Piece]:
    async for after, piece in logs.follow(build, offset):
        yield after, piece.decode("utf-8", "replace")


class Pages:
    """The handler."""

    def __init__(self, site: Site, builds: Builds, logs: Logs, allowed: Allowed, hidden: Hidden) -> None:
        self._site = site
        self._builds = builds
        self._logs = logs
        self._allowed = allowed
        self._hidden = hidden

    async def build(self, request: web.Request) -> web.StreamResponse:
        """One build."""
        id = request.match_info["build"]
        found = await self._builds.build(id)
        if found is None:
            raise NotFound(reason=reason("executor.no-such-build", build=id))
        await self._allowed(request, id)
        asked = request.query.get("from", "")
        first = int(asked) if asked.isdecimal() and len(asked) < 10 else 0
        parts, size, tested, siblings, others = await asyncio.gather(
            asyncio.to_thread(self._parts, id, found.error_line, first),
            asyncio.to_thread(self._logs.size, id),
            asyncio.to_thread(self._tested, id),
            self._builds.builds(item=found.item),
            self._builds.builds(project=found.project, job=found.job, limit=6),
        )
        changes = tested.changes if tested else ()
        numbers = {one.change for one in others if one.change is not None} | {one.number for one in changes}
        hidden = await self._hidden(request, numbers)
        if tested is not None:
            tested = replace(tested, changes=tuple(one for one in changes if one.number not in hidden))
        running = self._logs.live(id)
        return self._site.render(
            request,
            "executor/build.html",
            build=found,
            state=_state(found),
            why=_why(found),
            seconds=(found.ended - found.started).total_seconds() if found.started and found.ended else None,
            error_text=plain(found.error_text),
            tested=tested,
            parts=parts,
            lines=self._logs.line_count(id),
            size=size,
            following=running and not first,
            next_line=parts[-1].last + 1 if parts else 1,
            artifacts=self._logs.artifacts(id),
            links=found.artifacts,
            siblings=[one for one in siblings if one.buildset == found.buildset and one.build != id],
            others=[one for one in others if one.build != id and one.change not in hidden][:5],
            live=f"build/{id}" + (f",log/{id}" if running and not first else ""),
        )

    def _tested(self, build: str) -> lineage.Lineage | None:
        try:
            return lineage.from_text((self._logs.directory(build) / lineage.FILE).read_text("utf-8"))
        except (OSError, ValueError, KeyError):
            return None  # it waits, or it was lost before it began

    def _parts(self, build: str, error: int, first: int) -> list[Part]:
        """The whole log, or its beginning, the surroundings of the error, and its end; or what was asked for."""
        total = self._logs.line_count(build)
        if not total:
            return []
        if first:
            wanted = [(min(first, total), min(first + _PART - 1, total))]
        elif (self._logs.size(build) or 0) <= _WHOLE:
            wanted = [(1, total)]
        else:
            near = [(error - _PART // 4, error + _PART // 4)] if error else []
            wanted = _joined([(1, _PART), *near, (total - _PART + 1, total)], total)
        parts: list[Part] = []
        last = 0 if not first else wanted[0][0] - 1
        for begin, end in wanted:
            lines = self._logs.lines(build, begin, end - begin + 1)
            parts.append(Part(begin, begin + len(lines) - 1, lines_html(lines, begin, error), begin - last - 1))
            last = end
        return parts


def _joined(ranges: list[tuple[int, int]], total: int) -> list[tuple[int, int]]:
    """Ranges of lines in order, those that touch made one."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted((max(1, a), min(total, b)) for a, b in ranges):
        if found and begin <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _state(build: BuildFacts) -> str:
    """What the chip says: a result, `running`, or nothing for waiting."""
    return build.result or ("running" if build.started else "")


def _why(build: BuildFacts) -> Reason | None:
    """Why it is as it is, beside the result."""
    if build.reason is not None:
        return build.reason
    match build.result:
        case "ABORTED" | "CANCELED":
            return reason("executor.not-wanted")
        case "LOST":
            return reason("executor.lost")
        case "":
            return reason("executor.waits") if build.started is None else None
        case _:
            return None

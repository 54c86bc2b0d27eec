# SPDX-License-Identifier: Apache-2.0
"""The page of a build: how it went, what it was tested with, its log from the first byte.

The page is complete without scripts; with them the log grows while the build runs. Of a large log
the first and the last part are shown, and the page says so; every line has an address.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import replace

from aiohttp import web

from ..access import DEFAULT, Rulebook, Target, Verb, may
from ..errors import NotFound
from ..live import Feed, Piece
from ..reasons import Reason, reason
from ..site import Site
from . import lineage
from .files import pages as file_pages
from .files import rest as file_rest
from .files.comparing import BROKEN, counts, ordered
from .files.model import OUTPUT
from .files.service import BuildFiles
from .files.view import asked_by
from .log_html import plain
from .logs import BUILD_ID, Logs
from .model import MIB
from .ports import BuildFacts, Builds

_FAILED = 20  # tests that are shown beside a log

#: Raises `NotFound` unless the asker may read the build.
Allowed = Callable[[web.Request, str], Awaitable[None]]
#: Those of some changes that the asker may not see.
Hidden = Callable[[web.Request, Collection[int]], Awaitable[frozenset[int]]]


def routes(
    site: Site,
    builds: Builds,
    logs: Logs,
    allowed: Allowed,
    hidden: Hidden,
    files: BuildFiles | None = None,
    rules: Rulebook = DEFAULT,
) -> list[web.RouteDef]:
    """The build's page and those of what it left; its log and artifacts as files are in `rest.py`."""
    files = files or BuildFiles(logs, builds)
    pages = Pages(site, builds, files, allowed, hidden, rules)
    return [
        web.get(r"/build/{build:[0-9a-f]{32}}", pages.build),
        *file_pages.routes(site, builds, files, allowed, hidden),
        *file_rest.routes(builds, files, allowed, hidden),
    ]


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

    def __init__(
        self, site: Site, builds: Builds, files: BuildFiles, allowed: Allowed, hidden: Hidden, rules: Rulebook = DEFAULT
    ) -> None:
        self._site = site
        self._rules = rules
        self._builds = builds
        self._files = files
        self._logs = files.logs
        self._allowed = allowed
        self._hidden = hidden

    async def build(self, request: web.Request) -> web.StreamResponse:
        """One build."""
        id = request.match_info["build"]
        found = await self._builds.build(id)
        if found is None:
            raise NotFound(reason=reason("executor.no-such-build", build=id))
        await self._allowed(request, id)
        asked = asked_by(request.query)
        view, tested, siblings, others, artifacts, tests = await asyncio.gather(
            self._files.view(id, OUTPUT, asked, found.error_line),
            asyncio.to_thread(self._tested, id),
            self._builds.builds(item=found.item),
            self._builds.builds(project=found.project, job=found.job, limit=6),
            self._files.artifacts(id),
            file_pages.tests_of(self._files, self._hidden, request, found),
        )
        changes = tested.changes if tested else ()
        numbers = {one.change for one in others if one.change is not None} | {one.number for one in changes}
        hidden = await self._hidden(request, numbers)
        if tested is not None:
            tested = replace(tested, changes=tuple(one for one in changes if one.number not in hidden))
        running = self._logs.live(id) and not asked.first and not asked.text
        state = _state(found)
        failed = [case for case in ordered(tests.run, tests.compared) if case.outcome in BROKEN]
        return self._site.render(
            request,
            "executor/build.html",
            build=found,
            url=self._site.settings.url,
            state=state,
            why=_why(found),
            stops=not found.result and self._may_stop(request, found),
            seconds=(found.ended - found.started).total_seconds() if found.started and found.ended else None,
            error_text=plain(found.error_text),
            tested=tested,
            view=view,
            kept=self._files.kept(found),
            gone=self._files.gone(found),
            following=running,
            cut=self._cut(view.size or 0),
            tests=tests,
            counts=counts(tests.run),
            failed=failed[:_FAILED],
            artifacts=file_pages.tree(artifacts),
            links=found.artifacts,
            siblings=[one for one in siblings if one.buildset == found.buildset and one.build != id],
            others=[one for one in others if one.build != id and one.change not in hidden][:5],
            live=f"build/{id}" + (f",log/{id}" if running else "") + (",queue" if not state else ""),
        )

    def _may_stop(self, request: web.Request, found: BuildFacts) -> bool:
        """Whether the asker may stop such builds; what an owner of the change may besides, the command finds out."""
        target = Target(found.project, f"refs/heads/{found.branch}")
        return may(self._site.actor(request), Verb.DEQUEUE, target, self._rules)

    def _cut(self, size: int) -> int:
        """At how many MiB a log of this size was cut; 0: it is whole."""
        largest = self._logs.sizes.log
        return largest // MIB if size > largest else 0

    def _tested(self, build: str) -> lineage.Lineage | None:
        try:
            return lineage.from_text((self._logs.directory(build) / lineage.FILE).read_text("utf-8"))
        except (OSError, ValueError, KeyError):
            return None  # it waits, or it was lost before it began


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
        case _:
            return None

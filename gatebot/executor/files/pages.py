# SPDX-License-Identifier: Apache-2.0
"""Pages about what a build left: any text of it by windows, its tests, lines about a request, the story of a server.

Complete without scripts. Who may see a build may see these; what is no text is passed on as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field

from aiohttp import web

from ...errors import NotFound
from ...reasons import reason
from ...site import Site
from ..ports import BuildFacts, Builds
from .comparing import counts, ordered
from .model import ARTIFACTS, OUTPUT, FileFacts, Sort
from .service import BuildFiles, Tests
from .view import asked_by

#: Raises `NotFound` unless the asker may read the build.
Allowed = Callable[[web.Request, str], Awaitable[None]]
#: Those of some changes that the asker may not see.
Hidden = Callable[[web.Request, Collection[int]], Awaitable[frozenset[int]]]
_TESTS = 1_000  # on one page
_SERVERS = 200
_BUILD = r"/build/{build:[0-9a-f]{32}}"


@dataclass(slots=True)
class Folder:
    """A directory of artifacts, for a page."""

    folders: dict[str, Folder] = field(default_factory=dict[str, "Folder"])
    files: list[tuple[str, FileFacts]] = field(default_factory=list[tuple[str, FileFacts]])
    size: int = 0
    count: int = 0


def tree(files: Iterable[FileFacts]) -> Folder:
    """Artifacts by their directories, with the sums of sizes."""
    root = Folder()
    for file in files:
        *folders, name = file.name.removeprefix(f"{ARTIFACTS}/").split("/")
        place = root
        for folder in (*folders, ""):
            place.size += file.size
            place.count += 1
            place = place.folders.setdefault(folder, Folder()) if folder else place
        place.files.append((name, file))
    return root


def routes(site: Site, builds: Builds, files: BuildFiles, allowed: Allowed, hidden: Hidden) -> list[web.RouteDef]:
    """Below the address of a build."""
    pages = FilePages(site, builds, files, allowed, hidden)
    return [
        web.get(_BUILD + "/files/{path:.+}", pages.file),
        web.get(_BUILD + "/tests", pages.tests),
        web.get(_BUILD + "/requests", pages.requests),
        web.get(_BUILD + "/requests/{request:req-[0-9a-f-]{36}}", pages.request),
        web.get(_BUILD + "/resources/{resource:[0-9a-f]{8}-[0-9a-f-]{27}}", pages.resource),
    ]


class FilePages:
    """The handlers."""

    def __init__(self, site: Site, builds: Builds, files: BuildFiles, allowed: Allowed, hidden: Hidden) -> None:
        self._site = site
        self._builds = builds
        self._files = files
        self._allowed = allowed
        self._hidden = hidden

    async def file(self, request: web.Request) -> web.StreamResponse:
        """One text, by windows."""
        build = await self._build(request)
        name = request.match_info["path"]
        shelf = self._files.logs.shelf
        await asyncio.to_thread(shelf.local, build.build, name)
        head = await asyncio.to_thread(shelf.read, build.build, name, 0, 4096)
        if b"\0" in head:
            raise web.HTTPSeeOther(request.rel_url.with_path(f"/logs/{build.build}/{name}").path)
        error = build.error_line if name == OUTPUT else 0
        view = await self._files.view(build.build, name, asked_by(request.query), error)
        return self._site.render(request, "executor/file.html", build=build, view=view, text=Sort.TEXT)

    async def tests(self, request: web.Request) -> web.StreamResponse:
        """All tests, failed ones first."""
        build = await self._build(request)
        found = await tests_of(self._files, self._hidden, request, build)
        cases = ordered(found.run, found.compared)
        return self._site.render(
            request, "executor/tests.html",
            build=build, tests=found, counts=counts(found.run), cases=cases[:_TESTS], more=max(len(cases) - _TESTS, 0),
        )  # fmt: skip

    async def requests(self, request: web.Request) -> web.StreamResponse:
        """The ids of requests in all files."""
        build = await self._build(request)
        ids, more = await self._files.requests(build.build)
        servers, _ = await self._files.servers(build.build)
        return self._site.render(
            request, "executor/requests.html", build=build, ids=ids, more=more, servers=servers[:_SERVERS]
        )  # fmt: skip

    async def request(self, request: web.Request) -> web.StreamResponse:
        """The lines about one request in time order."""
        build = await self._build(request)
        id = request.match_info["request"]
        lines, more = await self._files.request(build.build, id)
        files = sorted({line.file for line in lines})
        return self._site.render(
            request, "executor/request.html", build=build, id=id, lines=lines, more=more, files=files
        )  # fmt: skip

    async def resource(self, request: web.Request) -> web.StreamResponse:
        """What happened to one server of a cloud."""
        build = await self._build(request)
        id = request.match_info["resource"]
        steps, more = await self._files.steps(build.build, id)
        return self._site.render(request, "executor/resource.html", build=build, id=id, steps=steps, more=more)

    async def _build(self, request: web.Request) -> BuildFacts:
        id = request.match_info["build"]
        found = await self._builds.build(id)
        if found is None:
            raise NotFound(reason=reason("executor.no-such-build", build=id))
        await self._allowed(request, id)
        await self._files.check(id)
        return found


async def tests_of(files: BuildFiles, hidden: Hidden, request: web.Request, build: BuildFacts) -> Tests:
    """The tests of a build beside an earlier run that the asker may see."""

    async def unseen(changes: Collection[int]) -> frozenset[int]:
        return await hidden(request, changes)

    return await files.tests(build, unseen)

# SPDX-License-Identifier: Apache-2.0
"""git over HTTP for those who were given commits: read-only, and nothing but those, by their ids.

Protocol 2 gives any object to whoever knows its id, so the wants of a request are compared. Who was given what is
decided by those who ask here; with `public` a store's branches and tags are shown and given, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from aiohttp import hdrs, web

from .errors import Invalid, TooLarge
from .reasons import reason
from .repo import Repositories, environment, git_output
from .repo.ending import end
from .repo.wants import not_ours, wants

UPLOAD = "git-upload-pack"
_CHUNK = 64 * 1024
_WANTS_AT_MOST = 16 * 1024**2
_VERSION = re.compile(r"version=[0-2](:version=[0-2])*\Z")
_PUBLIC = ("refs/heads/", "refs/tags/")


@dataclass(slots=True)
class CommitDoor:
    """`processes` is how many git processes serve at the same time."""

    repositories: Repositories
    processes: asyncio.Semaphore

    async def advertise(self, request: web.Request, store: str, *, public: bool) -> web.StreamResponse:
        """The first request of a fetch."""
        if request.query.get("service") != UPLOAD:
            raise Invalid(reason=reason("hall.git-read-only"))
        line = f"# service={UPLOAD}\n"
        start = b"" if "version=2" in _version(request) else f"{len(line) + 4:04x}{line}0000".encode()
        command = ["upload-pack", "--stateless-rpc", "--http-backend-info-refs"]
        return await self._answer(request, store, command, b"", start, "advertisement", public=public)

    async def upload(
        self, request: web.Request, store: str, commits: frozenset[str], *, public: bool
    ) -> web.StreamResponse:
        """The second: the objects of these commits, if no others are wanted."""
        body = bytearray()
        async for chunk in request.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > _WANTS_AT_MOST:
                raise TooLarge(reason=reason("hall.fetch-too-large", limit=_WANTS_AT_MOST // 1024**2))
        others = frozenset(wants(bytes(body))) - commits
        if others and (wrong := others - (await self._tips(store) if public else frozenset())):
            return web.Response(body=not_ours(min(wrong)), content_type=f"application/x-{UPLOAD}-result")
        return await self._answer(
            request, store, ["upload-pack", "--stateless-rpc"], bytes(body), b"", "result", public=public
        )

    async def _tips(self, store: str) -> frozenset[str]:
        """The public branches and tags: those of a project, none of a queue's own repository."""
        path = self.repositories.store_path(store)
        listing = await asyncio.to_thread(git_output, path, ["for-each-ref", "--format=%(objectname)", *_PUBLIC])
        return frozenset(listing.split())

    async def _answer(
        self, request: web.Request, store: str, command: list[str], body: bytes, start: bytes, kind: str, *,
        public: bool,
    ) -> web.StreamResponse:  # fmt: skip
        response = web.StreamResponse(headers={hdrs.CACHE_CONTROL: "no-cache, max-age=0, must-revalidate"})
        response.content_type = f"application/x-{UPLOAD}-{kind}"
        async with self.processes, self._git(request, store, command, public=public) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            feeding = asyncio.create_task(_feed(process.stdin, body))
            await response.prepare(request)
            await response.write(start)
            while piece := await process.stdout.read(_CHUNK):
                await response.write(piece)
            await feeding
            await response.write_eof()
        return response

    @contextlib.asynccontextmanager
    async def _git(
        self, request: web.Request, store: str, command: list[str], *, public: bool
    ) -> AsyncGenerator[asyncio.subprocess.Process]:
        """A git process of this request; it never outlives it. It shows branches and tags, or nothing."""
        config = {
            "uploadpack.hideRefs": ("refs/", *(f"!{shown}" for shown in _PUBLIC if public)),
            "uploadpack.allowAnySHA1InWant": "true",
        }
        version = _version(request)
        more = {"GIT_PROTOCOL": version} if _VERSION.match(version) else {}
        process = await asyncio.create_subprocess_exec(
            "git", *command, str(self.repositories.store_path(store)), env=environment(config, **more),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True, limit=_CHUNK * 4,
        )  # fmt: skip
        try:
            yield process
        finally:
            await end(process, receives=False)


async def _feed(stdin: asyncio.StreamWriter, body: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(body)
        await stdin.drain()
    stdin.close()


def _version(request: web.Request) -> str:
    return request.headers.get("Git-Protocol", "")

# SPDX-License-Identifier: Apache-2.0
"""git for builds that run elsewhere: read-only, and only what the build is made of.

A build may fetch from the stores of its checkouts and from their projects: the commits that it was given, public
branches and tags. Protocol 2 gives any object to whoever knows its id, so the wants of a request are compared.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
import signal
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from aiohttp import hdrs, web

from ...errors import Invalid, NotFound, TooLarge, Unauthenticated
from ...reasons import reason
from ...repo import Repositories, environment, git_output
from ...repo.wants import not_ours, wants
from .doors import MACHINES
from .service import Enrolment

_UPLOAD = "git-upload-pack"
_CHUNK = 64 * 1024
_WANTS_AT_MOST = 16 * 1024**2
_VERSION = re.compile(r"version=[0-2](:version=[0-2])*\Z")
_PUBLIC = ("refs/heads/", "refs/tags/")


@dataclass(slots=True)
class GitDoor:
    """`processes` is how many git processes serve builds at the same time."""

    enrolment: Enrolment
    repositories: Repositories
    processes: asyncio.Semaphore

    def routes(self) -> list[web.RouteDef]:
        """Both requests of a fetch."""
        return [
            web.get(f"{MACHINES}git/{{store:.+}}/info/refs", self._advertise),
            web.post(f"{MACHINES}git/{{store:.+}}/{_UPLOAD}", self._upload),
        ]

    async def _advertise(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("service") != _UPLOAD:
            raise Invalid(reason=reason("executor.git-read-only"))
        store, _ = await self._allowed(request)
        line = f"# service={_UPLOAD}\n"
        start = b"" if "version=2" in _version(request) else f"{len(line) + 4:04x}{line}0000".encode()
        command = ["upload-pack", "--stateless-rpc", "--http-backend-info-refs"]
        return await self._answer(request, store, command, b"", start, "advertisement")

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        store, commits = await self._allowed(request)
        body = bytearray()
        async for chunk in request.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > _WANTS_AT_MOST:
                raise TooLarge(reason=reason("executor.fetch-too-large", limit=_WANTS_AT_MOST // 1024**2))
        asked = frozenset(wants(bytes(body)))
        if asked - commits and (wrong := asked - commits - await self._tips(store)):
            return web.Response(body=not_ours(min(wrong)), content_type=f"application/x-{_UPLOAD}-result")
        return await self._answer(request, store, ["upload-pack", "--stateless-rpc"], bytes(body), b"", "result")

    async def _allowed(self, request: web.Request) -> tuple[str, frozenset[str]]:
        """The store that the address names, if the build is made of it, and the commits that it was given there."""
        claim = await self.enrolment.speaking(_password(request))
        store = request.match_info["store"].removesuffix(".git")
        if store not in {name for one in claim.checkouts for name in (one.store, one.project)}:
            raise NotFound(reason=reason("executor.store-not-of-build", store=store[:200], build=claim.build))
        return store, frozenset(one.commit for one in claim.checkouts if store in (one.store, one.project))

    async def _tips(self, store: str) -> frozenset[str]:
        """The public branches and tags: those of a project, none of a queue's own repository."""
        path = self.repositories.store_path(store)
        listing = await asyncio.to_thread(git_output, path, ["for-each-ref", "--format=%(objectname)", *_PUBLIC])
        return frozenset(listing.split())

    async def _answer(
        self, request: web.Request, store: str, command: list[str], body: bytes, start: bytes, kind: str
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={hdrs.CACHE_CONTROL: "no-cache, max-age=0, must-revalidate"})
        response.content_type = f"application/x-{_UPLOAD}-{kind}"
        async with self.processes, self._git(request, store, command) as process:
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
        self, request: web.Request, store: str, command: list[str]
    ) -> AsyncGenerator[asyncio.subprocess.Process]:
        """A git process of this request; it never outlives it. It shows branches and tags only."""
        config = {
            "uploadpack.hideRefs": ("refs/", *(f"!{public}" for public in _PUBLIC)),
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
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                if process.stdout is not None:
                    await process.stdout.read()
                await process.wait()


async def _feed(stdin: asyncio.StreamWriter, body: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(body)
        await stdin.drain()
    stdin.close()


def _version(request: web.Request) -> str:
    return request.headers.get("Git-Protocol", "")


def _password(request: web.Request) -> str:
    """The pass of a build, as git sends it."""
    scheme, _, rest = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    try:
        told = base64.b64decode(rest, validate=True).decode() if scheme.lower() == "basic" else ""
    except ValueError:
        told = ""
    if not told:
        raise Unauthenticated(reason=reason("executor.pass-wrong"))
    return told.partition(":")[2]

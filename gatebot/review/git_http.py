# SPDX-License-Identifier: Apache-2.0
"""git over HTTP: `/P`, `/P.git`, `/a/P`, `/p/P` for clone, fetch and push, and the commit-msg hook.

Streams in both directions, and nothing of git's protocol but the first line of an advertisement; the
processes are those of `git_process.py`. Who may read, `access.py` says; what a push may do, `push.py`.
aiohttp has already unpacked a gzipped body. A client that hangs up takes its git process along.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from aiohttp import hdrs, web

from ..access import DEFAULT, Actor, Rulebook
from ..errors import Invalid, NotFound, NotPermitted, TooLarge, Unauthenticated
from ..identity import Account
from ..reasons import reason
from ..repo import Repositories
from ..repo.wants import not_ours
from . import git_hidden, hook_pipe
from .git_process import CHUNK, RECEIVE, UPLOAD, Coming, GitProcesses, Hidden, Limits
from .permission import sees_project
from .push import Receiver

__all__ = ["Coming", "GitHttp", "Hidden", "Limits"]

_WANTS_AT_MOST = 16 * 1024**2  # a fetch of a project with secrets is read whole before git gets it
COMMIT_MSG = Path(__file__).parent / "hooks" / "commit-msg"


class Site(Protocol):
    """What is needed of the web site's frame."""

    def account(self, request: web.Request) -> Account | None:
        """Who signed the request."""
        ...

    def language(self, request: web.Request) -> str:
        """The reader's language."""
        ...


class GitHttp:
    """Serves repositories. `processes` are the git processes, for other doors to share."""

    def __init__(
        self,
        site: Site,
        repositories: Repositories,
        receiver: Receiver,
        submits: hook_pipe.Submits,
        hooks: Path,
        hidden: Hidden,
        coming: Coming,
        *,
        rules: Rulebook = DEFAULT,
        limits: Limits | None = None,
    ) -> None:
        self._site = site
        self._repositories = repositories
        self._rules = rules
        self._limits = limits or Limits()
        self.processes = GitProcesses(repositories, receiver, submits, hooks, hidden, coming, self._limits, rules)

    def routes(self) -> list[web.RouteDef]:
        """To be added before pages that take any path."""
        return [
            web.get("/tools/hooks/commit-msg", self._commit_msg),
            web.get("/{path:.+}/info/refs", self._advertise),
            web.post("/{path:.+}/git-upload-pack", self._upload),
            web.post("/{path:.+}/git-receive-pack", self._receive),
        ]

    # -- requests ---------------------------------------------------------------------------------

    async def _commit_msg(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(body=COMMIT_MSG.read_bytes(), content_type="text/plain", charset="utf-8")

    async def _advertise(self, request: web.Request) -> web.StreamResponse:
        service = request.query.get("service", "")
        if service not in (UPLOAD, RECEIVE):
            raise Invalid("This server speaks git's smart protocol only; use git 1.6.6 or newer.")
        project = self._project(request, push=service == RECEIVE)
        start = b""
        if service == RECEIVE or "version=2" not in _version(request):
            line = f"# service={service}\n"
            start = f"{len(line) + 4:04x}{line}0000".encode()
        command = [service.removeprefix("git-"), "--stateless-rpc", "--http-backend-info-refs"]
        config = self.processes.receives()
        if service == UPLOAD:
            hidden = await self.processes.hidden(self._actor(request), project)
            config = self.processes.uploads(_version(request), hidden)
        async with self.processes.process(command, project, config, version=_version(request)) as process:
            return await self._answer(request, process, f"application/x-{service}-advertisement", start=start)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        project = self._project(request, push=False)
        command = ["upload-pack", "--stateless-rpc", f"--timeout={self._limits.idle_seconds:.0f}"]
        hidden = await self.processes.hidden(self._actor(request), project)
        body, kind = None, f"application/x-{UPLOAD}-result"
        if hidden.there:
            body = await _whole(request)
            store = self._repositories.path(project)
            if wanted := await asyncio.to_thread(git_hidden.refused, store, hidden.there, body):
                return web.Response(body=not_ours(wanted), content_type=kind)
        config = self.processes.uploads(_version(request), hidden)
        async with self.processes.process(command, project, config, version=_version(request)) as process:
            return await self._answer(request, process, kind, body=body)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        project = self._project(request, push=True)
        account = self._site.account(request)
        if account is None:
            raise Unauthenticated(reason=reason("review.push-sign-in"))
        reception = self.processes.reception(project, account, self._site.language(request))
        command = ["receive-pack", "--stateless-rpc"]
        async with self.processes.receiving(command, project, reception) as process:
            return await self._answer(request, process, f"application/x-{RECEIVE}-result", rewrite=reception.rewrite)

    # -- who may --------------------------------------------------------------------------------------

    def _project(self, request: web.Request, *, push: bool) -> str:
        """The project that the address names, if the asker may know it."""
        path = request.match_info["path"].strip("/")
        account = self._site.account(request)
        for prefix in ("a/", "p/"):
            path = path.removeprefix(prefix) if not self._repositories.exists(path.removesuffix(".git")) else path
        name = path.removesuffix(".git")
        actor = self._actor(request)
        if account is None and (push or request.path.startswith("/a/")):
            raise Unauthenticated(reason=reason("review.push-sign-in"))
        if not sees_project(actor, name, self._rules):
            if account is None:
                raise Unauthenticated(reason=reason("review.push-sign-in"))
            raise NotPermitted(reason=reason("review.git-no-read", project=name))
        if not self._repositories.exists(name):
            raise NotFound(reason=reason("review.no-such-project", project=name))
        return name

    def _actor(self, request: web.Request) -> Actor:
        account = self._site.account(request)
        return account.actor if account else Actor(None)

    # -- bytes -----------------------------------------------------------------------------------------

    async def _answer(
        self,
        request: web.Request,
        process: asyncio.subprocess.Process,
        content_type: str,
        *,
        start: bytes = b"",
        body: bytes | None = None,
        rewrite: Callable[[bytes], bytes] = bytes,
    ) -> web.StreamResponse:
        """Pump the body in and the answer out at the same time, each as fast as its reader takes it."""
        response = web.StreamResponse(headers={hdrs.CACHE_CONTROL: "no-cache, max-age=0, must-revalidate"})
        response.content_type = content_type
        feeding = asyncio.create_task(self._feed(request, process, body))
        try:
            # Nothing is promised before git says something: a body that is too large still gets its status.
            first = await self._read(process, feeding)
            await response.prepare(request)
            if start:
                await response.write(start)
            while first:
                if data := rewrite(first):
                    await response.write(data)
                first = await self._read(process, feeding)
            if data := rewrite(b""):
                await response.write(data)
            await feeding
            await response.write_eof()
        finally:
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await feeding
        return response

    async def _read(self, process: asyncio.subprocess.Process, feeding: asyncio.Task[None]) -> bytes:
        """The next piece of git's answer; an error of the body ends it."""
        stdout = process.stdout
        if stdout is None:
            return b""
        reading = asyncio.ensure_future(stdout.read(CHUNK))
        try:
            async with asyncio.timeout(self._limits.idle_seconds):
                waiting: set[asyncio.Future[object]] = {reading} if feeding.done() else {reading, feeding}  # pyright: ignore[reportAssignmentType]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if feeding.done() and not feeding.cancelled() and (error := feeding.exception()):
                    raise error
                return await reading
        finally:
            reading.cancel()

    async def _feed(self, request: web.Request, process: asyncio.subprocess.Process, body: bytes | None) -> None:
        """The body into git, which may stop listening when it has heard enough; `body` when it was read before."""
        stdin = process.stdin
        if stdin is None:
            return
        taken = 0
        try:
            stdin.write(body or b"")
            await stdin.drain()
            async for chunk in request.content.iter_chunked(CHUNK):
                taken += len(chunk)
                if taken > self._limits.push_bytes:
                    raise TooLarge(reason=reason("review.push-too-large", limit=self._limits.push_bytes // 1024**2))
                stdin.write(chunk)
                await stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            if request.transport is None or request.transport.is_closing():
                raise
        finally:
            stdin.close()


async def _whole(request: web.Request) -> bytes:
    """The whole body of a fetch."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > _WANTS_AT_MOST:
            raise TooLarge(reason=reason("review.fetch-too-large", limit=_WANTS_AT_MOST // 1024**2))
    return bytes(body)


def _version(request: web.Request) -> str:
    """The protocol that the client wishes for."""
    return request.headers.get("Git-Protocol", "")

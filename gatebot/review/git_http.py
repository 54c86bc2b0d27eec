# SPDX-License-Identifier: Apache-2.0
"""git over HTTP: `/P`, `/P.git`, `/a/P`, `/p/P` for clone, fetch and push, and the commit-msg hook.

One git process per request, streams in both directions, and nothing of git's protocol but the
first line of an advertisement. Who may read, `access.py` says; what a push may do, `push.py`.
aiohttp has already unpacked a gzipped body. A client that hangs up takes its git process along.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from aiohttp import hdrs, web

from ..access import DEFAULT, Actor, Rulebook, Target, Verb, may
from ..errors import Invalid, NotFound, NotPermitted, TooLarge, Unauthenticated
from ..identity import Account
from ..reasons import reason
from ..repo import Repositories, environment
from ..repo.ending import end
from ..repo.wants import not_ours
from . import git_hidden, hook_pipe, push_says
from .push import Receiver
from .report_text import ReportText

#: The changes of a project that somebody may not see.
Hidden: TypeAlias = Callable[[Actor, str], Awaitable[Collection[int]]]

_CHUNK = 64 * 1024
_WANTS_AT_MOST = 16 * 1024**2  # a fetch of a project with secrets is read whole before git gets it
_COMMIT_MSG = Path(__file__).parent / "hooks" / "commit-msg"
_UPLOAD, _RECEIVE = "git-upload-pack", "git-receive-pack"
_VERSION = re.compile(r"version=[0-2](:version=[0-2])*\Z")


class Site(Protocol):
    """What is needed of the web site's frame."""

    def account(self, request: web.Request) -> Account | None:
        """Who signed the request."""
        ...

    def language(self, request: web.Request) -> str:
        """The reader's language."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much git may cost: processes at a time, bytes of one push, seconds without progress."""

    processes: int = 16
    push_bytes: int = 2 * 1024**3
    idle_seconds: float = 300


class GitHttp:
    """Serves repositories. `hooks` is a directory of the server's own, written at start-up."""

    def __init__(
        self,
        site: Site,
        repositories: Repositories,
        receiver: Receiver,
        submits: hook_pipe.Submits,
        hooks: Path,
        hidden: Hidden,
        *,
        rules: Rulebook = DEFAULT,
        limits: Limits | None = None,
    ) -> None:
        self._site = site
        self._repositories = repositories
        self._receiver = receiver
        self._submits = submits
        self._hooks = hook_pipe.install(hooks)
        self._hidden = hidden
        self._rules = rules
        self._limits = limits or Limits()
        self._free = asyncio.Semaphore(self._limits.processes)
        self._conversations: set[asyncio.Task[None]] = set()

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
        return web.Response(body=_COMMIT_MSG.read_bytes(), content_type="text/plain", charset="utf-8")

    async def _advertise(self, request: web.Request) -> web.StreamResponse:
        service = request.query.get("service", "")
        if service not in (_UPLOAD, _RECEIVE):
            raise Invalid("This server speaks git's smart protocol only; use git 1.6.6 or newer.")
        project = self._project(request, push=service == _RECEIVE)
        start = b""
        if service == _RECEIVE or "version=2" not in request.headers.get("Git-Protocol", ""):
            line = f"# service={service}\n"
            start = f"{len(line) + 4:04x}{line}0000".encode()
        command = [service.removeprefix("git-"), "--stateless-rpc", "--http-backend-info-refs"]
        hidden = git_hidden.references(await self._hidden(self._actor(request), project))
        async with self._git(request, command, project, self._config(request, service, hidden)) as process:
            return await self._answer(request, process, f"application/x-{service}-advertisement", start=start)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        project = self._project(request, push=False)
        command = ["upload-pack", "--stateless-rpc", f"--timeout={self._limits.idle_seconds:.0f}"]
        hidden = git_hidden.references(await self._hidden(self._actor(request), project))
        body, kind = None, f"application/x-{_UPLOAD}-result"
        if hidden:
            body = await _whole(request)
            store = self._repositories.path(project)
            if wanted := await asyncio.to_thread(git_hidden.refused, store, hidden, body):
                return web.Response(body=not_ours(wanted), content_type=kind)
        async with self._git(request, command, project, self._config(request, _UPLOAD, hidden)) as process:
            return await self._answer(request, process, kind, body=body)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        project = self._project(request, push=True)
        account = self._site.account(request)
        if account is None:
            raise Unauthenticated(reason=reason("review.push-sign-in"))
        language = self._site.language(request)
        pipe = hook_pipe.HookPipe(self._receiver, self._submits, project, account, language)
        text = ReportText()

        def rewrite(data: bytes) -> bytes:
            if pipe.refused is not None:
                text.cause = push_says.status(pipe.refused)
            return text.feed(data) if data else text.end()

        command = ["receive-pack", "--stateless-rpc"]
        conversation = None
        try:
            async with self._git(request, command, project, self._config(request, _RECEIVE), pipe) as process:
                conversation = asyncio.create_task(pipe.serve())
                self._conversations.add(conversation)
                conversation.add_done_callback(self._conversations.discard)
                return await self._answer(request, process, f"application/x-{_RECEIVE}-result", rewrite=rewrite)
        finally:
            # A push that was accepted is finished even when its client has gone.
            if conversation is not None:
                await asyncio.shield(conversation)

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
        if not may(actor, Verb.READ, Target(name, "refs/heads/*"), self._rules):
            if account is None:
                raise Unauthenticated(reason=reason("review.push-sign-in"))
            raise NotPermitted(reason=reason("review.git-no-read", project=name))
        if not self._repositories.exists(name):
            raise NotFound(reason=reason("review.no-such-project", project=name))
        return name

    def _actor(self, request: web.Request) -> Actor:
        account = self._site.account(request)
        return Actor(account.id, account.groups, account.username) if account else Actor(None)

    def _config(
        self, request: web.Request, service: str, hidden: tuple[str, ...] = ()
    ) -> dict[str, str | tuple[str, ...]]:
        if service == _RECEIVE:
            return {"core.hooksPath": str(self._hooks), "receive.maxInputSize": str(self._limits.push_bytes)}
        if "version=2" in request.headers.get("Git-Protocol", ""):
            return {"uploadpack.hideRefs": ("refs/meta", *hidden)}
        # Before version 2 every reference is sent to everybody, and patch sets would be most of them.
        return {"uploadpack.hideRefs": ("refs/meta", "refs/changes", *hidden)}

    # -- processes ----------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _git(
        self,
        request: web.Request,
        command: list[str],
        project: str,
        config: dict[str, str | tuple[str, ...]],
        pipe: hook_pipe.HookPipe | None = None,
    ) -> AsyncGenerator[asyncio.subprocess.Process]:
        """A git process of this request; it never outlives it."""
        version = request.headers.get("Git-Protocol", "")
        receives = pipe is not None
        more = {"GIT_PROTOCOL": version} if _VERSION.match(version) else {}
        try:
            async with self._free:
                process = await asyncio.create_subprocess_exec(
                    "git",
                    *command,
                    str(self._repositories.path(project)),
                    env=environment(config, **more, **(pipe.environment if pipe else {})),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                    pass_fds=pipe.fds if pipe else (),
                    limit=_CHUNK * 4,
                )
                if pipe is not None:
                    pipe.started()
                    pipe = None
                try:
                    yield process
                finally:
                    await end(process, receives=receives)
        finally:
            if pipe is not None:
                pipe.abandon()

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
        reading = asyncio.ensure_future(stdout.read(_CHUNK))
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
            async for chunk in request.content.iter_chunked(_CHUNK):
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
    async for chunk in request.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > _WANTS_AT_MOST:
            raise TooLarge(reason=reason("review.fetch-too-large", limit=_WANTS_AT_MOST // 1024**2))
    return bytes(body)

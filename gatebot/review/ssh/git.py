# SPDX-License-Identifier: Apache-2.0
"""git over SSH: clone, fetch and push, by the same processes and the same rules as over HTTP.

Both directions are pumped at once until git has said everything: what ends earlier cuts large clones off. Who may
read, `access.py` says; what a push may do, `push.py`. A fetch is one conversation, as long as the client likes: what is
secret is looked at anew while it lasts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Protocol

from ...access import Actor, Rulebook
from ...errors import NotFound, NotPermitted
from ...identity import Account
from ...reasons import reason
from ...repo.wants import not_ours, refusal
from .. import git_hidden
from ..git_hidden import Unseen
from ..git_process import CHUNK, RECEIVE, UPLOAD, GitProcesses
from ..permission import sees_project
from .want_guard import WantGuard

_FRESH_SECONDS = 5.0


class Stream(Protocol):
    """The client's ends of git's pipes."""

    async def read(self, most: int) -> bytes:
        """What comes next; nothing when there will be no more."""
        ...

    async def write(self, data: bytes) -> None:
        """Pass on, as fast as the client takes it."""
        ...


class GitOverSsh:
    """Serves repositories to those who have signed in."""

    def __init__(self, processes: GitProcesses, rules: Rulebook) -> None:
        self._processes = processes
        self._rules = rules

    async def serve(
        self, stream: Stream, account: Account, service: str, path: str, *, version: str, language: str
    ) -> int:
        """One clone, fetch or push; git's exit status."""
        actor = account.actor
        project = self._project(actor, path)
        if service == RECEIVE:
            reception = self._processes.reception(project, account, language)
            async with self._processes.receiving(["receive-pack"], project, reception) as process:
                return await self._pump(stream, process, rewrite=reception.rewrite)
        hidden = await self._processes.hidden(actor, project)
        sight = _Sight(self._processes, actor, project, hidden)
        await sight.look()
        command = [UPLOAD.removeprefix("git-"), f"--timeout={self._processes.limits.idle_seconds:.0f}"]
        config = self._processes.uploads(version, hidden)
        async with self._processes.process(command, project, config, version=version) as process:
            return await self._pump(stream, process, sight=sight)

    def _project(self, actor: Actor, path: str) -> str:
        """The project that a path names, if the asker may know it."""
        name = path.strip("/").removesuffix(".git").rstrip("/")
        exists = self._processes.repositories.exists
        for prefix in ("a/", "p/"):
            name = name if exists(name) else name.removeprefix(prefix)
        if not sees_project(actor, name, self._rules):
            raise NotPermitted(reason=reason("review.git-no-read", project=name))
        if not exists(name):
            raise NotFound(reason=reason("review.no-such-project", project=name))
        return name

    async def _pump(
        self,
        stream: Stream,
        process: asyncio.subprocess.Process,
        *,
        sight: _Sight | None = None,
        rewrite: Callable[[bytes], bytes] = bytes,
    ) -> int:
        stdout = process.stdout
        assert stdout is not None
        idle = self._processes.limits.idle_seconds
        async with asyncio.timeout(idle) as patience, _beside(self._feed(stream, process, patience, sight)):
            while data := await stdout.read(CHUNK):
                self._moves(patience)
                if data := rewrite(data):
                    await stream.write(data)
            if data := rewrite(b""):
                await stream.write(data)
            if sight is not None and (why := sight.refusal):
                await stream.write(why)
                return 128
        return await process.wait()

    async def _feed(
        self,
        stream: Stream,
        process: asyncio.subprocess.Process,
        patience: asyncio.Timeout,
        sight: _Sight | None,
    ) -> None:
        """What the client sends into git, which may stop listening when it has heard enough."""
        stdin = process.stdin
        assert stdin is not None
        try:
            while data := await stream.read(CHUNK):
                self._moves(patience)
                stdin.write(await sight.passed(data) if sight is not None else data)
                if sight is not None and sight.refusal:
                    break
                await stdin.drain()
            if sight is not None:
                stdin.write(sight.guard.end())
        except (BrokenPipeError, ConnectionResetError):
            pass  # git has heard enough
        finally:
            stdin.close()

    def _moves(self, patience: asyncio.Timeout) -> None:
        """Something went through the pipe: whoever waits begins to wait anew."""
        if not patience.expired():
            patience.reschedule(asyncio.get_running_loop().time() + self._processes.limits.idle_seconds)


class _Sight:
    """What somebody may not have of a project while he talks to git, which was started with `hidden` references."""

    def __init__(self, processes: GitProcesses, actor: Actor, project: str, hidden: Unseen) -> None:
        self._processes = processes
        self._who = actor, project
        self._hidden = self._begun = hidden.there
        self._looked = 0.0
        self.guard = WantGuard(())

    @property
    def refusal(self) -> bytes:
        """What is said instead of git's answer; nothing as long as git answers."""
        if self.guard.refused:
            return not_ours(self.guard.refused)
        return refusal("what you may read is not what it was; ask again") if self.guard.outdated else b""

    async def passed(self, data: bytes) -> bytes:
        """What git may hear of what the client says."""
        if asyncio.get_running_loop().time() - self._looked > _FRESH_SECONDS:
            self._hidden = (await self._processes.hidden(*self._who)).there
            await self.look()
        return self.guard.feed(data)

    async def look(self) -> None:
        """Find what is secret now."""
        self._looked = asyncio.get_running_loop().time()
        store = self._processes.repositories.path(self._who[1])
        secret = await asyncio.to_thread(git_hidden.secrets, store, self._hidden) if self._hidden else frozenset[str]()
        self.guard.learn(secret, same_references=self._hidden == self._begun)


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Something that runs beside, and no longer."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task

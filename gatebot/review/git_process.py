# SPDX-License-Identifier: Apache-2.0
"""The git processes that serve clones, fetches and pushes, whichever door they came through.

What of a repository a service shows, how many run at a time, how a push is heard and its report worded: the same over
HTTP and over SSH. Who may read is the doors' question, what a push may do that of `push.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..access import DEFAULT, Actor, Rulebook
from ..identity import Account
from ..repo import Repositories, environment
from ..repo.ending import end
from . import git_hidden, hook_pipe, push_says
from .git_hidden import Unseen
from .push import Receiver
from .report_text import ReportText

#: The changes of a project that somebody may not see.
Hidden: TypeAlias = Callable[[Actor, str], Awaitable[Collection[int]]]
#: The numbers of changes that are still to come.
Coming: TypeAlias = Callable[[], Awaitable[Collection[int]]]
Config: TypeAlias = Mapping[str, str | tuple[str, ...]]

CHUNK = 64 * 1024
UPLOAD, RECEIVE = "git-upload-pack", "git-receive-pack"
_VERSION = re.compile(r"version=[0-2](:version=[0-2])*\Z")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much git may cost: processes at a time, bytes of one push, seconds without progress."""

    processes: int = 16
    push_bytes: int = 2 * 1024**3
    idle_seconds: float = 300


@dataclass(frozen=True, slots=True)
class Reception:
    """One push that is under way: the pipe of its hooks, and how what git reports is passed on."""

    pipe: hook_pipe.HookPipe
    report: ReportText

    def rewrite(self, data: bytes) -> bytes:
        """Of git's answer, what can be sent on now; its end is no bytes."""
        if self.pipe.refused is not None:
            self.report.causes = push_says.causes(self.pipe.refused)
        return self.report.feed(data) if data else self.report.end()


class GitProcesses:
    """Starts them and ends them. `hooks` is a directory of the server's own, written at start-up."""

    def __init__(
        self,
        repositories: Repositories,
        receiver: Receiver,
        submits: hook_pipe.Submits,
        hooks: Path,
        hidden: Hidden,
        coming: Coming,
        limits: Limits,
        rules: Rulebook = DEFAULT,
    ) -> None:
        self.repositories = repositories
        self.limits = limits
        self._receiver = receiver
        self._submits = submits
        self._hooks = hook_pipe.install(hooks)
        self._hidden = hidden
        self._coming = coming
        self._rules = rules
        self._free = asyncio.Semaphore(limits.processes)
        self._conversations: set[asyncio.Task[None]] = set()

    async def hidden(self, actor: Actor, project: str) -> Unseen:
        """The references that somebody may not see."""
        # Asked first: what is made between the two questions is in one of the answers.
        coming = git_hidden.references(await self._coming())
        changes = git_hidden.references(await self._hidden(actor, project))
        shut = await asyncio.to_thread(git_hidden.unreadable, actor, project, self.repositories, self._rules)
        return Unseen((*shut, *changes), coming)

    def uploads(self, version: str, hidden: Unseen) -> Config:
        """How a fetch is served; `version` is the client's wish as git writes it."""
        if "version=2" in version:
            return {"uploadpack.hideRefs": (git_hidden.META, *hidden.there, *hidden.coming)}
        # Before version 2 every reference is sent to everybody, and patch sets would be most of them.
        return {"uploadpack.hideRefs": (git_hidden.META, "refs/changes", *hidden.there)}

    def receives(self) -> Config:
        """How a push is served."""
        return {"core.hooksPath": str(self._hooks), "receive.maxInputSize": str(self.limits.push_bytes)}

    def reception(self, project: str, account: Account, language: str) -> Reception:
        """Make ready for the push of an account."""
        pipe = hook_pipe.HookPipe(self._receiver, self._submits, project, account, language)
        return Reception(pipe, ReportText())

    @contextlib.asynccontextmanager
    async def receiving(
        self, command: list[str], project: str, reception: Reception
    ) -> AsyncGenerator[asyncio.subprocess.Process]:
        """The process of a push, with somebody who answers its hooks."""
        conversation = None
        try:
            async with self.process(command, project, self.receives(), pipe=reception.pipe) as process:
                conversation = asyncio.create_task(reception.pipe.serve())
                self._conversations.add(conversation)
                conversation.add_done_callback(self._conversations.discard)
                yield process
        finally:
            # A push that was accepted is finished even when its client has gone.
            if conversation is not None:
                await asyncio.shield(conversation)

    @contextlib.asynccontextmanager
    async def process(
        self,
        command: list[str],
        project: str,
        config: Config,
        *,
        version: str = "",
        pipe: hook_pipe.HookPipe | None = None,
    ) -> AsyncGenerator[asyncio.subprocess.Process]:
        """A git process of one request; it never outlives it."""
        receives = pipe is not None
        more = {"GIT_PROTOCOL": version} if _VERSION.match(version) else {}
        try:
            async with self._free:
                process = await asyncio.create_subprocess_exec(
                    "git",
                    *command,
                    str(self.repositories.path(project)),
                    env=environment(config, **more, **(pipe.environment if pipe else {})),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                    pass_fds=pipe.fds if pipe else (),
                    limit=CHUNK * 4,
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

# SPDX-License-Identifier: Apache-2.0
"""Gerrit over SSH, by the OpenSSH client: the stream of events, and git's transport for fetches and pushes.

The host key is checked against the connection's own file; no configuration of a user or of this machine is read. A
peer that falls silent is given up after `SILENCE` seconds.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import Unavailable
from ...repo import Repositories
from ...repo.program import run

log = logging.getLogger(__name__)

SILENCE = 45
_CONNECT = 15
_LINE = 4 * 1024 * 1024
_FETCH_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Door:
    """How to reach a Gerrit's SSH, as whom."""

    host: str
    port: int
    user: str
    key: Path
    known_hosts: Path

    def options(self) -> list[str]:
        """The OpenSSH client's options."""
        settings = {
            "BatchMode": "yes",
            "ConnectTimeout": _CONNECT,
            "IdentitiesOnly": "yes",
            "IdentityFile": self.key,
            "ServerAliveCountMax": 3,
            "ServerAliveInterval": SILENCE // 3,
            "StrictHostKeyChecking": "yes",
            "GlobalKnownHostsFile": "/dev/null",
            "UserKnownHostsFile": self.known_hosts,
        }
        return ["-F", "none", "-T", *(part for name, value in settings.items() for part in ("-o", f"{name}={value}"))]

    def address(self, project: str) -> str:
        """What git calls a project there."""
        return f"ssh://{self.user}@{self.host}:{self.port}/{project}"


class Stream:
    """`gerrit stream-events`, once: it ends when the connection does."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._process: Process | None = None

    async def lines(self) -> AsyncIterator[str]:
        """The lines as they come; raises `Unavailable`, with ssh's own words, when there are no more."""
        door = self._door
        command = ["ssh", *door.options(), "-p", str(door.port), f"{door.user}@{door.host}", "gerrit stream-events"]
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, limit=_LINE)
        self._process = process
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            while line := await process.stdout.readline():
                yield line.decode("utf-8", "replace")
            said = (await process.stderr.read()).decode("utf-8", "replace").strip()
            raise Unavailable(f"ssh to {door.host} port {door.port} ended: {said or 'the server closed it'}")
        finally:
            await self.close()

    async def close(self) -> None:
        """End the connection."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @property
    def process(self) -> int | None:
        """The id of the client's process."""
        return self._process.pid if self._process is not None else None


class Transport:
    """git between our stores and a Gerrit. Blocks."""

    def __init__(self, door: Door, repositories: Repositories) -> None:
        self._door = door
        self._repositories = repositories
        self._config = {"core.sshCommand": shlex.join(["ssh", *door.options()])}

    def fetch(self, project: str, refspecs: Sequence[str]) -> None:
        """Bring references of a project into its store; what is gone there goes from where the refspecs point to."""
        options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--prune"]
        where = self._repositories.path(project)
        run(
            ["fetch", *options, "--", self._door.address(project), *refspecs],
            git_dir=where, config=self._config, timeout=_FETCH_SECONDS,
        )  # fmt: skip

    def push(self, project: str, moves: Sequence[tuple[str, str, str]]) -> None:
        """Move branches (name, from, to), all or none, if each is where it is believed to be."""
        leases = [f"--force-with-lease=refs/heads/{branch}:{old}" for branch, old, _ in moves]
        specs = [f"{new}:refs/heads/{branch}" for branch, _, new in moves]
        where = self._repositories.path(project)
        run(
            ["push", "--quiet", "--atomic", *leases, "--", self._door.address(project), *specs],
            git_dir=where, config=self._config, timeout=_FETCH_SECONDS,
        )  # fmt: skip

    def head(self, project: str) -> str:
        """The branch that HEAD names there; empty when it names none that exists."""
        done = run(
            ["ls-remote", "--symref", "--", self._door.address(project), "HEAD"],
            config=self._config, timeout=_FETCH_SECONDS,
        )  # fmt: skip
        return done.stdout.decode("utf-8", "replace").partition("ref: refs/heads/")[2].partition("\t")[0]

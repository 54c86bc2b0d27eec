# SPDX-License-Identifier: Apache-2.0
"""The processes of a cloud: started with a log each, waited for while they live, named when they die.

There is no init system in the namespaces of a cloud and none is needed: whoever ends the namespace ends them all.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .errors import why
from .options import DEADLINE
from .timings import Timings

_PAUSE, _ANSWER = 0.1, 5.0


class Failed(Exception):
    """A command or a service failed; the message names it, what its log says is wrong, and where that is."""


class Processes:
    """What runs on this host; `logs` gets a file for each, which is `shown` among the artifacts of the build."""

    def __init__(
        self, logs: Path, environment: Mapping[str, str], timings: Timings, patience: float = 1.0,
        shown: str = "cloud/services",
    ) -> None:  # fmt: skip
        """Nothing runs yet; `patience` is how many times as long all may take, and how much less often is asked."""
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._shown = shown
        self.environment = environment
        self._patience = patience
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self.step = timings.step

    async def start(
        self, name: str, *argv: str, environment: Mapping[str, str] | None = None, passed: Sequence[int] = ()
    ) -> None:
        """Start a service; it is not waited for. It gets the open files that are `passed`."""
        self._running[name] = await self._begin(name, argv, environment, passed)

    async def run(self, name: str, *argv: str, environment: Mapping[str, str] | None = None) -> None:
        """Run a command to its end."""
        process = await self._begin(name, argv, environment, ())
        if await process.wait():
            raise Failed(f"{' '.join(argv[:2])} ended with {process.returncode}. {self._why(name)}")

    def runs(self, name: str) -> bool:
        """Whether a service was started and not ended."""
        return name in self._running

    async def end(self, name: str) -> None:
        """Tell a service to end, and wait until it has."""
        process = self._running.pop(name)
        if process.returncode is None:
            process.terminate()
        await process.wait()

    async def answers(self, name: str, url: str) -> None:
        """Return when a service of HTTP answers anything but an error of its own."""
        await self._until(name, lambda: answers(url, _ANSWER * self._patience), f"does not answer at {url}")

    async def listens(self, name: str, port: int, address: str = "127.0.0.1") -> None:
        """Return when a service takes connections."""
        await self._until(name, lambda: _listens(address, port), f"does not listen on {port}")

    async def appears(self, name: str, path: str) -> None:
        """Return when a service has made a file or socket."""
        await self._until(name, lambda: os.path.exists(path), f"has not made {path}")

    def all_live(self) -> None:
        """Raise `Failed` when a service has ended: whoever waits for another would wait in vain."""
        for name, process in self._running.items():
            if process.returncode is not None:
                raise Failed(f"{name} ended with {process.returncode}. {self._why(name)}")

    async def asked(self, path: str) -> None:
        """Return when there is a file; a service that ends meanwhile, which none may, raises `Failed`."""
        while not await asyncio.to_thread(os.path.exists, path):
            self.all_live()
            await asyncio.sleep(_PAUSE * self._patience)

    async def _begin(
        self, name: str, argv: tuple[str, ...], environment: Mapping[str, str] | None, passed: Sequence[int]
    ) -> asyncio.subprocess.Process:
        with (self._logs / f"{name}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *argv, env={**self.environment, **(environment or {})}, stdin=asyncio.subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, pass_fds=passed,
            )  # fmt: skip

    async def _until(self, name: str, ready: Callable[[], bool], lack: str) -> None:
        limit = DEADLINE * self._patience
        deadline = time.monotonic() + limit
        while not await asyncio.to_thread(ready):
            self.all_live()
            if time.monotonic() > deadline:
                raise Failed(f"{name} {lack} after {limit:.0f} s. {self._why(name)}")
            await asyncio.sleep(_PAUSE * self._patience)

    def _why(self, name: str) -> str:
        path = self._logs / f"{name}.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return f"{why(text.splitlines()) or 'Its log is empty.'} ({self._shown}/{path.name})"


def answers(url: str, patience: float = _ANSWER) -> bool:
    """Whether HTTP is answered there, with anything but an error of the service itself."""
    try:
        with urllib.request.urlopen(url, timeout=patience):  # noqa: S310 - of this cloud
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return error.code < 500
    except (OSError, http.client.HTTPException):  # nobody is there, or goes while it answers
        return False


def _listens(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False

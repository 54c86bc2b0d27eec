# SPDX-License-Identifier: Apache-2.0
"""A site served by the real process, `gatebot serve`, that can be killed at any moment and started again."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path

from gatebot.app import places, users
from tests.fakes.site import eventually
from tests.fakes.warm import Begun, Warm

_START = 120.0  # seconds that a start may take on a busy machine


class Served:
    """The process of one site; its log goes to `serve.log` beside the site.

    `program` is the module that is run; `gatebot` has read its code before, so that it is there sooner again.
    """

    def __init__(self, directory: Path, homes: Path, program: str = "gatebot") -> None:
        self._program = program
        self.settings, self.places = places.load(directory)
        self.url = self.settings.url
        self.homes = homes
        self.log = directory.parent / "serve.log"
        self._directory = directory
        self._warm: Warm | None = None
        self._process: subprocess.Popen[bytes] | Begun | None = None
        users.give(self.places.data, users.server_user(self.settings.executor.run_as))

    @property
    def pid(self) -> int:
        """Of the process that serves now."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and go on at once."""
        command = [sys.executable, "-m", self._program, "serve", str(self._directory)]
        with self.log.open("ab") as log:
            if self._program == "gatebot":
                self._warm = self._warm or Warm()
                self._process = self._warm.start(self._directory, log.fileno())
            else:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def answers(self) -> None:
        """Wait until it serves."""
        eventually(self._serves, f"serving; it said:\n{self.log.read_text()[-3000:]}", _START)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end, and wait; its exit code."""
        code = self._end(signal.SIGTERM)
        warm, self._warm = self._warm, None
        if warm is not None:
            warm.close()
        return code

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        return process.wait(_START)

    def _serves(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the server ended:\n{self.log.read_text()[-3000:]}"
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
            return answer.status == 200
        return False

# SPDX-License-Identifier: Apache-2.0
"""`gatebot serve` by a process that has read all of its code before: `python -m tests.fakes.warm SOCKET`.

A start costs three seconds of CPU less so. What serves is a process of its own, which can be killed; the one that it
comes from only waits for it, tells how it ended, and ends when nobody can ask it any more.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

#: What a server imports when it starts.
_ALL = ("gatebot.cli", "gatebot.cli.local", "gatebot.app.serving")


class Warm:
    """From the outside: one server after another, each with the same log."""

    def __init__(self) -> None:
        """Begin to read."""
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            line = [sys.executable, "-m", "tests.fakes.warm", str(theirs.fileno())]
            self._process = subprocess.Popen(line, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    def start(self, directory: Path, log: int) -> Begun:
        """Start a server; the one before has ended."""
        socket.send_fds(self._ours, [os.fsencode(directory)], [log])
        return Begun(int(self._ours.recv(100)), self._ours)

    def close(self) -> None:
        """No more of them."""
        self._ours.close()
        self._process.wait()


class Begun:
    """A server, as `subprocess` would tell of it."""

    def __init__(self, pid: int, told: socket.socket) -> None:
        self.pid = pid
        self._told = told
        self._code: int | None = None

    def send_signal(self, number: signal.Signals) -> None:
        """Nobody else has its number before its end was heard of."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Its exit code, when it has ended."""
        return self._heard(0)

    def wait(self, seconds: float) -> int:
        """Its exit code, which has to come in time."""
        code = self._heard(seconds)
        if code is None:
            raise subprocess.TimeoutExpired("gatebot serve", seconds)
        return code

    def _heard(self, seconds: float) -> int | None:
        if self._code is None:
            self._told.settimeout(seconds)
            try:
                self._code = int(self._told.recv(100))
            except (TimeoutError, BlockingIOError):
                return None
            finally:
                self._told.settimeout(None)
        return self._code


def main() -> None:
    """Serve as often as asked; in the process that serves this returns when that is over."""
    for name in _ALL:
        import_module(name)
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        while True:
            directory, given, _, _ = socket.recv_fds(asked, 4096, 1)
            if not directory:
                return
            process = os.fork()
            if process == 0:
                asked.close()
                for output in (1, 2):
                    os.dup2(given[0], output)
                os.close(given[0])
                sys.argv = ["gatebot", "serve", os.fsdecode(directory)]
                return import_module("gatebot.cli").main()
            os.close(given[0])
            asked.send(str(process).encode())
            _, status = os.waitpid(process, 0)
            asked.send(str(os.waitstatus_to_exitcode(status)).encode())


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""The privileged process's end of the socket: one question after another, and whatever else becomes readable.

What the verbs do is in `privileged.py`; here is only how a question is read, and how an answer gets back.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .checks import Refusal

_CEILING = 256 * 1024
#: The content of an answer, and the descriptors that go with it, which are closed then.
Answer: TypeAlias = tuple[dict[str, Any], list[int]]
#: What a question of one kind does; it gets the question and the descriptors that came with it.
Verb: TypeAlias = Callable[[dict[str, Any], list[int]], Answer]


class Answering:
    """One socket to the server, and a loop around it and other descriptors."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._selector = selectors.DefaultSelector()
        self._reading: dict[int, Callable[[], None]] = {}
        self._later: list[tuple[float, Callable[[], None]]] = []

    def serve(self, verbs: Mapping[str, Verb], end: Callable[[], None]) -> None:
        """Answer until the other end closes; then `end` is called, which does not return."""
        self.watch(self._channel.fileno(), lambda: self._receive(verbs, end))
        while True:
            for key, _ in self._selector.select(self._patience()):
                action = self._reading.get(key.fd)
                if action is not None:
                    action()
            while self._later and self._patience() == 0:
                self._later.pop(0)[1]()

    def later(self, action: Callable[[], None]) -> None:
        """Call this in a second: what ends at the same moment is known then."""
        self._later.append((time.monotonic() + 1, action))

    def _patience(self) -> float | None:
        return max(self._later[0][0] - time.monotonic(), 0) if self._later else None

    def watch(self, descriptor: int, action: Callable[[], None]) -> None:
        """Call this whenever there is something to read."""
        self._reading[descriptor] = action
        self._selector.register(descriptor, selectors.EVENT_READ)

    def unwatch(self, descriptor: int) -> None:
        """No longer; it is not closed."""
        self._selector.unregister(descriptor)
        del self._reading[descriptor]

    def send(self, answer: dict[str, Any], descriptors: list[int]) -> None:
        """Tell the server something, and close what it was given."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self._channel, [json.dumps(answer).encode()], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)

    def _receive(self, verbs: Mapping[str, Verb], end: Callable[[], None]) -> None:
        message, given, passed, flags = b"", list[int](), list[int](), 0
        with contextlib.suppress(ConnectionResetError):  # the server was killed, with answers unread
            message, given, flags, _ = socket.recv_fds(self._channel, _CEILING, 4)
        if not message:
            end()
        answer: dict[str, Any] = {"error": "too long"}
        try:
            if not flags & socket.MSG_TRUNC:
                asked: dict[str, Any] = json.loads(message)
                answer = {"id": asked.get("id"), "error": "no such verb"}
                verb = verbs.get(str(asked.get("verb")))
                if verb is not None:
                    content, passed = verb(asked, given)
                    answer = {"id": asked.get("id"), **content}
        except (Refusal, OSError, ValueError) as problem:
            answer["error"] = f"{type(problem).__name__}: {problem}"
        finally:
            for descriptor in given:
                os.close(descriptor)
        self.send(answer, passed)

# SPDX-License-Identifier: Apache-2.0
"""What waits to be said: meetings first, then answers, then news; each channel in its own order.

No IO and no clock. News that cannot go out are dropped before they are stale, and counted; what a meeting says
never is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..model import Priority, Reply

_MOST = 1000

Queue = deque[tuple[str, Reply]]


@dataclass(slots=True)
class Outbox:
    """Queues of replies by priority."""

    dropped: int = 0
    _queues: dict[Priority, Queue] = field(default_factory=lambda: {priority: deque() for priority in Priority})

    def put(self, channel: str, reply: Reply, priority: Priority = Priority.MEETING) -> None:
        """Queue one; the oldest of its kind gives way where too many wait."""
        queue = self._queues[priority]
        if len(queue) >= _MOST and priority is not Priority.MEETING:
            queue.popleft()
            self.dropped += 1
        queue.append((channel, reply))

    def put_back(self, channel: str, replies: Sequence[Reply], priority: Priority) -> None:
        """What was begun goes on before all others of its kind."""
        self._queues[priority].extendleft((channel, reply) for reply in reversed(replies))

    def waits(self, ready: Callable[[str], bool]) -> bool:
        """Whether something could be said now."""
        return any(ready(channel) for queue in self._queues.values() for channel, _ in queue)

    def next(self, ready: Callable[[str], bool]) -> tuple[str, Reply, Priority] | None:
        """Take out the first that can be said now; what is for channels the bot is not in waits."""
        for priority, queue in self._queues.items():
            for place, (channel, reply) in enumerate(queue):
                if ready(channel):
                    del queue[place]
                    return channel, reply, priority
        return None

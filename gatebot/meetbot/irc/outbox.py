# SPDX-License-Identifier: Apache-2.0
"""What waits to be said: meetings first, then answers, then news; each channel in its own order.

No IO and no clock. News that cannot go out are dropped before they are stale, and counted; what a meeting says
never is. Where the network echoes, what it did not echo before it broke is said again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..lines import plain
from ..model import Act, Priority, Reply

_MOST = 1000
_FRESH = 150.0  # seconds after which no echo comes any more: the network would be given up by then

Queue = deque[tuple[str, Reply]]


@dataclass(slots=True)
class Outbox:
    """Queues of replies by priority."""

    dropped: int = 0
    _queues: dict[Priority, Queue] = field(default_factory=lambda: {priority: deque() for priority in Priority})

    def put(self, channel: str, reply: Reply, priority: Priority = Priority.MEETING) -> None:
        """Queue one; the oldest of its kind gives way where too many wait, a topic to a newer one of its channel."""
        queue = self._queues[priority]
        older = [one for one in queue if reply.act is Act.TOPIC is one[1].act and one[0].lower() == channel.lower()]
        for one in older:
            queue.remove(one)
        if len(queue) >= _MOST and priority is not Priority.MEETING:
            queue.popleft()
            self.dropped += 1
        queue.append((channel, reply))

    def put_back(self, channel: str, replies: Sequence[Reply], priority: Priority) -> None:
        """What was begun goes on before all others of its kind."""
        self._queues[priority].extendleft((channel, reply) for reply in reversed(replies))

    def waits(self, ready: Callable[[str], bool], upto: Priority = Priority.NEWS) -> bool:
        """Whether something could be said now, up to a priority."""
        return any(ready(channel) for one, queue in self._queues.items() if one <= upto for channel, _ in queue)

    def next(self, ready: Callable[[str], bool]) -> tuple[str, Reply, Priority] | None:
        """Take out the first that can be said now; what is for channels the bot is not in waits."""
        for priority, queue in self._queues.items():
            for place, (channel, reply) in enumerate(queue):
                if ready(channel):
                    del queue[place]
                    return channel, reply, priority
        return None


@dataclass(slots=True)
class Unheard:
    """What was sent to a network that echoes, and has not come back yet."""

    _sent: deque[tuple[str, Reply, Priority, str, float]] = field(default_factory=lambda: deque(maxlen=100))

    def keep(self, channel: str, reply: Reply, priority: Priority, text: str, now: float) -> None:
        """A line goes out, as this text."""
        self._sent.append((channel, reply, priority, plain(text), now))

    def forget(self, channel: str, text: str) -> None:
        """A line came back."""
        found = next((one for one in self._sent if one[3] == text and one[0].lower() == channel.lower()), None)
        if found is not None:
            self._sent.remove(found)

    def put_back(self, outbox: Outbox, now: float) -> None:
        """The network broke: what it was sent last is queued again."""
        for channel, reply, priority, _, at in reversed(self._sent):
            if now - at <= _FRESH:
                outbox.put_back(channel, [reply], priority)
        self._sent.clear()

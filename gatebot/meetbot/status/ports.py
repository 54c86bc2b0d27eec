# SPDX-License-Identifier: Apache-2.0
"""What the status needs of the world, as a Protocol: who people are, and the channels as they are now.

Floor 0: no behaviour.
"""

from __future__ import annotations

from typing import Protocol

from ..model import Line, Priority, Reply
from .model import Person


class World(Protocol):
    """Accounts and networks."""

    async def person(self, network: str, line: Line) -> Person | None:
        """Whose account says a line; None: nobody knows."""
        ...

    def send(self, network: str, target: str, reply: Reply, priority: Priority) -> None:
        """Queue a line or a topic."""
        ...

    def topic(self, network: str, channel: str) -> str | None:
        """The topic of a channel; None where the bot is not in it."""
        ...

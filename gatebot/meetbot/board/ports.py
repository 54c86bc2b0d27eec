# SPDX-License-Identifier: Apache-2.0
"""What boards need of the world, as a Protocol: who people are, and a voice.

Floor 0: no behaviour.
"""

from __future__ import annotations

from typing import Protocol

from ..model import Line, Priority, Reply
from .model import Speaker


class World(Protocol):
    """Accounts and networks."""

    async def speaker(self, network: str, line: Line) -> Speaker:
        """Who says a line."""
        ...

    def send(self, network: str, target: str, reply: Reply, priority: Priority) -> None:
        """Queue a line for a channel, or for a person."""
        ...

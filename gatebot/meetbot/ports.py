# SPDX-License-Identifier: Apache-2.0
"""What the meetbot's service needs of the world: somebody who speaks in channels.

Protocols only. The IRC adapter fulfils it; tests use a fake that keeps what was said.
"""

from __future__ import annotations

from typing import Protocol

from .model import Priority, Reply


class Speaker(Protocol):
    """One network the bot is on."""

    def send(self, channel: str, reply: Reply, priority: Priority = Priority.MEETING) -> None:
        """Queue a line or a topic for a channel, or a line for a person; it goes out when flood limits allow."""
        ...

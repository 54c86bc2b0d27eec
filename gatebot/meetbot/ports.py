# SPDX-License-Identifier: Apache-2.0
"""What the meetbot needs of the world: somebody who speaks in channels, and what becomes of what lines name.

Protocols only. The IRC adapter fulfils the first; tests use a fake that keeps what was said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..access_rules import Actor
from .model import Bug, Priority, Reply, State


class Speaker(Protocol):
    """One network the bot is on."""

    def send(self, channel: str, reply: Reply, priority: Priority = Priority.MEETING) -> None:
        """Queue a line or a topic for a channel, or a line for a person; it goes out when flood limits allow."""
        ...


class States(Protocol):
    """What is known here of changes, builds and bugs that people speak of."""

    async def of(self, actor: Actor, targets: Sequence[str]) -> Mapping[str, State]:
        """The states of `change/12`, `build/5f...`, `bug/ADDRESS`: of those that there are, and the reader may see.

        A bug's is how far its fix is, as far as changes of this site say so.
        """
        ...

    def bugs(self, text: str) -> Sequence[Bug]:
        """What a text names in the trackers of the site, in order."""
        ...

    def bug_at(self, address: str) -> str:
        """What an address is of in these trackers, as `Bug.url` has it; empty: nothing."""
        ...

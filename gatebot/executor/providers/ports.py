# SPDX-License-Identifier: Apache-2.0
"""The one Protocol of all providers, and of a connection to a node.

Everything is idempotent by node id: creating twice makes one node, destroying twice is fine. What a
provider leaves behind after a crash is found by `list_owned`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from ...reasons import Reason
from ..model import Places
from .model import Capacity, Command, Exit, NodeRequest

Output: TypeAlias = Callable[[bytes], None]


class Connection(Protocol):
    """A way to run commands on one node."""

    async def run(self, command: Command, output: Output, *, started: Callable[[], None] | None = None) -> Exit:
        """Run a command to its end; `output` gets what it prints, both streams, as it comes.

        What it leaves running may print on, until the node is destroyed. A cancelled run is killed, and its children.
        """
        ...

    async def kill(self) -> None:
        """End every process on the node, now; returns when none is left."""
        ...


class Provider(Protocol):
    """A supplier of nodes."""

    async def probe(self) -> Capacity | Reason:
        """Try it for real; a reason says what is missing and what helps."""
        ...

    async def create(self, request: NodeRequest) -> None:
        """Begin to make a node."""
        ...

    async def wait_ready(self, node: str, deadline: float) -> None:
        """Return when commands can run; raise `Unavailable` when that takes longer than `deadline` seconds."""
        ...

    def places(self, node: str) -> Places:
        """Where home and playbooks are, as the node sees them."""
        ...

    def connect(self, node: str) -> Connection:
        """A connection to a node that is ready."""
        ...

    async def freeze(self, node: str, frozen: bool = True) -> None:
        """Stop all processes where they are (for people to look), or let them go on."""
        ...

    async def destroy(self, node: str) -> None:
        """Take the node and all its data away."""
        ...

    async def close(self) -> None:
        """Let go of everything, at the end; nodes that are left die."""
        ...

    async def list_owned(self) -> tuple[str, ...]:
        """The nodes that exist and are ours."""
        ...

# SPDX-License-Identifier: Apache-2.0
"""The one Protocol of all providers, and of a connection to a node.

Everything is idempotent by node id: creating twice makes one node, destroying twice is fine. What a
provider leaves behind after a crash is found by `list_owned`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import PurePath
from typing import Protocol, TypeAlias, runtime_checkable

from ...reasons import Reason
from ..model import Places
from .model import Capacity, Command, Door, Exit, NodeRequest, Reach

#: Gets a piece of what is printed; where it answers with something to wait for, no more is read before that is over.
Output: TypeAlias = Callable[[bytes], Awaitable[None] | None]


class Connection(Protocol):
    """A way to run commands on one node, and to bring files there and back."""

    @property
    def reach(self) -> Reach:
        """How a playbook gets to the node."""
        ...

    async def run(
        self,
        command: Command,
        output: Output,
        *,
        started: Callable[[], None] | None = None,
        source: int | None = None,
    ) -> Exit:
        """Run a command to its end; `output` gets what it prints, both streams, as it comes.

        `source` is the readable end of a pipe that the command reads from; without it there is nothing to read. What
        the command leaves running may print on, until the node is destroyed. A cancelled run is killed, and its
        children.
        """
        ...

    async def put(self, source: PurePath, target: str) -> None:
        """Bring a tree of this machine to the node, into the directory `target`; what is there stays beside it.

        Raises `Unavailable` where the node does not take it.
        """
        ...

    async def get(self, path: str, target: PurePath, limit: int) -> None:
        """Bring the plain files of a tree of the node here, into the directory `target`.

        Nothing that the node says puts anything elsewhere. Raises `TooLarge` beyond `limit` bytes, and keeps what came
        before; raises `Unavailable` where nothing can be read.
        """
        ...

    async def kill(self) -> None:
        """End every process on the node, now; returns when none is left."""
        ...


class Provider(Protocol):
    """A supplier of nodes."""

    @property
    def layered(self) -> bool:
        """Whether the layer of a request becomes part of the node's files; else they are brought by `put`."""
        ...

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
        """Let go of everything, at the end; nodes that are left stay for who comes next, or die where they cannot."""
        ...

    async def list_owned(self) -> tuple[str, ...]:
        """The nodes that exist and are ours."""
        ...


@runtime_checkable
class Growing(Provider, Protocol):
    """A provider that may be able to do more because of what is made beside it, such as an image."""

    def has_more(self) -> bool:
        """Whether something is there that the last probe did not find."""
        ...


@runtime_checkable
class Gradual(Provider, Protocol):
    """A provider whose probe may take minutes, and which can give nodes before it is over."""

    def begin_with(self, architectures: Sequence[str], found: Callable[[Capacity], None]) -> None:
        """Try these before all others; a probe tells what can be done as soon as that is something, or more."""
        ...


@runtime_checkable
class Here(Provider, Protocol):
    """A provider of nodes on this machine: they can be neighbours, and this side can be asked from inside them."""

    def addresses(self, count: int) -> tuple[str, ...]:
        """Where so many nodes of one build are for each other."""
        ...

    async def join(self, nodes: Sequence[str]) -> None:
        """Give the nodes of one build, which are ready, a network of their own with those addresses."""
        ...

    def door(self, node: str) -> Door:
        """The door of a node that is ready; whoever takes it serves it, and closes it."""
        ...

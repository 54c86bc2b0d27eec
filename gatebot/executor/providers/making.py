# SPDX-License-Identifier: Apache-2.0
"""Nodes that are being made: one task for each, begun by `create`, waited for by `wait_ready`, ended by `destroy`.

Knows nothing of what is made; each provider that needs longer than a moment has one of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ...errors import Unavailable
from ...reasons import reason


class Making:
    """The nodes of one provider that were asked for and not taken away since."""

    def __init__(self) -> None:
        """Nothing is being made."""
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, node: str) -> bool:
        """Whether somebody asked for it."""
        return node in self._tasks

    def begin(self, node: str, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Make a node in the background; asking again for the same changes nothing."""
        if node not in self._tasks:
            self._tasks[node] = asyncio.create_task(make())

    async def ready(self, node: str, deadline: float) -> None:
        """Return when it is made, at most `deadline` seconds from now; `Unavailable` says why it is not.

        What takes longer goes on: its node is taken away by whoever asked for it.
        """
        making = self._tasks.get(node)
        if making is None:
            raise never_asked()
        try:
            await asyncio.wait_for(asyncio.shield(making), deadline)
        except TimeoutError as problem:
            raise Unavailable(reason=reason("executor.node-not-made", told="timeout")) from problem

    def ended(self, node: str) -> bool:
        """Whether nothing more happens: it is made, it failed, or nobody asked for it."""
        making = self._tasks.get(node)
        return making is None or making.done()

    async def end(self, node: str, *, cancel: bool) -> None:
        """Forget it, when the making has ended: by itself, or because it was cancelled."""
        making = self._tasks.pop(node, None)
        if making is None:
            return
        if cancel:
            making.cancel()
        await asyncio.gather(making, return_exceptions=True)


def never_asked() -> Unavailable:
    """The error for a node that nobody asked for."""
    return Unavailable(reason=reason("executor.node-not-made", told="nobody asked for it"))

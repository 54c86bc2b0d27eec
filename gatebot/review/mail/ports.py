# SPDX-License-Identifier: Apache-2.0
"""What mail needs of the world: something that carries messages, and the addresses that readers end it by.

Floor 0: no behaviour.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is to be sent to one reader."""

    id: int
    email: str
    content: bytes
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Carried:
    """How it went: no `problem`, it was taken; `final`: it is no use to try this message again."""

    id: int
    problem: str = ""
    final: bool = False


class Carrier(Protocol):
    """Hands messages to a mail server."""

    def carry(self, messages: Sequence[Waiting]) -> AsyncGenerator[Carried, None]:
        """Try them one after another, each told as soon as it is tried. Never raises for what a server does."""
        ...

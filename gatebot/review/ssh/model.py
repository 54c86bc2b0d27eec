# SPDX-License-Identifier: Apache-2.0
"""One command as it comes over SSH: who asks, in which language, with which words; and how it fails.

Floor 0. `Terminal` is what a command sees of the connection; `server.py` implements it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ...access_rules import Actor


class Failed(Exception):
    """A command ends here: `text` is said on its error output, `status` is its exit status."""

    def __init__(self, text: str, status: int = 1) -> None:
        self.text = text
        self.status = status
        super().__init__(text)


class Known(Protocol):
    """What commands need of the account that asks."""

    @property
    def id(self) -> int: ...
    @property
    def username(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> frozenset[str]: ...


class Terminal(Protocol):
    """Both ends of a command's pipe."""

    async def say(self, text: str) -> None:
        """To its output, as soon as the reader takes it."""
        ...

    async def complain(self, text: str) -> None:
        """To its error output."""
        ...

    async def all_input(self, most: int) -> bytes:
        """Everything that is sent to it, when that is at most `most` bytes."""
        ...

    async def interrupted(self) -> None:
        """Returns when the reader is gone, or has pressed Ctrl-C."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One command under way; `words` are those behind its name."""

    account: Known
    words: tuple[str, ...]
    terminal: Terminal
    language: str = "en"

    @property
    def actor(self) -> Actor:
        """The asker as rules see him."""
        return Actor(self.account.id, self.account.groups, self.account.username)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what `--help` says of it, and what it does."""

    about: str
    run: Callable[[Call], Awaitable[None]]


Commands: TypeAlias = dict[str, Command]

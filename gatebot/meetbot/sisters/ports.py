# SPDX-License-Identifier: Apache-2.0
"""What the sisters of the meetbot need of the other rooms, as Protocols; `app` plugs them in.

Floor 0: no behaviour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ...fact import Event
from .model import Done, Found, Happened, Standing, Waits


class Fact(Protocol):
    """A fact with its place in the journal."""

    @property
    def id(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def event(self) -> Event: ...


class News(Protocol):
    """What facts of the journal mean to a stranger."""

    @property
    def kinds(self) -> Sequence[type[Event]]:
        """The facts that may mean something."""
        ...

    async def told(self, facts: Sequence[Fact]) -> Sequence[Happened]:
        """What happened, in order; nothing of what a stranger may not see."""
        ...


class Answers(Protocol):
    """What the site answers a stranger, in a language; and what it does for those who proved to be an account."""

    async def standing(self, number: int, language: str) -> Standing | None:
        """A change as it stands; None: there is none that a stranger may see."""
        ...

    async def waits(self, language: str) -> Sequence[Waits]:
        """The pipelines, as a stranger sees them."""
        ...

    async def search(self, text: str) -> Found | None:
        """The newest line of the logs that fits; None: there is none."""
        ...

    async def line(self, network: str, channel: str, nick: str, text: str) -> str:
        """The address of the newest line that somebody said so."""
        ...

    async def newest(self, network: str, channel: str) -> str:
        """The address of the newest line of a channel; empty: none is known."""
        ...

    async def confirm(self, network: str, name: str, code: str) -> str:
        """Link who says a code to the account that it is of; its user name, nothing when the code is none."""
        ...

    async def recheck(self, network: str, name: str, number: int) -> Done | None:
        """Ask for new checks of a change that everybody may see; None: he is linked to no account."""
        ...

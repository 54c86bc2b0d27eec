# SPDX-License-Identifier: Apache-2.0
"""What the pipeline room needs of others, as Protocols; `app.py` plugs them in.

Floor 0: no behaviour. The review room knows changes and lands them, the executor runs builds. Both sides speak in the
values of the hall.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from ..access_rules import Actor
from ..assignment import Assignment
from ..change import ChangeFacts, FileComment, Landed, Landing, LandRefused
from ..reasons import Reason


class Review(Protocol):
    """The review room, for the gate."""

    async def change(self, number: int, patch_set: int | None = None) -> ChangeFacts | None:
        """A change and one of its patch sets (None: the newest)."""
        ...

    async def named(self, address: str) -> tuple[int, ...]:
        """The numbers of the changes that an address, or a `Change-Id`, of a `Depends-On:` footer names."""
        ...

    async def by_topic(self, number: int, topic: str) -> tuple[int, ...]:
        """The open changes under this topic, where the change of this number is at home."""
        ...

    async def kept_from(self, numbers: Collection[int], by: Collection[int]) -> frozenset[int]:
        """Those of some changes that one of these accounts may not see."""
        ...

    async def open_changes(self, project: str) -> tuple[int, ...]:
        """The open changes of a project, oldest first."""
        ...

    async def by_commit(self, project: str, branch: str, commit: str) -> ChangeFacts | None:
        """The open change of a branch whose current patch set is this commit."""
        ...

    async def depending_on(self, number: int) -> tuple[int, ...]:
        """The open changes that name it in `Depends-On:`, or that stand on its current patch set."""
        ...

    async def ready(self, number: int) -> Reason | None:
        """What the submit rule still asks for, apart from the gate's own vote; None: nothing."""
        ...

    async def report(
        self, change: int, patch_set: int, *, message: str, votes: Mapping[str, int], tag: str, event_key: str,
        comments: Sequence[FileComment] = (),
    ) -> None:  # fmt: skip
        """Comment and vote as the gate, on lines of files too; the same `event_key` again does nothing."""
        ...

    async def land(self, landing: Landing) -> Landed | LandRefused:
        """Move the branches to the tested commits, all or none; the same item again has the same answer."""
        ...


class Source(Review, Protocol):
    """One place that changes come from: this site's review room, or another Gerrit."""

    def numbers(self, number: int) -> bool:
        """Whether changes and accounts of this number are of this place."""
        ...

    def hosts(self, project: str) -> bool:
        """Whether changes of this project are of this place."""
        ...

    async def person(self, id: int) -> Person | None:
        """Who is behind an account of this place."""
        ...


class Person(Protocol):
    """An account, as far as filters look at it."""

    @property
    def username(self) -> str: ...

    @property
    def email(self) -> str: ...


class People(Protocol):
    """Who is behind an account."""

    async def by_id(self, id: int) -> Person | None:
        """The account, or None."""
        ...


class Dispatch(Protocol):
    """Those who run builds."""

    def free_slots(self) -> int:
        """How many builds would be taken now."""
        ...

    async def assign(self, assignment: Assignment) -> None:
        """Give a build to an executor. The same build with the same fence again does nothing."""
        ...

    async def abort(self, build: str, fence: int, why: Reason | None = None) -> None:
        """The build is not wanted any more."""
        ...

    async def resume(self, build: str, fence: int) -> None:
        """A paused build may go on; told again, or too early, nothing is lost."""
        ...

    async def grant(self, build: str, fence: int, names: Sequence[str]) -> None:
        """The build has the semaphores that a playbook of it asked for."""
        ...


class Sight(Protocol):
    """What readers may see, for pages; the review room knows which changes are private."""

    async def hidden(self, actor: Actor, changes: Collection[int]) -> frozenset[int]:
        """Those of some changes that the reader may not see."""
        ...

    async def change_project(self, actor: Actor, change: int) -> str:
        """The project of a change that the reader may see; raises `NotFound`."""
        ...

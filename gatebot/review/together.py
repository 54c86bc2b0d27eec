# SPDX-License-Identifier: Apache-2.0
"""Which changes are merged with a change: what it stands on, and its whole topic where the site merges topics; and
which were, when it was.

Reads inside a transaction and decides nothing about votes. The order is the one in which the changes go onto their
branches: what others stand on comes first.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from ..db import Session
from . import hosting, store
from .landing_rows import MERGED
from .model import Change, PatchSet, SubmitType
from .tables import changes, messages

_MOST = 500


@dataclass(frozen=True, slots=True)
class Outdated:
    """A change stands on a patch set of another open change that is not its current one."""

    change: int
    commit: str
    on: int
    patch_set: int
    current: int


@dataclass(frozen=True, slots=True)
class Together:
    """The changes in the order of their merging, each with its current patch set."""

    changes: tuple[tuple[Change, PatchSet], ...]
    outdated: tuple[Outdated, ...] = ()

    @property
    def numbers(self) -> frozenset[int]:
        """Which they are."""
        return frozenset(change.number for change, _ in self.changes)


def together(session: Session, change: Change, *, whole_topic: bool, of_any_type: bool = False) -> Together:
    """What is merged when this change is. `of_any_type`: what it stands on, also where its project cherry-picks."""
    reader = _Reader(session, whole_topic, of_any_type)
    reader.add(change)
    return Together(tuple(reader.found), tuple(reader.outdated))


def submitted_with(session: Session, change: Change) -> tuple[int, ...]:
    """What was merged together with a change, itself among it, the first to be merged first."""
    # In one landing the message of a change is written after that of what it stands on.
    said = select(func.max(messages.c.id)).where(messages.c.change == changes.c.number, messages.c.tag == MERGED)
    wanted = select(changes.c.number).where(changes.c.submission == change.submission)
    found = session.execute(wanted.order_by(said.correlate(changes).scalar_subquery(), changes.c.number)).scalars()
    return tuple(found) or (change.number,)


class _Reader:
    def __init__(self, session: Session, whole_topic: bool, of_any_type: bool) -> None:
        self._session = session
        self._whole_topic = whole_topic
        self._of_any_type = of_any_type
        self._seen: set[int] = set()
        self._topics: set[str] = set()
        self._picks: dict[str, bool] = {}
        self.found: list[tuple[Change, PatchSet]] = []
        self.outdated: list[Outdated] = []

    def add(self, change: Change) -> None:
        """A change with all that it needs, then the rest of its topic."""
        line = self._line(change)
        for one, current in reversed(line):
            self.found.append((one, current))
        for one, _ in line:
            if self._whole_topic and one.topic and one.topic not in self._topics:
                self._topics.add(one.topic)
                for number in store.open_changes(self._session, None, None, one.topic):
                    if number not in self._seen:
                        self.add(store.get_change(self._session, number))

    def _line(self, change: Change) -> list[tuple[Change, PatchSet]]:
        """A change and the open ones below it that are not known yet, itself first."""
        line: list[tuple[Change, PatchSet]] = []
        following: Change | None = change
        while following is not None and following.number not in self._seen and len(self._seen) < _MOST:
            self._seen.add(following.number)
            current = store.get_patch_set(self._session, following.number, following.current)
            line.append((following, current))
            following = self._below(following, current)
        return line

    def _below(self, change: Change, current: PatchSet) -> Change | None:
        """The open change of the same branch that a patch set stands on."""
        if self._is_picked(change.project) or not current.parents:
            return None
        on = current.parents[0]
        below = store.find_by_commits(self._session, change.project, (on,), change.branch).get(on)
        if below is None or not below.is_open or below.number == change.number:
            return None
        tip = store.get_patch_set(self._session, below.number, below.current)
        if tip.commit == on:
            return below
        named = [one.number for one in store.list_patch_sets(self._session, below.number) if one.commit == on]
        self.outdated.append(Outdated(change.number, current.commit, below.number, named[0], below.current))
        return None

    def _is_picked(self, project: str) -> bool:
        if project not in self._picks:
            found = hosting.find_project(self._session, project)
            picked = found is not None and found.submit_type is SubmitType.CHERRY_PICK
            self._picks[project] = picked and not self._of_any_type
        return self._picks[project]

# SPDX-License-Identifier: Apache-2.0
"""Builds and stays in queues as people see them: on pages, in REST, in reports.

Values only; `history.py` reads them from the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..assignment import GivenNode
from ..reasons import Reason


@dataclass(frozen=True, slots=True)
class BuildRow:
    """A build for people: pages, REST, reports. `final` is false for one that was tried again.

    `taken` says when and why what it left, or its artifacts, were taken away.
    """

    build: str
    buildset: str
    item: str
    job: str
    tenant: str
    pipeline: str
    project: str
    branch: str
    change: int | None
    patch_set: int | None
    voting: bool
    result: str
    attempt: int
    fence: int
    node: str
    nodes: tuple[GivenNode, ...]
    reason: Reason | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    error_line: int
    error_text: str
    artifacts: tuple[tuple[str, str], ...]
    taken: Reason | None
    final: bool

    @property
    def waits(self) -> bool:
        """Whether it has not begun, and will."""
        return not self.result and self.started is None


def given_json(node: GivenNode) -> dict[str, object]:
    """A node of a build for programs."""
    return {
        "names": list(node.names),
        "label": node.label,
        "arch": node.arch,
        "execution": node.execution,
        "provider": node.provider,
        "executor": node.executor or None,
        "ids": node.ids or None,
    }


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A stay in a queue, for people; `left` None: still there."""

    item: str
    tenant: str
    pipeline: str
    queue: str
    project: str
    branch: str
    change: int | None
    patch_set: int | None
    resets: int
    enqueued: datetime
    left: datetime | None
    outcome: str
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class BuildsetRow:
    """One attempt of an item. `last`: there was none after it; `outcome` and `reason` are the item's then."""

    buildset: str
    item: str
    tenant: str
    pipeline: str
    project: str
    branch: str
    change: int | None
    patch_set: int | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    last: bool
    outcome: str
    reason: Reason | None

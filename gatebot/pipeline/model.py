# SPDX-License-Identifier: Apache-2.0
"""Values of the pipeline room that belong to none of its parts.

Floor 0. What a queue knows is in `queue/model.py`, what is configured in `config/model.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..events import Event


@dataclass(frozen=True, slots=True)
class TimerFired(Event):
    """The clock reached a time that a pipeline waits for. `number` is the trigger's place among its timers."""

    tenant: str
    pipeline: str
    number: int
    dereference: bool = False


@dataclass(frozen=True, slots=True)
class AgeAwaited(Event):
    """A pipeline asks how old votes are, and the answer for a change will be another one at `due`; None: never.

    `refused` for just that, the change is to enter when it may.
    """

    tenant: str
    pipeline: str
    change: int
    due: datetime | None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class AgeReached(Event):
    """That time has come."""

    tenant: str
    pipeline: str
    change: int
    refused: bool = False

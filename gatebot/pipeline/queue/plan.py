# SPDX-License-Identifier: Apache-2.0
"""`plan(queue, now) -> commands`: everything is decided again from the facts, whatever happened before.

Commands are facts that were not accepted yet: whoever carries them out records them first. What is left out (no
free executor) is simply asked for again next time. Two more questions are answered from the same facts:
what has to be done again after a restart, and which builds nobody waits for any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from ..config.model import Speculation
from . import classic
from .facts import BuildAssigned, LandAsked, PrepareAsked, QueueFact, ReportAsked, SemaphoresGranted
from .model import Build, Item, Queue
from .record import record_all

Strategy = Callable[[Queue, datetime], tuple[QueueFact, ...]]
"""What a way of speculating has to say to one state of a queue; nothing, when it is content."""

STRATEGIES: Mapping[Speculation, Strategy] = {Speculation.CLASSIC: classic.propose}


def plan(queue: Queue, now: datetime) -> tuple[QueueFact, ...]:
    """The commands that this state of the queue asks for, until nothing more follows from them."""
    propose = STRATEGIES.get(queue.policy.speculation, classic.propose)
    commands: list[QueueFact] = []
    while proposed := propose(queue, now):
        commands += proposed
        if all(isinstance(command, _BEGINNINGS) for command in proposed):
            break
        queue = record_all(queue, proposed)
    return tuple(commands)


_BEGINNINGS = (PrepareAsked, BuildAssigned, LandAsked, ReportAsked, SemaphoresGranted)
"""What these begin is not known before it is answered: nothing follows from them at once."""


def outstanding(queue: Queue) -> Iterator[QueueFact]:
    """The accepted commands that were not answered: to be carried out again after a restart.

    Builds are given out anew, with a fence above that of whoever may still run them.
    """
    for item in queue.items.values():
        if item.asked and item.prepared is None:
            yield PrepareAsked(queue.id, item.id, item.attempt, item.onto)
        if item.landing:
            yield LandAsked(queue.id, item.id, item.attempt)
        for build in item.unfinished:
            yield again(queue, item, build)
    for departure in queue.reports.values():
        yield ReportAsked(queue.id, departure.item.id, departure.moment)


def again(queue: Queue, item: Item, build: Build) -> BuildAssigned:
    """The same build for another executor: whoever has it now is not listened to any more."""
    return BuildAssigned(
        queue.id,
        item.id,
        item.attempt,
        build.job,
        build.id,
        build.tries,
        build.fence + 1,
        build.choice,
        build.provided,
    )

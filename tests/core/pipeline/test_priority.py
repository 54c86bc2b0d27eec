# SPDX-License-Identifier: Apache-2.0
"""Who gets the next free executor: by precedence, then by turn, so that nobody is kept waiting by one busy project."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gatebot.pipeline.config.model import Manager, Precedence
from gatebot.pipeline.dispatching import Wish, by_urgency
from gatebot.pipeline.queue.facts import BuildAssigned, ItemDequeued, ItemEnqueued
from gatebot.pipeline.queue.model import ItemChange, Outcome, Policy, Queue
from gatebot.pipeline.queue.record import record
from tests.fakes.gate import NOW


def queue(
    pipeline: str, manager: Manager, *projects: str, at: int = 0, precedence: Precedence = Precedence.NORMAL
) -> Queue:
    """A queue with a change of each of these projects, enqueued one second after the other."""
    name = f"{pipeline}-{at}"
    made = Queue(name, "main", pipeline, name, Policy(manager, precedence=precedence), 20)
    for number, project in enumerate(projects, at):
        item = ItemChange(number, 1, project, "main", f"c{number}")
        made = record(made, ItemEnqueued(name, f"{pipeline}{number}", NOW + timedelta(seconds=number), (item,)))
    return made


def checks(*projects: str, precedence: Precedence = Precedence.NORMAL, pipeline: str = "check") -> list[Queue]:
    """An independent pipeline: each change has a queue of its own."""
    return [
        queue(pipeline, Manager.INDEPENDENT, project, at=number, precedence=precedence)
        for number, project in enumerate(projects)
    ]


def order(*queues: Queue, slots: int = 0) -> list[str]:
    """The items in the order in which their builds are given out."""
    wishes: list[Wish] = [
        (one, BuildAssigned(one.id, item, 1, "unit", f"b{item}")) for one in queues for item in one.items
    ]
    return [command.item for _, command in by_urgency(wishes, queues, slots)]


@pytest.mark.zuul(114, 134)
def test_the_same_change_is_built_in_the_pipeline_of_higher_precedence_first() -> None:
    check, gate = checks("api"), queue("gate", Manager.DEPENDENT, "api", precedence=Precedence.HIGH)
    low = checks("api", precedence=Precedence.LOW, pipeline="post")
    assert order(*low, *check, gate) == ["gate0", "check0", "post0"]


@pytest.mark.zuul(114)
def test_a_project_with_many_changes_does_not_keep_the_others_waiting() -> None:
    assert order(*checks("busy", "busy", "busy", "quiet")) == ["check0", "check3", "check1", "check2"]


@pytest.mark.zuul(114)
def test_in_a_shared_queue_the_place_in_it_counts_and_is_another_when_the_queue_has_moved() -> None:
    gate = queue("gate", Manager.DEPENDENT, "api", "api", "client")
    other = queue("gate", Manager.DEPENDENT, "docs", at=7)
    assert order(gate, other) == ["gate0", "gate7", "gate1", "gate2"]
    moved = record(gate, ItemDequeued(gate.id, "gate0", Outcome.MERGED))
    assert order(moved, other) == ["gate1", "gate7", "gate2"]


@pytest.mark.zuul(114)
def test_chains_of_merges_come_before_single_changes_of_the_same_precedence() -> None:
    assert order(*checks("api"), queue("gate", Manager.DEPENDENT, "api", "api")) == ["gate0", "gate1", "check0"]


def test_where_there_is_room_for_all_nothing_is_put_in_another_order() -> None:
    assert order(*checks("api"), queue("gate", Manager.DEPENDENT, "api"), slots=2) == ["check0", "gate0"]

# SPDX-License-Identifier: Apache-2.0
"""Which changes enter together and in which order, from what they need alone; the laws are in the ring of laws."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gatebot import words
from gatebot.change import ChangeFacts
from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.joining import Candidate, Question, chain
from gatebot.reasons import Reason, reason
from tests.fakes.configuration import PIPELINES, tenant_layout

PROJECT = "- project: {queue: integrated, gate: {jobs: [noop]}}"
QUEUE = "- queue: {name: integrated, allow-circular-dependencies: true}\n"


def layout(queue: str = QUEUE, client: str = PROJECT) -> Layout:
    return tenant_layout({"api": PROJECT, "client": client}, PIPELINES + queue)


def change(number: int, project: str = "api", branch: str = "main", status: str = "NEW") -> ChangeFacts:
    return ChangeFacts(
        number, 1, 1, f"I{number}", project, branch, f"c{number}", (), f"Change {number}", "", 1, "ann", 1, status, ""
    )


def asked(
    target: int, *found: Candidate, where: Layout | None = None, **known: object
) -> tuple[list[list[int]], Reason | None]:
    """The groups that enter for the sake of a change, and why that one does not."""
    candidates = {one.facts.number: one for one in found}
    obstacles: Mapping[int, Reason] = known.pop("obstacles", {})  # type: ignore[assignment]
    entering, why = chain(Question(where or layout(), candidates, obstacles, **known), target)  # type: ignore[arg-type]
    return [list(group.numbers) for group in entering], why


def test_what_a_change_needs_enters_before_it_each_once() -> None:
    found = (Candidate(change(1), named=(2, 3)), Candidate(change(2), named=(3,)), Candidate(change(3)))
    assert asked(1, *found) == ([[3], [2], [1]], None)


@pytest.mark.zuul(37)
def test_a_change_id_on_two_branches_is_two_dependencies() -> None:
    found = (
        Candidate(change(1), named=(2, 3)),
        Candidate(change(2, "client")),
        Candidate(change(3, "client", "stable")),
    )
    assert asked(1, *found) == ([[2], [3], [1]], None)


@pytest.mark.zuul(56)
def test_a_cycle_stands_behind_what_any_of_its_changes_needs_and_before_what_needs_it() -> None:
    found = (
        Candidate(change(1), named=(2, 5)),
        Candidate(change(2, "client"), named=(1, 3)),
        Candidate(change(3), named=(4,)),
        Candidate(change(4, "client"), named=(3,)),
        Candidate(change(5)),
    )
    entering, why = asked(1, *found)
    assert why is None
    assert [sorted(group) for group in entering] == [[3, 4], [5], [1, 2]] or entering == [[5], [3, 4], [1, 2]]


def test_changes_of_a_cycle_that_stand_on_each_other_are_in_the_order_of_their_commits() -> None:
    found = (Candidate(change(1), under=(2,)), Candidate(change(2), named=(1,)))
    assert asked(1, *found) == ([[2, 1]], None)


def test_when_one_of_a_cycle_may_not_enter_none_does_and_the_reason_names_it() -> None:
    lacks = reason("pipeline.needs-approval", approval="Workflow +1")
    found = (Candidate(change(1), named=(2,)), Candidate(change(2), named=(1,)))
    assert asked(1, *found, obstacles={2: lacks}) == ([], reason("pipeline.circle-waits", lacks, change=2))


def test_what_keeps_a_change_out_is_said_of_that_change_not_of_the_one_that_stands_on_it() -> None:
    lacks = reason("review.needs-vote", label="Code-Review", value="+2")
    entering, why = asked(2, Candidate(change(2), under=(1,)), Candidate(change(1)), obstacles={1: lacks})
    assert entering == []
    assert why is not None
    assert words.say(why) == (
        "It needs change 1, which cannot enter yet; as soon as that one enters, this one follows by itself. "
        "What keeps change 1 out: It needs Code-Review +2."
    )
    assert words.say(why, "ko").endswith("변경 1이 들어가지 못하는 까닭: Code-Review +2가 필요합니다.")


@pytest.mark.zuul(55)
def test_a_cycle_across_queues_is_refused() -> None:
    other = "- queue: {name: alone, allow-circular-dependencies: true}\n"
    apart = layout(QUEUE + other, "- project: {queue: alone, gate: {jobs: [noop]}}")
    found = (Candidate(change(1), named=(2,)), Candidate(change(2, "client"), named=(1,)))
    assert asked(1, *found, where=apart) == ([], reason("pipeline.circle-across-queues", changes="1, 2"))


def test_a_pipeline_that_is_full_takes_nobody_of_a_chain() -> None:
    found = (Candidate(change(1), named=(2,)), Candidate(change(2)))
    assert asked(1, *found, room=1, limit=3) == ([], reason("pipeline.too-many-changes", count=2, limit=3, inside=2))

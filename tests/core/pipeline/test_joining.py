# SPDX-License-Identifier: Apache-2.0
"""Which changes enter together and in which order, from what they need alone; and the laws of cycles."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatebot.change import ChangeFacts
from gatebot.pipeline.config.layout import Layout
from gatebot.pipeline.cycles import components, ordered
from gatebot.pipeline.joining import Candidate, Question, chain, groups
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


@pytest.mark.zuul(55)
def test_a_cycle_across_queues_is_refused() -> None:
    other = "- queue: {name: alone, allow-circular-dependencies: true}\n"
    apart = layout(QUEUE + other, "- project: {queue: alone, gate: {jobs: [noop]}}")
    found = (Candidate(change(1), named=(2,)), Candidate(change(2, "client"), named=(1,)))
    assert asked(1, *found, where=apart) == ([], reason("pipeline.circle-across-queues", changes="1, 2"))


def test_a_pipeline_that_is_full_takes_nobody_of_a_chain() -> None:
    found = (Candidate(change(1), named=(2,)), Candidate(change(2)))
    assert asked(1, *found, room=1, limit=3) == ([], reason("pipeline.too-many-changes", count=2, limit=3, inside=2))


needs = st.dictionaries(st.integers(1, 9), st.lists(st.integers(1, 9), max_size=4), max_size=9)


@settings(max_examples=200, deadline=None)
@given(needs)
def test_every_change_is_in_exactly_one_group_which_stands_behind_all_that_it_needs(
    given_needs: dict[int, list[int]],
) -> None:
    found = components(given_needs)
    numbers = [number for group in found for number in group]
    assert len(numbers) == len(set(numbers))
    assert set(given_needs) <= set(numbers)
    place = {number: at for at, group in enumerate(found) for number in group}
    for number, wanted in given_needs.items():
        assert all(place[other] <= place[number] for other in wanted)


@settings(max_examples=200, deadline=None)
@given(needs)
def test_two_changes_share_a_group_exactly_when_each_needs_the_other(given_needs: dict[int, list[int]]) -> None:
    def reached(start: int) -> set[int]:
        seen, waiting = set[int](), [start]
        while waiting:
            for other in given_needs.get(waiting.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return seen

    group = {number: at for at, members in enumerate(components(given_needs)) for number in members}
    for one in group:
        for two in group:
            if one != two:
                assert (group[one] == group[two]) == (two in reached(one) and one in reached(two))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 9), unique=True, min_size=1), needs)
def test_the_order_inside_a_cycle_has_all_its_members_once(group: list[int], under: dict[int, list[int]]) -> None:
    assert sorted(ordered(group, under)) == sorted(group)


def test_without_cycles_each_change_is_alone() -> None:
    found = {1: Candidate(change(1), named=(2,)), 2: Candidate(change(2), named=(1,))}
    assert sorted(group.numbers for group in groups(found, cycles=False)) == [(1,), (2,)]

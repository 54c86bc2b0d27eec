# SPDX-License-Identifier: Apache-2.0
"""Laws of who enters with whom: for any graph of needs, and for any obstacles in it."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.change import ChangeFacts
from gatebot.pipeline.config.layout import Layout, Sources
from gatebot.pipeline.config.model import QueueConfig
from gatebot.pipeline.config.tenant import Tenant
from gatebot.pipeline.cycles import components, ordered
from gatebot.pipeline.joining import Candidate, Group, Question, chain, groups
from gatebot.reasons import reason

NUMBERS = range(1, 9)
graphs = st.fixed_dictionaries({number: st.sets(st.sampled_from(NUMBERS), max_size=3) for number in NUMBERS})
allowed = st.booleans()
NONE: set[int] = set()
some = st.sets(st.sampled_from(NUMBERS), max_size=3)


def reached(needs: dict[int, set[int]], start: int) -> set[int]:
    """Everything that a change needs, at whatever remove."""
    found, waiting = set[int](), [*needs[start]]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += needs[number]
    return found


def candidate(number: int, named: Collection[int] = (), **differs: str) -> Candidate:
    facts = ChangeFacts(
        number, 1, 1, f"I{number}", differs.get("project", "api"), "main", f"c{number}", (), "s", "s\n", 1, "ann", 1,
        differs.get("status", "NEW"), f"https://x/{number}",
    )  # fmt: skip
    return Candidate(facts, named=tuple(sorted(named)))


def layout(*, circular: bool = True) -> Layout:
    made = Layout(Tenant("main"), Sources({}, {}), {})
    made.queues["shared"] = QueueConfig("shared", allow_circular_dependencies=circular)
    made.project_queues["api"] = made.project_queues["client"] = [("shared", None)]
    return made


@given(graphs)
def test_every_change_is_in_one_group_with_exactly_those_that_need_it_and_that_it_needs(
    needs: dict[int, set[int]],
) -> None:
    found = components(needs)
    assert sorted(number for group in found for number in group) == list(NUMBERS)
    for group in found:
        for number in group:
            both = {other for other in reached(needs, number) if number in reached(needs, other)} | {number}
            assert set(group) == both


@given(graphs)
def test_a_group_stands_behind_everything_that_it_needs(needs: dict[int, set[int]]) -> None:
    seen = set[int]()
    for group in components(needs):
        seen.update(group)
        assert all(needs[number] <= seen for number in group)


@given(graphs, some)
def test_members_of_a_cycle_stand_behind_the_commits_that_they_stand_on(
    needs: dict[int, set[int]], group: set[int]
) -> None:
    under = {number: {need for need in found if need < number} for number, found in needs.items()}
    order = ordered(group, under)
    assert sorted(order) == sorted(group)
    for place, number in enumerate(order):
        assert under[number] & group <= set(order[:place])


def test_a_chain_of_thousands_is_no_deeper_than_one_of_two() -> None:
    length = 5000
    found = components({number: (number + 1,) for number in range(length)})
    assert found == tuple((number,) for number in range(length, -1, -1))


@given(graphs, some, some, allowed)
def test_who_enters_has_all_that_it_needs_ahead_and_who_does_not_is_told_why(
    needs: dict[int, set[int]], hindered: set[int], inside: set[int], circular: bool
) -> None:
    candidates = {number: candidate(number, needs[number]) for number in NUMBERS}
    present = [group.patch_sets for group in groups(candidates) if inside & set(group.numbers)]
    obstacles = {number: reason("pipeline.needs-open") for number in hindered}
    question = Question(layout(circular=circular), candidates, obstacles, present)
    for target in NUMBERS:
        entering, why = chain(question, target)
        ahead = {number for group in present for number, _ in group}
        for group in entering:
            assert not ahead & set(group.numbers)
            assert not hindered & set(group.numbers)
            assert len(group.numbers) == 1 or circular
            assert set(group.needs) <= ahead
            ahead.update(group.numbers)
        assert (why is None) is (target in ahead)


def test_a_group_keeps_the_order_of_commits_and_knows_what_it_needs_outside() -> None:
    first, second = candidate(2), candidate(1)
    found = groups(
        {
            1: Candidate(second.facts, under=(2,), named=(3,)),
            2: Candidate(first.facts, named=(1,)),
            3: candidate(3),
        }
    )
    assert found == (Group((candidate(3).facts,)), Group((first.facts, second.facts), (3,)))


def test_where_cycles_are_ignored_each_change_is_alone() -> None:
    found = groups({1: candidate(1, {2}), 2: candidate(2, {1})}, cycles=False)
    assert sorted(group.numbers for group in found) == [(1,), (2,)]


@pytest.mark.zuul(36, 39, 40, 50, 51, 53, 54, 55, 56, 57)
@pytest.mark.parametrize(
    ("candidates", "circular", "room", "entering", "why"),
    [
        pytest.param({1: {2, 3}, 2: {3}, 3: NONE}, False, None, [(3,), (2,), (1,)], None, id="triangle"),
        pytest.param({1: {2}, 2: {1}}, True, None, [(1, 2)], None, id="cycle"),
        pytest.param({1: {2}, 2: {3}, 3: {1}}, True, None, [(1, 2, 3)], None, id="transitive cycle"),
        pytest.param({1: {2}, 2: {1}}, False, None, [], "pipeline.circle-not-allowed", id="forbidden cycle"),
        pytest.param({1: {2}, 2: {3}, 3: {2}}, True, None, [(2, 3), (1,)], None, id="behind a cycle"),
        pytest.param({1: {2, 3}, 2: {1}, 3: NONE}, True, None, [(3,), (1, 2)], None, id="cycle behind a change"),
        pytest.param(
            {1: {2, 3}, 2: {1}, 3: {4}, 4: {3}}, True, None, [(3, 4), (1, 2)], None, id="cycle behind a cycle"
        ),
        pytest.param({1: NONE}, True, None, [(1,)], None, id="what it needs has merged"),
        pytest.param({1: {2}, 2: NONE}, True, 1, [], "pipeline.too-many-changes", id="no room for both"),
        pytest.param({1: {2}, 2: NONE}, True, 2, [(2,), (1,)], None, id="room for both"),
    ],
)
def test_a_chain_enters_in_the_order_of_its_needs_or_says_why_not(
    candidates: dict[int, set[int]], circular: bool, room: int | None, entering: list[tuple[int, ...]], why: str | None
) -> None:
    known = {number: candidate(number, named) for number, named in candidates.items()}
    found, reason_ = chain(Question(layout(circular=circular), known, {}, room=room, limit=1), 1)
    assert [group.numbers for group in found] == entering
    assert (reason_.kind if reason_ is not None else None) == why


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (candidate(2, status="ABANDONED"), "pipeline.needs-abandoned"),
        (candidate(2, project="elsewhere"), "pipeline.needs-other-queue"),
    ],
)
def test_a_dependency_that_cannot_be_ahead_is_named(other: Candidate, why: str) -> None:
    question = Question(layout(), {1: candidate(1, {2}), 2: other}, {})
    entering, found = chain(question, 1)
    assert (1,) not in [group.numbers for group in entering]
    assert found is not None
    assert (found.kind, found.get("change")) == (why, 2)


def test_a_cycle_across_queues_is_told_and_waits_for_all_of_its_members() -> None:
    made = layout()
    made.queues["other"] = QueueConfig("other", allow_circular_dependencies=True)
    made.project_queues["client"] = [("other", None)]
    two = {1: candidate(1, {2}), 2: candidate(2, {1}, project="client")}
    assert chain(Question(made, two, {}), 1) == ((), reason("pipeline.circle-across-queues", changes="1, 2"))
    open_ = reason("pipeline.needs-open")
    entering, why = chain(Question(layout(), two, {2: open_}), 1)
    assert (entering, why) == ((), reason("pipeline.circle-waits", open_, change=2))

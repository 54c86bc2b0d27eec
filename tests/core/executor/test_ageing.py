# SPDX-License-Identifier: Apache-2.0
"""How long what builds left is kept: by result, by kind, by size; what is held stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gatebot.executor.files.ageing import Due, Left, Policy, artifacts_go, due, log_goes, reasons
from gatebot.words import say

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def left(
    build: str,
    days: int,
    *,
    passed: bool = True,
    size: int = 10,
    artifacts: int = 0,
    held: bool = False,
    wanted: bool = False,
) -> Left:
    return Left(build, NOW - timedelta(days=days), passed, size, artifacts, held, wanted)


def going(policy: Policy, builds: list[Left]) -> tuple[list[str], list[str], list[str]]:
    """What goes whole, what loses its artifacts, what makes room."""
    found = due(policy, builds, NOW)
    whole, artifacts, crowding = (
        [one.build for one in some] for some in (found.whole, found.artifacts, found.crowding)
    )
    return whole, artifacts, crowding


POLICY = Policy(passed=10, failed=20, artifacts=5)


def test_logs_go_by_result_and_artifacts_before_them() -> None:
    builds = [
        left("new", 1),
        left("stripped", 5),
        left("old", 10),
        left("failed", 19, passed=False),
        left("f", 20, passed=False),
    ]
    assert going(POLICY, builds) == (["f", "old"], ["failed", "stripped"], [])


def test_what_is_held_stays_whatever_its_age_and_size() -> None:
    assert due(Policy(1, 1, 1, total=1), [left("a", 99, held=True, size=99)], NOW) == Due()


def test_where_room_is_short_the_oldest_goes_first_and_no_more_than_needed() -> None:
    builds = [left("c", 1, size=30), left("a", 3, size=30), left("b", 2, size=30)]
    assert going(Policy(10, 10, 10, total=60), builds) == ([], [], ["a"])
    assert going(Policy(10, 10, 10, total=59), builds) == ([], [], ["a", "b"])
    builds = [left("a", 6, size=40, artifacts=35), left("b", 1, size=30)]
    assert going(Policy(10, 10, 5, total=40), builds) == ([], ["a"], [])


def test_what_builds_of_open_changes_may_be_given_is_the_last_to_make_room() -> None:
    builds = [left("a", 9, size=30, wanted=True), left("b", 3, size=30), left("c", 2, size=30)]
    assert going(Policy(10, 10, 10, total=60), builds) == ([], [], ["b"])
    assert going(Policy(10, 10, 10, total=30), builds) == ([], [], ["b", "c"])
    assert going(Policy(10, 10, 10, total=20), builds) == ([], [], ["b", "c", "a"])
    assert going(Policy(9, 9, 9, total=90), builds) == (["a"], [], []), "its time is over all the same"


def test_why_it_went_is_said() -> None:
    builds = [
        left("a", 30),
        left("f", 30, passed=False),
        left("b", 6, artifacts=5),
        left("c", 4, size=99),
        left("d", 3),
    ]
    policy = Policy(passed=10, failed=20, artifacts=5, total=20 * 1024)
    told = reasons(policy, due(replace(policy, total=50), builds, NOW), NOW)
    assert {say(why): builds for why, builds in told.items()} == {
        "What this build left is not kept any more: it was taken away on 2026-11-28, 10 days after its end. "
        "To have it again, run the build again: recheck.": ("a",),
        "What this build left is not kept any more: it was taken away on 2026-11-28, 20 days after its end. "
        "To have it again, run the build again: recheck.": ("f",),
        "What this build left is not kept any more: it was taken away on 2026-11-28 to make room, because all builds "
        "together may leave 20K (max_total below [logs]). To have it again, run the build again: recheck.": ("b", "c"),
    }
    (stripped,) = reasons(policy, due(POLICY, builds[2:3], NOW), NOW)
    assert say(stripped) == (
        "The artifacts of this build are not kept any more: they were taken away on 2026-11-28, 5 days after its end. "
        "To have them again, run the build again: recheck."
    )


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 50), st.booleans()), max_size=12),
    st.integers(1, 200),
)
def test_what_stays_fits_and_nothing_goes_twice(told: list[tuple[int, bool, int, bool]], total: int) -> None:
    builds = [left(str(n), days, passed=ok, size=size, held=held) for n, (days, ok, size, held) in enumerate(told)]
    found = due(Policy(10, 20, 5, total), builds, NOW)
    gone = [one.build for one in (*found.whole, *found.artifacts, *found.crowding)]
    assert len(gone) == len(set(gone))
    stays = [one for one in builds if not one.held and one not in (*found.whole, *found.crowding)]
    assert sum(one.size for one in stays) <= total


def test_artifacts_never_outlive_their_log() -> None:
    policy = Policy(passed=3, failed=9, artifacts=5)
    assert artifacts_go(policy, NOW, passed=True) == log_goes(policy, NOW, passed=True) == NOW + timedelta(days=3)
    assert artifacts_go(policy, NOW, passed=False) == NOW + timedelta(days=5)

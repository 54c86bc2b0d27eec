# SPDX-License-Identifier: Apache-2.0
"""Ranges of user ids: who was given which, how they follow each other inside, which one is free."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gatebot.executor.providers import subordinate
from gatebot.executor.providers.subordinate import RANGE

TEXT = "root:1:10\nci:100000:65536\n# ci:1:1\nci:bad:1\n1001:300000:65536\nci:100000:65536\n\nother:500000:65536\n"


def test_a_user_has_the_ranges_that_are_under_its_name_or_number_each_once() -> None:
    assert subordinate.given(TEXT, "ci", 1001) == [(100_000, 65_536), (300_000, 65_536)]
    assert subordinate.given(TEXT, "nobody", 65_534) == []


def test_ranges_follow_each_other_inside_as_far_as_they_are_needed() -> None:
    ranges = [(100_000, 65_536), (300_000, 65_536)]
    assert subordinate.mapped(1001, ranges, 66_560) == [0, 1001, 1, 1, 100_000, 65_536, 65_537, 300_000, 1024]
    assert subordinate.mapped(1001, ranges, 1024) == [0, 1001, 1, 1, 100_000, 1024]


@given(st.integers(1, 1 << 30), st.integers(0, 20), st.sets(st.integers(0, 20), max_size=20))
@settings(deadline=None)
def test_a_free_range_has_no_id_of_another(first: int, count: int, used: set[int]) -> None:
    taken: set[int | None] = {first + index * RANGE for index in used}
    found = subordinate.free(first, count, taken)
    if found is None:
        assert set(range(count)) <= used
    else:
        assert first <= found <= first + (count - 1) * RANGE
        assert all(one is None or abs(found - one) >= RANGE for one in taken)

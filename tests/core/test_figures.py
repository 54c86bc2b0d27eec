# SPDX-License-Identifier: Apache-2.0
"""What benches say of many measurements."""

from __future__ import annotations

import pytest

from bench._figures import percentile


@pytest.mark.parametrize(
    ("many", "part", "found"), [(20, 0.95, 19), (40, 0.95, 38), (100, 0.95, 95), (2, 0.5, 1), (3, 0.5, 2), (1, 0.95, 1)]
)
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(many: int, part: float, found: int) -> None:
    assert percentile(range(many, 0, -1), part) == found
    assert percentile(range(1, many + 1), 1.0) == many

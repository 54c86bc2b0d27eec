# SPDX-License-Identifier: Apache-2.0
"""The files that take longest come first, so that none of them is begun when all others are over."""

from __future__ import annotations

import pytest

FIRST = ("test_kills.py", "test_executors.py", "test_full_disks.py", "test_server_and_builds.py", "test_floods.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever runs them at the same time takes them in this order (`--no-loadscope-reorder`)."""
    ranks = {name: rank for rank, name in enumerate(FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(FIRST)))

# SPDX-License-Identifier: Apache-2.0
"""The cards between the hosts of a cloud: which host a frame goes to, and whom nobody listens to."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

Module = Callable[[str], ModuleType]
FIRST, SECOND, STRANGER = ("172.24.0.2", 7471), ("172.24.0.3", 7471), ("172.24.0.4", 7471)
EVERYBODY, MINE, THEIRS = b"\xff" * 6, b"\x02" + b"\x00" * 5, b"\x02" + b"\x01" * 5


def frame(target: bytes, source: bytes) -> bytes:
    """An empty frame of Ethernet."""
    return target + source + b"\x08\x00"


def test_a_frame_goes_to_all_hosts_until_one_of_them_has_said_that_it_is_its_target(module: Module) -> None:
    hub = module("link").Hub([FIRST, SECOND])
    assert hub.ways(frame(THEIRS, MINE)) == [FIRST, SECOND]
    assert hub.came(frame(EVERYBODY, THEIRS), SECOND)
    assert list(hub.ways(frame(THEIRS, MINE))) == [SECOND]
    assert hub.ways(frame(EVERYBODY, MINE)) == [FIRST, SECOND]


def test_a_target_that_moved_is_found_where_it_was_heard_last(module: Module) -> None:
    hub = module("link").Hub([FIRST, SECOND])
    hub.came(frame(MINE, THEIRS), FIRST)
    hub.came(frame(MINE, THEIRS), SECOND)
    assert list(hub.ways(frame(THEIRS, MINE))) == [SECOND]


def test_nobody_listens_to_other_nodes_nor_to_what_is_no_frame(module: Module) -> None:
    hub = module("link").Hub([FIRST, SECOND])
    assert not hub.came(frame(MINE, THEIRS), STRANGER)
    assert not hub.came(b"hello", FIRST)
    assert hub.ways(frame(THEIRS, MINE)) == [FIRST, SECOND]

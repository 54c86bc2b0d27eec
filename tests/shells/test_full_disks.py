# SPDX-License-Identifier: Apache-2.0
"""A disk without room for logs: what is written stays whole, and what is missing is said where there is room again.

That files cannot grow beyond a size stands for the disk here; real full disks are in `tests/chaos/`.
"""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatebot.errors import TooLarge
from gatebot.executor.fleet.model import Claim
from gatebot.executor.fleet.received import Received
from gatebot.executor.logs import Logs
from gatebot.executor.scrub import Scrubber
from tests.fakes.clock import FakeClock

BUILD = "ab" * 16


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process gets larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path, FakeClock())


def texts(logs: Logs) -> list[str]:
    return [line.rpartition(" | ")[2] for line in logs.lines(BUILD, 1, 99)]


def test_lines_without_room_are_counted_and_said_where_there_is_room_again(logs: Logs) -> None:
    writer = logs.open(BUILD, Scrubber({}))
    printed = writer.stream()
    printed(b"one\n")
    with room_for(100):
        printed(b"x" * 90 + b"\ntwo\n")
        printed(b"three\n")
    printed(b"four\n")
    logs.close(BUILD)
    told = "gatebot: 3 lines are missing here: the disk of the logs had no room for them"
    assert texts(logs) == ["one", told, "four"]
    assert logs.line_count(BUILD) == 3


def test_a_log_from_elsewhere_goes_on_after_what_had_no_room(logs: Logs) -> None:
    received, claim = Received(logs), Claim(BUILD, 1, "far", 0, datetime.now(UTC))
    received.begin(claim)
    assert received.append(claim, 0, b"one\nbe") == 6
    with room_for(20):
        assert received.append(claim, 6, b"gun, and much more of it\ntwo\n") == 35
        assert received.append(claim, 6, b"gun, and much more of it\ntwo\n") == 35  # it was not heard, and said again
    assert received.append(claim, 35, b"three\n") == 41
    told = "gatebot: 29 bytes are missing here: the disk of the logs had no room for them"
    assert texts(logs) == ["one", "be", told, "three"]
    received.end(BUILD)


async def test_a_file_without_room_is_refused_and_not_asked_for_again(logs: Logs) -> None:
    received, claim = Received(logs), Claim(BUILD, 1, "far", 0, datetime.now(UTC))
    received.begin(claim)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 100_000

    with room_for(1000), pytest.raises(TooLarge, match=r"executor\.no-room"):
        await received.keep(claim, "artifacts/big", pieces())
    assert list(logs.directory(BUILD).rglob("*big*")) == list(logs.directory(BUILD).glob(".receiving*")) == []
    received.end(BUILD)

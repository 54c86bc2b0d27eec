# SPDX-License-Identifier: Apache-2.0
"""The values of what builds leave: files, found lines, outcomes of tests, lines about one request.

Only frozen values. Sizes are bytes, durations seconds, offsets bytes from the beginning of a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

#: The log of a build; beside it eight bytes a line, its offset; and the directory of what the job left.
OUTPUT, INDEX, ARTIFACTS = "job-output.txt", ".job-output.index", "artifacts"


class Sort(StrEnum):
    """How a file is shown."""

    TEXT = "text"
    IMAGE = "image"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One file of a build, by its path below the build's directory."""

    name: str
    size: int
    sort: Sort = Sort.OTHER


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line in which something was found."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought. `upto` is the line at which it stopped before the end; 0: it saw everything."""

    lines: tuple[FoundLine, ...] = ()
    upto: int = 0


class Outcome(StrEnum):
    """How a test ended."""

    FAILED = "failed"
    ERROR = "error"
    PASSED = "passed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test of a build, with what it said when it did not pass."""

    __test__ = False  # not one of ours to run

    name: str
    outcome: Outcome
    seconds: float = 0.0
    output: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class TestRun:
    """All tests of a build. `cut` says that there were more than are kept; `troubles`: files that cannot be read."""

    __test__ = False

    cases: tuple[TestCase, ...] = ()
    cut: bool = False
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A line of some file about a request; `at` is its time in seconds since 1970, 0 when it has none."""

    file: str
    number: int
    at: float
    text: str

    @property
    def moment(self) -> datetime | None:
        """Its time as pages show one."""
        return moment_of(self.at)


def moment_of(at: float) -> datetime | None:
    """A time of a line in seconds since 1970; None: it has none."""
    return datetime.fromtimestamp(at, UTC) if at else None

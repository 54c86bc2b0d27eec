# SPDX-License-Identifier: Apache-2.0
"""Ranges of user ids that belong to nobody but whoever was given them: of a user for its jobs, of a job for its own.

Pure: the text of /etc/subuid and numbers in, numbers out. Whoever may have which is asked of `newuidmap` again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

#: How many ids a job of a nested label has besides its own, and the first of them as it sees them: Debian's custom.
RANGE = 65_536
FIRST_INSIDE = 100_000
_FIRST_GIVEN = 100_000


def given(text: str, user: str, uid: int) -> list[tuple[int, int]]:
    """The first id and the number of ids of each range that a user has, by what /etc/subuid or /etc/subgid says."""
    found: list[tuple[int, int]] = []
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) == 3 and fields[0] in (user, str(uid)) and fields[1].isdigit() and fields[2].isdigit():
            found.append((int(fields[1]), int(fields[2])))
    return list(dict.fromkeys(found))


def beyond(*texts: str) -> int:
    """The first id after all ranges of everybody, and not before those that Debian gives."""
    rows = [line.split(":") for text in texts for line in text.splitlines()]
    ends = [int(row[1]) + int(row[2]) for row in rows if len(row) == 3 and row[1].isdigit() and row[2].isdigit()]
    return max([_FIRST_GIVEN, *ends])


def total(ranges: Iterable[tuple[int, int]]) -> int:
    """How many ids these are together."""
    return sum(count for _, count in ranges)


def mapped(own: int, ranges: Sequence[tuple[int, int]], most: int) -> list[int]:
    """What `newuidmap` is told: the user is 0 inside, its ranges follow from 1 on without a gap, `most` ids of them."""
    line, inside = [0, own, 1], 1
    for first, count in ranges:
        taken = min(count, most - inside + 1)
        if taken > 0:
            line += [inside, first, taken]
            inside += taken
    return line


def free(first: int, count: int, taken: Set[int | None]) -> int | None:
    """The first id of a range that nobody has, of `count` that follow each other; None: there is none."""
    ranges = (first + index * RANGE for index in range(count))
    return next((one for one in ranges if one not in taken), None)


def map_of(inside: int, uid: int, first: int) -> str:
    """What a job's user namespace is told: the job itself, and its range."""
    return f"{inside} {uid} 1\n{FIRST_INSIDE} {first} {RANGE}\n"

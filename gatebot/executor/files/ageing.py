# SPDX-License-Identifier: Apache-2.0
"""How long what builds left is kept, and what goes now: a policy of days by result, and of bytes for everything.

Pure. What is held for somebody stays whatever the policy says; of the rest the oldest goes first where room is short,
and last what builds of open changes may still be given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...reasons import Reason, reason

_UNITS = (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10))


@dataclass(frozen=True, slots=True)
class Policy:
    """Days for logs of builds that passed and of others, days for artifacts; `total` bytes for all, 0: no limit."""

    passed: int = 90
    failed: int = 180
    artifacts: int = 90
    total: int = 0

    @property
    def shortest(self) -> timedelta:
        """Nothing younger goes by its age."""
        return timedelta(days=min(self.passed, self.failed, self.artifacts))


@dataclass(frozen=True, slots=True)
class Left:
    """What a build left: `artifacts` bytes of its `size` are artifacts; other builds may be given a `wanted` one's."""

    build: str
    ended: datetime
    passed: bool
    size: int = 0
    artifacts: int = 0
    held: bool = False
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """The builds of which everything goes, and those of which the artifacts go, by their age; the `crowding` make room.

    Of these everything goes, too.
    """

    whole: tuple[Left, ...] = ()
    artifacts: tuple[Left, ...] = ()
    crowding: tuple[Left, ...] = ()


def log_goes(policy: Policy, ended: datetime, *, passed: bool) -> datetime:
    """When the log of a build goes."""
    return ended + timedelta(days=policy.passed if passed else policy.failed)


def artifacts_go(policy: Policy, ended: datetime, *, passed: bool) -> datetime:
    """When its artifacts go: never after its log."""
    return min(ended + timedelta(days=policy.artifacts), log_goes(policy, ended, passed=passed))


def due(policy: Policy, left: Iterable[Left], now: datetime) -> Due:
    """What goes now, oldest first."""
    free = sorted((one for one in left if not one.held), key=lambda one: one.ended)
    whole = [one for one in free if log_goes(policy, one.ended, passed=one.passed) <= now]
    stay = [one for one in free if log_goes(policy, one.ended, passed=one.passed) > now]
    stripped = dict.fromkeys(one for one in stay if artifacts_go(policy, one.ended, passed=one.passed) <= now)
    crowding: dict[Left, None] = {}  # there may be very many: each is looked up, not looked for
    if policy.total:
        sizes = {one.build: one.size - (one.artifacts if one in stripped else 0) for one in stay}
        over = sum(sizes.values()) - policy.total
        for one in sorted(stay, key=lambda one: one.wanted):
            if over <= 0:
                break
            crowding[one] = None
            over -= sizes[one.build]
    return Due(tuple(whole), tuple(one for one in stripped if one not in crowding), tuple(crowding))


def reasons(policy: Policy, due: Due, now: datetime) -> dict[Reason, tuple[str, ...]]:
    """Why builds lose what they left, with these builds."""
    found: dict[Reason, list[str]] = {}
    at = f"{now:%Y-%m-%d}"
    for one in due.whole:
        why = reason("executor.files-aged", at=at, days=policy.passed if one.passed else policy.failed)
        found.setdefault(why, []).append(one.build)
    for one in due.artifacts:
        found.setdefault(reason("executor.artifacts-aged", at=at, days=policy.artifacts), []).append(one.build)
    for one in due.crowding:
        found.setdefault(reason("executor.files-crowding", at=at, total=written(policy.total)), []).append(one.build)
    return {why: tuple(builds) for why, builds in found.items()}


def written(size: int) -> str:
    """A number of bytes as settings are written."""
    return next((f"{size // unit}{name}" for name, unit in _UNITS if size % unit == 0), str(size))

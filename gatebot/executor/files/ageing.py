# SPDX-License-Identifier: Apache-2.0
"""How long what builds left is kept, and what goes now: a policy of days by result, and of bytes for everything.

Pure. What is held for somebody stays whatever the policy says; of the rest the oldest goes first where room is short.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


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
    """What a build left: `artifacts` bytes of its `size` are artifacts."""

    build: str
    ended: datetime
    passed: bool
    size: int = 0
    artifacts: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """The builds of which everything goes, and those of which the artifacts go."""

    whole: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()


def log_goes(policy: Policy, ended: datetime, *, passed: bool) -> datetime:
    """When the log of a build goes."""
    return ended + timedelta(days=policy.passed if passed else policy.failed)


def artifacts_go(policy: Policy, ended: datetime, *, passed: bool) -> datetime:
    """When its artifacts go: never after its log."""
    return min(ended + timedelta(days=policy.artifacts), log_goes(policy, ended, passed=passed))


def due(policy: Policy, left: Iterable[Left], now: datetime) -> Due:
    """What goes now."""
    free = [one for one in left if not one.held]
    whole = {one.build for one in free if log_goes(policy, one.ended, passed=one.passed) <= now}
    stripped = {one.build for one in free if artifacts_go(policy, one.ended, passed=one.passed) <= now} - whole
    if policy.total:
        stay = sorted((one for one in free if one.build not in whole), key=lambda one: one.ended)
        sizes = {one.build: one.size - (one.artifacts if one.build in stripped else 0) for one in stay}
        over = sum(sizes.values()) - policy.total
        for one in stay:
            if over <= 0:
                break
            whole.add(one.build)
            over -= sizes[one.build]
    order = {one.build: one.ended for one in free}
    return Due(tuple(sorted(whole, key=order.__getitem__)), tuple(sorted(stripped - whole, key=order.__getitem__)))

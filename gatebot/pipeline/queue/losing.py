# SPDX-License-Identifier: Apache-2.0
"""Builds that one fact leaves without anybody who waits for them, and why: what their logs and pages say.

Pure. `record.py` lets them go; their executors are told by the driver.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...reasons import Reason, reason
from .facts import BuildAborted, BuildReset, ItemDequeued, ItemReset
from .model import Queue

Losing = ItemReset | ItemDequeued | BuildAborted | BuildReset
LOSING = (ItemReset, ItemDequeued, BuildAborted, BuildReset)


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The run of a build that is not wanted any more."""

    fence: int
    why: Reason


def abandoned(before: Queue, after: Queue, fact: Losing) -> dict[str, Abandoned]:
    """The builds that a fact (a reset, a departure, an abort) left without an owner."""
    gone = before.owners.keys() - after.owners.keys()
    items = {before.owners[build] for build in gone}
    found = [build for item in items for build in before.items[item].unfinished if build.id in gone]
    return {build.id: Abandoned(build.fence, _why(fact)) for build in found}


def _why(fact: Losing) -> Reason:
    match fact:
        case ItemDequeued():
            return reason("pipeline.item-left", *((fact.reason,) if fact.reason is not None else ()))
        case ItemReset():
            return reason("pipeline.item-tested-anew", fact.reason)
        case BuildAborted():
            return fact.reason or reason("pipeline.another-job-failed")
        case BuildReset():
            return reason("pipeline.runs-after-another")

# SPDX-License-Identifier: Apache-2.0
"""What is pushed where: which remotes a project goes to, by which references, and when a failed push is tried again.

Pure. Level-triggered: a push brings a whole project up to date, so that what was missed once comes with the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

from ...events import BranchMoved, PatchSetCreated, ProjectCreated, TagMoved
from ...expressions import compiled
from ...fact import Event
from ..deliveries.pauses import pause
from ..model import change_ref
from .model import Remote, Waiting

KINDS: tuple[type[Event], ...] = (BranchMoved, TagMoved, ProjectCreated, PatchSetCreated)
_FIRST = timedelta(seconds=15)


def wants(remote: Remote, project: str) -> bool:
    """Whether a remote keeps a copy of a project."""
    return not remote.projects or any(compiled(one).fullmatch(project) for one in remote.projects)


def concerns(remote: Remote, fact: Event) -> str:
    """The project that a fact makes a remote's copy old of; nothing where it does not."""
    match fact:
        case PatchSetCreated(project=project):
            return project if remote.changes and wants(remote, project) else ""
        case BranchMoved(project=project) | TagMoved(project=project) | ProjectCreated(project=project):
            return project if wants(remote, project) else ""
        case _:
            return ""


def address(remote: Remote, project: str) -> str:
    """Where a project is pushed to."""
    safe = quote(project, safe="/") if "://" in remote.url else project
    return remote.url.replace("${name}", safe)


def refspecs(remote: Remote, hidden: Iterable[int]) -> list[str]:
    """What is pushed. Of the changes none that a stranger may not see: a copy has other readers than this site."""
    both = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
    if not remote.changes:
        return both
    without = [f"^{change_ref(number, 0).removesuffix('/0')}/*" for number in sorted(hidden)]
    return [*both, "+refs/changes/*:refs/changes/*", *without]


def later(waiting: Waiting, problem: str, now: datetime) -> Waiting:
    """What waits after a push failed."""
    tries = waiting.tries + 1
    return replace(waiting, tries=tries, due=now + pause(tries, first=_FIRST), problem=problem)


def again(waiting: Waiting | None, now: datetime) -> Waiting:
    """What waits after something moved: what waits already keeps its turn."""
    return Waiting(now, now) if waiting is None else replace(waiting, count=waiting.count + 1)

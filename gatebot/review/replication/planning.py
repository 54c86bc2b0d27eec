# SPDX-License-Identifier: Apache-2.0
"""What is pushed where: which remotes a project goes to, by which references, and when a failed push is tried again.

Pure. Level-triggered: a push brings a whole project up to date, so that what was missed once comes with the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

from ...events import BranchMoved, ChangeDeleted, PatchSetCreated, ProjectCreated, TagMoved
from ...expressions import compiled
from ...fact import Event
from ..deliveries.pauses import pause
from ..model import PrivateChanged, change_ref
from .model import PatchSetOf, Remote, Waiting

KINDS: tuple[type[Event], ...] = (
    BranchMoved, TagMoved, ProjectCreated, PatchSetCreated, PrivateChanged, ChangeDeleted
)  # fmt: skip
_FIRST = timedelta(seconds=15)


def wants(remote: Remote, project: str) -> bool:
    """Whether a remote keeps a copy of a project."""
    return not remote.projects or any(compiled(one).fullmatch(project) for one in remote.projects)


def concerns(remote: Remote, fact: Event, projects: Mapping[int, str]) -> str:
    """The project that a fact makes a remote's copy old of; nothing where it does not.

    `projects` are those of changes that became private or public.
    """
    match fact:
        case PatchSetCreated(project=project) | ChangeDeleted(project=project):
            return project if remote.changes and wants(remote, project) else ""
        case PrivateChanged(change=change):
            project = projects.get(change, "")
            return project if remote.changes and wants(remote, project) else ""
        case BranchMoved(project=project) | TagMoved(project=project) | ProjectCreated(project=project):
            return project if wants(remote, project) else ""
        case _:
            return ""


def address(remote: Remote, project: str) -> str:
    """Where a project is pushed to."""
    safe = quote(project, safe="/") if "://" in remote.url else project
    return remote.url.replace("${name}", safe)


def refspecs(remote: Remote) -> list[str]:
    """What is pushed."""
    both = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
    return [*both, "+refs/changes/*:refs/changes/*"] if remote.changes else both


def shown(references: Mapping[str, str], patch_sets: Iterable[PatchSetOf]) -> dict[str, str]:
    """The references of a copy with changes: branches, tags and these patch sets.

    Patch sets that are in the repository alone are not among them: one is there before its rows, and until then
    nobody can tell whether it is private.
    """
    found = {name: id for name, id in references.items() if name.startswith(("refs/heads/", "refs/tags/"))}
    return found | {change_ref(one.change, one.number): one.commit for one in patch_sets}


def later(waiting: Waiting, problem: str, now: datetime) -> Waiting:
    """What waits after a push failed."""
    tries = waiting.tries + 1
    return replace(waiting, tries=tries, due=now + pause(tries, first=_FIRST), problem=problem)


def again(waiting: Waiting | None, now: datetime) -> Waiting:
    """What waits after something moved: what waits already keeps its turn."""
    return Waiting(now, now) if waiting is None else replace(waiting, count=waiting.count + 1)

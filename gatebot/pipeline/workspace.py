# SPDX-License-Identifier: Apache-2.0
"""Which repositories a job needs, on which branches, and at which commits it finds them.

Pure. A job needs its item's project, its required projects, the projects of the changes ahead, and those that its
playbooks, roles and files of variables come from. Playbooks of config projects are always those that are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from ..assignment import Checkout, FrozenJob, ProjectChoice, Role
from .queue.model import State, place

Choose = Callable[[str, Iterable[str]], str | None]
"""The first of some branches and tags (full names) that a project has, else its default branch; None: no project."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A branch that a job reads. `merged` asks for its tip, whatever is proposed."""

    project: str
    branch: str
    required: bool = True
    merged: bool = False


def chosen(job: FrozenJob, choice: int) -> FrozenJob:
    """The job with one of the alternatives of its nodeset; the others are what is asked for after it."""
    if choice >= len(job.alternatives):
        return job
    nodeset = job.alternatives[choice]
    others = (*job.alternatives[choice:], *job.alternatives[:choice])
    return replace(job, nodes=nodeset.nodes, groups=nodeset.groups, nodeset=nodeset.name, alternatives=others)


def includes(job: FrozenJob, project: str, own: str, members: Collection[str]) -> bool:
    """Whether a project of the item, or of a change ahead, belongs into the workspace.

    `own` is the project of the change that the job is for, `members` those of all changes of the item.
    """

    def named(choices: Iterable[ProjectChoice]) -> bool:
        by_type = {"change": {own}, "item": set(members)}
        return any(project in by_type.get(one.type, {one.name}) for one in choices)

    within = job.include_projects is None or named(job.include_projects)
    return within and not named(job.exclude_projects or ())


def _branch_or_tag(name: str) -> tuple[str, ...]:
    """What `override-checkout` may mean: a branch, else a tag of that name, as in Zuul."""
    return (name, f"refs/tags/{name}") if name and not name.startswith("refs/") else (name,)


def wanted(
    job: FrozenJob, project: str, branch: str, choose: Choose, members: Collection[str] = ()
) -> Iterator[Wanted]:
    """Everything that a job of an item of this project and branch reads.

    Of a project that it needs on several branches, the first is checked out and the others are there. `members` are the
    projects of all changes of the item.
    """
    needed = {one.project: one.override_checkout for one in job.required_projects}
    if project in needed or includes(job, project, project, members or (project,)):
        instead = needed.get(project) or job.override_checkout
        if instead:
            yield Wanted(project, choose(project, (*_branch_or_tag(instead), branch)) or branch)
        yield Wanted(project, branch)
    for other in job.required_projects:
        if other.project != project:
            found = choose(other.project, (*_branch_or_tag(other.override_checkout), branch))
            if found is not None:
                yield Wanted(other.project, found)
    for book in (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run):
        yield Wanted(book.project, book.branch, required=False, merged=book.trusted)
    for role in job.roles:
        found = choose(role.project, (branch,))
        if found is not None:
            yield Wanted(role.project, found, required=False, merged=role.trusted or _lent(job, role))
    for file in job.include_vars:
        reads_ref = file.use_ref or not branch.startswith("refs/")
        found = choose(file.project or project, (branch, file.branch) if reads_ref else ())
        if found is not None:
            yield Wanted(file.project or project, found, required=False, merged=file.trusted)


def _lent(job: FrozenJob, role: Role) -> bool:
    """Whether playbooks of config projects use its roles: those must be merged, too, for they see what these see.

    Others find what is proposed in the work tree, if any of it is.
    """
    return any(book.trusted and role.serves(book) for book in (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run))


def checkouts(
    wants: Iterable[Wanted], state: State, pinned: State, ahead: Iterable[tuple[str, str]], store: str
) -> tuple[Checkout, ...]:
    """The checkouts of a build. `ahead` are the project and branch of changes ahead, `store` has what is proposed."""
    found: dict[tuple[str, str, str], Checkout] = {}
    for one in (*wants, *(Wanted(project, branch) for project, branch in ahead)):
        at = place(one.project, one.branch)
        proposed = None if one.merged else state.get(at)
        commit = proposed or pinned.get(at) or state.get(at)
        if commit is None:
            continue
        key = (one.project, one.branch, commit)
        known = found.get(key)
        required = one.required or (known is not None and known.required)
        source = store if proposed and proposed != pinned.get(at) else one.project
        found[key] = Checkout(one.project, one.branch, commit, source, required)
    return tuple(found.values())

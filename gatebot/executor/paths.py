# SPDX-License-Identifier: Apache-2.0
"""Which tree of the workspace a playbook, its roles and files of variables are taken from.

Pure. What is trusted never comes from a tree that steps of the build can write to.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from urllib.parse import quote_plus

from ..assignment import Assignment, Checkout, IncludeVars, Json, Playbook
from .model import SRC, Places

_PREFIX = re.compile(r"^(ansible[-_.+]*)*(role[-_.+]*)*")


def own_files(assignment: Assignment) -> tuple[IncludeVars, ...]:
    """The job's files of variables, those without a project in that of the item."""
    return tuple(
        file if file.project else replace(file, project=assignment.project, branch=file.branch or assignment.branch)
        for file in assignment.job.include_vars
    )


def playbook_checkouts(assignment: Assignment) -> tuple[Checkout, ...]:
    """What is prepared read-only: repositories for playbooks and roles only, and those of trusted playbooks."""
    job = assignment.job
    playbooks = (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run)
    apart = [one for one in assignment.checkouts if not one.required]
    trusted = {one.project for one in (*playbooks, *job.roles, *job.include_vars) if one.trusted}
    lent = {role.project for role in job.roles if any(book.trusted and role.serves(book) for book in playbooks)}
    there = {one.project for one in apart}
    trusted, lent = trusted - there, lent - there
    return (*apart, *(one for one in assignment.checkouts if one.required and _fixed(one, trusted, lent)))


def _fixed(one: Checkout, trusted: Collection[str], lent: Collection[str]) -> bool:
    """Whether playbooks of config projects may be given it: of what only lends roles nothing that is proposed."""
    return one.project in trusted or (one.project in lent and one.store == one.project)


def _tree_of(assignment: Assignment, playbook: Playbook, places: Places) -> tuple[Checkout, bool] | None:
    """What its repository is checked out as for it, and whether apart; None: it is not in the workspace."""
    found = [(one, True) for one in playbook_checkouts(assignment)]
    if not playbook.trusted:
        found += [(one, False) for one in assignment.checkouts if one.required]
    fitting = [pair for pair in found if pair[0].project == playbook.project]
    fitting.sort(key=lambda pair: (pair[0].branch != playbook.branch, not pair[0].required))
    return fitting[0] if fitting else None


def path_of(assignment: Assignment, playbook: Playbook, places: Places) -> str | None:
    """The path of a playbook as the job sees it; None: its repository is not in the workspace."""
    found = _tree_of(assignment, playbook, places)
    if found is None:
        return None
    checkout, apart = found
    return f"{places.playbooks(checkout) if apart else places.source(checkout.project)}/{playbook.path}"


def role_paths(assignment: Assignment, playbook: Playbook, places: Places) -> tuple[str, ...]:
    """The directories in which a playbook finds roles: its repository's, and those of the job's `roles`."""
    found = [path_of(assignment, one, places) for one in _with_roles(assignment, playbook)]
    return tuple(path for path in found if path is not None)


def named_roles(assignment: Assignment, playbook: Playbook, places: Places) -> tuple[str, ...]:
    """The directories in which a playbook finds those repositories that are themselves a role, if they are."""
    found = [_tree_of(assignment, one, places) for one in _with_roles(assignment, playbook)]
    return tuple(naming(places, one[0], apart=one[1]) for one in found if one is not None)


def naming(places: Places, checkout: Checkout, *, apart: bool) -> str:
    """Where a repository that is itself a role has a name; `apart`: the tree for playbooks and roles only."""
    return f"{places.play}/role/{checkout.branch if apart else SRC}/{quote_plus(checkout.project)}"


def names_of_role(project: str) -> tuple[str, ...]:
    """What a repository that is itself a role is called: as the repository, and without `ansible-role-` before it."""
    name = project.rpartition("/")[2]
    return tuple(dict.fromkeys((name, _PREFIX.sub("", name) or name)))


def _with_roles(assignment: Assignment, playbook: Playbook) -> Iterator[Playbook]:
    """The `roles` of each repository that a playbook may take roles from, as if they were playbooks."""
    serving = (role.project for role in assignment.job.roles if role.serves(playbook))
    for project in dict.fromkeys((playbook.project, *serving)):
        yield Playbook(project, playbook.branch, "roles", trusted=playbook.trusted)


def included(assignment: Assignment, file: IncludeVars, places: Places) -> str | None:
    """The path of a file of variables; None: its repository is not in the workspace.

    A file that is read as it is merged (`use-ref: false`) lies apart from the speculative tree.
    """
    return path_of(assignment, Playbook(file.project, file.branch, file.path, trusted=file.trusted), places)


def playbook_context(assignment: Assignment, places: Places) -> dict[str, Json]:
    """Zuul's `playbook_context`: the trees of playbooks, and of each playbook where it is and where its roles are."""
    job = assignment.job
    projects: dict[str, Json] = {
        places.playbooks(one): {
            "canonical_name": f"{places.host}/{one.project}",
            "checkout": one.branch,
            "commit": one.commit,
        }
        for one in playbook_checkouts(assignment)
    }
    phases = {"pre_playbooks": job.pre_run, "playbooks": job.run, "post_playbooks": job.post_run}
    found: dict[str, Json] = {"playbook_projects": projects}
    for phase, books in phases.items():
        found[phase] = [_in_context(assignment, book, places) for book in books]
    return found


def _in_context(assignment: Assignment, book: Playbook, places: Places) -> Json:
    roles: list[Json] = [{"role_path": path} for path in role_paths(assignment, book, places)]
    return {"path": path_of(assignment, book, places), "roles": roles}

# SPDX-License-Identifier: Apache-2.0
"""A checkout of somebody on this machine, as a store of ours: its branches, and its files as they are just now.

Floor 2. The checkout is only read: neither its index nor its objects are touched. What git ignores there is left out.
"""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import Invalid
from . import program
from .model import ZERO, GitError, Person, check_project
from .writing import Repositories

_SOMEBODY = "gatebot run", "gatebot@localhost"


def is_versioned(directory: Path) -> bool:
    """Whether a directory is a git repository, with or without a work tree."""
    return (directory / ".git").exists() or ((directory / "HEAD").is_file() and (directory / "objects").is_dir())


def borrow(repositories: Repositories, project: str, source: Path, branch: str = "main") -> None:
    """Make a store of a checkout, bare repository or plain directory that has its branches, those of its origin too.

    A plain directory is one commit on `branch`. A branch that is here and at the origin is taken as it is here.
    """
    if not is_versioned(source):
        repositories.create(check_project(project), branch)
        _put(repositories, project, source, branch, "")
        return
    head = _said(source, "symbolic-ref", "--short", "--quiet", "HEAD") or branch
    repositories.create(check_project(project), head)
    both = ["+refs/remotes/origin/*:refs/remotes/origin/*", "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
    fetch = ["fetch", "--quiet", "--no-write-fetch-head", "--no-auto-maintenance", "--", str(source.absolute())]
    program.run([*fetch, *both], git_dir=repositories.path(project), timeout=None)
    for name, commit in repositories.references(project, "refs/remotes/origin/").items():
        short = name.removeprefix("refs/remotes/origin/")
        if short != "HEAD":
            repositories.update_ref(project, f"refs/heads/{short}", ZERO, commit)


def take_files(repositories: Repositories, project: str, source: Path, branch: str) -> str:
    """Let `branch` of a borrowed store be the files of a work tree as they are now, on top of its HEAD; the commit."""
    head = _said(source, "rev-parse", "--verify", "--quiet", "HEAD") if is_versioned(source) else ""
    return _put(repositories, project, source, branch, head)


def take_tree(repositories: Repositories, project: str, source: Path, head: str, *, partly: bool = False) -> str:
    """The files of a work tree as they are now, on top of a commit that the store has; the commit, in no branch.

    `partly`: files that are not there were never checked out, and stay as they are in that commit. Nothing of the work
    tree's own repository is read: a job may have written what it likes there.
    """
    return _commit(repositories, project, source, head, "--no-all" if partly else "--all")


def branch_of(source: Path) -> str:
    """The branch that work in a checkout is meant for: what its branch follows, else the origin's main branch, else
    its own."""
    if not is_versioned(source):
        return "main"
    review = source / ".gitreview"
    for line in review.read_text(encoding="utf-8", errors="replace").splitlines() if review.is_file() else ():
        key, _, value = line.partition("=")
        if key.strip() == "defaultbranch" and value.strip():
            return value.strip()
    own = _said(source, "symbolic-ref", "--short", "--quiet", "HEAD")
    followed = _said(source, "config", "--get", f"branch.{own}.merge").removeprefix("refs/heads/") if own else ""
    main = _said(source, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD").removeprefix("refs/remotes/origin/")
    return followed or main or own or "main"


def origin_of(source: Path) -> str:
    """The address that a checkout was cloned from; "" if nothing is known of one."""
    return _said(source, "remote", "get-url", "origin") if is_versioned(source) else ""


def cloned_from(origin: str) -> tuple[str, str]:
    """The host and the project of an address, without what servers put before a path; empty: it is on no host."""
    given = origin if "://" in origin else f"ssh://{origin.replace(':', '/', 1)}"  # git's short form: me@host:path
    path = urlsplit(given).path.strip("/").removesuffix(".git").removeprefix("a/")
    here = not path or ":" not in origin or origin.startswith(("/", "file:"))
    return ("", "") if here else (urlsplit(given).hostname or "", path)


def _put(repositories: Repositories, project: str, source: Path, branch: str, head: str) -> str:
    """Let a branch be what is in a directory."""
    new = _commit(repositories, project, source, head)
    old = repositories.resolve(project, f"refs/heads/{branch}") or ZERO
    repositories.update_ref(project, f"refs/heads/{branch}", old, new)
    return new


def _commit(repositories: Repositories, project: str, source: Path, head: str, taking: str = "--all") -> str:
    """Commit what is in a directory, unless `head` has the very same files."""
    store = repositories.path(project)
    ignored = source / ".git" / "info" / "exclude"
    work = [f"--work-tree={source.absolute()}"]
    try:
        if head:
            program.run([*work, "read-tree", head], git_dir=store)
        program.run(
            [*work, "add", taking, "--", "."], git_dir=store, config={"core.excludesFile": str(ignored)}, timeout=None
        )
        tree = program.git_output(store, ["write-tree"]).strip()
    except GitError as problem:
        raise Invalid(f"The files of {source} cannot be taken: {problem}") from problem
    finally:
        (store / "index").unlink(missing_ok=True)
    if not head or repositories.commit(project, head).tree != tree:
        person = Person(*_SOMEBODY, int(time.time()))
        message = f"The files of {source.name} as they are\n"
        head = repositories.write_commit(project, tree, (head,) if head else (), person, person, message)
    return head


def _said(source: Path, *arguments: str) -> str:
    """The one line that git says about a checkout; "" if it says no."""
    done = program.run(["-C", str(source), *arguments], answers=(0, 1, 2, 128))
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""

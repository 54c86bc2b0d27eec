# SPDX-License-Identifier: Apache-2.0
"""A build of a site as a build of this machine: what it consists of is fetched, and kept for the next time.

The site said which commits; here they come, by git over HTTP, into repositories below a scratch directory. With what
`--keep` left a build is laid anew without the site, with the files of its workspace as they are then.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec

from ..assignment import Assignment, Checkout
from ..errors import Invalid, NotFound, Unavailable
from ..executor.fetching import copies, fetched
from ..executor.logs import BUILD_ID
from ..executor.model import Places
from ..executor.workspace_order import Tree
from ..pipeline.reproducing.model import Handed
from ..reasons import reason
from ..repo import Repositories, environment
from ..repo.worktrees import take_tree
from .solo import Laid

#: What of a kept run is needed to go on with it, beside its home.
BUILD, GIT = "build.json", "git"


@dataclass(frozen=True, slots=True)
class SiteGit:
    """The git of a site; `signature` is the header that signs requests, empty for strangers."""

    url: str
    signature: str = ""

    def public(self, project: str) -> str:
        """Where its branches and tags are."""
        return f"{self.url}/{quote(project)}"

    def exact(self, build: str, project: str) -> str:
        """Where the very commits of a build are."""
        return f"{self.url}/api/build/{build}/git/{quote(project)}"

    def environment(self) -> dict[str, str]:
        """For git: the signature is not for command lines, which others of this machine can read."""
        signed = {"http.extraHeader": f"Authorization: {self.signature}"} if self.signature else {}
        return environment(signed)


def fetch(handed: Handed, site: SiteGit, scratch: Path) -> Laid:
    """Fetch all repositories of a build. Raises `Unavailable` with git's words."""
    from git.exc import GitCommandError

    _check(handed)
    given, mirrors = handed.assignment, scratch / GIT
    repositories = Repositories(copies(mirrors))
    for project in dict.fromkeys(one.project for one in given.checkouts):
        first, *others = (one for one in given.checkouts if one.project == project)
        more = {**{str(place): one.commit for place, one in enumerate(others)}, **_own(given, project)}
        exact = site.exact(given.build, project)
        tree = Tree(project, exact, first.branch, first.commit, "", others=more, public=site.public(project))
        repositories.create(project)
        try:
            fetched(tree, mirrors, site.environment())
        except GitCommandError as problem:
            told = str(problem.stderr).strip().removeprefix("stderr: ").strip("'\n ").splitlines()
            why = reason("executor.objects-not-fetched", project=project, url=site.url, told=(told or ["?"])[-1])
            raise Unavailable(reason=why) from None
    return Laid(_local(given), repositories, handed.host, urlsplit(site.url).netloc)


def _check(handed: Handed) -> None:
    """Names become paths of this machine: refuse what leads elsewhere. Projects are checked when they are made."""
    given = handed.assignment
    paths = (handed.host, given.branch or "none", *(one.branch for one in given.checkouts))
    wrong = [name for name in paths if not name or {"", ".", ".."} & set(name.split("/")) or "\0" in name]
    if "/" in handed.host or not BUILD_ID.fullmatch(given.build) or wrong:
        raise Invalid(
            reason=reason("executor.unusable-names", names=", ".join([*wrong, handed.host, given.build])[:200])
        )


def _own(given: Assignment, project: str) -> dict[str, str]:
    """The commits of the item itself, where it is no change."""
    own = {"old": given.old_commit, "new": given.new_commit, "own": given.commit} if project == given.project else {}
    return {name: commit for name, commit in own.items() if commit.strip("0")}


def _local(given: Assignment) -> Assignment:
    """The same with everything in the repositories of its projects; a failing pre-run is what is to be seen."""
    checkouts = tuple(replace(one, store=one.project) for one in given.checkouts)
    return replace(given, checkouts=checkouts, attempt=given.job.attempts)


def keep(laid: Laid, into: Path) -> None:
    """Leave what is needed to run a build again, beside its home."""
    (into / BUILD).write_bytes(msgspec.json.encode(Handed(laid.assignment, laid.host, site=laid.site)))
    laid.repositories.root.rename(into / GIT)


def again(kept: Path, scratch: Path, home: str) -> tuple[Laid, Sequence[str]]:
    """A kept build with the files of its workspace as they are now; the projects that were edited."""
    try:
        handed = msgspec.json.decode((kept / BUILD).read_bytes(), type=Handed)
    except FileNotFoundError:
        raise NotFound(reason=reason("executor.nothing-kept", directory=str(kept), file=BUILD)) from None
    shutil.copytree(kept / GIT, scratch / GIT)
    repositories, given = Repositories(scratch / GIT), handed.assignment
    places = Places(str(kept / home), "", handed.host, scheme=given.job.workspace_scheme)
    edited: dict[str, str] = {}
    partly = not given.job.checks_out

    def taken(one: Checkout) -> Checkout:
        """A repository as it is now; only what was checked out can have been edited."""
        work = Path(places.source(one.project))
        if not one.required or one.project in edited or not work.is_dir():
            return one
        edited[one.project] = take_tree(repositories, one.project, work, one.commit, partly=partly)
        return replace(one, commit=edited[one.project])

    checkouts = tuple(map(taken, given.checkouts))
    own = edited.get(given.project, given.commit)
    changed = [one.project for one in given.checkouts if edited.get(one.project, one.commit) != one.commit]
    return Laid(replace(given, checkouts=checkouts, commit=own), repositories, handed.host, handed.site), changed

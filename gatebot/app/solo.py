# SPDX-License-Identifier: Apache-2.0
"""One build on this machine without a site: `gatebot run`.

Puts together what a site would: repositories, configuration, an executor; everything below one scratch directory.
As on a site, nothing of the job's runs as root, and nothing here does once the executor's privileged process runs.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from .. import assets
from ..assignment import Assignment
from ..clock import SystemClock
from ..errors import Invalid, NotFound, Unavailable
from ..events import BuildCompleted
from ..executor import assembly, images
from ..executor.logs import Logs
from ..executor.model import DEFAULT_LABELS, Label, Sandbox
from ..executor.providers import link
from ..executor.solo import Alone
from ..executor.staying import Stay
from ..pipeline.config.check import SITE, told
from ..pipeline.config.directories import Directories
from ..pipeline.config.layout import Layout
from ..pipeline.config.offline import layout_of
from ..pipeline.config.tenant import Tenant, simple
from ..pipeline.naming import full_ref
from ..pipeline.solo import Chosen, NotChosen, assignment, choose_job, read_by
from ..reasons import Reason, reason
from ..repo import Repositories
from ..repo.worktrees import borrow, take_files
from ..words import say
from .users import User, give

LIBRARY = SITE
_BRANCH = "main"
#: Stands for the site where no site is known.
HOST = "localhost"
_ELSEWHERE = frozenset({"config.unknown-project", "config.unknown-required-project", "config.unknown-parent"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see: a work tree, the project and branch that it is of, and where the others are.

    Without `tenant` the configuration is the shipped one and the project's own; `repos` has DIR/PROJECT. `host` stands
    for the site.
    """

    directory: Path
    project: str
    branch: str
    tenant: Tenant | None = None
    repos: Path | None = None
    plain_branch: str = "main"
    host: str = HOST


@dataclass(frozen=True, slots=True)
class Laid:
    """A build, with all that it consists of in repositories of this machine. `host` stands for the site.

    `site` is the host and port of the site that the build is of, whose artifacts it may fetch; empty: there is none.
    """

    assignment: Assignment
    repositories: Repositories
    host: str = HOST
    site: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """A scratch directory with the repositories that are known so far, and the layout they make."""

    wish: Wish
    scratch: Path
    repositories: Repositories
    layout: Layout

    @classmethod
    def lay(cls, wish: Wish, scratch: Path) -> Ground:
        """Take the files of the work tree, and read the configuration."""
        repositories = Repositories(scratch / "git")
        borrow(repositories, wish.project, wish.directory, wish.branch)
        take_files(repositories, wish.project, wish.directory, wish.branch)
        tenant = wish.tenant
        if tenant is None:
            borrow(repositories, LIBRARY, assets.path("jobs"), _BRANCH)
            own = () if wish.project == LIBRARY else (wish.project,)
            tenant = simple("local", (LIBRARY,), (*own, *_others(wish.repos, {LIBRARY, wish.project})))
        repos = wish.repos or repositories.root
        return cls(wish, scratch, repositories, layout_of(tenant, repos, wish.plain_branch, repositories.root))

    def assign(self, chosen: Chosen) -> Laid:
        """The build, once everything that it reads is below the scratch directory."""
        wish = self.wish
        there = Directories(wish.repos or self.repositories.root, wish.plain_branch, self.repositories.root)

        def choose(project: str, names: Iterable[str]) -> str | None:
            if not there.exists(project):
                raise NotFound(reason=reason("pipeline.project-not-here", job=chosen.job.name, project=project))
            known = {**there.branches(project), **there.tags(project)}
            return next((name for name in names if name in known), None) or there.default_branch(project)

        wants = read_by(chosen.job, wish.project, wish.branch, choose)
        for project in {one.project for one in wants}:
            if not self.repositories.exists(project):
                choose(project, ())
                borrow(self.repositories, project, _checkout(there, project), wish.plain_branch)
        commits = {(one.project, one.branch): self._tip(one.project, one.branch) for one in wants}
        tenant = self.layout.tenant.name
        given = assignment(uuid4().hex, chosen, tenant, wish.project, wish.branch, wants, commits)
        return Laid(given, self.repositories, wish.host)

    def _tip(self, project: str, branch: str) -> str:
        found = self.repositories.resolve(project, full_ref(branch))
        if found is None:
            raise NotFound(reason=reason("pipeline.branch-not-here", project=project, branch=branch))
        return self.repositories.commit(project, found).id  # of an annotated tag, what it is on

    def choose(self, job: str, pipeline: str) -> Chosen:
        """The job of this name. Raises `Invalid` with everything that is wrong with the configuration."""
        found = choose_job(self.layout, self.wish.project, self.wish.branch, job, pipeline)
        if isinstance(found, NotChosen):
            lines = [told(found.errors, say)] if found.errors else []
            lines.append(say(found.why))
            if any(error.reason.kind in _ELSEWHERE for error in found.errors) and self.wish.tenant is None:
                lines.append(say(reason("pipeline.projects-elsewhere")))
            raise Invalid("\n".join(lines))
        return found


def _others(repos: Path | None, but: set[str]) -> list[str]:
    """The projects below a directory: what is a repository, at most two directories deep."""
    if repos is None:
        return []
    found = [path for depth in ("*", "*/*") for path in repos.glob(depth) if (path / ".git").exists()]
    return sorted({path.relative_to(repos).as_posix() for path in found} - but)


def _checkout(there: Directories, project: str) -> Path:
    """The directory that a repository, or a plain project, is in."""
    store = there.store_path(project)
    return store.parent if store.name == ".git" else store


class _Stores:
    """Everything is in the scratch directory."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def locate(self, store: str, build: str) -> str:
        """The path of a store."""
        return str(self._repositories.store_path(store))


def prepare(
    scratch: Path, user: User | None, labels: Mapping[str, Label], *, sandbox: Sandbox, where: Path | None = None
) -> assembly.Prepared:
    """Start what needs rights, then give them up for good. `where` are the images, if not where set-up builds them."""
    shared = images.shared()
    built = shared if images.is_built(images.definition_for_host(), shared) else None
    prepared = assembly.prepare(
        scratch,
        sandbox=sandbox,
        labels={**DEFAULT_LABELS, **labels},
        images=where or built,
        server_uid=user.uid if user else None,
    )
    if user is not None:
        give(scratch, user)
        link.drop(user.uid, user.gid)
    return prepared


def _plain(prepared: assembly.Prepared, wanted: Assignment) -> bool:
    """Whether a node of the build is of the default image."""
    labels = [prepared.labels.get(node.label) for node in wanted.job.nodes]
    return not labels or any(label is not None and label.plain for label in labels)


async def build(
    prepared: assembly.Prepared,
    laid: Laid,
    show: Callable[[str], None],
    *,
    keep: Path | None = None,
) -> tuple[BuildCompleted, Path]:
    """Run it to its end; `show` gets its log, line by line. How it ended, and where log and artifacts are.

    `keep` is a directory for what the build leaves in its home; then its node stays if the job wants that.

    The first interruption (Ctrl-C) aborts the build: what cleans up still runs. The second ends that too. One while
    the node stays only ends that.
    """
    wanted, alone = replace(laid.assignment, fence=1), Alone()  # nobody had it before
    stay = Stay(keep.parent, show) if keep is not None else None
    executor, logs = assembly.executor(
        prepared, reports=alone, sources=_Stores(laid.repositories), clock=SystemClock(), host=laid.host,
        git_server=(laid.site,) if laid.site else (),
        keep=(keep, stay) if keep is not None and stay is not None else None,
    )  # fmt: skip
    alone.listen_to(executor)
    loop = asyncio.get_running_loop()
    aborts: set[asyncio.Task[None]] = set()

    def interrupt() -> None:
        if stay is not None and stay.leave():
            return
        aborts.add(asyncio.create_task(executor.abort(wanted.build, wanted.fence, reason("executor.interrupted"))))

    try:
        capacity = await executor.start()
        if isinstance(capacity, Reason):
            raise Unavailable(reason=reason("executor.no-sandbox", capacity))
        if (posture := executor.posture()) is not None:
            show(say(posture))
        elif _plain(prepared, wanted) and not images.is_built(images.definition_for_host(), prepared.images):
            show(say(reason("executor.image-not-here")))
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, interrupt)
        await executor.assign(wanted)
        await asyncio.sleep(0)  # the first thing that a build does is to open its log
        following = asyncio.create_task(_follow(logs, wanted.build, show))
        ended = await alone.ended
        await following
    finally:
        await executor.close()
    return ended, logs.directory(wanted.build)


async def _follow(logs: Logs, build: str, show: Callable[[str], None]) -> None:
    rest = b""
    async for _, piece in logs.follow(build, 0):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            show(line.decode("utf-8", "replace").partition(" | ")[2])

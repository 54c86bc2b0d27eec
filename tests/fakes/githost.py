# SPDX-License-Identifier: Apache-2.0
"""A server of git with accounts and one project, on a real port, for tests that push with the real client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

from aiohttp import BasicAuth, web
from aiohttp.test_utils import TestServer

from gatebot.access import Actor
from gatebot.clock import Clock
from gatebot.db import Database
from gatebot.errors import Conflict, GatebotError, Unauthenticated, http_status
from gatebot.identity import Account
from gatebot.identity import store as accounts
from gatebot.identity.store import NewAccount
from gatebot.reasons import Reason, reason
from gatebot.repo import Repositories
from gatebot.review import hosting, intents, store
from gatebot.review.git_http import GitHttp, Hidden, Limits
from gatebot.review.model import Change, Project
from gatebot.review.push import Most, Receiver
from gatebot.review.push_policy import Policies, Policy, SamePolicy
from gatebot.words import say
from tests.fakes.git import WorkTree


class FakeSite:
    """Who signs a request: any account of the site with the password `pw`."""

    def __init__(self, people: dict[str, Account]) -> None:
        self._people = people

    def account(self, request: web.Request) -> Account | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        given = BasicAuth.decode(header)
        if given.password != "pw" or given.login not in self._people:
            raise Unauthenticated
        return self._people[given.login]

    def language(self, request: web.Request) -> str:
        return "ko" if request.headers.get("Accept-Language", "").startswith("ko") else "en"


@dataclass(frozen=True)
class Submitted:
    says: Reason


class FakeSubmits:
    """Remembers what was to be submitted; takes the first change only."""

    def __init__(self) -> None:
        self.asked: list[tuple[int | None, int]] = []

    async def submit(self, actor: Actor, number: int) -> Submitted:
        self.asked.append((actor.account, number))
        if number > 1:
            raise Conflict(reason=reason("review.push-nothing-new"))
        return Submitted(reason("review.push-next"))


@web.middleware
async def _errors(request: web.Request, handler: object) -> web.StreamResponse:
    try:
        return await handler(request)  # type: ignore[operator]
    except GatebotError as error:
        status = http_status(error)
        text = say(error.reason) if error.reason else str(error)
        headers = {"WWW-Authenticate": 'Basic realm="gatebot"'} if status == 401 else {}
        return web.Response(status=status, text=text + "\n", headers=headers)


async def _nothing_hidden(_actor: Actor, _project: str) -> tuple[int, ...]:
    return ()


@dataclass
class ChangingPolicies:
    """What projects ask of pushes; a test changes it."""

    now: Policies = field(default_factory=SamePolicy)

    def of(self, project: str) -> Policy:
        """What holds now."""
        return self.now.of(project)


class GitHost:
    """What a test needs of the running server."""

    def __init__(
        self, root: Path, db: Database, clock: Clock, limits: Limits | None = None, hidden: Hidden | None = None
    ) -> None:
        self.root = root
        self.db = db
        self.clock = clock
        self.repos = Repositories(root / "git")
        self.people = {
            name: db.run_now(accounts.create, NewAccount(name, name.title(), email, None, groups), clock.now())
            for name, email, groups in (
                ("mina", "mina@example.org", ()),
                ("bob", "bob@example.org", ()),
                ("admin", "admin@example.org", ("Administrators",)),
            )
        }
        self.policies = ChangingPolicies()
        self.receiver = Receiver(
            db, self.repos, clock, "http://review.example.org/", most=Most(refs=1000), policies=self.policies
        )
        site = FakeSite(self.people)
        self.submits = FakeSubmits()
        self.git = GitHttp(
            site, self.repos, self.receiver, self.submits, root / "hooks", hidden or _nothing_hidden, self._coming,
            limits=limits,
        )  # fmt: skip
        self.url = ""

    async def _coming(self) -> range:
        return await self.db.read(intents.next_changes)

    def add_project(self, name: str, source: WorkTree | None = None) -> None:
        """Host a project: with the history of a work tree, or empty."""
        if source is None:
            self.repos.create(name)
        else:
            self.repos.import_from(name, str(source.path))
        self.db.run_now(hosting.create_project, Project(name), None, self.clock.now())

    async def change(self, number: int) -> Change:
        """A change as it is now."""
        return await self.db.read(store.get_change, number)

    def address(self, path: str, who: str | None = "mina") -> str:
        """Where a person clones from."""
        credentials = f"{who}:pw@" if who else ""
        return f"http://{credentials}{self.url.removeprefix('http://')}/{path}"

    async def clone(self, name: str, path: Path, who: str = "mina") -> WorkTree:
        """A person's clone, with the commit-msg hook in it."""
        people = {"name": who.title(), "email": f"{who}@example.org"}
        work = await asyncio.to_thread(WorkTree.clone, self.address(name, who), path, **people)
        hook = work.path / ".git" / "hooks" / "commit-msg"
        hook.parent.mkdir(exist_ok=True)
        hook.write_bytes((Path(hosting.__file__).parent / "hooks" / "commit-msg").read_bytes())
        hook.chmod(0o755)
        return work


@asynccontextmanager
async def serving(host: GitHost) -> AsyncIterator[GitHost]:
    """The server on a port of its own."""
    app = web.Application(middlewares=[_errors])  # type: ignore[list-item]
    app.add_routes(host.git.routes())
    server = TestServer(app)
    await server.start_server()
    host.url = str(server.make_url("")).rstrip("/")
    try:
        yield host
    finally:
        await server.close()


def remote(done: CompletedProcess[str]) -> list[str]:
    """What the server said to who pushed."""
    return [line.removeprefix("remote: ").rstrip() for line in done.stderr.splitlines() if line.startswith("remote:")]

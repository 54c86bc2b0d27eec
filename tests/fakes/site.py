# SPDX-License-Identifier: Apache-2.0
"""A whole site for a story: the composition root on a real port, in a thread of its own; and the people who use it.

Everything is real, git, SQLite, HTTP and the rooms; only the executor can be exchanged for one that a story tells what
to answer (`Builds`). A story is plain synchronous code: it acts as people act, and waits with `eventually`.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import quote

from aiohttp import web

from gatebot import db as databases
from gatebot.app import places
from gatebot.app.places import SETTINGS
from gatebot.app.site_app import SiteApp
from gatebot.assignment import Assignment
from gatebot.cli import founding
from gatebot.cli.output import Client
from gatebot.clock import Clock, SystemClock
from gatebot.executor import assembly, providing
from gatebot.executor.images import shared as shared_images
from gatebot.executor.labels import site_labels
from gatebot.executor.model import Sandbox
from gatebot.hearing import Runner
from gatebot.identity import Identity
from gatebot.pipeline.results import Results
from gatebot.repo import Repositories
from gatebot.review.model import Project
from gatebot.review.projects import Projects
from gatebot.settings import load as load_settings
from gatebot.settings_file import init_text
from tests.fakes.dispatch import FakeDispatch
from tests.fakes.git import WorkTree
from tests.fakes.irc import free_port

T = TypeVar("T")
_TOOK = re.compile(r" in (\d+h )?(\d+m )?\d+s\b")

ZUUL = """\
- job: {name: unit, run: ci/unit}
- project:
    queue: integrated
    check: {jobs: [unit]}
    gate: {jobs: [unit]}
"""
CLIENT_ZUUL = """\
- job: {name: client-unit, run: ci/unit, required-projects: [api]}
- project:
    queue: integrated
    check: {jobs: [client-unit]}
    gate: {jobs: [client-unit]}
"""
UNIT = """\
#!/bin/sh
set -e
exec python3 -m unittest discover --verbose
"""
PROJECTS = {"api": ZUUL, "client": CLIENT_ZUUL}
PEOPLE: dict[str, tuple[str, ...]] = {"ann": (), "bob": ("Core",), "cho": ("Core",)}


def eventually(what: Callable[[], T | None], why: str = "", seconds: float = 60.0) -> T:
    """The first answer that is true; a failure when none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not {why or what}: {answer!r}")
        time.sleep(0.02)


@contextmanager
def open_place() -> Generator[Path]:
    """A directory that other users may enter, as the user that a server started by root becomes must."""
    with TemporaryDirectory(prefix="gatebot-tests-", dir="/var/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@dataclass(frozen=True, slots=True)
class Template:
    """A site made once, to be copied; `tokens` are its people's by name."""

    directory: Path
    tokens: dict[str, str]

    @classmethod
    def make(cls, directory: Path) -> Template:
        """Found a site with two projects in one queue, and some people."""
        founding.found(directory, init_text({"site.data": "data"}))
        tokens = asyncio.run(_furnish(directory))
        return cls(directory, tokens)

    def copy(self, target: Path, port: int, changes: dict[str, object] | None = None) -> Path:
        """A site of one's own on this port."""
        shutil.copytree(self.directory, target, symlinks=True)
        settings: dict[str, object] = {
            "site.data": "data", "web.listen": f"127.0.0.1:{port}", "executor.sandbox": "none",
            "ssh.listen": "", **(changes or {})
        }  # fmt: skip
        (target / SETTINGS).write_text(init_text(settings))
        return target


async def _furnish(directory: Path) -> dict[str, str]:
    settings = load_settings((directory / SETTINGS).read_text(), str(directory / SETTINGS))
    where = places.places_of(settings)
    opened = databases.Database.open(where.database_url)
    try:
        identity = Identity(opened, SystemClock())
        tokens = {"admin": (directory / places.TOKEN).read_text().strip()}
        for name, groups in PEOPLE.items():
            account = await identity.create(name, name=name.title(), email=f"{name}@example.org", groups=groups)
            tokens[name] = await identity.create_token(account.id, "story")
        hosted = Projects(opened, Repositories(where.git), SystemClock())
        for name, text in PROJECTS.items():
            source = WorkTree.new(directory.parent / f"source-{name}")
            source.put("ci/unit", UNIT)
            (source.path / "ci" / "unit").chmod(0o755)
            source.put(".zuul.yaml", text)
            source.commit("Begin", README=f"This is {name}.\n")
            await hosted.host(Project(name), None, source=str(source.path))
    finally:
        await opened.close()
    return tokens


class Builds:
    """Executors that do what a story says: by `rule` at once (a result, or None to go on), or by `finish` later.

    As long as a story says nothing else, checks pass at once, and builds of the gate run until they are finished.
    """

    def __init__(self) -> None:
        self._fake = FakeDispatch(rule=lambda build: "SUCCESS" if build.pipeline == "check" else None)
        self.site: RunningSite | None = None

    def plug(self, results: Results) -> FakeDispatch:
        """What `SiteApp.open` asks for."""
        self._fake.results = results
        return self._fake

    @property
    def rule(self) -> Callable[[Assignment], str | None]:
        """How builds end from now on."""
        return self._fake.rule

    @rule.setter
    def rule(self, rule: Callable[[Assignment], str | None]) -> None:
        self._fake.rule = rule

    def without_nodes(self) -> None:
        """Builds wait for their nodes from now on."""
        self._fake.nodes = False

    @property
    def given(self) -> list[Assignment]:
        """Every build that was given out."""
        return list(self._fake.assigned)

    @property
    def assigned(self) -> list[tuple[str, int, str]]:
        """Every build that was given out: pipeline, change, job."""
        return [(one.pipeline, one.changes[-1].number, one.job.name) for one in self._fake.assigned if one.changes]

    def running(self, pipeline: str, change: int) -> Assignment | None:
        """The build of a change that runs now in a pipeline."""
        for one in list(self._fake.running.values()):
            if one.pipeline == pipeline and one.changes and one.changes[-1].number == change:
                return one
        return None

    def runs(self, pipeline: str, change: int) -> Assignment:
        """The same, as soon as it runs."""
        return eventually(lambda: self.running(pipeline, change), f"running in {pipeline}: {change}")

    def called_off(self, assignment: Assignment) -> None:
        """Wait until the build is aborted."""
        eventually(lambda: assignment.build in self._fake.aborted, f"aborted: {assignment.job.name}")

    def finish(self, pipeline: str, change: int, result: str = "SUCCESS") -> Assignment:
        """The build of a change ends, as soon as it runs; which build that was."""
        build = self.runs(pipeline, change)
        assert self.site is not None
        assert self.site.do(self._fake.finish(build, result)), "nobody wanted this result"
        return build


@dataclass
class RunningSite:
    """A site that serves, from `with` to its end. Without `builds` the real executor runs jobs, without a sandbox."""

    directory: Path
    tokens: dict[str, str]
    homes: Path
    builds: Builds | None = None
    clock: Clock = field(default_factory=SystemClock)
    tls: ssl.SSLContext | None = None
    sandbox: Sandbox = Sandbox.NONE
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __post_init__(self) -> None:
        self.settings, self.places = places.load(self.directory)
        self.url = self.settings.url
        self.port = int(self.settings.web.listen.rpartition(":")[2])
        self._thread = threading.Thread(target=self._loop.run_forever, name="site")
        if self.builds is not None:
            self.builds.site = self

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.do(self._begin())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.do(self._end())
        finally:
            self._stop()

    def _stop(self) -> None:
        # One turn later: connections that were closed last are taken down on the loop.
        self._loop.call_soon_threadsafe(self._loop.call_soon, self._loop.stop)
        self._thread.join()
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, T], seconds: float = 60.0) -> T:
        """Let the server's loop do something, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def person(self, name: str) -> Person:
        """Somebody with an account, at the own desk."""
        return Person.of(self, name, self.tokens)

    def branch(self, project: str, branch: str = "main") -> str:
        """The commit at the tip of a branch."""
        found = self.app.repositories.resolve(project, f"refs/heads/{branch}")
        assert found is not None
        return found

    def file(self, project: str, path: str, branch: str = "main") -> str | None:
        """A file at the tip of a branch."""
        data = self.app.repositories.read_file(project, self.branch(project, branch), path)
        return None if data is None else data.decode()

    async def _begin(self) -> None:
        prepared = None
        if self.builds is None and self.settings.executor.enabled:
            prepared = assembly.prepare(
                self.places.data,
                sandbox=self.sandbox,
                labels=site_labels(self.settings.labels, providing.kinds(self.settings.providers)),
                wheelhouse=self.settings.executor.wheelhouse,
                images=shared_images() if self.sandbox is not Sandbox.NONE else None,
            )
        dispatch = self.builds.plug if self.builds is not None else None
        self.app = await SiteApp.open(self.settings, self.places, prepared, self.clock, dispatch)
        self._runner = Runner(self.app.web(), 1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self.tls).start()
        await self.app.start()
        await self.app.ssh.listen()

    async def _end(self) -> None:
        self.app.closing()
        await self._runner.cleanup()
        await self.app.close()


class Desk(Protocol):
    """What a person must know of a site."""

    url: str
    homes: Path


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses the site as people do: git, and the REST of a client."""

    name: str
    token: str
    site: Desk
    rest: Client

    @classmethod
    def of(cls, site: Desk, name: str, tokens: dict[str, str]) -> Person:
        """Somebody by name."""
        return cls(name, tokens[name], site, Client(site.url, name, tokens[name]))

    def _address(self, project: str) -> str:
        """Where this person clones from."""
        return f"{self.site.url.replace('://', f'://{self.name}:{quote(self.token)}@')}/{project}"

    def clone(self, project: str, place: str = "") -> WorkTree:
        """A clone, with the hook that writes Change-Ids in it."""
        path = self.site.homes / self.name / (place or project)
        work = WorkTree.clone(self._address(project), path, name=self.name.title(), email=f"{self.name}@example.org")
        hook = path / ".git" / "hooks" / "commit-msg"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("".join(Client(self.site.url, "", "").text_lines("/tools/hooks/commit-msg")))
        hook.chmod(0o755)
        return work

    def push(self, work: WorkTree, branch: str = "main") -> int:
        """Push HEAD for review; the number of its change."""
        done = work.run("push", "origin", f"HEAD:refs/for/{branch}")
        assert done.returncode == 0, done.stderr
        numbers = re.findall(rf"{re.escape(self.site.url)}/c/\S+/\+/(\d+)", done.stderr)
        assert numbers, done.stderr
        return int(numbers[-1])

    def propose(self, project: str, subject: str, files: dict[str, str], *, body: str = "", onto: str = "") -> int:
        """Clone, change some files, commit, push for review; the number of the change. `onto` is a commit."""
        work = self.clone(project, f"{project}-{abs(hash((subject, time.monotonic_ns())))}")
        if onto:
            work.git("reset", "-q", "--hard", onto)
        for path, text in files.items():
            work.put(path, text)
            if text.startswith("#!"):
                (work.path / path).chmod(0o755)
        work.commit(f"{subject}\n\n{body}".strip())
        return self.push(work)

    def review(self, change: int, message: str = "", **labels: int) -> None:
        """Comment and vote on the current patch set; `Code_Review=2`."""
        votes = {label.replace("_", "-"): value for label, value in labels.items()}
        body = {"message": message, "labels": votes}
        self.rest.call("POST", f"/changes/{change}/revisions/current/review", body)

    def approve(self, *changes: int) -> None:
        """What a core member says to let changes go to the gate."""
        for change in changes:
            self.review(change, Code_Review=2, Workflow=1)

    def detail(self, change: int) -> Any:
        """The change as REST tells it."""
        return self.rest.get(f"/changes/{change}/detail", o="CURRENT_REVISION")

    def status(self, change: int) -> str:
        """NEW, MERGED or ABANDONED."""
        return str(self.detail(change)["status"])

    def said(self, change: int) -> list[str]:
        """What was said on the change, oldest first; every job took no time."""
        return [_TOOK.sub(" in 0s", str(message["message"])) for message in self.detail(change)["messages"]]

    def hears(self, change: int, part: str, seconds: float = 60.0) -> str:
        """The newest message of a change with these words, as soon as there is one."""
        return eventually(
            lambda: next((text for text in reversed(self.said(change)) if part in text), None),
            f"said on {change}: {part!r}", seconds,
        )  # fmt: skip

    def votes(self, change: int, label: str) -> dict[str, int]:
        """Who voted what, without zeros."""
        cast = self.detail(change)["labels"].get(label, {}).get("all", [])
        return {vote["username"]: vote["value"] for vote in cast if vote.get("value")}

    def sees_merged(self, change: int, seconds: float = 60.0) -> None:
        """Wait until the change is merged."""
        eventually(lambda: self.status(change) == "MERGED", f"merged: {change}", seconds)


def begin(
    template: Template,
    place: Path,
    builds: Builds | None = None,
    changes: dict[str, object] | None = None,
    labels: str = "",
) -> RunningSite:
    """A copy of the template, about to run; `labels` are sections of its settings."""
    directory = template.copy(place / "site", free_port(), changes)
    with (directory / SETTINGS).open("a") as settings:
        settings.write(labels)
    return RunningSite(directory, template.tokens, place / "homes", builds)

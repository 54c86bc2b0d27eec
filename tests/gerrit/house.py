# SPDX-License-Identifier: Apache-2.0
"""A whole site that gates a real Gerrit, and a person who works there; of the site only executors are faked."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from gatebot import db, journal, settings
from gatebot.app.connections import Connected
from gatebot.app.places import places_of
from gatebot.app.site_app import SiteApp
from gatebot.assignment import AssignedChange, Assignment
from gatebot.change import own_number
from gatebot.clock import SystemClock
from gatebot.events import ChangeMerged, Event
from gatebot.pipeline.results import Results
from tests.fakes.dispatch import FakeDispatch
from tests.fakes.git import WorkTree
from tests.fakes.pipeline_house import CONFIG, PROJECT
from tools.gerrit import SECRET, Gerrit

#: Long, because machines are busy; what comes sooner is not waited for.
_WAIT = 120.0


@dataclass(frozen=True)
class Pushed:
    """A change as its author knows it: Gerrit's number."""

    project: str
    number: int
    change_id: str
    commit: str
    url: str


class Clones:
    """Clones of the projects below a prefix: `config`, `api` and `client`."""

    def __init__(self, gerrit: Gerrit, root: Path, prefix: str) -> None:
        self.gerrit = gerrit
        self.prefix = prefix
        self._root = root
        self._trees: dict[str, WorkTree] = {}

    def name(self, project: str) -> str:
        return f"{self.prefix}{project}"

    def tree(self, project: str) -> WorkTree:
        """The author's clone."""
        if project not in self._trees:
            host = self.gerrit.url.removeprefix("http://")
            source = f"http://admin:{SECRET}@{host}/a/{self.name(project)}"
            who = {"name": "Ann", "email": "ann@example.com"}
            self._trees[project] = WorkTree.clone(source, self._root / project, **who)
        return self._trees[project]

    def tree_of(self, project: str, commit: str) -> str:
        """The files of a commit, by one name."""
        return self.tree(project).git("rev-parse", f"{commit}^{{tree}}")

    def tip(self, project: str) -> str:
        name = urllib.parse.quote(self.name(project), safe="")
        return self.gerrit.call("GET", f"projects/{name}/branches/main")["revision"]

    def content(self, project: str, path: str) -> str:
        """A file at the tip of `main` in Gerrit."""
        tree = self.tree(project)
        tree.git("fetch", "-q", "origin")
        return tree.run("show", f"origin/main:{path}").stdout


class Author(Clones):
    """A person of Gerrit who writes, and what the others say to it."""

    def found(self, submit_type: str = "MERGE_IF_NECESSARY") -> None:
        """The projects, with the configuration of their pipelines."""
        for project, files in (
            ("config", {"zuul.yaml": CONFIG.replace("gatebot:", "hub:"), "run.sh": "true\n"}),
            ("api", {".zuul.yaml": PROJECT}),
            ("client", {".zuul.yaml": PROJECT}),
        ):
            self.gerrit.add_project(self.name(project), submit_type)
            self.commit_directly(project, files)

    def commit_directly(self, project: str, files: Mapping[str, str]) -> str:
        """A commit on `main` without review, by the admin."""
        tree = self.tree(project)
        tree.git("fetch", "-q", "origin")
        tree.git("checkout", "-q", "--detach", "origin/main")
        for name, text in files.items():
            tree.put(name, text)
        commit = tree.commit("Set up")
        tree.git("push", "-q", "origin", "HEAD:refs/heads/main")
        return commit

    def push(
        self, project: str, files: Mapping[str, str], subject: str, *, body: str = "", onto: str = "origin/main"
    ) -> Pushed:
        """A new change, or a new patch set of the one with this subject."""
        tree = self.tree(project)
        tree.git("fetch", "-q", "origin")
        tree.git("checkout", "-q", "--detach", onto)
        for name, text in files.items():
            tree.put(name, text)
        change_id = "I" + hashlib.sha1(f"{project}{subject}".encode()).hexdigest()
        footer = f"{body}\n" if body else ""
        commit = tree.commit(f"{subject}\n\n{footer}Change-Id: {change_id}\n")
        done = tree.run("push", "origin", "HEAD:refs/for/main")
        assert done.returncode == 0, done.stderr
        found = self.gerrit.call("GET", f"changes/?q=commit:{commit}")
        number = int(found[0]["_number"])
        url = f"{self.gerrit.url}/c/{self.name(project)}/+/{number}"
        return Pushed(self.name(project), number, change_id, commit, url)

    def circle(self, topic: str = "") -> tuple[Pushed, Pushed]:
        """A change of `api` and one of `client` that need each other: by their footers, or by a topic alone."""
        if topic:
            pair = self.push("api", {"a.txt": "a\n"}, "Add a"), self.push("client", {"b.txt": "b\n"}, "Use a")
            for change in pair:
                self.gerrit.call("PUT", f"changes/{change.number}/topic", {"topic": topic})
            return pair
        first = self.push("api", {"a.txt": "a\n"}, "Add a")
        second = self.push("client", {"b.txt": "b\n"}, "Use a", body=f"Depends-On: {first.url}")
        return self.push("api", {"a.txt": "a\n"}, "Add a", body=f"Depends-On: {second.url}"), second

    def say(self, change: Pushed, text: str = "", votes: Mapping[str, int] | None = None, **more: object) -> None:
        """Bob reviews the current patch set."""
        body = {"message": text, "labels": dict(votes or {}), **more}
        self.gerrit.call("POST", f"changes/{change.number}/revisions/current/review", body, who="bob")

    def approve(self, *changes: Pushed) -> None:
        for change in changes:
            self.say(change, votes={"Code-Review": 2, "Workflow": 1})

    def forbid_submit(self, project: str) -> None:
        """Nobody may submit there any more."""
        block = {"rules": {"global:Registered-Users": {"action": "BLOCK"}}}
        name = urllib.parse.quote(self.name(project), safe="")
        body = {"add": {"refs/heads/*": {"permissions": {"submit": block}}}}
        self.gerrit.call("POST", f"projects/{name}/access", body)

    def info(self, change: Pushed) -> dict[str, Any]:
        return self.gerrit.call("GET", f"changes/{change.number}/detail")

    def said(self, change: Pushed) -> list[str]:
        """What was said on the change, oldest first."""
        return [message["message"] for message in self.info(change)["messages"]]

    def last(self, change: Pushed) -> str:
        """What was said last."""
        return self.said(change)[-1]

    def vote(self, change: Pushed, label: str = "Verified") -> int:
        """The gate's vote."""
        votes = self.info(change)["labels"][label].get("all", [])
        return next((vote.get("value", 0) for vote in votes if vote.get("username") == "gate"), 0)


class Site:
    """A site that gates a Gerrit. `local` is a change's number there."""

    def __init__(self, gerrit: Gerrit, author: Author, root: Path, landing: str) -> None:
        self.gerrit = gerrit
        self.author = author
        self._root = root / "gatebot"
        self._root.mkdir()
        self._landing = landing
        self.dispatch = FakeDispatch()
        self._write()
        text = (self._root / "gatebot.toml").read_text()
        self.settings = settings.load(text, str(self._root / "gatebot.toml"))
        db.migrate(places_of(self.settings).database_url)

    def _write(self) -> None:
        keys = self.gerrit.root.parent
        shutil.copy(keys / "key", self._root / "key")
        (self._root / "key").chmod(0o600)
        (self._root / "known_hosts").write_text(self.gerrit.known_hosts())
        (self._root / "password").write_text(f"{SECRET}\n")
        name = self.author.name
        (self._root / "tenants.yaml").write_text(
            "- tenant:\n    name: main\n    source:\n      hub:\n"
            f"        config-projects: [{name('config')}]\n"
            f"        untrusted-projects: [{name('api')}, {name('client')}]\n"
        )
        (self._root / "gatebot.toml").write_text(
            f'[gate]\ntenants_file = "tenants.yaml"\n[executor]\nenabled = false\n[meetings]\nenabled = false\n'
            f'[connections.hub]\nurl = "{self.gerrit.url}"\nuser = "gate"\npassword_file = "password"\n'
            f'ssh_key = "key"\nknown_hosts = "known_hosts"\nssh_port = {self.gerrit.ssh_port}\n'
            f'landing = "{self._landing}"\nvisible_to = "everybody"\n'
        )

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """The site starts, and has mirrored what is there."""

        def dispatch(results: Results) -> FakeDispatch:
            self.dispatch.results = results
            return self.dispatch

        self.app = await SiteApp.open(self.settings, places_of(self.settings), None, SystemClock(), dispatch)
        await self.app.start()
        await self.look()

    async def close(self) -> None:
        """The site ends."""
        await self.app.close()

    @property
    def hub(self) -> Connected:
        return self.app.connected[0]

    def local(self, change: Pushed) -> int:
        return self.hub.place.space + change.number

    async def look(self) -> None:
        """Everything that Gerrit has is known here."""
        await asyncio.wait_for(self.hub.follower.caught_up(), _WAIT)

    async def until(self, so: Callable[[], bool], what: str, seconds: float = _WAIT) -> None:
        """Wait until something is so; it is looked at after each fact of the journal."""
        try:
            async with asyncio.timeout(seconds):
                known = 0
                while not await asyncio.to_thread(so):
                    known = await self.app.journal.wait(known, timeout=0.5)
        except TimeoutError:
            raise AssertionError(f"not so after {seconds} seconds: {what}") from None

    async def facts(self, *kinds: type[Event]) -> list[Any]:
        """What the journal says, oldest first."""
        return [entry.event for entry in await self.app.db.read(journal.read_in, 0, kinds)]

    async def heard(self, kind: type[Event], change: Pushed) -> Any:
        """Wait for a fact of a change; the newest such."""
        async with asyncio.timeout(_WAIT):
            async for entries in self.app.journal.follow(0, (kind,)):
                found = [one.event for one in entries if getattr(one.event, "change", 0) == self.local(change)]
                if found:
                    return found[-1]


class House(Site):
    """The site, and what it tests."""

    @property
    def running(self) -> dict[str, list[int]]:
        """What runs now: pipeline -> the changes, by Gerrit's numbers."""
        found: dict[str, list[int]] = {}
        for one in self.dispatch.running.values():
            found.setdefault(one.pipeline, []).append(own_number(one.changes[-1].number) if one.changes else 0)
        return {pipeline: sorted(numbers) for pipeline, numbers in found.items()}

    async def runs(self, pipeline: str, *changes: Pushed) -> None:
        """Wait until exactly these changes are tested in a pipeline."""
        wanted = sorted(change.number for change in changes)
        await self.until(lambda: self.running.get(pipeline, []) == wanted, f"{pipeline} tests {wanted}")

    def build(self, pipeline: str, change: Pushed) -> Assignment:
        """The running build of a change in a pipeline."""
        return next(
            one
            for one in self.dispatch.running.values()
            if one.pipeline == pipeline and one.changes and one.changes[-1].number == self.local(change)
        )

    def number(self, change: AssignedChange) -> int:
        """Gerrit's number of what a build was given."""
        return own_number(change.number)

    async def ends(self, pipeline: str, change: Pushed, result: str = "SUCCESS") -> None:
        """The build of a change in a pipeline ends."""
        await self.dispatch.finish(self.build(pipeline, change), result)

    async def merged(self, *changes: Pushed) -> None:
        """Wait until Gerrit and the journal say that the changes are merged."""
        for change in changes:
            await self.until(lambda c=change: self.author.info(c)["status"] == "MERGED", f"{change.number} is merged")
            await self.heard(ChangeMerged, change)

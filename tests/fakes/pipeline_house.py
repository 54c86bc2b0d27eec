# SPDX-License-Identifier: Apache-2.0
"""The review and the pipeline room together on a real database and real repositories; only executors are faked.

Commands of the driver are carried out in the background as in life; `settle` waits until nothing is left to do but what
a test has to say.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Self

from gatebot import journal
from gatebot.access import Actor
from gatebot.events import BranchMoved, Event
from gatebot.identity import CORE, Identity
from gatebot.keys import SiteKey
from gatebot.pipeline.config.loader import Loader
from gatebot.pipeline.config.tenant import simple
from gatebot.pipeline.driver import Driver
from gatebot.pipeline.effects import Ties
from gatebot.pipeline.layouts import Layouts
from gatebot.pipeline.merger import Merger
from gatebot.pipeline.results import Results
from gatebot.pipeline.secret_data import SecretData
from gatebot.review import conversation
from gatebot.review.drafts import Draft
from gatebot.review.model import Change
from gatebot.review.room import furnish
from tests.fakes.dispatch import FakeDispatch
from tests.fakes.review_house import BOB, SITE, ReviewHouse

CONFIG = """
- pipeline:
    name: check
    manager: independent
    trigger:
      gatebot:
        - event: patchset-created
        - event: comment-added
          comment: (?im)^recheck
    success: {gatebot: {Verified: 1}}
    failure: {gatebot: {Verified: -1}}
- pipeline:
    name: gate
    manager: dependent
    precedence: high
    post-review: true
    supercedes: check
    require:
      gatebot:
        open: true
        current-patchset: true
        approval: [{Code-Review: 2}, {Workflow: 1}]
    trigger: {gatebot: [{event: comment-added, approval: [{Workflow: 1}]}]}
    success: {gatebot: {Verified: 2, submit: true}}
    failure: {gatebot: {Verified: -2}}
- pipeline:
    name: post
    manager: independent
    post-review: true
    precedence: low
    trigger: {gatebot: [{event: ref-updated, ref: ^refs/heads/}]}
- job: {name: base, parent: null, run: run.sh}
- job: {name: unit}
- job: {name: style, voting: false}
- queue: {name: shared}
"""
PROJECT = """
- project:
    queue: shared
    check: {jobs: [unit]}
    gate: {jobs: [unit]}
"""


class Rooms:
    """The two rooms on one site: how it begins, runs, is killed and starts again."""

    def __init__(
        self, url: str, root: Path, *, projects: tuple[str, ...] = ("api", "client"), durable: bool = False
    ) -> None:
        self.review = ReviewHouse(url, root, durable=durable)
        self.db, self.clock, self.repositories = self.review.db, self.review.clock, self.review.repositories
        self.projects = projects
        self.tenant = simple("main", ("gatebot-config",), projects)
        self._begin()
        self.review.gates.branches = {(project, "main") for project in projects}
        self.identity = Identity(self.db, self.clock)
        self.room = furnish(self.db, self.repositories, self.identity, self.clock, self.review.gates, SITE)
        self.dispatch = FakeDispatch()
        self.secrets = SecretData(SiteKey.new())
        self.equip()

    def equip(self) -> None:
        """The pipeline room, as a start of the server makes it."""
        self.layouts = Layouts(Loader(self.repositories), lambda: (self.tenant,))
        self.results = self.dispatch.results = Results(self.db, self.clock, self.secrets)
        merger = self.merger = Merger(self.repositories, self.layouts)
        tools = (merger, self.layouts, self.db, self.clock, self.secrets)
        ties = Ties(self.room.for_gate, self.dispatch, *tools, SITE.rstrip("/"))
        self.driver = Driver(ties, self.identity, self.results)

    def _begin(self) -> None:
        self.review.project("gatebot-config")
        self.commit_to("gatebot-config", {"zuul.yaml": CONFIG, "run.sh": "true\n"})
        for project in self.projects:
            self.review.project(project)
            self.commit_to(project, {".zuul.yaml": PROJECT})

    def commit_to(self, project: str, files: dict[str, str]) -> str:
        """A commit on `main` without review, of which nobody is told."""
        old = self.review.tip(project)
        new = self.review.commit(project, files, "Set up\n", old)
        assert self.repositories.update_ref(project, "refs/heads/main", old, new)
        return new

    async def __aenter__(self) -> Self:
        await self.room.settle()
        await self.driver.start()
        await self.settle()
        return self

    async def restart(self) -> None:
        """The server is killed and starts again; builds and whoever ran them are gone."""
        await self.driver.kill()
        self.dispatch.running.clear()
        self.equip()
        await self.room.settle()
        await self.driver.start()

    async def __aexit__(self, *_: object) -> None:
        await self.driver.close()
        await asyncio.to_thread(self.review.close)

    async def settle(self) -> None:
        """Until nothing is left to do."""
        quiet = 0
        while quiet < 3:
            again = await self.driver.step()
            await asyncio.sleep(0 if quiet else 0.001)
            quiet = 0 if again or not self.driver.idle else quiet + 1


class PipelineHouse(Rooms):
    """One site with the projects `api` and `client` in one queue, and `gatebot-config`: what tests do and see there."""

    def append(self, event: Event) -> None:
        self.review.write(journal.append, event, self.clock.now())

    def push(
        self, project: str, files: dict[str, str], subject: str, *, onto: str = "", body: str = "", merging: str = ""
    ) -> Change:
        """A change as a push makes it."""
        return self.review.push(project, files, subject, onto or self.review.tip(project), body, also=merging)

    async def configure(self, project: str, files: dict[str, str]) -> None:
        """A direct push of configuration, or of anything else."""
        old = self.review.tip(project)
        new = self.commit_to(project, files)
        self.append(BranchMoved(project, "main", old, new, "push", account=1))
        await self.settle()

    async def say(self, change: Change, text: str = "", *, votes: dict[str, int] | None = None) -> None:
        """A core member reviews."""
        actor = Actor(BOB, frozenset({CORE}))
        draft = Draft(text, tuple((votes or {}).items()))
        await self.room.review.post(actor, change.number, change.current, draft)

    async def approve(self, *changes: Change) -> None:
        for change in changes:
            await self.say(change, votes={"Code-Review": 2, "Workflow": 1})

    async def passes(self, number: int, job: str = "", result: str = "SUCCESS") -> None:
        await self.dispatch.finish(self.dispatch.of(number, job), result)
        await self.settle()

    async def fails(self, number: int, job: str = "") -> None:
        await self.passes(number, job, "FAILURE")

    def said(self, number: int) -> list[str]:
        """What was said on a change, oldest first."""
        return [message.text for message in self.review.read(conversation.list_messages, number)]

    def status(self, number: int) -> str:
        return self.review.change(number).status.value

    @property
    def running(self) -> dict[str, list[int]]:
        """What runs now: pipeline -> the changes that its builds have in their last place."""
        found: dict[str, list[int]] = {}
        for one in self.dispatch.running.values():
            found.setdefault(one.pipeline, []).append(one.changes[-1].number if one.changes else 0)
        return {pipeline: sorted(numbers) for pipeline, numbers in found.items()}

    def content(self, project: str, path: str) -> str | None:
        """A file at the tip of `main`."""
        data = self.repositories.read_file(project, self.review.tip(project), path)
        return None if data is None else data.decode()

# SPDX-License-Identifier: Apache-2.0
"""A review room on a real database and real repositories, for tests: projects, commits, changes, votes.

Names here are short because tests read them often; everything is synchronous, as transactions are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pygit2

from gatebot import journal
from gatebot.change import Landing, LandingChange
from gatebot.db import Database
from gatebot.events import Event
from gatebot.identity import ADMINISTRATORS, CORE, SERVICE_USERS
from gatebot.identity import store as identity
from gatebot.reasons import Reason
from gatebot.repo import Person, Repositories
from gatebot.review import conversation, hosting, intents, store
from gatebot.review.judging import Judge
from gatebot.review.landing_plan import Order
from gatebot.review.model import ZERO, Change, Kind, Project, SubmitType, Vote, change_ref
from tests.fakes.clock import FakeClock

T = TypeVar("T")
SITE = "https://review.example.org/"
ANN, BOB, GATE, ROOT = range(1_000_000, 1_000_004)
PEOPLE = (("ann", ()), ("bob", (CORE,)), ("gatebot", (SERVICE_USERS,)), ("root", (ADMINISTRATORS,)))
WRITER = Person("Ann Author", "ann@example.org", 1_767_600_000, 540)


@dataclass
class FakeGates:
    """Implements `ports.Gates` from two sets."""

    branches: set[tuple[str, str]] = field(default_factory=set)
    positions: dict[int, Reason] = field(default_factory=dict)

    def gated(self, project: str, branch: str) -> bool:
        return (project, branch) in self.branches

    def jobs(self, project: str) -> list[tuple[str, tuple[str, ...]]]:
        return [("gate", ("unit",))] if any(project == gated for gated, _ in self.branches) else []

    def configures(self, project: str, branch: str, files: Collection[str]) -> bool:
        return any(path.endswith("zuul.yaml") for path in files)

    def position(self, change: int) -> Reason | None:
        return self.positions.get(change)


class Rooms:
    """An open database and its repositories, with accounts; usable from tests in an event loop too."""

    def __init__(self, url: str, root: Path, clock: FakeClock | None = None, *, durable: bool = False) -> None:
        self.db = Database.open(url, durable=durable)
        self.repositories = Repositories(root)
        self._thread = ThreadPoolExecutor(1)
        self.clock = clock or FakeClock()
        self.gates = FakeGates()
        self.judge = Judge(self.gates, SITE)
        for username, groups in PEOPLE:
            new = identity.NewAccount(username, username.title(), f"{username}@example.org", None, groups)
            self.write(identity.create, new, self.clock.now())

    def close(self) -> None:
        self._thread.shutdown()
        self.db.close_now()

    def write(self, fn: Callable[..., T], *args: object) -> T:
        """A transaction, also from a test that runs in an event loop."""
        return self._thread.submit(self.db.run_now, fn, *args).result()

    def read(self, fn: Callable[..., T], *args: object) -> T:
        return self._thread.submit(self.db.read_now, fn, *args).result()

    def facts(self, *kinds: type[Event]) -> list[Event]:
        """What the journal says, oldest first."""
        return [entry.event for entry in self.read(journal.read_in, 0, kinds)]


class ReviewHouse(Rooms):
    """One site, and what makes it hold something."""

    def project(
        self, name: str, submit_type: SubmitType = SubmitType.MERGE_IF_NECESSARY, rules: str = "default"
    ) -> str:
        """Host a project with one commit on `main`; that commit."""
        self.repositories.create(name)
        self.write(hosting.create_project, Project(name, "", submit_type, rules), None, self.clock.now())
        first = self.commit(name, {"README": "hello\n"}, "Begin\n")
        assert self.repositories.update_ref(name, "refs/heads/main", ZERO, first)
        return first

    def commit(self, project: str, files: Mapping[str, str], message: str, *parents: str, store: str = "") -> str:
        """Store a commit with some files beside those of its first parent."""
        repository = pygit2.Repository(str(self.repositories.store_path(store or project)))
        index = pygit2.Index()
        if parents:
            index.read_tree(repository[parents[0]].tree)
        for path, text in files.items():
            index.add(pygit2.IndexEntry(path, repository.create_blob(text.encode()), pygit2.enums.FileMode.BLOB))
        tree = str(index.write_tree(repository))
        return self.repositories.write_commit(store or project, tree, parents, WRITER, WRITER, message)

    def push(
        self, project: str, files: Mapping[str, str], subject: str, parent: str, body: str = "", change_id: str = "",
        also: str = "", owner: int = ANN, private: bool = False, topic: str = "",
    ) -> Change:  # fmt: skip
        """A new change on `main`, as a push makes it; a merge, where there is `also` another parent."""
        change_id = change_id or "I" + hashlib.sha1(f"{project}{subject}".encode()).hexdigest()
        message = f"{subject}\n\n{body}Change-Id: {change_id}\n"
        commit = self.commit(project, files, message, parent, *([also] if also else []))
        number = self.write(intents.allocate_changes)
        assert self.repositories.update_ref(project, change_ref(number, 1), ZERO, commit)
        new = store.NewChange(number, project, "main", change_id, topic=topic, private=private)
        upload = store.upload_of(self.repositories.commit(project, commit), owner)
        return self.write(store.create_change, new, upload, self.clock.now())

    def also_for(self, change: Change, branch: str) -> Change:
        """The same commit as a change of another branch."""
        commit, number = self.commit_of(change), self.write(intents.allocate_changes)
        assert self.repositories.update_ref(change.project, change_ref(number, 1), ZERO, commit)
        new = store.NewChange(number, change.project, branch, change.change_id)
        upload = store.upload_of(self.repositories.commit(change.project, commit), ANN)
        return self.write(store.create_change, new, upload, self.clock.now())

    def new_patch_set(
        self, change: Change, files: Mapping[str, str], kind: Kind = Kind.REWORK, body: str = ""
    ) -> Change:
        """The next patch set of a change, on the same parent; `body` is put before the footer."""
        current = self.read(store.get_patch_set, change.number, change.current)
        message = current.message.replace("Change-Id:", f"{body}Change-Id:") if body else current.message
        commit = self.commit(change.project, files, message, *current.parents)
        assert self.repositories.update_ref(change.project, change_ref(change.number, change.current + 1), ZERO, commit)
        upload = store.upload_of(self.repositories.commit(change.project, commit), ANN)
        rules = self.read(self.judge.rules, change.project)
        return self.write(store.add_patch_set, change.number, upload, kind, rules, self.clock.now())

    def vote(self, change: int, label: str, value: int, account: int = BOB, patch_set: int = 1) -> int:
        vote = Vote(label, value, account, self.clock.now(), patch_set)
        return self.write(conversation.set_vote, change, vote)

    def approve(self, *changes: Change) -> None:
        """What people must do before the gate takes a change."""
        for change in changes:
            self.vote(change.number, "Code-Review", 2)
            self.vote(change.number, "Workflow", 1)

    def change(self, number: int) -> Change:
        return self.read(store.get_change, number)

    def commit_of(self, change: Change) -> str:
        return self.read(store.get_patch_set, change.number, change.current).commit

    def tip(self, project: str, ref: str = "refs/heads/main") -> str:
        return self.repositories.resolve(project, ref) or ZERO

    def order(self, item: str, *changes: tuple[Change, str, str], store: str = "") -> Order:
        """What the gate asks for: each change with the expected tip and the tested commit."""
        landing = tuple(
            LandingChange(c.number, c.current, c.project, c.branch, expected, commit, store or c.project)
            for c, expected, commit in changes
        )
        return Order(Landing(item, "gate", landing), GATE, item)

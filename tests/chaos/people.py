# SPDX-License-Identifier: Apache-2.0
"""People who go on whatever happens to the server: they push and approve changes, and try again until it is done."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from gatebot.errors import Conflict, GatebotError
from tests.fakes.git import WorkTree
from tests.fakes.site import Person

T = TypeVar("T")
_PATIENCE = 300.0  # on a busy machine a server may be killed many times before it was there for a whole push


def insist(act: Callable[[], T]) -> T:
    """Do it again until the server was there for all of it."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return act()
        except (GatebotError, AssertionError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@dataclass
class People:
    """One author and one reviewer at work, until they are told to go home. `pairs` fail only together."""

    author: Person
    reviewer: Person
    approved: list[int] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    chains: list[tuple[int, int]] = field(default_factory=list)
    trees: dict[str, WorkTree] = field(default_factory=dict)
    trouble: BaseException | None = None

    def __post_init__(self) -> None:
        self._home = threading.Event()
        self._thread = threading.Thread(target=self._live, name="people", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def _live(self) -> None:
        try:
            for number in count():
                if self._home.is_set():
                    return
                self._work(number)
        except BaseException as trouble:
            self.trouble = trouble

    def go_home(self) -> None:
        """Finish what was begun, and no more."""
        self._home.set()
        self._thread.join(_PATIENCE)
        if self.trouble is not None:
            raise self.trouble
        assert not self._thread.is_alive()

    def _work(self, number: int) -> None:
        match number % 3:
            case 0:
                self._approve(self._propose("api", f"plain.{number}"))
            case 1:
                left, right = self._propose("api", f"left.{number}"), self._propose("api", f"right.{number}")
                self.pairs.append((left, right))
                self._approve(left, right)
            case _:
                first = self._propose("api", f"plain.{number}")
                url = f"{self.author.site.url}/c/api/+/{first}"
                second = self._propose("client", f"plain.{number}", f"\n\nDepends-On: {url}")
                self.chains.append((first, second))
                self._approve(second, first)

    def _propose(self, project: str, name: str, body: str = "") -> int:
        """A change that adds one file, pushed until the server has it."""
        if project not in self.trees:
            self.trees[project] = insist(lambda: self.author.clone(project, f"{project}-{time.monotonic_ns()}"))
        work = self.trees[project]
        insist(lambda: work.git("fetch", "-q", "origin", "main"))
        work.git("reset", "-q", "--hard", "FETCH_HEAD")
        work.put(name, "here\n")
        work.commit(f"Add {name}{body}")
        found = re.search(r"^Change-Id: (I\w{40})$", work.git("log", "-1", "--format=%B"), re.MULTILINE)
        assert found is not None

        def push() -> int:
            work.run("push", "origin", "HEAD:refs/for/main")
            (change,) = self.author.rest.get("/changes/", q=f"change:{found[1]}")
            return int(change["_number"])

        return insist(lambda: push_or_fail(push))

    def _approve(self, *changes: int) -> None:
        for change in changes:
            try:
                insist(lambda change=change: _vote(self.reviewer, change))
            finally:
                self.approved.append(change)


def push_or_fail(push: Callable[[], int]) -> int:
    """The change; no answer with exactly one change is a failure like any other."""
    try:
        return push()
    except ValueError as none:
        raise AssertionError("the change is not there yet") from none


def _vote(reviewer: Person, change: int) -> None:
    try:
        reviewer.approve(change)
    except Conflict:
        assert reviewer.status(change) == "MERGED"  # an earlier vote had arrived without an answer

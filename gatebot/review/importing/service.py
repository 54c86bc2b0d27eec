# SPDX-License-Identifier: Apache-2.0
"""Brings everything of another Gerrit into this site, and again what came since: people, repositories, changes.

Works while no server runs on the site: what it writes is no news, and nobody is told. Each change is one transaction,
so whatever stops it, the next run goes on. A change or repository that cannot be brought is told and keeps nothing else
from coming. At the end both sides are counted anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from ...clock import Clock
from ...db import Database
from ...errors import Conflict, GatebotError, NotFound
from ...repo import GitError, Repositories
from .. import store as changes_store
from ..config.model import ALL_PROJECTS
from ..model import Status, Upload
from . import people, reading, rows, store
from .asking import Gerrit, Unanswered, query_of, segment
from .model import ALL_USERS, Answer, Listed, Mark, Tally, TheirAccount, TheirChange, TheirGroup, Told
from .repositories import Hosts

T = TypeVar("T")
R = TypeVar("R")
_AT_ONCE = 4
_AHEAD = 40  # answers that wait to be written: a Gerrit has a million changes, and an error ends the rest soon
_NO_ROBOTS = (3, 13)  # since then programs write comments as everybody does

#: Told of each step: what it is, how many there are of it, how many are done.
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class _There:
    """What was found there in one run."""

    version: str = ""
    accounts: dict[int, TheirAccount] = field(default_factory=dict[int, TheirAccount])
    groups: tuple[TheirGroup, ...] = ()
    projects: dict[str, Answer] = field(default_factory=dict[str, Answer])
    people: dict[int, int] = field(default_factory=dict[int, int])
    numbers: dict[int, int] = field(default_factory=dict[int, int])
    changes: dict[str, list[Listed]] = field(default_factory=dict[str, list[Listed]])
    skipped: set[str] = field(default_factory=set[str])


class Importing:
    """One Gerrit's import. `told` grows while it runs."""

    def __init__(
        self, db: Database, repositories: Repositories, gerrit: Gerrit, clock: Clock, progress: Progress
    ) -> None:
        self._db = db
        self._repositories = repositories
        self._gerrit = gerrit
        self._clock = clock
        self._progress = progress
        self._hosts = Hosts(db, repositories, gerrit)
        self._there = _There()
        self.told = Told()

    def run(self, only: Collection[str] = ()) -> tuple[Tally, ...]:
        """Bring what is new, of these repositories or of all; the counts of both sides."""
        if self._db.read_now(rows.is_busy):
            raise Conflict(
                "A push or a merge was begun on this site and not finished. Start the server once, which finishes it, "
                "stop it, and run the same command again."
            )
        self._there.version = self._gerrit.check()
        self._bring_people()
        self._bring_projects(only)
        self._bring_changes()
        return self._count()

    # -- people ----------------------------------------------------------------------------------------

    def _bring_people(self) -> None:
        wanted = "is:active OR is:inactive"
        asked: dict[str, object] = {"q": wanted, "o": ["DETAILS", "ALL_EMAILS"]}
        infos = list(self._gerrit.found("accounts/", "_more_accounts", "_account_id", **asked))
        for done, one in enumerate(_few_at_once(self._account, infos), 1):
            self._there.accounts[one.id] = one
            self._progress("accounts", len(infos), done)
        for one in self._there.accounts.values():
            self._keep_account(one)
        found: Mapping[str, Answer] = self._gerrit.get("groups/", o=["MEMBERS", "INCLUDES"])
        internal = {name: info for name, info in found.items() if reading.is_internal(info)}
        self._there.groups = tuple(reading.group(name, info) for name, info in internal.items())
        host, now = urlsplit(self._gerrit.url).netloc, self._clock.now()
        for group in self._there.groups:
            self._merge(self._db.run_now(people.bring_group, self._gerrit.url, group, host, now))
        for group in self._there.groups:
            self._merge(self._db.run_now(people.join_group, group, self._there.people, now))

    def _account(self, info: Answer) -> TheirAccount:
        keys: list[Answer] = self._gerrit.get(f"accounts/{info['_account_id']}/sshkeys")
        return reading.account(info, keys)

    def _keep_account(self, one: TheirAccount) -> None:
        taken = self._there.accounts.keys()
        id, told = self._db.run_now(people.bring_account, self._gerrit.url, one, taken, self._clock.now())
        self._there.people[one.id] = id
        self._merge(told)

    def _meet(self, ids: Collection[int]) -> None:
        """Accounts that changes name and that no query finds: deleted ones, whose names are gone."""
        for id in ids:
            if id not in self._there.people:
                try:
                    one = reading.account(self._gerrit.get(f"accounts/{id}/detail"))
                except GatebotError:
                    one = TheirAccount(id, f"account-{id}", f"Account {id}", "", active=False)
                self._keep_account(one)

    # -- repositories ----------------------------------------------------------------------------------

    def _bring_projects(self, only: Collection[str]) -> None:
        there = self._there
        found = {name: info for name, info in self._gerrit.projects().items() if name != ALL_USERS}
        if unknown := sorted(set(only) - found.keys()):
            raise NotFound(f"{self._gerrit.url} has no repository {', '.join(unknown)}.")
        there.projects = {name: info for name, info in found.items() if not only or name in only}
        for name, info in there.projects.items():
            try:
                if not self._hosts.host(name, info, self.told, self._clock.now()):
                    there.skipped.add(name)
                there.changes[name] = self._listed(name, ["SKIP_DIFFSTAT"])
            except (Unanswered, NotFound) as error:
                self._lacks(name, error)
        every = [one for name, several in there.changes.items() if name not in there.skipped for one in several]
        there.numbers = self._db.run_now(rows.allot, self._gerrit.url, every)
        for one in sorted(every, key=lambda one: one.number):
            if there.numbers[one.number] != one.number:
                self.told.note(f"Change {one.number} of there has the number {there.numbers[one.number]} here.")

    def _lacks(self, name: str, error: GatebotError) -> None:
        """A repository does not come; the others do."""
        self.told.note(f"Project {name} did not come: {error}. When that is mended there, run this again.")
        self._there.skipped.add(name)

    def _listed(self, project: str, options: Sequence[str]) -> list[Listed]:
        found = self._gerrit.found("changes/", "_more_changes", "_number", **query_of(project), o=options)
        return [reading.listed(info) for info in found]

    # -- changes ---------------------------------------------------------------------------------------

    def _bring_changes(self) -> None:
        brought = {name: several for name, several in self._there.changes.items() if name not in self._there.skipped}
        for done, (name, listed) in enumerate(brought.items(), 1):
            self._progress("repositories", len(brought), done)
            left = self._db.read_now(rows.deleted, self._gerrit.url, [one.number for one in listed])
            for number in left:
                self.told.note(
                    f"Change {self._there.numbers[number]} was deleted here since it was brought: it stays away."
                )
            numbers = {one.number: self._there.numbers[one.number] for one in listed if one.number not in left}
            try:
                clashing = self._hosts.fetch(name, numbers, self.told, self._clock.now())
            except (Unanswered, GitError) as error:
                self._lacks(name, error)
                continue
            if name == ALL_PROJECTS:
                self._hosts.rights(self.told)
            known = self._db.read_now(store.marks, self._gerrit.url, "change")
            in_order = sorted(listed, key=lambda one: one.number)
            new = [one for one in in_order if known.get(str(one.number), Mark("")).seen != one.updated]
            for number in clashing:
                self._left(number)
            self._bring_each(name, [one for one in new if one.number not in left | clashing])
        for name in brought.keys() - self._there.skipped:
            self._hosts.check_rights(name, self.told)

    def _bring_each(self, name: str, wanted: list[Listed]) -> None:
        for done, change in enumerate(_few_at_once(self._read, wanted), 1):
            if isinstance(change, str):
                self.told.note(change)
            elif change is not None:
                self._write(change)
            self._progress(f"changes of {name}", len(wanted), done)

    def _read(self, one: Listed) -> TheirChange | str | None:
        """A change; or why it does not come."""
        place = f"changes/{segment(one.project)}~{one.number}"
        try:
            info: Answer = self._gerrit.get(place, o=reading.WHOLE)
            comments: dict[str, list[Answer]] = self._gerrit.get(f"{place}/comments")
            for file, several in self._robots(place).items():
                comments.setdefault(file, []).extend(several)
        except NotFound:  # gone meanwhile
            return None
        except Unanswered as error:
            return f"Change {one.number} of {one.project} did not come: {error}. Mend it there, then run this again."
        try:
            return reading.change(info, comments)
        except (LookupError, ValueError, TypeError, AttributeError, StopIteration) as error:
            what = f"{type(error).__name__}: {error}"
            return (
                f"Change {one.number} of {one.project} did not come: what {self._gerrit.url} tells of it is not "
                f"understood ({what}). Look at it there; when it is mended, or with a newer gatebot, run this again."
            )

    def _robots(self, place: str) -> Mapping[str, list[Answer]]:
        """Comments of programs, which had a list of their own before 3.13."""
        if reading.version(self._there.version) >= _NO_ROBOTS:
            return {}
        try:
            return self._gerrit.get(f"{place}/robotcomments")
        except NotFound:
            return {}

    def _write(self, change: TheirChange) -> None:
        self._meet(change.people)
        if change.number not in self._there.numbers:
            return
        here = rows.renumbered(change, self._there.numbers, self._there.people)
        uploads: dict[int, Upload] = {}
        for one in here.patch_sets:
            try:
                info = self._repositories.commit(here.project, one.commit)
            except NotFound:
                self.told.note(
                    f"Change {change.number} of {here.project} did not come: {one.commit}, its patch set "
                    f"{one.number}, is not in the repository. If it came while this ran, run it again; else mend it "
                    "there first."
                )
                return
            uploads[one.number] = changes_store.upload_of(info, one.uploader, one.description)
        written = self._db.run_now(rows.write, self._gerrit.url, change.number, here, uploads)
        self._merge(written.told)
        if written.left:
            self._left(change.number)

    def _left(self, number: int) -> None:
        here = self._there.numbers[number]
        self.told.note(f"Change {here} was worked on here since it was brought: what is new there does not come.")

    # -- counting --------------------------------------------------------------------------------------

    def _count(self) -> tuple[Tally, ...]:
        there = self._there
        url, read = self._gerrit.url, self._db.read_now
        groups = read(lambda session: [people.members_here(session, one, there.people) for one in there.groups])
        wanted = sum(len(one.members) + len(one.includes) for one in there.groups)
        known = read(store.marks, url, "group")
        hosted = sum(self._repositories.exists(name) for name in there.projects.keys() - there.skipped)
        tallies = [
            Tally("accounts", len(there.accounts), read(people.accounts_here, url, there.accounts.keys())),
            Tally("groups", len(there.groups), sum(one.uuid in known for one in there.groups)),
            Tally("members of groups", wanted, sum(groups)),
            Tally("repositories", len(there.projects), hosted),
        ]
        return (*tallies, *self._count_changes())

    def _count_changes(self) -> tuple[Tally, ...]:
        """What their lists say now, whatever was read before."""
        there, found, refs = self._there, dict[str, int](), [0, 0]
        numbers: dict[int, int] = {}
        for name in there.projects:
            try:
                listed = self._listed(name, reading.COUNTED)
                here = self._hosts.here(name, {one.number: there.numbers.get(one.number, 0) for one in listed})
            except Unanswered:
                if name not in there.skipped:
                    raise
                continue  # told already, and the repository is counted as missing
            for one in listed:
                many = (
                    (one.status, 1), ("messages", one.messages), ("comments", one.comments), ("votes", one.votes)
                )  # fmt: skip
                for what, number in many:
                    found[what] = found.get(what, 0) + number
            numbers |= {one.number: there.numbers.get(one.number, 0) for one in listed}
            refs = [refs[0] + here[0], refs[1] + here[1]]
            found["patch sets"] = found.get("patch sets", 0) + here[2]
        counted = self._db.read_now(rows.counted, [number for number in numbers.values() if number])
        names = {"NEW": "open changes", "MERGED": "merged changes", "ABANDONED": "abandoned changes"}
        statuses = [Tally(names[one], found.get(one, 0), counted.get(one, 0)) for one in map(str, Status)]
        rest = ("patch sets", "messages", "comments", "votes")
        several = [Tally(what, found.get(what, 0), counted.get(what, 0)) for what in rest]
        return (Tally("references in git", refs[1], refs[0]), *statuses, *several)

    def _merge(self, told: Told) -> None:
        for what, number in told.brought.items():
            self.told.count(what, number)
        for note in told.notes:
            self.told.note(note)


def _few_at_once(ask: Callable[[T], R], wanted: Sequence[T]) -> Iterator[R]:
    """What is answered for each, in order, asked a few at a time and not far ahead."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for start in range(0, len(wanted), _AHEAD):
            yield from pool.map(ask, wanted[start : start + _AHEAD])

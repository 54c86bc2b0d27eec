# SPDX-License-Identifier: Apache-2.0
"""Repositories that come from another Gerrit: made here, their references fetched, their branches moved.

A reference is moved by compare-and-swap after its objects are here, and the journal is told of branches, as of any
other move. All-Projects is on every site: theirs takes its place only while nobody changed it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ... import journal, words
from ...db import Database, Session
from ...errors import Conflict, GatebotError
from ...events import BranchMoved
from ...identity import group_store
from ...repo import ZERO, Repositories
from .. import hosting
from ..config import whole
from ..config.founding import MESSAGE
from ..config.model import ALL_PROJECTS, CONFIG_REF, GROUPS, PROJECT_CONFIG, Trouble
from ..model import Project, SubmitType
from . import references, store
from .asking import Gerrit, segment
from .model import THEIR_CONFIG, Answer, Mark, Told

_INCOMING = "refs/gatebot-import/"


class Hosts:
    """Brings repositories of one Gerrit."""

    def __init__(self, db: Database, repositories: Repositories, gerrit: Gerrit) -> None:
        self._db = db
        self._repositories = repositories
        self._gerrit = gerrit

    def host(self, name: str, info: Answer, told: Told, at: datetime) -> bool:
        """Make a repository; False: it cannot be brought, and `told` knows why."""
        if name == ALL_PROJECTS or self._db.read_now(store.mark_of, self._gerrit.url, "project", name) is not None:
            return True
        if self._db.read_now(hosting.find_project, name) is not None:
            told.note(f"Project {name} is here already, and not from there: it and its changes are left out.")
            return False
        head = str(self._gerrit.get(f"projects/{segment(name)}/HEAD")).removeprefix("refs/heads/")
        try:
            if not self._repositories.exists(name):
                self._repositories.create(name, head)
        except GatebotError as error:
            told.note(f"Project {name} is left out: {error}")
            return False
        kind = str(self._gerrit.get(f"projects/{segment(name)}/config").get("submit_type", ""))
        submit_type = SubmitType(kind) if kind in [*SubmitType] else SubmitType.MERGE_IF_NECESSARY
        project = Project(name, str(info.get("description", "")), submit_type, default_branch=head)
        self._db.run_now(_host, self._gerrit.url, project, at)
        told.count("projects")
        return True

    def fetch(self, name: str, numbers: Mapping[int, int], told: Told, at: datetime) -> frozenset[int]:
        """Bring the references of a repository; the changes whose patch sets have other commits here."""
        theirs = self.theirs(name)
        marks = self._db.read_now(store.marks, self._gerrit.url, "ref", f"{name} ")
        known = {ref.removeprefix(f"{name} "): one for ref, one in marks.items()}
        plan = references.plan(theirs, self._repositories.references(name), numbers, known)
        for ref, (before, after) in plan.arrived.items():
            self._db.run_now(_moved, self._gerrit.url, name, ref, before or ZERO, after, at)
        self._clear(name)  # a name that was left there may be in the way of another
        try:
            wanted = [f"+{_named(name, ref)}:{_INCOMING}{ref.removeprefix('refs/')}" for ref in plan.moves]
            self._gerrit.fetch(name, self._repositories.path(name), [*wanted, *plan.refspecs])
            moved = sum(self._move(name, ref, *move, told, at) for ref, move in plan.moves.items())
        finally:
            self._clear(name)
        told.count("references", moved + len(plan.refspecs))
        for ref in plan.stuck:
            told.note(f"{ref} of {name} was moved here since it was brought: it stays, though it is elsewhere there.")
        return frozenset(plan.clashing)

    def theirs(self, name: str) -> dict[str, str]:
        """The references of a repository there, by the names that they have here."""
        found = self._gerrit.references(name)
        if name == ALL_PROJECTS and CONFIG_REF in found:
            found[THEIR_CONFIG] = found.pop(CONFIG_REF)
        return found

    def _move(self, name: str, ref: str, before: str, after: str, told: Told, at: datetime) -> bool:
        """Move a reference to what came; one that cannot be moved does not keep the others from coming."""
        try:
            if not self._repositories.update_ref(name, ref, before or ZERO, after):
                raise Conflict("it was moved by somebody else meanwhile")
        except GatebotError as error:
            told.note(f"{ref} of {name} did not come: {error}. Run the same command again.")
            return False
        self._db.run_now(_moved, self._gerrit.url, name, ref, before or ZERO, after, at)
        return True

    def _clear(self, name: str) -> None:
        """References through which others come: everybody reads them, so none is left."""
        for ref, at in self._repositories.references(name, _INCOMING).items():
            self._repositories.update_ref(name, ref, at, ZERO)

    def rights(self, told: Told) -> None:
        """Let the rights of their All-Projects be those of this site, where nobody changed those that it began with."""
        theirs = self._repositories.resolve(ALL_PROJECTS, THEIR_CONFIG)
        ours = self._repositories.resolve(ALL_PROJECTS, CONFIG_REF)
        if theirs is None or ours is None:
            return
        mark = self._db.read_now(store.mark_of, self._gerrit.url, "rights", ALL_PROJECTS)
        if theirs == ours and mark is None:  # an import was cut short here
            self._db.run_now(store.mark, self._gerrit.url, "rights", ALL_PROJECTS, Mark(ALL_PROJECTS, theirs))
        if theirs == ours or self._repositories.is_ancestor(ALL_PROJECTS, theirs, ours):
            return
        kept = f"theirs are in {THEIR_CONFIG} of {ALL_PROJECTS}, to be compared"
        begun = self._repositories.commit(ALL_PROJECTS, ours)
        if not (begun.message == MESSAGE and not begun.parents) and (mark is None or mark.seen != ours):
            told.note(f"The rights in {ALL_PROJECTS} were changed here and stay; {kept}.")
        elif troubles := self.troubles(ALL_PROJECTS, theirs):
            told.note(f"The rights in {ALL_PROJECTS} stay as they are here; {kept}. {_lines(troubles)}")
        else:
            self._repositories.update_ref(ALL_PROJECTS, CONFIG_REF, ours, theirs)
            self._db.run_now(store.mark, self._gerrit.url, "rights", ALL_PROJECTS, Mark(ALL_PROJECTS, theirs))
            told.note(f"The rights in {ALL_PROJECTS} are theirs now; the ones that gatebot began with are {ours[:10]}.")

    def check_rights(self, name: str, told: Told) -> None:
        """Say what of a project's rights cannot be understood here: until then they permit administrators only."""
        commit = self._repositories.resolve(name, CONFIG_REF)
        if commit is not None and name != ALL_PROJECTS and (troubles := self.troubles(name, commit)):
            told.note(f"The rights of {name} are not understood here; only administrators use it. {_lines(troubles)}")

    def troubles(self, name: str, commit: str) -> tuple[Trouble, ...]:
        """What speaks against a configuration."""
        texts = {
            file: (self._repositories.read_file(name, commit, file) or b"").decode("utf-8", "replace")
            for file in (PROJECT_CONFIG, GROUPS)
        }
        groups = self._db.read_now(lambda session: {one.name: one.uuid for one in group_store.every(session)})
        # Which parent has which is not asked here: they come from a site where that was right.
        return whole.check(name, texts, groups, dict.fromkeys(self._repositories.projects(), ""))

    def here(self, name: str, numbers: Mapping[int, int]) -> tuple[int, int, int]:
        """Their references now: how many are here as there or further on, how many there are, how many patch sets."""
        theirs = self.theirs(name)
        mine = self._repositories.references(name) if self._repositories.exists(name) else {}
        plain, sets = references.readable(theirs), references.patch_sets(theirs, numbers).values()
        same = sum(mine.get(target) == commit for target, commit, _ in sets)
        same += sum(self._contains(name, ref, mine.get(ref, ""), commit) for ref, commit in plain.items())
        return same, len(sets) + len(plain), len(sets)

    def _contains(self, name: str, ref: str, here: str, there: str) -> bool:
        if not here or here == there or ref.startswith("refs/tags/"):
            return here == there
        known = self._repositories.resolve(name, there) is not None
        return known and self._repositories.is_ancestor(name, there, here)


def _named(name: str, ref: str) -> str:
    return CONFIG_REF if name == ALL_PROJECTS and ref == THEIR_CONFIG else ref


def _host(session: Session, source: str, project: Project, at: datetime) -> None:
    hosting.create_project(session, project, None, at)
    store.mark(session, source, "project", project.name, Mark(project.name))


def _moved(session: Session, source: str, name: str, ref: str, before: str, after: str, at: datetime) -> None:
    store.mark(session, source, "ref", f"{name} {ref}", Mark(ref, after))
    if ref.startswith("refs/heads/"):
        moved = BranchMoved(name, ref.removeprefix("refs/heads/"), before, after, "import", None)
        journal.append(session, moved, at)


def _lines(troubles: tuple[Trouble, ...]) -> str:
    return " ".join(f"{one.file}:{one.line}: {words.say(one.why)}" for one in troubles[:5])

# SPDX-License-Identifier: Apache-2.0
"""What the review pages show of changes and projects, gathered for the templates.

Reads from the database, git, and the neighbouring rooms' ports; decides nothing. Differences are
made on a worker thread and kept for a while: a pair of commits never changes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial

from .. import words
from ..access import Actor
from ..db import Database
from ..identity import GATE
from ..mentions import Mention, Mentions
from ..repo import Repositories
from . import sentences, views
from .dashboards.order import told
from .diffs import talk
from .diffs.drawing import drawn
from .diffs.service import Compared
from .judging import Judge
from .landing_rows import MERGED
from .model import Change, InlineComment, PatchSet, Project
from .neighbours import Neighbours, neighbours
from .ports import Builds
from .reading import ChangeView, Reading
from .replying import heirs
from .shown_files import FileView, file_view
from .third_party.service import ThirdPartyCis
from .trackers.linking import linked

_CLOCKS = timedelta(hours=1)  # by which those of others may differ
_LINES = 5_000  # of one page's differences
_READMES = ("README.md", "README.rst", "README.txt", "README")
_README_BYTES = 64 * 1024
_IN_CHANGE = re.compile(r"change/\d+/")


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project with what its repository says of itself."""

    project: Project
    branches: dict[str, str]
    readme: tuple[str, str] | None


class Shown:
    """Gathers; `url` is the site's address as people reach it."""

    def __init__(
        self,
        db: Database,
        reading: Reading,
        judge: Judge,
        repositories: Repositories,
        builds: Builds,
        mentions: Mentions,
        cis: ThirdPartyCis,
        url: str,
    ) -> None:
        self._db = db
        self._reading = reading
        self._judge = judge
        self._repositories = repositories
        self._builds = builds
        self._mentions = mentions
        self._cis = cis
        self._url = url.rstrip("/")
        self._files = lru_cache(maxsize=32)(self._read_files)

    async def change(
        self, actor: Actor, what: Compared, drafts: Sequence[InlineComment], language: str
    ) -> dict[str, object]:
        """Everything that `review/change.html` asks for; `drafts` are the reader's own."""
        view, shown, base = what.view, what.patch_set, what.base.number if what.base else None
        change, old = view.change, what.against.commit
        number, rules = change.number, self._judge.linking.rules_for(change.project)
        builds, mentions, outside, near, files = await asyncio.gather(
            self._builds.of_change(number),
            self._mentioned(actor, change),
            self._cis.of(view, shown),
            self._near(actor, change, shown),
            asyncio.to_thread(self._files, change.project, old, shown.commit),
        )
        people = what.names(actor)
        ready = view.verdict.without("Verified", "Dependencies").submittable
        position = self._judge.gates.position(number)
        failure = views.refusal(view, builds, shown.number, GATE) if position is None else None
        return {
            "change": change,
            "patch_set": shown,
            "patch_sets": view.patch_sets,
            "base": base,
            # In the gate its place there says all, unless something is missing that the gate does not bring.
            "headline": "" if change.is_open and ready and position else _headline(view, language),
            "needs": sentences.lines(view.verdict, language) if change.is_open else (),
            "failure": failure,
            "tone": views.tone(change, view.verdict.submittable, failure is not None or _is_blocked(view)),
            "position": position,
            "can_submit": change.is_open and ready and position is None,
            "linked": partial(linked, rules=rules),
            "files": files,
            "drawn": drawn,
            "configures": self._judge.gates.configures(change.project, change.branch, _paths(files)),
            "added": sum(file.change.added for file in files),
            "deleted": sum(file.change.deleted for file in files),
            "people": people,
            "reviewers": view.reviewers,
            "attention": [(one, told(one, mine=one.account == actor.account)) for one in view.attention if one.active],
            "heirs": heirs(view, actor.account) if actor.account is not None else (),
            "drafts": drafts,
            "looked": what.looked,
            "votes": sorted(view.votes, key=lambda vote: vote.label),
            "ranges": _ranges(view, actor),
            "builds": views.newest_builds(builds, shown.number),
            # A gate without jobs votes too: then nothing is still to come.
            "tested": not change.is_open or any(vote.label == "Verified" and vote.value for vote in view.votes),
            "outside": outside,
            "near": near,
            "mentions": mentions,
            # git signs in only where it is asked to, which the address of everybody does not.
            "clone_url": f"{self._url}/{'a/' if change.private else ''}{change.project}",
            "ref": shown.ref,
            "messages": [views.message_view(one, rules) for one in views.in_order(view.messages, MERGED, _gate(view))],
            **_said(what, drafts, people, files),
        }

    async def rows(
        self, actor: Actor, query: str, limit: int, start: int = 0
    ) -> tuple[tuple[views.ChangeRow, ...], bool]:
        """The changes that a query describes, as rows of a list, and whether there are more."""
        found, more = await self._reading.search(actor, query, limit, start)
        return tuple(views.change_row(view, self._judge.gates.position(view.change.number)) for view in found), more

    async def project(self, actor: Actor, name: str) -> ProjectView:
        """A project with its branches and the README of its default branch."""
        project = await self._reading.project(actor, name)
        branches = await asyncio.to_thread(self._repositories.branches, name)
        tip = branches.get(project.default_branch)
        readme = await asyncio.to_thread(self._readme, name, tip) if tip else None
        return ProjectView(project, dict(sorted(branches.items())), readme)

    async def hidden(self, actor: Actor, changes: Collection[int]) -> frozenset[int]:
        """Those of some changes that the reader may not see: for pages of other rooms that name changes."""
        return frozenset(changes) - await self._reading.visible(actor, changes) if changes else frozenset()

    async def change_project(self, actor: Actor, change: int) -> str:
        """The project of a change that the reader may see; raises `NotFound`."""
        return (await self._reading.find(actor, str(change))).project

    async def _mentioned(self, actor: Actor, change: Change) -> list[Mention]:
        """Where the change is spoken of; what is said in changes that the reader may not see stays there.

        What is older than the change means another one, as in imported logs of another site.
        """
        since = change.created - _CLOCKS
        found = [one for one in await self._mentions.of(f"change/{change.number}", 20) if one.at >= since]
        sources = {one.source: int(one.source.split("/")[1]) for one in found if _IN_CHANGE.match(one.source)}
        hidden = await self.hidden(actor, sources.values())
        return [mention for mention in found if sources.get(mention.source) not in hidden]

    async def _near(self, actor: Actor, change: Change, shown: PatchSet) -> Neighbours:
        near = await self._db.read(neighbours, self._judge, change, shown)
        return near.only(await self._reading.visible(actor, near.numbers))

    def _read_files(self, project: str, old: str | None, new: str) -> tuple[FileView, ...]:
        return tuple(file_view(diff) for diff in self._repositories.diff(project, old, new, lines=_LINES))

    def _readme(self, project: str, tip: str) -> tuple[str, str] | None:
        for name in _READMES:
            content = self._repositories.read_file(project, tip, name)
            if content is not None:
                return name, content[:_README_BYTES].decode("utf-8", "replace")
        return None


def _gate(view: ChangeView) -> int | None:
    """The gate's account, where it has done something here."""
    return next((id for id, one in view.people.items() if one.username == GATE), None)


def _said(
    what: Compared, drafts: Sequence[InlineComment], people: Mapping[int, str], files: Sequence[FileView]
) -> dict[str, object]:
    """The comments: beside the lines, each thread once, and below the messages that they came with."""
    threads = talk.threads(what.view.comments, drafts)
    here = talk.begun_on(threads, what.patch_set.number)
    return {
        "threads": talk.by_comment(threads, {one.id for one in drafts}, people),
        "notes": views.notes(here, people, _places(files) if here else ()),
        "inline": _by_message(what.view.comments),
    }


def _by_message(comments: Iterable[InlineComment]) -> dict[int, list[InlineComment]]:
    found: dict[int, list[InlineComment]] = {}
    for comment in comments:
        found.setdefault(comment.message, []).append(comment)
    return found


def _paths(files: Iterable[FileView]) -> set[str]:
    """The files of a difference, by their old names too."""
    return {path for file in files for path in (file.change.path, file.change.old_path) if path}


def _places(files: Iterable[FileView]) -> set[views.Place]:
    """Where a page of these files has room for a comment."""
    found: set[views.Place] = set()
    for file in files:
        path = file.change.path
        found.add((path, "new", 0))
        found.update((path, "new", row.new) for row in file.rows if row.new)
        found.update((path, "old", row.old) for row in file.rows if row.old)
    return found


def _headline(view: ChangeView, language: str) -> str:
    """A closed change is told by its state; what it would need does not matter any more."""
    state = view.verdict.find("State")
    if not view.change.is_open and state is not None:
        return words.say(state.says, language)
    return sentences.headline(view.verdict, language)


def _is_blocked(view: ChangeView) -> bool:
    return any(leaf.outcome.value == "BLOCKED" for leaf in view.verdict.missing())


def _ranges(view: ChangeView, actor: Actor) -> list[views.VoteRange]:
    now = {vote.label: vote.value for vote in view.votes if vote.account == actor.account}
    found: list[views.VoteRange] = []
    for name, allowed in view.permitted.items():
        label = view.rules.label(name)
        texts = dict(label.values) if label else {}
        values = tuple((value, texts.get(value, "")) for value in sorted(allowed, reverse=True))
        found.append(views.VoteRange(name, values, now.get(name, 0)))
    return found

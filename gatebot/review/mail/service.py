# SPDX-License-Identifier: Apache-2.0
"""Follows the journal and writes letters: kept for everybody to read, and queued for those whom they concern.

The reader's place moves with what it wrote, in one transaction, so a restart neither loses nor doubles mail. News of
private changes reach those who may see them and are never kept; what is older than a day is kept and mailed to nobody,
so that a site that begins to send mail does not send its past.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby

from ... import words
from ...clock import Clock
from ...db import Database, Session
from ...errors import GatebotError
from ...journal import Entry, Journal, cursor
from ...repo import Repositories
from .. import search
from ..files.commit_text import commit_message_file
from ..model import COMMIT_MESSAGE, PATCH_SET_LEVEL, InlineComment, PatchSet, Side
from ..query import parse
from ..reading import Reading
from . import store
from .audience import reached
from .grouping import KINDS, Noted, happenings
from .letters import Told, letter
from .model import Addressed, FileLine, Happening, Kept, Kind, Letter, Listener, Quote
from .passes import Passes
from .quoting import quotes
from .rendering import Envelope, message, readable
from .scene import Scene, listener, reverted, scene_of
from .sending import Sending
from .store import Outgoing

log = logging.getLogger(__name__)
_STALE = timedelta(days=1)
_BATCH = 1000  # what the journal hands over at once
_REVERTS = re.compile(r"^This reverts commit ([0-9a-f]{40})\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sender:
    """As whom the site writes. `language` is that of the sentences in its mail."""

    site: str
    name: str
    address: str
    language: str = "en"


class Mail:
    """The writer. Without `sending` letters are only kept."""

    def __init__(
        self, db: Database, journal: Journal, repositories: Repositories, clock: Clock, reading: Reading,
        passes: Passes, sender: Sender, sending: Sending | None = None,
    ) -> None:  # fmt: skip
        self._db = db
        self._journal = journal
        self._repositories = repositories
        self._clock = clock
        self._reading = reading
        self._passes = passes
        self._sender = sender
        self._sending = sending
        self._gettext = words.translations(sender.language).gettext

    async def run(self) -> None:
        """Follow the journal for ever."""
        waiting: list[Entry] = []
        async for entries in self._journal.follow(await self._db.read(cursor, store.READER), KINDS):
            waiting += entries
            # A full batch may end in the middle of a transaction: its last change waits for the rest.
            cut = len(waiting) if len(entries) < _BATCH else last_change(waiting)
            await self.tell(waiting[:cut])
            waiting = waiting[cut:]

    async def catch_up(self) -> int:
        """Write of what is in the journal and return; how many facts that were."""
        entries = await self._journal.read(await self._db.read(cursor, store.READER), kinds=KINDS)
        await self.tell(entries)
        return len(entries)

    async def tell(self, entries: Sequence[Entry]) -> None:
        """Write the letters of some facts, each with the move of the reader's place."""
        found = happenings([Noted(entry.id, entry.at, entry.event) for entry in entries])
        for upto, several in groupby(found, key=lambda one: one.upto):
            kept: list[Kept] = []
            messages: list[Outgoing] = []
            for happening in several:
                try:
                    await self._write(happening, kept, messages)
                except Exception:
                    # One change that cannot be told must not end the mail of all others.
                    log.exception("no mail could be written of fact %d", happening.id)
            await self._db.run_silent(store.write, kept, messages, upto, self._clock.now())
            if messages and self._sending is not None:
                self._sending.wake()

    async def _write(self, happening: Happening, kept: list[Kept], messages: list[Outgoing]) -> None:
        scene = await self._db.read(scene_of, happening)
        if scene is None:
            return
        await self._one(happening, scene, kept, messages)
        told = happening.kind is Kind.NEW_CHANGE and not scene.ground.change.private
        undone = _REVERTS.search(scene.patch_set.message) if told else None
        if undone is not None:
            about = await self._db.read(reverted, undone[1], scene.ground.change.project)
            if about is not None:
                news = replace(happening, kind=Kind.REVERTED, change=about.number, patch_set=0, invited=(), text="")
                original = await self._db.read(scene_of, news)
                if original is not None:
                    revert = f"{self._sender.site}/{scene.ground.change.path}"
                    await self._one(news, original, kept, messages, revert)

    async def _one(
        self, happening: Happening, scene: Scene, kept: list[Kept], messages: list[Outgoing], revert: str = ""
    ) -> None:
        scene = await self._with_watchers(scene)
        people = {id: listener(scene, one, sees=await self._sees(scene, id)) for id, one in scene.accounts.items()}
        quoted = await asyncio.to_thread(self._quotes, scene)
        told = Told(
            happening, scene.ground, scene.patch_set, people, self._sender.site, self._sender.name,
            await asyncio.to_thread(self._files, scene), quoted, scene.attention, self._fetch(scene), revert,
        )  # fmt: skip
        written = letter(told, self._gettext)
        if not scene.ground.change.private:
            kept.append(_kept(written, happening, scene))
        if self._sending is not None and self._clock.now() - happening.at < _STALE:
            messages += self._messages(written, reached(happening, scene.ground, people), people, scene)

    async def _with_watchers(self, scene: Scene) -> Scene:
        """The scene with those who watch the change: a filter is asked as its watcher would ask."""
        known = [one for one in scene.watching if one.account in scene.accounts]
        found = [
            (one.account, one.kinds) for one in known if not one.filter or await self._db.read(self._fits, scene, one)
        ]
        return replace(scene, ground=replace(scene.ground, watchers=tuple(found)))

    def _fits(self, session: Session, scene: Scene, one: store.Watching) -> bool:
        asking = search.Asking(one.account, False, self._clock.now(), watching=True)
        try:
            query = parse(f"change:{scene.ground.change.number} ({one.filter})")
            return bool(search.search(session, query, asking, 1).changes)
        except GatebotError:
            return False  # a filter that an older version took

    async def _sees(self, scene: Scene, account: int) -> bool:
        number = scene.ground.change.number
        return number in await self._reading.visible(scene.accounts[account].actor, [number])

    def _messages(self, written: Letter, to: Addressed, people: dict[int, Listener], scene: Scene) -> list[Outgoing]:
        sender, site = self._sender, self._sender.site
        named = [(people[id].name, people[id].email) for id in to.to]
        copied = [(people[id].name, people[id].email) for id in to.cc]
        found: list[Outgoing] = []
        for id in to.all:
            one = people[id]
            envelope = Envelope(
                sender.address, sender.name, one.email, tuple(named), tuple(copied),
                self._passes.url(id, scene.ground.change.project), f"{site}/settings/mail", one.plain,
            )  # fmt: skip
            found.append(Outgoing(id, one.email, message(written, envelope, self._gettext)))
        return found

    # -- what git knows --------------------------------------------------------------------------------

    def _files(self, scene: Scene) -> tuple[FileLine, ...]:
        change = scene.ground.change
        try:
            found = self._repositories.changed_files(change.project, scene.patch_set.commit)
        except GatebotError:
            return ()
        return tuple(FileLine(one.status, one.path, one.added, one.deleted) for one in found)

    def _quotes(self, scene: Scene) -> tuple[Quote, ...]:
        texts: dict[tuple[str, str], list[str]] = {}

        def line_of(comment: InlineComment) -> str:
            if not comment.line or comment.file == PATCH_SET_LEVEL:
                return ""
            lines = self._text(scene, comment, texts)
            return lines[comment.line - 1] if comment.line <= len(lines) else ""

        return quotes(scene.ground.change, scene.comments, scene.earlier, line_of, self._sender.site, self._gettext)

    def _text(self, scene: Scene, comment: InlineComment, texts: dict[tuple[str, str], list[str]]) -> list[str]:
        """The lines of a file as the comment sees them; of the commit message what people read of it."""
        patch_set = scene.commented[comment.patch_set]
        if comment.file == COMMIT_MESSAGE:
            return commit_message_file(patch_set, {}).splitlines()
        commit = _commit_of(patch_set, comment)
        if (commit, comment.file) not in texts:
            try:
                raw = (
                    self._repositories.read_file(scene.ground.change.project, commit, comment.file) if commit else None
                )
            except GatebotError:
                raw = None
            texts[commit, comment.file] = (raw or b"").decode("utf-8", "replace").splitlines()
        return texts[commit, comment.file]

    def _fetch(self, scene: Scene) -> str:
        return f"  git fetch {self._sender.site}/{scene.ground.change.project} {scene.patch_set.ref}"


def _commit_of(patch_set: PatchSet, comment: InlineComment) -> str:
    if comment.side is Side.REVISION:
        return patch_set.commit
    return patch_set.parents[0] if patch_set.parents else ""


def _kept(written: Letter, happening: Happening, scene: Scene) -> Kept:
    change = scene.ground.change
    return Kept(
        happening.id, happening.at, change.number, change.project, written.kind.value, written.writer,
        written.subject, readable(written.blocks), written.id, written.first,
    )  # fmt: skip


def last_change(entries: Sequence[Entry]) -> int:
    """Where the facts of the last change in a batch begin; all of them, where there is no other change."""
    last = getattr(entries[-1].event, "change", 0)
    cut = len(entries)
    while cut and getattr(entries[cut - 1].event, "change", 0) == last:
        cut -= 1
    return cut or len(entries)

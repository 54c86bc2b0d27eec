# SPDX-License-Identifier: Apache-2.0
"""Gathers the page of one file's difference: texts, rows with their colours, threads at their lines, the other files.

Reading git and drawing lines blocks, so both are done on worker threads. What the reader may not see is not found.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ...access import Actor
from ...errors import NotFound
from ...reasons import reason
from ...repo import FileChange
from ..files.diff_info import Half
from ..files.service import Against, Files, against
from ..model import COMMIT_MESSAGE, InlineComment, PatchSet, Side
from ..reading import ChangeView, Reading
from ..threads.service import Threads
from . import talk
from .looking import WHITESPACE, Asked, last_looked
from .model import Row, Skip, Thread
from .painting import painted

BIG = 2 * 1024 * 1024
_IMAGE = 512 * 1024
_IMAGES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif", b"RIFF": "webp"}
_MESSAGE = FileChange(COMMIT_MESSAGE, COMMIT_MESSAGE, "M", 0, 0, False, 0, 0)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file in the list of a patch set, as the reader stands to it."""

    change: FileChange
    reviewed: bool = False
    threads: int = 0
    unresolved: int = 0
    drafts: int = 0

    @property
    def path(self) -> str:
        """Its name."""
        return self.change.path


@dataclass(frozen=True, slots=True)
class Compared:
    """What a page compares."""

    view: ChangeView
    patch_set: PatchSet
    base: PatchSet | None
    looked: int

    @property
    def against(self) -> Against:
        """The other side, as the files of a patch set take it."""
        return against(self.patch_set, self.view.patch_sets, self.base.number if self.base else None, None)

    def names(self, actor: Actor) -> dict[int, str]:
        """How the page calls accounts; the reader too, who may not have said anything yet but in drafts."""
        reader = {} if actor.account is None else {actor.account: actor.username}
        return reader | {id: account.name or account.username for id, account in self.view.people.items()}

    @property
    def old_side(self) -> tuple[int, str]:
        """Where a comment on the other side belongs: a patch set, and which of its sides."""
        return (self.base.number, Side.REVISION.value) if self.base else (self.patch_set.number, Side.PARENT.value)

    @property
    def shown(self) -> talk.Shown:
        """The same, as threads take it."""
        return talk.Shown(self.patch_set.number, self.base.number if self.base else None)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The rows of a file; `why` says why there are none: `binary`, `big`, `same`."""

    rows: tuple[Row | Skip, ...]
    old: Half
    new: Half
    threads: tuple[Thread, ...]
    why: str = ""
    images: tuple[str, str] = ("", "")

    @property
    def whole(self) -> list[Thread]:
        """What is said of the whole file."""
        return [one for one in self.threads if not one.line or self.why]

    @property
    def at(self) -> Mapping[tuple[str, int], list[Thread]]:
        """What is said of lines."""
        found: dict[tuple[str, int], list[Thread]] = {}
        for one in self.threads:
            found.setdefault((one.side, one.line), []).append(one)
        return found


class Differences:
    """Pages of files."""

    def __init__(self, reading: Reading, files: Files, threads: Threads) -> None:
        self._reading = reading
        self._files = files
        self._threads = threads

    async def compared(self, actor: Actor, number: int, patch_set: int | None, base: int | None) -> Compared:
        """What is compared, and what the reader saw last."""
        view = await self._reading.view(actor, number)
        shown = _patch_set(view, patch_set or view.change.current)
        read = 0
        if actor.account is not None and shown.number > 1:
            read = await self._files.last_reviewed(actor.account, number, shown.number)
        looked = last_looked(view.messages, actor.account, read, shown.number)
        return Compared(view, shown, _patch_set(view, base) if base else None, looked)

    async def listed(self, actor: Actor, what: Compared) -> tuple[Listed, ...]:
        """The files that differ, the message first, with what was said of them and read of them."""
        changed = await self._files.changed(what.view.change.project, what.patch_set, what.against)
        read = frozenset[str]()
        if actor.account is not None:
            read = frozenset(await self._files.reviewed(actor, what.patch_set))
        drafts = await self.drafts(actor, what)
        several = talk.threads(what.view.comments, drafts)
        return tuple(_listed(change, read, several) for change in (_MESSAGE, *changed))

    async def drawn(
        self, actor: Actor, what: Compared, file: FileChange, asked: Asked, known: Collection[str]
    ) -> Drawn:
        """The rows of a file, with the threads on it; `known` are the files of the patch set by all their names.

        What was said of a file that is none of these may be of this one, by another name.
        """
        drafts = await self.drafts(actor, what)
        several = talk.threads(what.view.comments, drafts)
        carried = [
            one for one in talk.carried(several, what.shown)
            if one.file in (file.path, file.old_path) or one.file not in known
        ]  # fmt: skip
        come = {one.id for one in carried}
        here = [one for one in several if one[0].file in (file.path, file.old_path) or one[0].id in come]
        project = what.view.change.project
        moved = await self._threads.ported(project, carried, what.view.patch_sets, what.patch_set) if carried else ()
        people = what.names(actor)
        ids = frozenset(one.id for one in drafts)
        placed = talk.placed(here, {one.id: one for one in moved if one.file == file.path}, what.shown, ids, people)
        return await asyncio.to_thread(self._draw, project, what, file, asked, placed)

    def _draw(self, project: str, what: Compared, file: FileChange, asked: Asked, threads: Sequence[Thread]) -> Drawn:
        texts, other = self._files.texts(project), what.against
        sizes = [one.size for commit, path in ((other.commit, file.old_path), (what.patch_set.commit, file.path))
                 if commit and path and (one := texts.entry(commit, path))]  # fmt: skip
        if max(sizes, default=0) > BIG:
            return Drawn((), Half(), Half(), tuple(threads), "big")
        old = self._files.half(texts, project, other.commit, file.old_path or file.path, other.patch_set)
        new = self._files.half(texts, project, what.patch_set.commit, file.path, what.patch_set)
        if old.binary or new.binary:
            images = (_image(texts.data(old.id)) if old.id else "", _image(texts.data(new.id)) if new.id else "")
            return Drawn((), old, new, tuple(threads), "binary", images)
        pieces = texts.pieces(old.text, new.text, WHITESPACE[asked.whitespace])
        rows, counts = painted(old, new, pieces, asked, threads)
        return Drawn(rows, old, new, tuple(talk.fit(threads, *counts)), "" if pieces or asked.more else "same")

    async def drafts(self, actor: Actor, what: Compared) -> tuple[InlineComment, ...]:
        """What the reader has not published on the change."""
        if actor.account is None:
            return ()
        mine = await self._threads.drafts(actor, what.view.change.number)
        return tuple(one.as_comment() for one in mine)


def _listed(change: FileChange, read: frozenset[str], several: Sequence[Sequence[InlineComment]]) -> Listed:
    here = [one for one in several if one[0].file == change.path]
    published = [one for one in here if one[0].message]
    unresolved = sum(talk.is_open(one) for one in published)
    drafts = sum(not comment.message for one in here for comment in one)
    return Listed(change, change.path in read, len(published), unresolved, drafts)


def _image(data: bytes) -> str:
    """A picture that browsers know, as an address that holds it; by what it is, never by its name."""
    kind = next((kind for begin, kind in _IMAGES.items() if data.startswith(begin)), "")
    if not kind or len(data) > _IMAGE:
        return ""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _patch_set(view: ChangeView, number: int) -> PatchSet:
    found = next((one for one in view.patch_sets if one.number == number), None)
    if found is None:
        raise NotFound(reason=reason("review.no-such-patch-set", change=view.change.number, patch_set=number))
    return found

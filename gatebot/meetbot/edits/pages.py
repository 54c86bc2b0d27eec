# SPDX-License-Identifier: Apache-2.0
"""The page on which minutes are changed after the end: by who led the meeting, or by an administrator.

What was there before stays in the record and is shown in the minutes. One form holds all items, each with the words it
was made from: what somebody else changed meanwhile is shown, and what was typed stays. Nothing is decided here but who
may come in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from ...access import Actor
from ...clock import Clock
from ...db import Database
from ...errors import Conflict, NotFound, NotPermitted
from ...reasons import reason
from ...site import Site
from .. import archive
from ..archive import MeetingRow
from ..model import Setting
from . import store
from .store import Change, Clash, one_line

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """An item in the form: `was` as it is now, `text` as it was typed; `clash` where somebody else changed it."""

    place: int
    kind: str
    was: str
    text: str
    clash: Clash | None = None


class EditPages:
    """Handlers of `/meeting/ID/edit`; `write` writes the files of a meeting anew."""

    def __init__(
        self, site: Site, db: Database, clock: Clock, ways: Setting, is_admin: Callable[[Actor], bool],
        write: Callable[[int], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._site = site
        self._db = db
        self._clock = clock
        self._ways = ways
        self._is_admin = is_admin
        self._write = write

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get(r"/meeting/{id:\d{1,9}}/edit", self._form),
            web.post(r"/meeting/{id:\d{1,9}}/edit", self._change),
        ]

    async def _editable(self, request: web.Request) -> tuple[MeetingRow, str]:
        """The meeting, and the name of who may change its minutes."""
        account = self._site.require(request)
        row = await self._db.read(archive.meeting, int(request.match_info["id"]))
        if row is None:
            raise NotFound(reason=reason("meetbot.no-such-meeting"))
        led = await self._db.read(store.led_by, row.id, account.id, account.username)
        if not led and not self._is_admin(account.actor):
            raise NotPermitted(reason=reason("meetbot.not-a-chair"))
        if row.ended is None:
            raise Conflict(reason=reason("meetbot.still-running"))
        return row, account.username

    async def _form(self, request: web.Request) -> web.StreamResponse:
        row, _ = await self._editable(request)
        return await self._show(request, row, {}, {})

    async def _show(
        self, request: web.Request, row: MeetingRow, form: Mapping[str, str], clashes: Mapping[int, Clash]
    ) -> web.Response:
        """The form; with what was typed, where that could not be saved."""
        minutes = await self._db.read(archive.minutes, row, self._ways)
        kinds = {
            place: (item.kind.value, one_line(item.text))
            for place, item in zip(minutes.places, minutes.items, strict=True)
        }
        kinds |= {place: (clash.kind, clash.text) for place, clash in clashes.items()}
        rows = [
            Row(place, kind, was, _typed(form, place, was), clashes.get(place))
            for place, (kind, was) in sorted(kinds.items())
        ]
        return self._site.render(
            request, "meetbot/edit.html", status=409 if clashes else 200, row=row, minutes=minutes, rows=rows,
            clashes=clashes, addable=store.ADDABLE, kind=form.get("kind", "info"), text=form.get("text", ""),
        )  # fmt: skip

    async def _change(self, request: web.Request) -> web.StreamResponse:
        row, who = await self._editable(request)
        form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        added = form.get("kind", ""), one_line(form.get("text", ""))[:_LONGEST]
        changes = _changes(form)
        clashes = await self._db.run(store.save, row.id, changes, added, who, self._clock.now())
        if clashes is None:
            raise NotFound(reason=reason("meetbot.no-such-item"))
        if clashes:
            return await self._show(request, row, form, clashes)
        await self._write(row.id)
        told = reason("meetbot.minutes-saved" if changes or added[1] else "meetbot.minutes-as-they-were")
        return self._site.redirect(request, f"/meeting/{row.id}", told)


def _changes(form: Mapping[str, str]) -> list[Change]:
    """The items that somebody typed something else into than he read there."""
    found: list[Change] = []
    for key, was in form.items():
        place = key.removeprefix("was-")
        if place == key or not (place.isascii() and place.isdigit() and len(place) < 10) or f"text-{place}" not in form:
            continue
        text = one_line(form[f"text-{place}"])
        if text != one_line(was):
            found.append(Change(int(place), was, text[:_LONGEST]))
    return found


def _typed(form: Mapping[str, str], place: int, was: str) -> str:
    """What stands in a field: what was typed there, if that is something else than was read there."""
    typed = form.get(f"text-{place}", was)
    return typed if one_line(typed) != one_line(form.get(f"was-{place}", "")) else was

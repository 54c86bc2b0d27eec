# SPDX-License-Identifier: Apache-2.0
"""The pages of what outlives meetings, `/actions` and `/decisions`, and the same for programs below `/api/`.

Everybody reads, but what restricted minutes hold is for people with an account; who is signed in closes an action and
opens it again. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import web

from ...clock import Clock
from ...db import Database
from ...errors import NotFound
from ...reasons import reason
from ...site import Site
from .. import linkify, names
from ..ports import States
from . import store
from .model import Action, Decision, How

_RECENT = 50


class MemoryPages:
    """Handlers of the register and of the decisions."""

    def __init__(self, site: Site, db: Database, clock: Clock, states: States | None = None) -> None:
        self._site = site
        self._db = db
        self._clock = clock
        self._states = states or linkify.Unknown()

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/actions", self._actions),
            web.get(r"/actions/{id:\d{1,9}}", self._action),
            web.post(r"/actions/{id:\d{1,9}}", self._change),
            web.get("/decisions", self._decisions),
            web.get("/api/actions", self._actions_json),
            web.get("/api/decisions", self._decisions_json),
        ]

    async def _actions(self, request: web.Request) -> web.StreamResponse:
        name, person = request.query.get("meeting", ""), request.query.get("person", "")
        opened = await self._listed(request, is_open=True)
        closed = (await self._listed(request, is_open=False))[:_RECENT]
        people = by_person(opened)
        if person:
            people = [(nick, actions) for nick, actions in people if nick.casefold() == person.casefold()]
        shown = await self._shown(request, (one.text for one in (*opened, *closed)))
        return self._site.render(
            request, "meetbot/actions.html", people=people, closed=closed, name=name, person=person, **shown
        )

    async def _action(self, request: web.Request) -> web.StreamResponse:
        action = await self._db.read(store.action, int(request.match_info["id"]))
        if action is None or action.meeting in await self._hidden(request):
            raise NotFound(reason=reason("meetbot.no-such-action"))
        shown = await self._shown(request, [action.text])
        return self._site.render(request, "meetbot/action.html", action=action, **shown)

    async def _change(self, request: web.Request) -> web.StreamResponse:
        account = self._site.require(request)
        id, form = int(request.match_info["id"]), await request.post()
        if form.get("do") == "reopen":
            known = await self._db.run(store.reopen, id)
        else:
            await self._db.run(store.close, id, self._clock.now(), account.username, How.PAGE)
            known = await self._db.read(store.action, id) is not None
        if not known:
            raise NotFound(reason=reason("meetbot.no-such-action"))
        return self._site.redirect(request, f"/actions/{id}")

    async def _decisions(self, request: web.Request) -> web.StreamResponse:
        name = request.query.get("meeting", "")
        found = await self._decided(request)
        shown = await self._shown(request, (one.text for one in found))
        return self._site.render(request, "meetbot/decisions.html", found=found, name=name, **shown)

    async def _shown(self, request: web.Request, texts: Iterable[str]) -> dict[str, Any]:
        """What every page here needs: how texts are told, with the states of what they name."""
        known = await linkify.known(self._states, self._site.actor(request), self._site.settings.url, texts)
        return {"pieces": known.pieces, "live": f"meetings{known.topics}", "line_path": names.line_path}

    async def _actions_json(self, request: web.Request) -> web.StreamResponse:
        found = await self._listed(request, is_open="closed" not in request.query)
        return web.json_response([_json(action) for action in found])

    async def _decisions_json(self, request: web.Request) -> web.StreamResponse:
        found = await self._decided(request)
        return web.json_response([asdict(one) | {"at": one.at.isoformat()} for one in found])

    async def _hidden(self, request: web.Request) -> frozenset[int]:
        """Meetings whose minutes are not for who asks."""
        return frozenset() if self._site.account(request) else await self._db.read(store.restricted)

    async def _listed(self, request: web.Request, *, is_open: bool) -> list[Action]:
        hidden, name = await self._hidden(request), request.query.get("meeting", "")
        found = await self._db.read(store.actions, is_open=is_open, name=name)
        return [action for action in found if action.meeting not in hidden]

    async def _decided(self, request: web.Request) -> list[Decision]:
        hidden = await self._hidden(request)
        found = await self._db.read(store.decisions, request.query.get("meeting", ""), 200)
        return [one for one in found if one.meeting not in hidden]


def by_person(actions: Sequence[Action]) -> list[tuple[str, list[Action]]]:
    """Actions by whom they name, people in alphabetical order; those of nobody last, under no name."""
    people: dict[str, list[Action]] = {}
    for action in actions:
        for nick in action.people or ("",):
            people.setdefault(nick, []).append(action)
    return sorted(people.items(), key=lambda pair: (pair[0] == "", pair[0].casefold()))


def _json(action: Action) -> dict[str, object]:
    closed = action.closed.isoformat() if action.closed else None
    path = names.line_path(action.channel, action.at, action.line)
    told: dict[str, object] = asdict(action)
    return told | {"at": action.at.isoformat(), "closed": closed, "path": path}

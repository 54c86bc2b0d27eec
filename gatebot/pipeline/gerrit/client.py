# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST, as much of it as the gate uses. Every call has a time limit; what may pass by is tried again.

An answer that will stay the same however often it is asked for is an error of its own: `Refused`, with Gerrit's words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

import aiohttp
from yarl import URL

from ...clock import Clock
from ...errors import Refused, Unavailable
from .model import Json
from .reading import OPTIONS

_PREFIX = ")]}'"
_SECONDS = 30
_TRIES = 3
_PAUSE = 2.0
_PAGE = 200
_LATER = (408, 429, 500, 502, 503, 504)


class Client:
    """One account's calls. `close` it."""

    def __init__(self, url: str, user: str, password: str, clock: Clock) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Accept": "application/json", "Authorization": aiohttp.encode_basic_auth(user, password)}
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def change(self, project: str, number: int) -> Json | None:
        """One change with everything that is read of it; None: there is none, or none that we may see."""
        options = "&".join(f"o={option}" for option in OPTIONS)
        return await self._ask("GET", f"changes/{_change(project, number)}?{options}")

    async def find(self, number: int) -> str | None:
        """The project of a change of which only the number is known."""
        found = await self._ask("GET", f"changes/?q=change:{number}&n=1")
        return str(found[0]["project"]) if found else None

    async def query(self, text: str) -> list[Json]:
        """All changes that a query finds, in short."""
        found: list[Json] = []
        while True:
            page: list[Json] = await self._ask("GET", f"changes/?q={quote(text)}&n={_PAGE}&S={len(found)}") or []
            found += page
            if not page or not page[-1].get("_more_changes"):
                return found

    async def comments(self, project: str, number: int) -> Json:
        """The inline comments of a change, by file."""
        return await self._ask("GET", f"changes/{_change(project, number)}/comments") or {}

    async def together(self, project: str, number: int) -> tuple[set[int], int]:
        """The changes that submitting one would submit, and how many more there are that we may not see."""
        found = await self._ask("GET", f"changes/{_change(project, number)}/submitted_together?o=NON_VISIBLE_CHANGES")
        told: Json = found or {}
        return {int(one["_number"]) for one in told.get("changes", ())}, int(told.get("non_visible_changes", 0))

    async def review(self, project: str, number: int, patch_set: int, body: Mapping[str, object]) -> None:
        """Comment and vote on a patch set."""
        await self._ask("POST", f"changes/{_change(project, number)}/revisions/{patch_set}/review", body)

    async def unwilling(self, project: str, number: int) -> str:
        """Why Gerrit would not submit a change now, in its words; empty: it offers to."""
        found = await self._ask("GET", f"changes/{_change(project, number)}/revisions/current/actions")
        offered: Json = found or {}
        if "submit" not in offered:
            return "submit not permitted"
        submit: Json = offered["submit"]
        return "" if submit.get("enabled") else str(submit.get("title") or "submit is not offered")

    async def submit(self, project: str, number: int) -> None:
        """Merge a change; `Refused` when Gerrit does not want to."""
        await self._ask("POST", f"changes/{_change(project, number)}/submit", {})

    async def _ask(self, method: str, path: str, body: object = None) -> Any:
        """One call; None for what is not there."""
        status, text = 0, ""
        for left in reversed(range(_TRIES)):
            try:
                status, text = await self._send(method, path, body)
            except (aiohttp.ClientError, TimeoutError) as error:
                status, text = 503, str(error) or type(error).__name__
            if status == 404:
                return None
            if 200 <= status < 300:
                return _read(text)
            if status == 401:
                raise Unavailable(f"{self._url} does not know the account or its HTTP password: {text}")
            if status not in _LATER:
                raise Refused(text.strip() or f"{method} was answered with {status}")
            if left:
                await self._clock.sleep(_PAUSE)
        raise Unavailable(f"{self._url} does not answer ({status}): {text.strip()[:200]}")

    async def _send(self, method: str, path: str, body: object) -> tuple[int, str]:
        if self._session is None:
            limit = aiohttp.ClientTimeout(total=_SECONDS)
            self._session = aiohttp.ClientSession(timeout=limit, headers=self._headers)
        data = None if body is None else json.dumps(body)
        kind = {"Content-Type": "application/json; charset=UTF-8"} if data is not None else {}
        url = URL(f"{self._url}/a/{path}", encoded=True)
        async with self._session.request(method, url, data=data, headers=kind) as answer:
            return answer.status, await answer.text()


def _change(project: str, number: int) -> str:
    return f"{quote(project, safe='')}~{number}"


def _read(text: str) -> Any:
    return json.loads(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else cast("Any", text)

# SPDX-License-Identifier: Apache-2.0
"""The schedule for programs: files of meetings checked before they are the site's own.

`POST /api/meetings/check` is what the job meeting-conflicts asks: it needs no sign-in, changes nothing, and takes no
more than fits into one directory.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import date
from typing import cast

from aiohttp import web

from ... import words
from ...clock import Clock
from ...errors import Invalid
from ...reasons import reason
from .checking import MONTHS, problems, told
from .reading import read

MOST_FILES = 500
_MOST_BYTES = 4 * 1024 * 1024


class ScheduleRest:
    """Handlers below `/api/meetings/`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [web.post("/api/meetings/check", self._check)]

    async def _check(self, request: web.Request) -> web.StreamResponse:
        files, months = _asked(await _body(request))
        return web.json_response(await asyncio.to_thread(_checked, files, self._clock.now().date(), months))


async def _body(request: web.Request) -> object:
    refused = Invalid(reason=reason("meetbot.schedule-bad-check", most=MOST_FILES))
    if request.content_length is not None and request.content_length > _MOST_BYTES:
        raise refused
    data = await request.content.read(_MOST_BYTES + 1)
    while len(data) <= _MOST_BYTES and (piece := await request.content.read(_MOST_BYTES)):
        data += piece
    if len(data) > _MOST_BYTES:
        raise refused
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise refused from None


def _asked(body: object) -> tuple[Mapping[str, bytes], int]:
    """The files and the months; a text of another encoding than UTF-8 comes with its bytes escaped."""
    refused = Invalid(reason=reason("meetbot.schedule-bad-check", most=MOST_FILES))
    if not isinstance(body, dict):
        raise refused
    given = cast(dict[str, object], body)
    files, months = given.get("files"), given.get("months", MONTHS)
    if not isinstance(files, dict) or len(cast(dict[str, object], files)) > MOST_FILES:
        raise refused
    if not isinstance(months, int) or isinstance(months, bool) or not 1 <= months <= 240:
        raise refused
    texts = cast(dict[str, object], files)
    if not all(isinstance(text, str) for text in texts.values()):
        raise refused
    try:
        return {path: str(text).encode("utf-8", "surrogateescape") for path, text in texts.items()}, months
    except UnicodeEncodeError:
        raise refused from None


def _checked(files: Mapping[str, bytes], since: date, months: int) -> dict[str, object]:
    schedule = read(files)
    found = [
        {"file": flaw.path, "line": flaw.line, "message": words.say(flaw.reason), "text": told(flaw, words.say)}
        for flaw in problems(schedule, since, months)
    ]
    return {"meetings": len(schedule.meetings), "problems": found}

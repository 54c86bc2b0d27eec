# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls on what the server has for everybody: capabilities, menus, preferences until one chooses; and how
it is loaded, for those who maintain it.

Thin, and nothing of it is stored.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

from ...access import CAPABILITIES, SITE, Verb
from ...access_rules import LIMITS
from ...assignment import Json
from ..answers import Handler, json_answer
from ..people.preferences import shown
from ..permission import require
from ..shaper import Calls, Shaper
from .tasks import Tasks

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_WORDS = {"GC": "Garbage Collection"}


class RestServer(Calls):
    """`/config/server/` `capabilities`, `top-menus`, `preferences`, `summary`."""

    def __init__(self, shaper: Shaper, tasks: Tasks) -> None:
        super().__init__(shaper)
        self._tasks = tasks

    def table(self) -> Iterable[tuple[str, str, Handler]]:
        """Method, path, handler."""
        server = "/config/server"
        return (
            ("GET", f"{server}/capabilities", self._capabilities),
            ("GET", f"{server}/top-menus", self._menus),
            *(("GET", f"{server}/preferences{end}", self._preferences) for end in ("", ".diff", ".edit")),
            ("GET", f"{server}/summary", self._summary),
        )

    async def _capabilities(self, request: web.Request) -> web.StreamResponse:
        """Every capability that a project.config of All-Projects may grant."""
        names = [*(verb.value for verb in CAPABILITIES), *LIMITS]
        return json_answer(request, {name: {"id": name, "name": spoken(name)} for name in sorted(names)})

    async def _menus(self, request: web.Request) -> web.StreamResponse:
        """None: no plugin adds any."""
        return json_answer(request, [])

    async def _preferences(self, request: web.Request) -> web.StreamResponse:
        """What holds for an account until it chooses."""
        return json_answer(request, shown(request.path.rstrip("/").rpartition("preferences")[2][1:] or "general", {}))

    async def _summary(self, request: web.Request) -> web.StreamResponse:
        """Gerrit's SummaryInfo, of what there is here; `/metrics` tells more."""
        require(self._asker.actor(request), Verb.MAINTAIN_SERVER, SITE, self._room.rules)
        running = len(self._tasks.all())
        told: dict[str, Json] = {
            "task_summary": {"total": running, "running": running},
            "mem_summary": _memory(),
            "thread_summary": {"cpus": os.cpu_count() or 1, "threads": threading.active_count()},
        }
        return json_answer(request, told)


def spoken(name: str) -> str:
    """The name of a capability for people: `viewCaches` is View Caches."""
    words: list[str] = _WORD.findall(name)
    return " ".join(_WORDS.get(word, word[:1].upper() + word[1:]) for word in words)


def _memory() -> dict[str, Json]:
    """What this process uses, where the system tells it."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        files = len(os.listdir("/proc/self/fd"))
    except (OSError, ValueError, IndexError):
        return {}
    return {"used": f"{pages * os.sysconf('SC_PAGE_SIZE') / 1024 / 1024:.2f}m", "open_files": files}

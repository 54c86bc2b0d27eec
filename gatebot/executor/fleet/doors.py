# SPDX-License-Identifier: Apache-2.0
"""What executors on other machines ask of the server, by HTTP: to come, to claim, to report, to bring logs and files.

Nobody gets here by an account. An executor shows its token, or the pass of a build, which ends with the build's fence;
whatever is asked with a stale one is refused. git for builds is in `git_door.py`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar, cast

import msgspec
from aiohttp import web

from ...assignment import Assignment, GivenNode, Json, Playbook
from ...errors import Invalid, TooLarge
from ...events import BuildCompleted, BuildPaused
from ...keys import boxes
from ...reasons import Reason, reason
from ..model import MIB
from ..ports import Reports
from .fleet import Fleet
from .model import BUILD, EXECUTOR, Claim, Claimed, Session, about_secrets
from .received import Received
from .service import Enrolment

MACHINES = "/api/executor/"
"""All addresses below are for machines, which no account signs."""
_PIECE = 4 * MIB
_CHUNK = 64 * 1024
_MOST_NODES = 100


@dataclass(frozen=True, slots=True)
class Parts:
    """What the doors work with. `session` is what every executor is told, but for its name and pass."""

    enrolment: Enrolment
    fleet: Fleet
    received: Received
    reports: Reports
    session: Session
    labels: Callable[[], Mapping[str, Mapping[str, object]]]


def routes(parts: Parts) -> list[web.RouteDef]:
    """All routes but those of git."""
    doors = Doors(parts)
    build = f"{MACHINES}builds/{{build}}"
    return [
        web.post(f"{MACHINES}enrol", doors.enrol),
        web.post(f"{MACHINES}session", doors.session),
        web.post(f"{build}/claim", doors.claim),
        web.post(f"{build}/reports/{{report}}", doors.report),
        web.get(f"{build}/log", doors.log_size),
        web.put(f"{build}/log", doors.log),
        web.put(f"{build}/files/{{file:.+}}", doors.file),
    ]


class Doors:
    """Handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._reporting = _reporting(parts.reports)

    async def enrol(self, request: web.Request) -> web.StreamResponse:
        """A machine comes for the first time."""
        body = await _body(request)
        key, version = str(body.get("key", "")), str(body.get("version", ""))[:40]
        name, token = await self._parts.enrolment.admit(request.headers.get(EXECUTOR, ""), key, version)
        return web.json_response({"name": name, "token": token})

    async def session(self, request: web.Request) -> web.StreamResponse:
        """An executor begins, or lost its connection: where NATS is, and a pass for it."""
        known = await self._parts.enrolment.known(request.headers.get(EXECUTOR, ""))
        nats_pass = self._parts.enrolment.passes.for_nats(known.name)
        return _json(replace(self._parts.session, name=known.name, nats_pass=nats_pass))

    async def claim(self, request: web.Request) -> web.StreamResponse:
        """An executor takes a build that it was offered."""
        known = await self._parts.enrolment.known(request.headers.get(EXECUTOR, ""))
        build, fence = request.match_info["build"], _number((await _body(request)).get("fence"))
        given = await self._parts.fleet.claim(known.name, build, fence)
        secret = json.dumps({"secrets": given.secrets, "secret_data": given.secret_data}).encode()
        return _json(
            Claimed(
                replace(given, secrets={}, secret_data={}),
                boxes.encrypt(known.key, about_secrets(build, fence), secret),
                self._parts.enrolment.passes.for_build(known.name, build, fence),
                self._labels(given),
            )
        )

    def _labels(self, given: Assignment) -> Mapping[str, Mapping[str, str | int | float | bool]]:
        known = self._parts.labels()
        wanted = [node.label for choice in (given.job, *given.job.alternatives) for node in choice.nodes]
        found = {name: dict(known[name]) for name in wanted if name in known}
        return cast("dict[str, dict[str, str | int | float | bool]]", found)

    async def report(self, request: web.Request) -> web.StreamResponse:
        """What `Reports` hears; the answer is its answer."""
        claim = await self._claim(request)
        tell = self._reporting.get(request.match_info["report"])
        if tell is None:
            raise Invalid(reason=reason("executor.no-such-report", name=request.match_info["report"][:40]))
        body = await request.read()
        if tell is self._reporting["completed"]:
            return web.json_response({"answer": await self._completed(claim, body)})
        return web.json_response({"answer": await tell(claim, body)})

    async def _completed(self, claim: Claim, body: bytes) -> Json:
        """The lines of the log are counted from where this run's log begins."""
        before = self._parts.received.lines_before(claim)
        told = _read(body, BuildCompleted)
        event = replace(told, build=claim.build, fence=claim.fence)
        if event.error_line:
            event = replace(event, error_line=event.error_line + before)
        mine = await self._parts.reports.completed(event)
        await self._parts.fleet.over(claim.build)
        return mine

    async def log_size(self, request: web.Request) -> web.StreamResponse:
        """How much of the run's log has arrived."""
        claim = await self._claim(request)
        return web.json_response({"size": self._parts.received.have(claim)})

    async def log(self, request: web.Request) -> web.StreamResponse:
        """A piece of the log, from `offset` of this run's on."""
        claim = await self._claim(request)
        offset = _number(request.query.get("offset"))
        data = await _piece(request)
        return web.json_response({"size": self._parts.received.append(claim, offset, data)})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """An artifact, or another file that is kept with the log."""
        claim = await self._claim(request)
        pieces = request.content.iter_chunked(_CHUNK)
        await self._parts.received.keep(claim, request.match_info["file"], pieces)
        return web.Response(status=204)

    async def _claim(self, request: web.Request) -> Claim:
        return await self._parts.enrolment.speaking(request.headers.get(BUILD, ""), request.match_info["build"])


T = TypeVar("T")
Tell = Callable[[Claim, bytes], Awaitable[Json]]


def _reporting(reports: Reports) -> Mapping[str, Tell]:
    """What may be reported, by name; a claim says of which build and run."""

    async def started(claim: Claim, body: bytes) -> Json:
        nodes = [replace(one, executor=claim.executor) for one in _read(body, tuple[GivenNode, ...])[:_MOST_NODES]]
        return await reports.started(claim.build, claim.fence, nodes)

    async def failing(claim: Claim, body: bytes) -> Json:
        return await reports.failing(claim.build, claim.fence, _read(body, Reason))

    async def paused(claim: Claim, body: bytes) -> Json:
        return await reports.paused(replace(_read(body, BuildPaused), build=claim.build, fence=claim.fence))

    async def semaphores(claim: Claim, body: bytes) -> Json:
        return await reports.semaphores(claim.build, claim.fence, _read(body, tuple[str, ...]))

    async def released(claim: Claim, body: bytes) -> Json:
        return await reports.released(claim.build, claim.fence, _read(body, tuple[str, ...]))

    async def hold(claim: Claim, body: bytes) -> Json:
        return msgspec.to_builtins(await reports.hold(claim.build, claim.fence, _read(body, str)))

    async def tokens(claim: Claim, body: bytes) -> Json:
        return dict(await reports.tokens(claim.build, claim.fence, _read(body, Playbook)))

    async def secret_data(claim: Claim, body: bytes) -> Json:
        return await reports.secret_data(claim.build, claim.fence, _read(body, dict[str, Json]))

    async def completed(claim: Claim, body: bytes) -> Json:
        return await reports.completed(_read(body, BuildCompleted))

    tells: tuple[Tell, ...] = (started, failing, paused, semaphores, released, hold, tokens, secret_data, completed)
    return {tell.__name__: tell for tell in tells}  # pyright: ignore[reportAttributeAccessIssue]


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise Invalid(reason=reason("executor.bad-report", told=str(problem)[:200])) from None


async def _body(request: web.Request) -> dict[str, Json]:
    return _read(await request.read() or b"{}", dict[str, Json])


async def _piece(request: web.Request) -> bytes:
    taken = bytearray()
    async for piece in request.content.iter_chunked(_CHUNK):
        taken += piece
        if len(taken) > _PIECE:
            raise TooLarge(reason=reason("executor.piece-too-large", limit=_PIECE // MIB))
    return bytes(taken)


def _number(given: Json) -> int:
    told = str(given) if isinstance(given, int | str) and not isinstance(given, bool) else ""
    if not told.isdecimal() or len(told) > 18:
        raise Invalid(reason=reason("executor.no-number", text=told[:40]))
    return int(told)


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")

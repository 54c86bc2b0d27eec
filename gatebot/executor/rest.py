# SPDX-License-Identifier: Apache-2.0
"""Logs and artifacts over HTTP: text by ranges, live by server-sent events, files as the job left them.

Anybody who may read the build may read these; `allowed` decides that. Artifacts are written by strangers:
browsers get them without scripts and without this site's cookies' powers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import hdrs, web

from ..errors import Invalid, NotFound
from .logs import ARTIFACTS, BUILD_ID, OUTPUT, Logs

#: Raises `NotFound` unless the asker may read the build.
Allowed = Callable[[web.Request, str], Awaitable[None]]
_PATIENCE = 15.0
_DIGITS = 15  # of an offset or a line
_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"


def routes(logs: Logs, allowed: Allowed) -> list[web.RouteDef]:
    """`/logs/BUILD/...` are files; `/api/build/BUILD/log` follows, `.../lines` cuts out."""

    async def file(request: web.Request) -> web.StreamResponse:
        build = await _build(request, allowed)
        root = logs.directory(build)
        path = _inside(root, request.match_info["path"])
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": _SANDBOX}
        if path == root / OUTPUT:
            headers[hdrs.CONTENT_TYPE] = "text/plain; charset=utf-8"
        return web.FileResponse(path, headers=headers)

    async def listing(request: web.Request) -> web.StreamResponse:
        build = await _build(request, allowed)
        found = [{"name": name, "url": f"/logs/{build}/{ARTIFACTS}/{name}"} for name in logs.artifacts(build)]
        return web.json_response({"log": f"/logs/{build}/{OUTPUT}", "size": logs.size(build), "artifacts": found})

    async def lines(request: web.Request) -> web.StreamResponse:
        build = await _build(request, allowed)
        first, count = _number(request, "first", 1), min(_number(request, "count", 200), 5000)
        told = await asyncio.to_thread(logs.lines, build, first, count)
        return web.json_response({"first": first, "lines": told, "total": logs.line_count(build)})

    async def live(request: web.Request) -> web.StreamResponse:
        build = await _build(request, allowed)
        return await _stream(request, logs, build)

    return [
        web.get("/logs/{build}/", listing),
        web.get("/logs/{build}/{path:.+}", file),
        web.get("/api/build/{build}/log", live),
        web.get("/api/build/{build}/log/lines", lines),
    ]


async def _build(request: web.Request, allowed: Allowed) -> str:
    build = request.match_info["build"]
    if not BUILD_ID.fullmatch(build):
        raise NotFound("There is no such build.")
    await allowed(request, build)
    return build


def _inside(root: Path, name: str) -> Path:
    """A plain file below the build's directory; nothing hidden, nothing elsewhere."""
    hidden = any(part.startswith(".") for part in Path(name).parts[:1])
    try:
        path = (root / name).resolve()
        if not hidden and path.is_relative_to(root.resolve()) and path.is_file():
            return path
    except (OSError, ValueError):  # no name that a file can have
        pass
    raise NotFound("There is no such file in the logs of this build.")


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise Invalid(f"{name}: {text!r} is not a number.")
    return int(text)


async def _stream(request: web.Request, logs: Logs, build: str) -> web.StreamResponse:
    """Server-sent events; the id of each is the offset to resume from (`Last-Event-ID`, or `?offset=`)."""
    resumed = request.headers.get("Last-Event-ID", "")
    offset = int(resumed) if resumed.isdecimal() and len(resumed) <= _DIGITS else _number(request, "offset", 0)
    if hdrs.ACCEPT in request.headers and "text/event-stream" not in request.headers[hdrs.ACCEPT]:
        return await _plain(request, logs, build, offset)
    response = web.StreamResponse(headers={hdrs.CACHE_CONTROL: "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    await response.prepare(request)
    pieces = logs.follow(build, offset)
    following = asyncio.ensure_future(anext(pieces))
    try:
        while True:
            done, _ = await asyncio.wait([following], timeout=_PATIENCE)
            if not done:
                await response.write(b": waiting\n\n")
                continue
            try:
                offset, piece = following.result()
            except StopAsyncIteration:
                break
            text = json.dumps(piece.decode("utf-8", "replace"))
            await response.write(f"id: {offset}\nevent: log\ndata: {text}\n\n".encode())
            following = asyncio.ensure_future(anext(pieces))
        await response.write(f"id: {offset}\nevent: end\ndata: \n\n".encode())
    finally:
        following.cancel()
    return response


async def _plain(request: web.Request, logs: Logs, build: str, offset: int) -> web.StreamResponse:
    """The same as text, for `gatebot build log -f` and curl: it ends with the build."""
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/plain; charset=utf-8"})
    await response.prepare(request)
    async for _, piece in logs.follow(build, offset):
        await response.write(piece)
    return response

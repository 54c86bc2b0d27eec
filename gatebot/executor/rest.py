# SPDX-License-Identifier: Apache-2.0
"""Logs and artifacts over HTTP: text by ranges, live by server-sent events, files as the job left them.

Anybody who may read the build may read these; `allowed` decides that. Artifacts are written by strangers:
browsers get them without scripts and without this site's cookies' powers.
"""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath

import msgspec
from aiohttp import hdrs, web

from ..errors import Invalid, NotFound
from .logs import ARTIFACTS, BUILD_ID, OUTPUT, Logs

#: Raises `NotFound` unless the asker may read the build.
Allowed = Callable[[web.Request, str], Awaitable[None]]
#: Raises `Gone` when what a build left was taken away, or the file of a name was.
Check = Callable[[str, str], Awaitable[None]]
_PATIENCE = 15.0
_SLOW = 10.0  # seconds a reader may take for one piece
_FAR_PIECE = 1024 * 1024
#: What browsers may show, sandboxed; they download everything else.
_SHOWN = frozenset(
    f".{kind}"
    for kind in "txt log json xml csv md html htm css svg pdf png jpg jpeg gif webp".split()  # noqa: SIM905
) | {""}
_DIGITS = 15  # of an offset or a line
_SANDBOX = "sandbox; default-src 'none'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:"


def routes(logs: Logs, allowed: Allowed, check: Check | None = None) -> list[web.RouteDef]:
    """`/logs/BUILD/...` are files; `/api/build/BUILD/log` follows, `.../lines` cuts out."""

    async def the_build(request: web.Request) -> str:
        build = await _build(request, allowed)
        if check is not None:
            await check(build, request.match_info.get("path", ""))
        return build

    async def file(request: web.Request) -> web.StreamResponse:
        build = await the_build(request)
        name = request.match_info["path"]
        path = await asyncio.to_thread(logs.shelf.local, build, name)
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": _SANDBOX}
        if name == OUTPUT:
            headers[hdrs.CONTENT_TYPE] = "text/plain; charset=utf-8"
        elif PurePosixPath(name).suffix.lower() not in _SHOWN:
            headers[hdrs.CONTENT_DISPOSITION] = "attachment"
        if "download" in request.query:
            headers[hdrs.CONTENT_DISPOSITION] = "attachment"
        return web.FileResponse(path, headers=headers) if path else await _from_far(request, logs, build, name, headers)

    async def listing(request: web.Request) -> web.StreamResponse:
        build = await the_build(request)
        files = await asyncio.to_thread(logs.shelf.list, build, ARTIFACTS)
        found = [
            {"name": one.name.removeprefix(f"{ARTIFACTS}/"), "url": f"/logs/{build}/{one.name}", "size": one.size}
            for one in files
        ]
        return web.json_response({"log": f"/logs/{build}/{OUTPUT}", "size": logs.size(build), "artifacts": found})

    async def lines(request: web.Request) -> web.StreamResponse:
        build = await the_build(request)
        first, count = _number(request, "first", 1), min(_number(request, "count", 200), 5000)
        told = await asyncio.to_thread(logs.lines, build, first, count)
        return web.json_response({"first": first, "lines": told, "total": logs.line_count(build)})

    async def live(request: web.Request) -> web.StreamResponse:
        build = await the_build(request)
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


async def _from_far(
    request: web.Request, logs: Logs, build: str, name: str, headers: dict[str, str]
) -> web.StreamResponse:
    """A file that was moved to the far store, by ranges as if it lay here."""
    size = logs.shelf.size(build, name) or 0
    try:
        wanted = request.http_range
    except ValueError:
        raise web.HTTPRequestRangeNotSatisfiable from None
    start, stop, _ = wanted.indices(size)
    part = wanted.start is not None or wanted.stop is not None
    if part and start >= stop:
        return web.Response(status=416, headers={hdrs.CONTENT_RANGE: f"bytes */{size}"})
    headers.setdefault(hdrs.CONTENT_TYPE, mimetypes.guess_type(name)[0] or "application/octet-stream")
    headers |= {hdrs.ACCEPT_RANGES: "bytes", hdrs.CONTENT_LENGTH: str(stop - start)}
    if part:
        headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{stop - 1}/{size}"
    response = web.StreamResponse(status=206 if part else 200, headers=headers)
    await response.prepare(request)
    while start < stop and request.method != hdrs.METH_HEAD:
        piece = await asyncio.to_thread(logs.shelf.read, build, name, start, min(_FAR_PIECE, stop - start))
        if not piece:
            break
        await response.write(piece)
        start += len(piece)
    return response


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
                await _send(request, response, b": waiting\n\n")
                continue
            try:
                offset, piece = following.result()
            except StopAsyncIteration:
                break
            text = msgspec.json.encode(piece.decode("utf-8", "replace"))
            await _send(request, response, b"id: %d\nevent: log\ndata: %b\n\n" % (offset, text))
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
        await _send(request, response, piece)
    return response


async def _send(request: web.Request, response: web.StreamResponse, piece: bytes) -> None:
    """Send a piece; who takes too long for it is let go, and can go on from the last offset."""
    try:
        async with asyncio.timeout(_SLOW):
            await response.write(piece)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the reader is too slow") from None

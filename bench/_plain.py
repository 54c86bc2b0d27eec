# SPDX-License-Identifier: Apache-2.0
"""The plain peer of pushes: git's own CGI program behind aiohttp, and nothing else.

`python -m bench._plain DIRECTORY PORT` serves the repositories of a directory below `/plain/`, to whoever signs in.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Protocol

from aiohttp import web

from gatebot.errors import Unauthenticated
from gatebot.repo import environment


class Signed(Protocol):
    """Who knows whether a request is signed."""

    def account(self, request: web.Request) -> object | None: ...


class Backend:
    """The peer: git's own CGI program behind aiohttp."""

    def __init__(self, frame: Signed, root: Path) -> None:
        self._frame = frame
        self._root = root

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/plain/{path:.+}", self._serve)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self._frame.account(request) is None:
            raise Unauthenticated
        env = {
            **environment(),
            "GIT_PROJECT_ROOT": str(self._root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "mina",
            "PATH_INFO": "/" + request.match_info["path"],
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec("git", "http-backend", env=env, stdin=pipe, stdout=pipe)
        assert process.stdin is not None
        assert process.stdout is not None
        async for chunk in request.content.iter_chunked(65536):
            process.stdin.write(chunk)
            await process.stdin.drain()
        process.stdin.close()
        head = await process.stdout.readuntil(b"\r\n\r\n")
        response = web.StreamResponse()
        for line in head.decode().splitlines():
            name, _, value = line.partition(": ")
            if name == "Status":
                response.set_status(int(value.split()[0]))
            elif name:
                response.headers[name] = value
        await response.prepare(request)
        while chunk := await process.stdout.read(65536):
            await response.write(chunk)
        await process.wait()
        await response.write_eof()
        return response


class Anybody:
    """Whoever gives a name is believed."""

    def account(self, request: web.Request) -> object | None:
        return request.headers.get("Authorization")


@web.middleware
async def challenge(request: web.Request, handler: object) -> web.StreamResponse:
    """Ask who it is, as git expects to be asked."""
    try:
        return await handler(request)  # type: ignore[operator]
    except Unauthenticated:
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="bench"'})


def main() -> None:
    """Serve until ended."""
    application = web.Application(middlewares=[challenge], client_max_size=1 << 30)
    application.add_routes(Backend(Anybody(), Path(sys.argv[1])).routes())
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[2]), print=None)


if __name__ == "__main__":
    main()

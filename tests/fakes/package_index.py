# SPDX-License-Identifier: Apache-2.0
"""A package index of one package, on this machine."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

#: An address of this machine's loopback that `mirrors` of a test may list without listing all of it.
HOST = "127.0.0.2"


@asynccontextmanager
async def package_index(directory: Path, port: int) -> AsyncGenerator[str]:
    """The address to give pip while it runs; `tiny-one` is there."""
    directory.mkdir()
    wheel = directory / "tiny_one-1-py3-none-any.whl"
    write_wheel(wheel)

    async def listing(_: web.Request) -> web.Response:
        return web.Response(text=f'<a href="/files/{wheel.name}">{wheel.name}</a>', content_type="text/html")

    async def file(_: web.Request) -> web.FileResponse:
        return web.FileResponse(wheel)

    application = web.Application()
    application.router.add_get("/simple/tiny-one/", listing)
    application.router.add_get("/files/{name}", file)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    try:
        yield f"http://{HOST}:{port}/simple"
    finally:
        await runner.cleanup()


def write_wheel(path: Path) -> None:
    """The package itself."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_one.py", "answer = 42\n")
        archive.writestr("tiny_one-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-one\nVersion: 1\n")
        archive.writestr("tiny_one-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny_one-1.dist-info/RECORD", "")

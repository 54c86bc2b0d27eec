# SPDX-License-Identifier: Apache-2.0
"""A small S3 service on a thread: objects put, read by range, listed and deleted; the tests of the far store run on
moto's server too, where that is installed."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from html import escape, unescape

from aiohttp import web


class FakeS3:
    """Buckets in memory, by `BUCKET/KEY`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request of the few that a client needs."""
        name = request.path.strip("/")
        match request.method:
            case "PUT":
                self.objects[name] = await request.read()
                return web.Response(headers={"ETag": '"1"'})
            case "GET" if "list-type" in request.query:
                return self._list(name, request.query.get("prefix", ""))
            case "GET" if name in self.objects:
                part = self.objects[name][request.http_range]
                start, size = request.http_range.start or 0, len(self.objects[name])
                headers = {"ETag": '"1"', "Last-Modified": "Mon, 05 Jan 2026 09:00:00 GMT"}
                headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{size}"
                return web.Response(status=206, body=part, headers=headers)
            case "POST" if "delete" in request.query:
                keys = [unescape(key) for key in re.findall(r"<Key>([^<]*)</Key>", await request.text())]
                for key in keys:
                    self.objects.pop(f"{name}/{key}", None)
                told = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
                return _xml(f"<DeleteResult>{told}</DeleteResult>")
            case _:
                return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")

    def _list(self, bucket: str, prefix: str) -> web.Response:
        keys = [
            name.removeprefix(f"{bucket}/") for name in sorted(self.objects) if name.startswith(f"{bucket}/{prefix}")
        ]
        told = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[f'{bucket}/{key}'])}</Size>"
            "<LastModified>2026-01-05T09:00:00.000Z</LastModified></Contents>"
            for key in keys
        )
        return _xml(f"<ListBucketResult><IsTruncated>false</IsTruncated>{told}</ListBucketResult>")


def _xml(text: str) -> web.Response:
    return web.Response(text=f'<?xml version="1.0"?>{text}', content_type="application/xml")


@contextmanager
def serving(port: int) -> Generator[FakeS3]:
    """The service on a port of this machine."""
    fake, loop = FakeS3(), asyncio.new_event_loop()
    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_route("*", "/{path:.*}", fake.handle)
    runner = web.AppRunner(application)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield fake
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()

# SPDX-License-Identifier: Apache-2.0
"""Serves the OpenAPI description of the site's REST calls.

Thin: the routes are those of the application that answers.
"""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from .gerrit_json import VERSION
from .openapi import Route, describe


class RestOpenApi:
    """`GET /openapi.json`, for everybody: what calls there are is no secret."""

    def __init__(self, url: str) -> None:
        self._url = url

    def routes(self) -> list[web.RouteDef]:
        """One route."""
        return [web.get("/openapi.json", self._describe)]

    async def _describe(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(describe(served(request.app), VERSION, self._url.rstrip("/") or "/"))


def served(application: web.Application) -> Iterator[Route]:
    """What an application serves."""
    for route in application.router.routes():
        path = route.resource.canonical if route.resource is not None else ""
        handler = route.handler
        name = str(getattr(handler, "__name__", ""))
        yield Route(route.method, path, name, str(getattr(handler, "__doc__", "") or ""))

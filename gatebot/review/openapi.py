# SPDX-License-Identifier: Apache-2.0
"""The REST calls of the site as an OpenAPI description, made from the routes that are served.

Pure: routes in, JSON out. Nothing is written by hand beside them, so nothing can be forgotten; what bodies hold is
Gerrit's, and told in Gerrit's own documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..assignment import Json
from .openapi_said import body_of, kinds_of, query_of

SUBJECTS = ("access", "accounts", "api", "changes", "config", "groups", "plugins", "projects")
"""Where the calls are; each with `/a` before it, too."""
_PLACE = re.compile(r"\{(\w+)\}")
_PAGE = "/projects"
"""A page; the call of that name ends with a slash."""
_WRITES = ("POST", "PUT")


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path with its places in braces, and what the code says of it."""

    method: str
    path: str
    name: str
    about: str = ""


def describe(routes: Iterable[Route], version: str, url: str) -> dict[str, Json]:
    """The description."""
    paths: dict[str, dict[str, Json]] = {}
    for route in sorted(routes, key=lambda one: (one.path, one.method)):
        path = route.path.replace("{slash}", "")
        subject = path.split("/")[1] if path.startswith("/") else ""
        if path != _PAGE and subject in SUBJECTS and route.method in ("GET", "PUT", "POST", "DELETE"):
            paths.setdefault(path, {}).setdefault(route.method.lower(), _operation(route, path, subject))
    return {
        "openapi": "3.1.0",
        "info": {"title": "gatebot", "version": version, "description": _ABOUT},
        "servers": [{"url": url}, {"url": f"{url.rstrip('/')}/a", "description": "signed in by HTTP Basic"}],
        "components": {"securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
        "security": [{}, {"basic": []}],
        "paths": dict(paths.items()),
    }


def _operation(route: Route, path: str, subject: str) -> dict[str, Json]:
    words = route.name.strip("_").replace("_", " ")
    operation: dict[str, Json] = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{path}").strip("_"),
        "summary": (route.about.strip().partition("\n")[0] or words).rstrip("."),
        "tags": [subject],
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": _NAME} for name in _PLACE.findall(path)),
            *(query_of(path) if route.method == "GET" else ()),
        ],
        "responses": {
            "2XX": {"description": _DONE, "content": {kind: {} for kind in kinds_of(route.method, path)}},
            "202": {"description": "Taken; it is done, or will be"},
            "204": {"description": "Done, or there is none"},
            "3XX": {"description": "Elsewhere, or as the client has it already"},
            "4XX": {"description": "Why not, in words", "content": _WHY_ZUUL if subject == "api" else _WHY},
        },
    }
    if route.method in _WRITES:
        operation["requestBody"] = body_of(route.method, path)
    return operation


_NAME: Json = {"type": "string", "minLength": 1}
_DONE = "Done; JSON begins with a line that keeps it from being run as a script"
_WHY: Json = {"text/plain": {"schema": {"type": "string"}}}
_WHY_ZUUL: Json = {"text/plain": {"schema": {"type": "string"}}, "application/json": {"schema": {"type": "object"}}}
_ABOUT = (
    "Gerrit's REST calls as this site serves them, and its own below /api. Names in paths are encoded once, slashes "
    "included. JSON answers begin with the line )]}' but below /api."
)

# SPDX-License-Identifier: Apache-2.0
"""Addresses of Gerrit's pages lead to those that tell the same here. Only redirects, and they come last.

What stands behind `#` the browser takes along.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web

from ...site import Site
from ..answers import Handler
from ..diffs.looking import address
from ..diffs.pages import CHANGE
from ..reading import Reading
from .model import administered, documented, line_of, signing_in

#: `/c/12` and what is below, where no name of a project is in it.
_NUMBERED = r"/c/{number:\d{1,9}}{below:(?:/(?:(?!\+/).)*)?}"
#: A project, but for what git asks of one whose own name begins with `projects/` or `plugins/`.
_PROJECT = r"{project:(?!(?:.*/)?info/refs$).+}"
_PATCH_SETS = ("", r"/{patch_set:\d{1,4}}", r"/{base:\d{1,4}}..{patch_set:\d{1,4}}")


def routes(site: Site, reading: Reading) -> list[web.RouteDef]:
    """The routes; behind those of the pages themselves."""

    async def numbered(request: web.Request) -> web.StreamResponse:
        """The same below the address of the change."""
        change = await reading.find(site.actor(request), request.match_info["number"])
        below = request.match_info["below"].rstrip("/")
        raise _to(request, f"/{quote(change.path, safe='/+')}{quote(below, safe='/')}")

    async def bare(request: web.Request) -> web.StreamResponse:
        """The same without a slash at its end."""
        await reading.find(site.actor(request), request.match_info["number"])
        raise _to(request, request.rel_url.raw_path.rstrip("/"))

    async def of_change(request: web.Request) -> web.StreamResponse:
        """To the page of the change."""
        change = await reading.find(site.actor(request), request.match_info["number"])
        raise _to(request, f"/{quote(change.path, safe='/+')}")

    async def comment(request: web.Request) -> web.StreamResponse:
        """To where the comment stands, by its other address."""
        await reading.find(site.actor(request), request.match_info["number"])
        raise _to(request, request.rel_url.raw_path.replace("/comments/", "/comment/"))

    async def of_project(request: web.Request) -> web.StreamResponse:
        """A person who takes REST's word for the page's; programs hear that there is nothing."""
        if "application/xhtml+xml" not in request.headers.get("Accept", ""):
            raise web.HTTPNotFound
        name = request.match_info["project"].partition("/+")[0].strip("/")
        raise web.HTTPFound(f"/project/{quote(name, safe='/')}")

    return [
        web.get(f"/projects/{_PROJECT}", of_project),
        web.get(f"/plugins/gitiles/{_PROJECT}", of_project),
        web.get(r"/{number:\d{1,9}}/", bare),
        *(web.get(f"{CHANGE}{tail}/", bare) for tail in _PATCH_SETS),
        web.get(CHANGE + r"/comments/{comment:[\w-]{1,80}}{slash:/?}", comment),
        web.get(CHANGE + "{talk:/(?:comments/?|edit(?:/.*)?)}", of_change),
        *_of_files(site, reading),
        web.get(_NUMBERED, numbered),
        web.get("/admin{below:(?:/.*)?}", _leading("below", administered)),
        web.get("/login/{next:.*}", _leading("next", signing_in)),
        web.get("/{kind:id|r}/{one:[0-9A-Za-z]{4,41}}{slash:/?}", _leading("one", lambda one: f"/q/{one}")),
        *(web.get(path, _leading("", lambda _: "/settings")) for path in ("/settings/", "/profile", "/profile/")),
        web.get("/Documentation{below:(?:/.*)?}", _leading("below", documented)),
        web.get("/register{below:(?:/.*)?}", _leading("", lambda _: "/signup")),
    ]


def _of_files(site: Site, reading: Reading) -> list[web.RouteDef]:
    """Files by other addresses than their pages have."""

    async def of_file(request: web.Request) -> web.StreamResponse:
        """A file of the newest patch set."""
        change = await reading.find(site.actor(request), request.match_info["number"])
        file, line = line_of(request.match_info["file"])
        raise _to(request, address(change.path, change.current, None, file), line)

    async def against_parent(request: web.Request) -> web.StreamResponse:
        """The same against the patch set's parent, of which Gerrit says which one."""
        change, place = await reading.find(site.actor(request), request.match_info["number"]), request.match_info
        file, line = line_of(place["file"].strip("/"))
        raise _to(request, address(change.path, int(place["patch_set"]), None, file), line)

    return [
        web.get(CHANGE + r"/{parent:-\d{1,3}}..{patch_set:\d{1,4}}{file:(?:/.*)?}", against_parent),
        web.get(CHANGE + r"/{file:.+}", of_file),
    ]


def _leading(name: str, where: Callable[[str], str]) -> Handler:
    """Leads to what is made of a part of the address."""

    async def lead(request: web.Request) -> web.StreamResponse:
        raise _to(request, where(request.match_info.get(name, "")))

    return lead


def _to(request: web.Request, path: str, line: str = "") -> web.HTTPFound:
    """There, with what was asked; `line` is what stands behind the `#`."""
    asked = f"{path}?{request.query_string}" if request.query_string and "?" not in path else path
    return web.HTTPFound(f"{asked}#{line}" if line else asked)

# SPDX-License-Identifier: Apache-2.0
"""How Gerrit's REST calls are heard and answered: bodies in, prefixed JSON out, every path four times.

Gerrit serves each path with and without `/a`, with and without a slash at the end; names in paths
are encoded once, `%2F` included. What the calls mean is in `rest_changes.py` and `rest_site.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeAlias, cast

import msgspec
from aiohttp import web

from ..access import Actor
from ..assignment import Json
from ..errors import Invalid
from ..identity import Account
from ..reasons import reason
from .drafts import Object, json_from
from .gerrit_json import PREFIX

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-cache, no-store, max-age=0, must-revalidate",
}
_COMPRESSED_FROM = 2048


class Asker(Protocol):
    """What is needed of the web site's frame: who asks, and in which language."""

    def actor(self, request: web.Request) -> Actor: ...
    def account(self, request: web.Request) -> Account | None: ...
    def language(self, request: web.Request) -> str: ...


def everywhere(method: str, path: str, handler: Handler) -> Iterable[web.RouteDef]:
    """The routes of one call."""
    for prefix in ("", "/a"):
        yield web.route(method, f"{prefix}{path}{{slash:/?}}", handler)


def json_answer(request: web.Request, value: object, status: int = 200) -> web.Response:
    """JSON with the prefix that keeps it from being run as a script; `pp=1` writes it for people."""
    body = msgspec.json.encode(value)
    if request.query.get("pp", "0") not in ("0", "false"):
        body = msgspec.json.format(body, indent=2)
    body = b"".join((PREFIX.encode(), body, b"\n"))
    answer = web.Response(body=body, status=status, headers=_HEADERS)
    answer.content_type, answer.charset = "application/json", "UTF-8"
    if len(body) > _COMPRESSED_FROM:
        answer.enable_compression()
    return answer


def text_answer(text: str, status: int) -> web.Response:
    """A plain sentence, as Gerrit tells why not."""
    return web.Response(text=f"{text}\n", status=status, content_type="text/plain", charset="utf-8")


async def body_of(request: web.Request) -> Object:
    """The JSON object of a request; no body at all is an empty one."""
    value = await _json(request)
    if not isinstance(value, dict):
        raise Invalid(reason=reason("review.bad-json", why="it is something else"))
    return cast("Object", value)


async def list_of(request: web.Request) -> Sequence[Object]:
    """The JSON objects of a request that sends a list."""
    value = await _json(request)
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return cast("list[Object]", value)
    raise Invalid(reason=reason("review.bad-json", why="a list of objects is expected"))


async def _json(request: web.Request) -> Json:
    raw = await request.read()
    return json_from(raw) if raw.strip() else {}


async def text_or(request: web.Request, field: str) -> str:
    """One text, sent as plain text (python-gerrit-api says `plain/text`) or as one field of an object."""
    if request.content_type in ("text/plain", "plain/text"):
        text = await request.text()
        if "\0" in text:
            raise Invalid("The text has a zero character in it, which no text here has.")
        return text
    value = (await body_of(request)).get(field)
    return "" if value is None else str(value)


def whole_number(request: web.Request, *names: str, default: int) -> int:
    """A number of the query, under the first of its names that is there."""
    for name in names:
        given = request.query.get(name, "")
        if given:
            if not (given.isascii() and given.isdecimal() and len(given) < 10):
                raise Invalid(
                    reason=reason("review.bad-field", field=name, why="it must be a whole number from 0 to 999999999")
                )
            return int(given)
    return default


_EVERYWHERE = frozenset({
    "pp", "prettyPrint", "strict", "callback", "alt", "fields", "access_token", "$m", "$ct", "trace", "deadline",
    "lang",
})  # fmt: skip
"""What any call may be sent."""


def only(request: web.Request, names: str) -> None:
    """Refuse a list that is asked for by something else than these words, as Gerrit does: it may be mistyped."""
    known = names.split()
    for name in request.query:
        if name not in _EVERYWHERE and name not in known and "~" not in name:
            spelled = f"-{name}" if len(name) == 1 else f"--{name}"
            told = ", ".join(sorted(known, key=str.lower))
            raise Invalid(reason=reason("review.unknown-parameter", option=spelled[:60], known=told))


def number_or_none(request: web.Request, name: str) -> int | None:
    """A number of the query that need not be there."""
    return whole_number(request, name, default=0) if request.query.get(name, "") else None


def start_and_limit(request: web.Request, most: int) -> tuple[int, int]:
    """Which part of a list is asked for, by any of Gerrit's names for it."""
    limit = whole_number(request, "n", "limit", default=most)
    return whole_number(request, "S", "start", "s", default=0), most if "no-limit" in request.query else limit


def must_be_new(request: web.Request, exists: bool) -> None:
    """A PUT with `If-None-Match: *` is for what is not there yet."""
    if exists and request.headers.get("If-None-Match", "").strip() == "*":
        raise web.HTTPPreconditionFailed(text="It is there already; leave out If-None-Match to change it.")

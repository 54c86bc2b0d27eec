# SPDX-License-Identifier: Apache-2.0
"""How the command line speaks: to a person on a terminal, to a pipe, or as JSON; and the REST client.

On a terminal: tables and colour. In a pipe: tabs, no colour, nothing cut. With `--json`: what the
server answered. `NO_COLOR` is respected (by rich and click).
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast

import click

from ..errors import Conflict, GatebotError, Gone, Invalid, NotFound, NotPermitted, Unauthenticated, Unavailable
from . import clones

_ERRORS: Mapping[int, type[GatebotError]] = {
    400: Invalid, 401: Unauthenticated, 403: NotPermitted, 404: NotFound, 409: Conflict, 410: Gone,
    503: Unavailable,
}  # fmt: skip
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_TIMEOUT = 60.0
_ADMIN = "admin"
_SIGNING = "Set GATEBOT_TOKEN to your password or token, and GATEBOT_USER (or --user) to your name."
_FOLLOWING = 3600.0  # the longest silence of a log
_STARTING = 10.0  # seconds that the server of the site in this directory gets to come up


@dataclass(frozen=True, slots=True)
class Output:
    """What the options before the noun said; makes the client and prints answers."""

    as_json: bool
    url: str | None
    user: str | None

    def client(self) -> Client:
        """A client of the site that the options, the environment or the directory name: a site's, or a clone."""
        site = _site_here()
        url = self.url or (site[0] if site else None)
        if not url:
            return self._client_of_clone()
        own = site[1] if site and site[0] == url else ""
        token = os.environ.get("GATEBOT_TOKEN") or own
        user = self.user or (_ADMIN if token and token == own else "")
        if token and token == own and user != _ADMIN:
            raise Unauthenticated(f"GATEBOT_TOKEN is not set, and admin.token here is not {user}'s. {_SIGNING}")
        return Client(url.rstrip("/"), user, token, patience=_STARTING if site and site[0] == url else 0.0)

    def _client_of_clone(self) -> Client:
        site = clones.here()
        if site is None:
            _usage(
                "Which site? Give --url, set GATEBOT_URL, or run this in the directory of a site or in a clone of it."
            )
        if os.environ.get("GATEBOT_TOKEN"):
            _usage(f"Which site is GATEBOT_TOKEN for? Set GATEBOT_URL, too: this is a clone from {site.url}.")
        return Client(site.url, *clones.who(site, self.user or ""))

    def table(self, answer: object, rows: Iterable[Sequence[object]], heads: Sequence[str], empty: str) -> None:
        """Print rows: JSON of `answer`, tabs for a pipe, a table for a person, or the words for nothing."""
        if self.as_json:
            click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
            return
        made = [[printable(str(cell)) for cell in row] for row in rows]
        if not made:
            click.echo(empty)
        elif not sys.stdout.isatty():
            for row in made:
                click.echo("\t".join(row))
        else:
            from rich.console import Console
            from rich.table import Table

            table = Table(box=None, header_style="dim", pad_edge=False)
            for head in heads:
                table.add_column(head, overflow="fold")
            for row in made:
                table.add_row(*row)
            Console(highlight=False, markup=False).print(table)

    def text(self, answer: object, lines: Iterable[str]) -> None:
        """Print lines, or JSON of `answer`."""
        if self.as_json:
            click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        else:
            for line in lines:
                click.echo(printable(line))


@dataclass(frozen=True, slots=True)
class Client:
    """Gerrit's REST and our own, over HTTP. Errors of the server become ours, with its words.

    `patience` are the seconds in which a server that is just being started may begin to listen.
    """

    url: str
    user: str
    token: str
    patience: float = 0.0

    def get(self, path: str, **query: str | int) -> Any:
        """GET; the answer as JSON."""
        return self.call("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Any method; `/a` is put before Gerrit's paths when there is a token."""
        with self._open(method, path, body) as answer:
            text = answer.read().decode()
        return json.loads(text.removeprefix(")]}'\n")) if text.strip() else None

    def text_lines(self, path: str) -> Iterator[str]:
        """A text, line by line as it comes."""
        for line in self.pieces(path):
            yield line.decode(errors="replace")

    def pieces(self, path: str) -> Iterator[bytes]:
        """The lines of a text as bytes; the last one may have no end."""
        with self._open("GET", path, None, accept="text/plain", timeout=_FOLLOWING) as answer:
            yield from answer

    @property
    def signature(self) -> str:
        """The header that signs requests; empty for a stranger, who may look."""
        return self.auth_header() if self.token else ""

    def auth_header(self) -> str:
        """The Authorization header that signs requests."""
        if not self.token:
            raise Unauthenticated(f"Who are you? {_SIGNING}")
        if not self.user:
            return f"Bearer {self.token}"
        return "Basic " + base64.b64encode(f"{self.user}:{self.token}".encode()).decode()

    def _open(
        self, method: str, path: str, body: object, accept: str = "application/json", timeout: float = _TIMEOUT
    ) -> Any:
        own = path.startswith(("/api/", "/logs/"))
        url = self.url + ("/a" if self.token and not own else "") + path
        request = urllib.request.Request(url, method=method)  # noqa: S310 - the user's own site
        if self.token or method != "GET":
            request.add_header("Authorization", self.auth_header())
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json; charset=UTF-8")
        request.add_header("Accept", accept)
        last = time.monotonic() + self.patience
        while True:
            try:
                return urllib.request.urlopen(request, timeout=timeout)  # noqa: S310
            except urllib.error.HTTPError as error:
                text = _said(error.read().decode(errors="replace").strip()) or error.reason
                raise _ERRORS.get(error.code, GatebotError)(str(text)) from None
            except (urllib.error.URLError, OSError) as error:
                why = getattr(error, "reason", error)
                if isinstance(why, ConnectionRefusedError) and time.monotonic() < last:
                    time.sleep(0.2)
                    continue
                what = f"{self.url} does not answer ({why}). Is it running? Start it with: gatebot serve"
                raise Unavailable(what) from None


def printable(text: str) -> str:
    """Without what could steer a terminal: names and lines may be a stranger's."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def _said(text: str) -> str:
    """The sentence of a refusal: the text itself, or the description where it is JSON as Zuul's clients read it."""
    try:
        told: object = json.loads(text)
    except ValueError:
        return text
    return str(cast("dict[str, object]", told).get("description", text)) if isinstance(told, dict) else text


def quote(name: str) -> str:
    """A name as one segment of a path."""
    return urllib.parse.quote(name, safe="")


def _site_here() -> tuple[str, str] | None:
    """URL and administrator's token of the site whose directory this is."""
    file = Path("gatebot.toml")
    if not file.is_file():
        return None
    try:
        web: dict[str, Any] = tomllib.loads(file.read_text()).get("web", {})
    except (OSError, tomllib.TOMLDecodeError):
        return None
    listen = str(web.get("listen", "127.0.0.1:8080"))
    token = Path("admin.token")
    try:
        secret = token.read_text().strip() if token.is_file() else ""
    except PermissionError:
        secret = ""
    return str(web.get("url") or f"http://{listen}"), secret


def _usage(text: str) -> NoReturn:
    raise click.UsageError(text)

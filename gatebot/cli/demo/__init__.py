# SPDX-License-Identifier: Apache-2.0
"""`gatebot demo`: starts a whole site, plays the tour with real clients, and stays up to be looked at.

With `--once` it ends after the tour: exit code 0 when every outcome was as promised. The parts are
in `ground.py` (server, ports, files), `actors.py` (people), `tour.py` (what happens), `tell.py`.
"""

from __future__ import annotations

import secrets
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import click

from ... import assets
from ...errors import GatebotError
from .. import founding
from ..output import Client, quote
from . import ground
from .actors import Person
from .ground import CHANNEL
from .tell import Teller
from .tour import Stage, play


@click.command()
@click.option("--once", is_flag=True, help="Play the tour, verify it, stop. Exit code 0: all as promised.")
@click.option("--dir", "directory", type=click.Path(path_type=Path), help="Keep everything in this new directory.")
@click.option("--port", default=8080, show_default=True, help="Port of the web site; the next free one is taken.")
@click.option("--irc-port", default=6667, show_default=True, help="Port of the IRC server; likewise.")
def demo(once: bool, directory: Path | None, port: int, irc_port: int) -> None:
    """Start everything with defaults and play a tour: pushes, votes, the gate, a meeting."""
    signal.signal(signal.SIGTERM, _terminated)
    teller = Teller()
    with ExitStack() as stack:
        base = stack.enter_context(ground.scratch(directory))
        try:
            stage = _set_up(stack, base, port, irc_port, teller)
            play(stage)
        except GatebotError as error:
            teller.check(str(error), False)
        whole = teller.summary()
        if once:
            sys.exit(0 if whole else 1)
        _stay(teller, base, port)


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(1)


def _set_up(stack: ExitStack, base: Path, port: int, irc_port: int, teller: Teller) -> Stage:
    teller.of = 8
    teller.step("A new site")
    port = ground.told_port(teller, "the web site", port)
    irc_port = ground.told_port(teller, "the IRC server", irc_port)
    ground.wheelhouse(base / "wheelhouse", teller)
    teller.began = time.monotonic()
    made = founding.found(base / "site", ground.site_text(port, irc_port, base / "wheelhouse", teller))
    stack.enter_context(ground.irc_server(base, irc_port, teller))
    stack.enter_context(ground.server(base / "site", base / "server.log", port, teller))
    token = (base / "site" / "admin.token").read_text().strip()
    admin = Client(f"http://127.0.0.1:{port}", "admin", token)
    teller.say(f"The site answers at {admin.url}")

    teller.step("People and projects")
    people = {
        name: _person(base, admin, name, core, teller)
        for name, core in (("alice", False), ("carol", False), ("bob", True))
    }
    (base / "logins.txt").write_text(
        "".join(f"{p.username} {p.client.token}\n" for p in people.values()) + f"admin {made.password}\n"
    )
    history = ground.own_history(base)
    for name, source in (("gatebot", history), ("demo/api", None), ("demo/client", None)):
        _project(base, admin, name, source, teller)
    data = assets.path("demo")
    return Stage(teller, admin, people["alice"], people["carol"], people["bob"], ("127.0.0.1", irc_port), data)


def _person(base: Path, admin: Client, username: str, core: bool, teller: Teller) -> Person:
    password = secrets.token_urlsafe(9)
    body = {
        "name": username.capitalize(), "email": f"{username}@localhost", "http_password": password,
        "groups": ["Core"] if core else [],
    }  # fmt: skip
    admin.call("PUT", f"/accounts/{username}", body)
    person = Person(
        username, username.capitalize(), base / "home" / username, Client(admin.url, username, password), teller
    )
    person.settle()
    teller.say(f"{username}{', who is a core reviewer' if core else ''}")
    return person


def _project(base: Path, admin: Client, name: str, source: Path | None, teller: Teller) -> None:
    """Host a project with the history of `source`, or with the demo's files as its first commit."""
    if source is None:
        source = ground.first_commit(base / "origin" / name, assets.path(*name.split("/")))
    admin.call("PUT", f"/projects/{quote(name)}", {"create_empty_commit": False})
    ground.push_history(source, f"{admin.url}/a/{name}", admin.auth_header())
    teller.say(f"project {name}: {admin.url}/project/{name}")


def _stay(teller: Teller, base: Path, _port: int) -> None:
    """Tell where everything is, and wait for Ctrl-C."""
    site = (base / "site" / "gatebot.toml").read_text()
    url = next(line.split('"')[1] for line in site.splitlines() if line.startswith("url"))
    teller.console.print("\n[bold]It stays up; Ctrl-C ends it.[/bold]")
    for what, path in (
        ("Status", "/status"),
        ("Changes", "/q/status:open"),
        ("Meetings", "/meetings/"),
        ("Builds", "/builds"),
    ):
        teller.say(f"{what:<9} {url}{path}")
    teller.say("")
    teller.say(f"IRC       channel {CHANNEL}")
    for line in (base / "logins.txt").read_text().splitlines():
        name, password = line.split()
        teller.say(f"Sign in   {name:<6} {password}")
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        teller.say("Stopping.")

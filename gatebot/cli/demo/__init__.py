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
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from ... import assets
from ...app.places import SETTINGS, TOKEN
from ...errors import GatebotError, Unavailable
from .. import founding
from ..output import Client, quote
from . import architectures, cloud, ground
from .actors import Person
from .ground import CHANNEL
from .tell import Teller
from .tour import PARTS, Stage, play

_PEOPLE = (("alice", False), ("carol", False), ("bob", True))
_ROLES = {"admin": "may everything", "alice": "contributor", "carol": "contributor", "bob": "core: +2, approve, submit"}
_PLACES = (
    ("Status", "/status"), ("Changes", "/q/status:open"), ("Builds", "/builds"), ("Projects", "/projects"),
    ("Meetings", "/meetings/"), ("IRC logs", "/irclogs/"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Tour:
    """What is played: in so many parts, on a site with these projects, and with more in its settings."""

    play: Callable[[Stage], None]
    parts: int
    projects: tuple[str, ...]
    require: Callable[[], None] = lambda: None
    settings: Callable[[], str] = str


_TOUR = _Tour(play, PARTS, ("gatebot", "demo/api", "demo/client"))
_OTHERS = {
    "multiarch": _Tour(architectures.play, 1, (architectures.PROJECT,), architectures.require),
    "cloud": _Tour(cloud.play, cloud.PARTS, (), cloud.require, cloud.settings),
}
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stopped(BaseException):
    """Somebody asked the tour to end. Not an error of anything, so nothing on the way may catch it."""


@click.command()
@click.option("--once", is_flag=True, help="Play the tour, verify it, stop. Exit code 0: all as promised.")
@click.option("--dir", "directory", type=click.Path(path_type=Path), help="Keep everything in this new directory.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8080,
    show_default=True,
    help="Port of the web site; the next free one is taken.",
)
@click.option(
    "--irc-port", type=click.IntRange(1, 65535), default=6667, show_default=True,
    help="Port of the IRC server; likewise.",
)  # fmt: skip
@click.option("--multiarch", "other", flag_value="multiarch", help="Instead: one job on x86_64 and on emulated arm64.")
@click.option("--cloud", "other", flag_value="cloud", help="Instead: nova, each change gated by a whole OpenStack.")
def demo(once: bool, directory: Path | None, port: int, irc_port: int, other: str | None) -> None:
    """Start everything and play a tour: pushes, votes, gate, meeting."""
    for number in _SIGNALS:
        signal.signal(number, _stop)
    tour = _OTHERS.get(other or "", _TOUR)
    teller = Teller(of=2 + tour.parts)
    whole = False
    with ExitStack() as stack:
        try:
            tour.require()
            base = stack.enter_context(ground.scratch(directory))
            stage = _set_up(stack, base, port, irc_port, teller, tour)
            whole = _played(stage, tour.play)
            if not once:
                _stay(stage, base)
        except GatebotError as error:
            click.echo(f"gatebot: {error}", err=True)
        except _Stopped:
            teller.say("Stopping.")
    # Who stops a tour that is over ends it well; one that was cut short has shown nothing.
    sys.exit(0 if whole else 1)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """End in good order; a second signal must not interrupt the cleaning up."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise _Stopped


def _played(stage: Stage, play: Callable[[Stage], None]) -> bool:
    try:
        play(stage)
    except GatebotError as error:
        stage.teller.check(str(error), False)
    return stage.teller.summary()


def _set_up(
    stack: ExitStack, base: Path, port: int, irc_port: int, teller: Teller, tour: _Tour
) -> Stage:  # fmt: skip
    teller.step("A new site")
    teller.say(f"Everything is kept in {base}.")
    port = ground.told_port(teller, "the web site", port)
    irc_port = ground.told_port(teller, "the IRC server", irc_port)
    teller.began = time.monotonic()
    text = ground.site_text(base, port, irc_port) + tour.settings()
    password = founding.found(base / "site", text).password
    if "gatebot" in tour.projects:
        teller.began += ground.wheelhouse(base / "wheelhouse", teller)
    stack.enter_context(ground.irc_server(base, irc_port, teller))
    _serve(stack, base, port, irc_port, teller, must_contain=tour is not _TOUR)
    token = (base / "site" / TOKEN).read_text().strip()
    admin = Client(ground.url(port), "admin", token)
    teller.say(f"The site answers at {admin.url}")

    teller.step("People and projects")
    alice, carol, bob = (_person(base, admin, name, core, teller) for name, core in _PEOPLE)
    for name in tour.projects:
        _project(base, admin, name, ground.own_history(base) if name == "gatebot" else None, teller)
    logins = (("admin", password), *((person.username, person.client.token) for person in (alice, carol, bob)))
    return Stage(teller, admin, alice, carol, bob, ("127.0.0.1", irc_port), assets.path("demo"), logins)


def _serve(
    stack: ExitStack, base: Path, port: int, irc_port: int, teller: Teller, *, must_contain: bool
) -> None:  # fmt: skip
    """Start the server; where it finds that it can have no sandbox, say so and start it without one, if that does."""
    with ExitStack() as running:
        running.enter_context(ground.server(base, port, teller))
        jobs = ground.health(port)["jobs"]
        if jobs["ok"]:
            stack.push(running.pop_all())
            return
    if must_contain:
        raise Unavailable(f"The nodes of this tour need the sandbox of jobs. {jobs['text']}")
    teller.say(f"No sandbox can be had: {jobs['text']}")
    teller.say('The tour goes on with sandbox = "none", for its own jobs only.')
    (base / "site" / SETTINGS).write_text(ground.site_text(base, port, irc_port, sandbox="none"))
    stack.enter_context(ground.server(base, port, teller))
    said = [ground.says_sandbox_none(port, path) for path in ("/", "/status", "/q/status:open", "/meetings/")]
    teller.check("every page says that jobs run without a sandbox", all(said))


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


def _stay(stage: Stage, base: Path) -> None:
    """Tell where everything is, and wait to be stopped."""
    teller, url = stage.teller, stage.url
    teller.close("It stays up; Ctrl-C ends it and removes everything that it made")
    for what, path in _PLACES:
        teller.say(f"{what:<10}{url}{path}")
    teller.say(f"{'IRC':<10}{stage.irc[0]} port {stage.irc[1]}, without TLS, channels #gatebot and {CHANNEL}")
    teller.say(f"{'Files':<10}{base}")
    teller.say(f"Sign in at {url}/login, and push with the same names and passwords:")
    for name, password in stage.logins:
        teller.say(f"  {name:<8}{password}   {_ROLES[name]}")
    while True:
        signal.pause()

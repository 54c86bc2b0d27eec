# SPDX-License-Identifier: Apache-2.0
"""`gatebot gerrit import`: moving from a Gerrit, in the directory of a site on which no server runs.

What is brought, and how, is in `review/importing`; here are the words before and after, and who may go at it when.
"""

from __future__ import annotations

import errno
import getpass
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError

from .. import db
from ..app import places, users
from ..app.footing import check_git, sole_server
from ..clock import SystemClock
from ..errors import Conflict, NotFound, Unavailable
from ..repo import Repositories
from ..review.importing.asking import Gerrit, read_url
from ..review.importing.model import Tally, Told
from ..review.importing.service import Importing
from .output import Output, printable

_AGAIN = "What was brought so far is kept: run the same command again to go on."


@click.group()
def gerrit() -> None:
    """Move here from a Gerrit."""


@gerrit.command("import")
@click.argument("url")
@click.option("--as", "user", default="admin", show_default=True, metavar="NAME", help="An administrator there.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Holds his HTTP password; else GATEBOT_GERRIT_PASSWORD, or it is asked for.",
)
@click.option("--project", "projects", multiple=True, metavar="NAME", help="Only this repository; may be repeated.")
@click.option(
    "--site", "directory", type=click.Path(path_type=Path), default=".", help="The site's directory (default: here)."
)
@click.pass_obj
def import_gerrit(
    out: Output, url: str, user: str, password_file: Path | None, projects: tuple[str, ...], directory: Path
) -> None:
    """Bring what the Gerrit at URL has: accounts, projects, changes.

    Stop the site's server meanwhile. Run it again as often as you like: it brings what is new there, and
    changes nothing else. At the end both sides are counted; exits with 1 when something is missing here.
    """
    address, (settings, where) = read_url(url), places.load(directory)
    check_git()
    there = Gerrit(address, user, _password(password_file, user))
    owner = users.server_user(settings.executor.run_as)
    with _alone(where.data, owner, directory):
        db.migrate(where.database_url)
        opened = db.Database.open(where.database_url)
        importing = Importing(opened, Repositories(where.git), there, SystemClock(), _show)
        try:
            with _explained():
                tallies = importing.run(projects)
        finally:
            opened.close_now()
            where.close_to_others()
            users.give(where.data, owner)
    _tell(out, importing.told, tallies)
    sys.exit(0 if all(one.equal for one in tallies) else 1)


@contextmanager
def _alone(data: Path, owner: users.User | None, directory: Path) -> Generator[None]:
    try:
        with sole_server(data, owner):
            yield
    except Conflict as error:
        if not str(error).startswith("Another server"):
            raise
        raise Conflict(
            f"The server of {directory} runs. An import fills its database and repositories behind its back: stop the "
            "server, import, and start it again. People may go on in the old Gerrit; a later import brings the rest."
        ) from None


@contextmanager
def _explained() -> Generator[None]:
    """What goes wrong on the way, with what to do."""
    try:
        yield
    except OperationalError as error:
        raise Unavailable(f"The database cannot be written: {error.orig}. {_AGAIN}") from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise Unavailable(f"The disk is full. Make room; {_AGAIN[0].lower()}{_AGAIN[1:]}") from None
    except (Unavailable, NotFound) as error:
        raise type(error)(f"{error}\n{_AGAIN}") from None


def _show(what: str, many: int, done: int) -> None:
    """A line that is written over, for a person who waits."""
    if sys.stderr.isatty():
        end = "\n" if done == many else ""
        click.echo(f"\r{printable(what)}: {done} of {many}{end}", err=True, nl=False)


def _tell(out: Output, told: Told, tallies: tuple[Tally, ...]) -> None:
    rows = [(one.what, one.there, one.here, "yes" if one.equal else "NO") for one in tallies]
    if out.as_json:
        counts = [{**asdict(one), "equal": one.equal} for one in tallies]
        out.text({"brought": told.brought, "notes": told.notes, "counts": counts}, ())
        return
    news = ", ".join(f"{number} {what}" for what, number in told.brought.items())
    click.echo(f"Brought: {news}." if news else "Nothing is new there.")
    for note in told.notes:
        click.echo(printable(note))
    click.echo()
    out.table((), [("", "there", "here", "equal"), *rows] if not sys.stdout.isatty() else rows,
              ("", "there", "here", "equal"), "")  # fmt: skip
    if not all(one.equal for one in tallies):
        click.echo(
            "\nNot everything is here: what is said above tells why; what came there meanwhile, another run brings."
        )


def _password(file: Path | None, user: str) -> str:
    if file is not None:
        try:
            return file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NotFound(f"{file} cannot be read: {error}") from None
    if given := os.environ.get("GATEBOT_GERRIT_PASSWORD"):
        return given
    if not sys.stdin.isatty():
        raise Unavailable("The HTTP password there is needed: --password-file FILE, or GATEBOT_GERRIT_PASSWORD.")
    return getpass.getpass(f"HTTP password of {user} there: ")

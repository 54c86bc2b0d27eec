# SPDX-License-Identifier: Apache-2.0
"""`gatebot keys ...`: the keys of projects, brought and taken in the site's own directory.

A private key never goes over the network.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from pathlib import Path

import click

from .. import db
from ..app import places, users
from ..app.places import Places
from ..clock import SystemClock
from ..errors import Conflict, Invalid, NotFound, Unavailable
from ..keys import Keys, exports, key_of_site, oaep, store
from .output import Output

_SITE = click.option(
    "--site", "directory", type=click.Path(path_type=Path), default=".", help="The site's directory (default: here)."
)
_PASSWORD = click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Holds the password of Zuul's keystore (in zuul.conf); else GATEBOT_KEYSTORE_PASSWORD, or it is asked for.",
)


@click.group()
def keys() -> None:
    """Bring, take and list the keys of projects. Works in the site's directory."""


@keys.command("list")
@_SITE
@click.pass_obj
def list_keys(out: Output, directory: Path) -> None:
    """List the key pairs that were made or brought."""
    _, where = places.load(directory)
    found = asyncio.run(_every(where))
    rows = [(pair.project, pair.kind, pair.created.date().isoformat()) for pair in found]
    told = [{"project": row[0], "kind": row[1], "created": row[2]} for row in rows]
    out.table(told, rows, ("project", "kind", "since"), "No keys. A project's key is made when it is first asked for.")


@keys.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_PASSWORD
@click.option("--force", is_flag=True, help="Take the file's keys in place of those that are here.")
@_SITE
@click.pass_obj
def import_keys(out: Output, file: Path, password_file: Path | None, force: bool, directory: Path) -> None:
    """Bring the keys that `zuul-admin export-keys FILE` wrote. Existing secrets decrypt here then.

    The server may run meanwhile.
    """
    settings, where = places.load(directory)
    found = exports.read(_read(file), _password(password_file))
    brought, kept = asyncio.run(_bring(where, found, force))
    users.give(where.data, users.server_user(settings.executor.run_as))
    lines = [f"Brought the keys of {len(brought)} project{'' if len(brought) == 1 else 's'}."]
    if kept:
        lines.append(f"Kept the keys that are here already (--force takes the file's): {', '.join(kept)}")
    if found.others:
        lines.append(f"Left out {found.others} that are not used here (keys for SSH, of tenants, for OIDC).")
    out.text({"brought": brought, "kept": kept, "others": found.others}, lines)


@keys.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@_PASSWORD
@click.option("--connection", default="gerrit", show_default=True, help="The name of the connection in Zuul.")
@_SITE
@click.pass_obj
def export_keys(out: Output, file: Path, password_file: Path | None, connection: str, directory: Path) -> None:
    """Write the keys to a new FILE, as `zuul-admin import-keys` reads."""
    _, where = places.load(directory)
    password = _password(password_file)
    if not password:
        raise Invalid("An export needs a password: private keys are never written in the clear.")
    found = asyncio.run(_private(where))
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Conflict(f"{file} cannot be written ({error.strerror}). Name a file that does not exist yet.") from None
    with os.fdopen(descriptor, "w") as opened:
        opened.write(exports.write(found, password, connection))
    out.text({"file": str(file), "projects": [one[0] for one in found]}, [f"Wrote {len(found)} keys to {file}."])


async def _every(where: Places) -> tuple[store.Pair, ...]:
    opened = db.Database.open(where.database_url)
    try:
        return await opened.read(store.every)
    finally:
        await opened.close()


async def _private(where: Places) -> list[tuple[str, bytes, int]]:
    opened = db.Database.open(where.database_url)
    try:
        made = Keys(opened, SystemClock(), await key_of_site(opened, where.key))
        pairs = [pair for pair in await opened.read(store.every) if pair.kind == oaep.KIND]
        return [(pair.project, made.private(pair), int(pair.created.timestamp())) for pair in pairs]
    finally:
        await opened.close()


async def _bring(where: Places, found: exports.Exported, force: bool) -> tuple[list[str], list[str]]:
    opened = db.Database.open(where.database_url)
    try:
        made = Keys(opened, SystemClock(), await key_of_site(opened, where.key))
        there = {pair.project for pair in await opened.read(store.every) if pair.kind == oaep.KIND}
        kept = [] if force else sorted(there & found.keys.keys())
        brought = sorted(found.keys.keys() - set(kept))
        for project in brought:
            pem = found.keys[project]
            await opened.run_silent(store.put, made.sealed(project, oaep.KIND, pem, oaep.public(pem)))
        return brought, kept
    finally:
        await opened.close()


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(f"{file} cannot be read: {error}") from None


def _password(file: Path | None) -> bytes:
    if file is not None:
        return _read(file).strip().encode()
    if given := os.environ.get("GATEBOT_KEYSTORE_PASSWORD"):
        return given.encode()
    if not sys.stdin.isatty():
        raise Unavailable("The keystore's password is needed: --password-file FILE, or GATEBOT_KEYSTORE_PASSWORD.")
    return getpass.getpass("Password of Zuul's keystore: ").encode()

# SPDX-License-Identifier: Apache-2.0
"""`gatebot secret ...` and `gatebot keys ...`: values encrypted for a project, and the keys of projects.

A value is encrypted on this machine with the project's public key, which the site gives to everybody. Keys are brought
and taken in the site's own directory: a private key never goes over the network.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
import textwrap
from pathlib import Path
from urllib.parse import quote

import click

from .. import db
from ..app import places, users
from ..app.places import Places
from ..clock import SystemClock
from ..errors import Conflict, Invalid, NotFound, Unavailable
from ..keys import Keys, boxes, exports, key_of_site, oaep, store
from .output import Output
from .tenants import TENANT, tenant_of

_SITE = click.option(
    "--site", "directory", type=click.Path(path_type=Path), default=".", help="The site's directory (default: here)."
)
_PASSWORD = click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Holds the password of Zuul's keystore (in zuul.conf); else GATEBOT_KEYSTORE_PASSWORD, or it is asked for.",
)


@click.group()
def secret() -> None:
    """Encrypt values for jobs of a project."""


@secret.command("encrypt")
@click.option("--project", required=True, help="The project whose jobs may use it.")
@TENANT
@click.option("--name", default="NAME", help="What the secret is to be called.")
@click.option("--field", default="FIELD", help="The key of the value in the secret.")
@click.option("--zuul", is_flag=True, help="In Zuul's format, for a project that a Zuul gates too.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.pass_obj
def encrypt(out: Output, project: str, tenant: str, name: str, field: str, zuul: bool, file: Path | None) -> None:
    """Encrypt FILE, or what is typed, and print it as YAML for the project's configuration.

    What is typed is taken without the blanks and line ends around it, a file byte for byte.

    Example: echo s3same | gatebot secret encrypt --project demo/api --name deploy --field password
    """
    data = file.read_bytes() if file is not None else sys.stdin.buffer.read().strip()
    try:
        data.decode()
    except UnicodeDecodeError:
        raise Invalid("Secrets are text. Encode it first: base64 FILE | gatebot secret encrypt ...") from None
    client = out.client()
    at = f"/api/tenant/{tenant_of(client, tenant)}"
    own = str(client.get(f"{at}/project/{quote(project)}")["name"])  # a box is sealed for the name without the host
    key = "".join(client.text_lines(f"{at}/{'key' if zuul else 'sealing-key'}/{quote(own)}.pub"))
    chunks = oaep.encrypt(key, data) if zuul else (boxes.encrypt(key, own, data),)
    kind = oaep.KIND if zuul else boxes.KIND
    text = _yaml(name, field, kind, chunks)
    out.text({"project": own, "kind": kind, "chunks": chunks, "yaml": text}, [text])


def _yaml(name: str, field: str, kind: str, chunks: tuple[str, ...]) -> str:
    head = f"- secret:\n    name: {name}\n    data:\n      {field}: !encrypted/{kind}"
    if len(chunks) == 1:
        return f"{head} |\n" + textwrap.fill(chunks[0], 100, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return f"{head}\n" + "\n".join(
        textwrap.fill(chunk, 100, initial_indent=" " * 8 + "- ", subsequent_indent=" " * 10) for chunk in chunks
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
    """Bring the keys that `zuul-admin export-keys FILE` wrote, so that existing secrets decrypt here.

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
    """Write the keys in Zuul's format to the new FILE, as `zuul-admin import-keys` reads them."""
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

# SPDX-License-Identifier: Apache-2.0
"""Commands that work on a site's directory, without a server.

`init`, `serve`, `migrate`, `backup`, `restore`, `image build`, `image list`. Each checks first and
says what it did and what comes next.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .. import db
from ..app import places, users
from ..app.footing import sole_server
from . import founding, images, keeping
from .lazy import uncollected
from .output import Output

_DIRECTORY = click.argument("directory", type=click.Path(path_type=Path), default=".")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--listen", default="", metavar="HOST:PORT", help="Where it will listen (default 127.0.0.1:8080).")
@click.option(
    "--ssh-listen", default=None, metavar="HOST:PORT", help="The same for SSH; '' for none (default port 29418)."
)
@click.pass_obj
def init(out: Output, directory: Path, listen: str, ssh_listen: str | None) -> None:
    """Make a new site: settings, database, administrator, pipelines."""
    from ..settings_file import init_text

    changes: dict[str, object] = {"site.data": "data"}
    if listen:
        changes["web.listen"] = listen
    if ssh_listen is not None:
        changes["ssh.listen"] = ssh_listen
    made = founding.found(directory, init_text(changes))
    out.text(
        {"directory": str(made.directory), "username": "admin", "password": made.password, "url": made.url},
        [
            f"A new site is in {made.directory}. Its settings, each explained: {made.directory / places.SETTINGS}",
            f"Administrator: admin, password (shown once): {made.password}",
            f"Start it: gatebot serve {made.directory}    Then open {made.url}",
        ],
    )


@click.command()
@_DIRECTORY
@click.option(
    "--role",
    type=click.Choice(["all", "executor"]),
    default="all",
    show_default=True,
    help="executor: only run builds, for a site on another machine.",
)
@click.option("--connect", default="", metavar="URL", help="The site whose builds an executor runs.")
def serve(directory: Path, role: str, connect: str) -> None:
    """Serve the site in DIRECTORY until stopped (Ctrl-C).

    With `--role executor --connect URL`, DIRECTORY is made when it is not there; `gatebot executor enrol NAME`, on the
    site's side, prints the whole line.
    """
    if (role == "executor") != bool(connect):
        raise click.UsageError("--role executor and --connect URL belong together.")
    if role == "executor":
        with uncollected():
            from ..app.executing import execute

        sys.exit(execute(directory, connect))
    with uncollected():
        from ..app.serving import serve as run

    sys.exit(run(directory))


@click.command()
@_DIRECTORY
def migrate(directory: Path) -> None:
    """Bring the site's database to the schema of this version. Make a backup first."""
    settings, where = places.load(directory)
    user = users.server_user(settings.executor.run_as)
    with sole_server(where.data, user):
        db.migrate(where.database_url)
        users.give(where.data, user)
    click.echo("The database has the newest schema.")


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--site", "directory", type=click.Path(path_type=Path), default=".", help="The site's directory (default: here)."
)
def backup(target: Path, directory: Path) -> None:
    """Copy the whole site to TARGET; the server may go on running.

    TARGET is a new directory; `gatebot restore` makes a site of it.
    """
    told = keeping.backup(directory, target)
    click.echo(f"Backed up to {target}: {told}.\nBring it back with: gatebot restore {target} NEW-DIRECTORY")


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.argument("directory", type=click.Path(path_type=Path))
def restore(source: Path, directory: Path) -> None:
    """Make a site in the new DIRECTORY from the backup in SOURCE."""
    keeping.restore(source, directory)
    click.echo(f"Restored to {directory}. Start it: gatebot serve {directory}")


@click.group()
def image() -> None:
    """Build and list the root file systems that jobs run on."""


_SITE = click.option(
    "--site",
    "directory",
    type=click.Path(path_type=Path),
    help="Where this site looks (default: the site whose directory this is; else for all sites here).",
)


@image.command("build")
@click.argument("label", default="")
@click.option("--arch", default="", help="For nodes of this architecture, such as arm64 (default: this machine's).")
@click.option("--vm", is_flag=True, help="For virtual machines; a label of the provider qemu means that by itself.")
@_SITE
def build_image(label: str, arch: str, directory: Path | None, vm: bool) -> None:
    """Build the image of a label, or of an architecture. Takes some minutes and 250-500 MB, once."""
    images.build(directory or (_site_here() if label else None), label, arch, machine=vm)


@image.command("list")
@_SITE
@click.pass_obj
def list_images(out: Output, directory: Path | None) -> None:
    """List the images: size, age, and which labels use them."""
    images.list_all(out, directory or _site_here())


def _site_here() -> Path | None:
    """The site whose directory this is, if it is one."""
    return Path() if Path(places.SETTINGS).is_file() else None

# SPDX-License-Identifier: Apache-2.0
"""`gatebot config check`: the configuration files of one project, without a server.

They are read as a server would, on top of the jobs that every site has.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .. import assets, words
from ..pipeline.config.check import FOR_CONFIG_PROJECTS, SITE, told
from ..pipeline.config.check import check as check_files
from ..repo.worktrees import cloned_from, origin_of


@click.command("check")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".")
@click.option("--trusted", is_flag=True, help="It is a config project (a clone of gatebot-config is known as one).")
def check(directory: Path, trusted: bool) -> None:
    """Check the configuration files of a project; all errors at once.

    DIRECTORY (default: here) has them: .zuul.yaml, zuul.d/ ...
    """
    project = cloned_from(origin_of(directory))[1] or directory.resolve().name
    trusted = trusted or project == SITE
    files = {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }
    shipped = assets.path("jobs")
    base = {str(path.relative_to(shipped)): path.read_bytes() for path in shipped.rglob("*") if path.is_file()}
    errors = check_files(files, trusted=trusted, project=project, base=None if trusted else base)
    if errors:
        click.echo(told(errors, words.say))
        click.echo(f"\n{len(errors)} error{'s' if len(errors) > 1 else ''}.", err=True)
        if any(error.reason.kind in FOR_CONFIG_PROJECTS for error in errors):
            click.echo(f"If {project} is a config project: gatebot config check --trusted", err=True)
        sys.exit(1)
    click.echo("No errors.")

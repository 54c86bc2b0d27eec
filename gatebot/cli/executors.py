# SPDX-License-Identifier: Apache-2.0
"""`gatebot executor ...`: let other machines run builds of this site, see how they are, and revoke them.

A client of the site's REST; `nats-config` alone works on the site's directory.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import click

from .output import Output, quote


@click.group()
def executor() -> None:
    """Let other machines run builds for this site."""


@executor.command("enrol")
@click.argument("name")
@click.pass_obj
def enrol(out: Output, name: str) -> None:
    """Let a machine run builds; prints the one line to run there."""
    made = out.client().call("POST", "/api/executors", {"name": name})
    out.text(made, ["Run this on the other machine, within a day (gatebot is installed there):", "", made["command"]])


@executor.command("list")
@click.pass_obj
def list_executors(out: Output) -> None:
    """List the machines with what they do."""
    found = out.client().get("/api/executors")
    rows = [
        (one["name"], _state(one), f"{one['running']}/{one['slots']}", _heard(one), one["version"]) for one in found
    ]
    out.table(found, rows, ("name", "state", "slots", "last heard", "version"), "No machine was enrolled.")


@executor.command("revoke")
@click.argument("name")
@click.pass_obj
def revoke(out: Output, name: str) -> None:
    """Let a machine run no more builds. What it runs is given to others."""
    out.client().call("DELETE", f"/api/executors/{quote(name)}")
    out.text({"name": name}, [f"{name} runs no more builds of this site."])


@executor.command("nats-config")
@click.option(
    "--site", "directory", type=click.Path(path_type=Path), default=".", help="The site's directory (default: here)."
)
def nats_config(directory: Path) -> None:
    """Print configuration for a NATS server of your own. With a new password."""
    from ..app import places
    from ..app.executors import nats_configuration

    _, where = places.load(directory)
    click.echo(nats_configuration(where, secrets.token_urlsafe(24)), nl=False)


def _state(one: dict[str, Any]) -> str:
    if not one["enrolled"]:
        return "has not come yet"
    return "alive" if one["alive"] else "silent"


def _heard(one: dict[str, Any]) -> str:
    return str(one["heard"] or "never").partition(".")[0]

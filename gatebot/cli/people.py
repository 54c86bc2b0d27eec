# SPDX-License-Identifier: Apache-2.0
"""`gatebot user ...` and `gatebot project ...`: accounts and repositories of a running site.

A client of Gerrit's REST; an import is an ordinary push of all branches and tags, made by git here,
so that it needs no access of the server to the source.
"""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

import click

from .histories import git, make_project, push_history
from .lazy import Lazy
from .output import Client, Output, quote


@click.group()
def user() -> None:
    """Make and list accounts."""


@user.command("add")
@click.argument("username")
@click.option("--name", default="", help="Full name; default: the user name.")
@click.option("--email", default="", help="Address for commits; default: USERNAME@localhost.")
@click.option("--core", is_flag=True, help="May vote Code-Review +2 and Workflow +1, and submit.")
@click.option("--admin", is_flag=True, help="May do everything.")
@click.option("--service", is_flag=True, help="Is a program that gates: may vote Verified -2 to +2.")
@click.option("--third-party-ci", is_flag=True, help="Is a CI elsewhere: may vote Verified -1 and +1.")
@click.pass_obj
def add_user(
    out: Output, username: str, name: str, email: str, core: bool, admin: bool, service: bool, third_party_ci: bool
) -> None:  # fmt: skip
    """Make an account and print its password, once."""
    password = secrets.token_urlsafe(12)
    wishes = (
        (core, "Core"), (admin, "Administrators"), (service, "Service Users"), (third_party_ci, "Third-Party CI")
    )  # fmt: skip
    groups = [group for wanted, group in wishes if wanted]
    body = {
        "name": name or username, "email": email or f"{username}@localhost",
        "http_password": password, "groups": groups,
    }  # fmt: skip
    answer = out.client().call("PUT", f"/accounts/{quote(username)}", body)
    out.text({**answer, "password": password}, [f"Account {username} made.", f"Password (shown once): {password}"])


@user.command("password")
@click.argument("username")
@click.pass_obj
def new_password(out: Output, username: str) -> None:
    """Give an account a new password and print it, once. Its sessions end."""
    password = out.client().call("PUT", f"/accounts/{quote(username)}/password.http", {"generate": True})
    out.text({"username": username, "password": password}, [f"Password of {username} (shown once): {password}"])


@user.command("list")
@click.pass_obj
def list_users(out: Output) -> None:
    """List the accounts."""
    found = out.client().get("/accounts/", q="is:active", o="DETAILS")
    rows = [(a["_account_id"], a.get("username", ""), a.get("name", ""), a.get("email", "")) for a in found]
    out.table(found, rows, ("id", "user name", "name", "email"), "No accounts.")


_IMPORT = "Host a package of PyPI, with a commit and tag a version."


@click.group(cls=Lazy, elsewhere={"import-sdist": ("sdists:import_sdist", _IMPORT)})
def project() -> None:
    """Make, import and list repositories."""


@project.command("create")
@click.argument("name")
@click.option("--import", "source", metavar="URL|DIR", help="Bring a repository with its full history.")
@click.pass_obj
def create_project(out: Output, name: str, source: str | None) -> None:
    """Host a repository. Its changes go through review and the gate from the first push on."""
    client = out.client()
    make_project(client, name, empty_commit=not source)
    if source:
        _bring(client, name, source)
    out.text(
        {"name": name, "url": f"{client.url}/{name}"},
        [f"Project {name} made.", f"  git clone {client.url}/{name}", f"  {client.url}/project/{name}"],
    )


@project.command("list")
@click.pass_obj
def list_projects(out: Output) -> None:
    """List the repositories."""
    found = out.client().get("/projects/", d="")
    out.table(found, [(name, info.get("description", "")) for name, info in sorted(found.items())],
              ("project", "description"), "No projects. Make one with: gatebot project create NAME")  # fmt: skip


def _bring(client: Client, name: str, source: str) -> None:
    if Path(source).is_dir():
        push_history(client, name, Path(source))
        return
    with tempfile.TemporaryDirectory(prefix="gatebot-import-") as scratch:
        mirror = Path(scratch) / "mirror.git"
        git(["clone", "--quiet", "--mirror", "--", source, str(mirror)], "cannot be cloned")
        push_history(client, name, mirror)

# SPDX-License-Identifier: Apache-2.0
"""`gatebot group ...`: groups of a running site and who is in them.

A client of Gerrit's REST. A member is a user name; with `--group` it is another group.
"""

from __future__ import annotations

from typing import Any

import click

from .output import Output, quote


@click.group()
def group() -> None:
    """Make groups, and say who is in them."""


@group.command("list")
@click.pass_obj
def list_groups(out: Output) -> None:
    """List the groups that you see, with their UUIDs."""
    found = out.client().get("/groups/")
    rows = [(name, _uuid(info), info.get("owner", ""), info.get("description", "")) for name, info in found.items()]
    out.table(found, rows, ("group", "UUID", "owner", "description"), "No groups.")


@group.command("create")
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@click.option("--owner", default="", metavar="GROUP", help="Whose members change it; default: its own.")
@click.option("--visible", is_flag=True, help="Everybody may see it and who is in it.")
@click.option("--member", "members", multiple=True, metavar="USER", help="Who is in it; default: you. Repeatable.")
@click.pass_obj
def create(out: Output, name: str, description: str, owner: str, visible: bool, members: tuple[str, ...]) -> None:
    """Make a group."""
    body: dict[str, Any] = {"description": description, "visible_to_all": visible}
    if owner:
        body["owner"] = owner
    if members:
        body["members"] = list(members)
    made = out.client().call("PUT", f"/groups/{quote(name)}", body)
    out.text(made, [f"Group {made['name']} made.", f"Its line for the file groups: {_uuid(made)}\t{made['name']}"])


@group.command("members")
@click.argument("name")
@click.option("--recursive", is_flag=True, help="Also those of the groups in it.")
@click.pass_obj
def members(out: Output, name: str, recursive: bool) -> None:
    """List who is in a group, and which groups are."""
    client = out.client()
    people = client.get(f"/groups/{quote(name)}/members/", **({"recursive": "true"} if recursive else {}))
    nested = client.get(f"/groups/{quote(name)}/groups/")
    rows = [("user", one.get("username", ""), one.get("name", "")) for one in people]
    rows += [("group", one["name"], one.get("description", "")) for one in nested]
    out.table({"members": people, "groups": nested}, rows, ("kind", "name", ""), f"Nobody is in {name}.")


@group.command("add")
@click.argument("name")
@click.argument("members", nargs=-1, required=True)
@click.option("--group", "nested", is_flag=True, help="The members are groups.")
@click.pass_obj
def add(out: Output, name: str, members: tuple[str, ...], nested: bool) -> None:
    """Let members into a group."""
    _change(out, name, members, "add", nested=nested)
    out.text({"group": name, "added": list(members)}, [f"In {name} now: {', '.join(members)}."])


@group.command("remove")
@click.argument("name")
@click.argument("members", nargs=-1, required=True)
@click.option("--group", "nested", is_flag=True, help="The members are groups.")
@click.pass_obj
def remove(out: Output, name: str, members: tuple[str, ...], nested: bool) -> None:
    """Let members go."""
    _change(out, name, members, "delete", nested=nested)
    out.text({"group": name, "removed": list(members)}, [f"Not in {name} any more: {', '.join(members)}."])


@group.command("rename")
@click.argument("name")
@click.argument("new")
@click.pass_obj
def rename(out: Output, name: str, new: str) -> None:
    """Call a group otherwise. Rules go on to mean it."""
    out.client().call("PUT", f"/groups/{quote(name)}/name", {"name": new})
    out.text({"name": new}, [f"{name} is called {new} now."])


@group.command("delete")
@click.argument("name")
@click.pass_obj
def delete(out: Output, name: str) -> None:
    """Take a group away. Rules that name it permit nobody anything from then on."""
    out.client().call("DELETE", f"/groups/{quote(name)}")
    out.text({"deleted": name}, [f"Group {name} is gone."])


def _change(out: Output, name: str, members: tuple[str, ...], how: str, *, nested: bool) -> None:
    what = "groups" if nested else "members"
    out.client().call("POST", f"/groups/{quote(name)}/{what}.{how}", {what: list(members)})


def _uuid(info: dict[str, Any]) -> str:
    return str(info["id"]).replace("%3A", ":")

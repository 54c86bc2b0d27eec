# SPDX-License-Identifier: Apache-2.0
"""`gatebot node ...`: the nodes that builds have or had, the labels that jobs ask for, and what providers can do.

A client of `/api/nodes`; decides nothing. Anybody may look, as far as the builds may be seen; into a held node comes
whoever asked for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import click

from .output import Output

_GIB = 1024**3
_HERE = "this server"


@click.group()
def node() -> None:
    """Look at nodes, labels and providers; enter nodes that are held."""


@node.command("list")
@click.pass_obj
def list_nodes(out: Output) -> None:
    """List the nodes that are in use, and those that are held."""
    found = out.client().get("/api/nodes")
    rows = [
        (
            one["id"],
            _state(one),
            one["label"],
            f"{one['arch']} {one['execution']}",
            one["provider"],
            one["executor"] or _HERE,
            f"{one['job']} of {one['project']}",
        )
        for one in found["nodes"]
    ]
    heads = ("node", "state", "label", "is", "provider", "executor", "build of")
    out.table(found["nodes"], rows, heads, "No build has a node now.")


@node.command("ssh", context_settings={"ignore_unknown_options": True})
@click.argument("node")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def ssh(out: Output, node: str, command: tuple[str, ...]) -> None:
    """Go into a node that is held: for a shell, or for one command.

    COMMAND goes to a shell there, its words joined by blanks, as with ssh: gatebot node ssh NODE -- 'pwd; ls'

    For whoever asked for it, and for administrators. What the job left running goes on meanwhile, and is stopped again
    when the last visitor has left.
    """
    from . import terminal

    client = out.client()
    path = f"/api/nodes/{quote(node, safe='')}/terminal"
    client.get(path)  # says why not, in words
    argv = ("sh", "-c", " ".join(command)) if command else ()
    sys.exit(terminal.visit(client.url + path, client.auth_header(), argv))


@node.command("hold")
@click.argument("node")
@click.option("--hours", default=24, show_default=True, help="How long from now on.")
@click.pass_obj
def hold(out: Output, node: str, hours: int) -> None:
    """Hold a node that is held already until some hours from now."""
    held = out.client().call("POST", f"/api/nodes/{quote(node, safe='')}/hold", {"hours": hours})
    out.text(held, [f"The node {held['id']} is {_state(held)}."])


@node.command("delete")
@click.argument("node")
@click.pass_obj
def delete(out: Output, node: str) -> None:
    """End the hold of a node. It goes now, and the other nodes of its build."""
    gone = out.client().call("DELETE", f"/api/nodes/{quote(node, safe='')}")
    if gone["executor"]:
        out.text(gone, [f"The node {node} goes as soon as the executor {gone['executor']} hears of it."])
    else:
        out.text(gone, [f"The node {node} is gone."])


@node.command("labels")
@click.pass_obj
def labels(out: Output) -> None:
    """List the labels that jobs can ask for, and who serves each. With the reason why nobody does."""
    found = out.client().get("/api/nodes")["labels"]
    rows = [
        (
            one["name"],
            ", ".join(name or _HERE for name in one["executors"]) or ("nobody yet" if one["coming"] else "nobody"),
            " ".join(part for part in (one["provider"], one["arch"], one["execution"]) if part),
            f"{one['cpus']:g} CPUs, {one['memory'] / _GIB:g} GiB memory, {one['disk'] / _GIB:g} GiB disk",
            one["network"],
            "" if one["executors"] else " ".join(problem["why"] for problem in one["problems"]),
        )
        for one in found
    ]
    out.table(found, rows, ("label", "served by", "from", "at most", "network", "why not"), "There are no labels.")


@node.command("providers")
@click.pass_obj
def providers(out: Output) -> None:
    """List the providers of all executors, and what they can do. With what is wrong with them."""
    found = out.client().get("/api/nodes")["executors"]
    heads = ("executor", "provider", "nodes", "has", "problems")
    out.table(found, _providers(found), heads, "Nobody runs builds.")


def _providers(executors: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for executor in executors:
        name = (executor["name"] or _HERE) + ("" if executor["alive"] else " (silent)")
        for one in executor["providers"]:
            used = f"{one['used']} of {one['slots']} in use" if one["slots"] else f"{one['used']} in use"
            has = ", ".join(f"{each['arch']} {each['execution']}" for each in one["platforms"]) or "nothing"
            yield name, one["name"], used, has, " ".join(one["problems"])


def _state(one: dict[str, Any]) -> str:
    held = one["held"]
    if held is None:
        return "in use"
    until = f"until {held['until'][:16].replace('T', ' ')} UTC" if held["until"] else "until it is let go"
    return f"held {until}" + (f" for {held['for']}" if held["for"] else "")

# SPDX-License-Identifier: Apache-2.0
"""`gatebot status ...`: tell how the site is, to channels and on every page, and read what was told.

A client of `/api/status-log`; decides nothing.
"""

from __future__ import annotations

from typing import Any

import click

from .output import Output


@click.group()
def status() -> None:
    """Tell everybody how the site is, and read what was told."""


@status.command("list")
@click.option(
    "--kind", multiple=True, metavar="KIND", help="Only log, notice, alert, ok, success or thanks; may be repeated."
)
@click.pass_obj
def list_status(out: Output, kind: tuple[str, ...]) -> None:
    """List what was told, the newest first.

    Example: gatebot status list --kind alert --kind ok
    """
    found: list[dict[str, Any]] = out.client().get("/api/status-log", **({"kind": ",".join(kind)} if kind else {}))
    rows = [(one["at"][:19].replace("T", " "), one["kind"], one["nick"], one["text"]) for one in found]
    out.table(found, rows, ("when (UTC)", "kind", "who", "text"), "Nothing was told yet.")


def _tell(out: Output, kind: str, words: tuple[str, ...]) -> None:
    text = " ".join(words)
    answer = out.client().call("POST", "/api/status-log", {"kind": kind, "text": text})
    out.text(answer, [f"Told: {kind}{f': {text}' if text else ''}"])


@status.command("log")
@click.argument("words", nargs=-1, required=True, metavar="TEXT...")
@click.pass_obj
def log(out: Output, words: tuple[str, ...]) -> None:
    """Keep a text in the status log; nobody is told."""
    _tell(out, "log", words)


@status.command("notice")
@click.argument("words", nargs=-1, required=True, metavar="TEXT...")
@click.pass_obj
def notice(out: Output, words: tuple[str, ...]) -> None:
    """Tell channels, and for a time every page."""
    _tell(out, "notice", words)


@status.command("alert")
@click.argument("words", nargs=-1, required=True, metavar="TEXT...")
@click.pass_obj
def alert(out: Output, words: tuple[str, ...]) -> None:
    """Tell channels, also in their topics, and every page, until ok."""
    _tell(out, "alert", words)


@status.command("ok")
@click.argument("words", nargs=-1, metavar="[TEXT...]")
@click.pass_obj
def ok(out: Output, words: tuple[str, ...]) -> None:
    """End the alert and the notice."""
    _tell(out, "ok", words)

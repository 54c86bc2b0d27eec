# SPDX-License-Identifier: Apache-2.0
"""`gatebot ci list`: how CIs elsewhere that vote here stand.

A client of `/api/third-party-ci`; decides nothing.
"""

from __future__ import annotations

from typing import Any

import click

from ..durations import duration
from .output import Output

_NONE = "No CI elsewhere votes here: give it a section [third_party_ci.NAME] in gatebot.toml."


@click.group()
def ci() -> None:
    """Look at CIs elsewhere that vote here."""


@ci.command("list")
@click.pass_obj
def list_cis(out: Output) -> None:
    """List them: how much they voted on, how well and how fast. With the changes that wait for them."""
    found: dict[str, Any] = out.client().get("/api/third-party-ci")
    heads = ("ci", "last vote", "voted", "success", "median", "9 of 10", "waiting")
    rows = [_row(one) for one in found["third_party_ci"]]
    out.table(
        found, rows, heads, "No CI elsewhere votes here: give it a section [third_party_ci.NAME] in gatebot.toml."
    )


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    last = one["last_vote"]
    said = "no account" if not one["account_exists"] else "none"
    if last:
        said = f"{one['label']} {last['value']:+d} on {last['change']}, {last['at'][:16].replace('T', ' ')}"
    voted = f"{one['voted']} of {one['patch_sets']}"
    rate = "" if one["success_rate"] is None else f"{one['success_rate']:.0%}"
    times = (duration(one[key]) for key in ("response_median", "response_p90"))
    return (one["name"], said, voted, rate, *times, ", ".join(str(each["change"]) for each in one["waiting"]))

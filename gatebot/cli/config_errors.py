# SPDX-License-Identifier: Apache-2.0
"""`gatebot config ...`: here `errors`, `accept`, `unaccept`, what is wrong in a tenant's configuration and may stay.

A client of `/api/tenant/NAME/`. An accepted error stops no change until its day, unless the change needs a secret that
cannot be decrypted; then it does again.
"""

from __future__ import annotations

import click

from .lazy import Lazy
from .output import Output
from .tenants import TENANT, tenant_of

_MOST = 10_000
_ELSEWHERE = {
    "check": ("checking:check", "Check the configuration files of a project; all errors at once."),
    "freeze": ("freezing:freeze", "Show which jobs a change of the files PATH would run, and why."),
    "try": ("freezing:try_change", "Say what a change of configuration does to everybody's jobs."),
}


@click.group(cls=Lazy, elsewhere=_ELSEWHERE)
def config() -> None:
    """Check configuration, and look at its errors."""


@config.command("errors")
@click.option("--project", default="", help="Only those of one project.")
@TENANT
@click.pass_obj
def errors(out: Output, project: str, tenant: str) -> None:
    """List the errors of the merged configuration. Each with its id, and who accepted it until when."""
    client = out.client()
    at = f"/api/tenant/{tenant_of(client, tenant)}"
    query = {"limit": _MOST} | ({"project": project} if project else {})
    found = client.get(f"{at}/config-errors", **query)
    accepted = {one["id"]: one for one in client.get(f"{at}/config-errors-accepted")}
    for one in found:
        one["accepted"] = accepted.get(one["id"])
    rows = [
        (
            one["id"],
            "{project} {branch} {path}:{line}".format(**one["source_context"]),
            one["short_error"],
            "{owner}, {until:.10}: {reason}".format(**one["accepted"]) if one["accepted"] else "",
        )
        for one in found
    ]
    out.table(found, rows, ("id", "where", "error", "accepted"), "No errors.")


@config.command("accept")
@click.argument("error")
@click.option("--owner", required=True, help="Who mends it.")
@click.option("--reason", required=True, help="Why it may stay.")
@click.option("--until", required=True, metavar="YYYY-MM-DD", help="The day when it stops changes again.")
@TENANT
@click.pass_obj
def accept(out: Output, error: str, owner: str, reason: str, until: str, tenant: str) -> None:
    """Let an error of the configuration be for a time.

    Changes that it concerns run without what it takes away, as in Zuul.

    A secret that cannot be decrypted stops the changes that need it all the same; they are told who mends it.
    """
    client = out.client()
    body = {"owner": owner, "reason": reason, "until": until}
    made = client.call("POST", f"/api/tenant/{tenant_of(client, tenant)}/config-error/{error}/accept", body)
    out.text(made, [f"Accepted until {until}; {owner} mends it."])


@config.command("unaccept")
@click.argument("error")
@TENANT
@click.pass_obj
def unaccept(out: Output, error: str, tenant: str) -> None:
    """Accept an error no more: it stops changes again."""
    client = out.client()
    client.call("DELETE", f"/api/tenant/{tenant_of(client, tenant)}/config-error/{error}/accept")
    out.text({"id": error}, [f"Error {error} stops changes again."])

# SPDX-License-Identifier: Apache-2.0
"""`gatebot autohold ...`: keep the nodes of the next failed builds of a job, to look at them.

A client of Zuul's calls below `/api/tenant/NAME/`. Asking and deleting take the permission `autohold`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from .output import Output
from .tenants import TENANT, tenant_of


@click.group()
def autohold() -> None:
    """Keep the nodes of failed builds, to look at them."""


@autohold.command("add")
@click.option("--project", required=True, help="The project whose builds are meant.")
@click.option("--job", required=True, help="The job.")
@click.option("--reason", required=True, help="What the nodes are wanted for.")
@click.option("--change", type=int, help="Only builds of this change.")
@click.option("--ref", default="", help="Only builds of refs that fit this regular expression.")
@click.option("--count", default=1, show_default=True, help="How many failed builds.")
@click.option("--hours", default=24, show_default=True, help="How long each is kept; 0: until it is let go.")
@TENANT
@click.pass_obj
def add(
    out: Output, project: str, job: str, reason: str, change: int | None, ref: str, count: int, hours: int, tenant: str
) -> None:
    """Ask for the nodes of the next failed builds of a job."""
    client = out.client()
    body = {
        "job": job, "reason": reason, "count": count, "change": str(change or ""), "ref": ref,
        "node_hold_expiration": hours * 3600 or None,
    }  # fmt: skip
    path = f"/api/tenant/{tenant_of(client, tenant)}/project/{quote(project)}/autohold"
    client.call("POST", path, body)
    doubt = next((one["sentence"] for one in client.get(path) if one["job"] == job), "")
    answer = body | {"project": project, "sentence": doubt}
    out.text(answer, [f"{_whose(count)} of {job} in {project} {_kept(count, hours)}.", *filter(None, [doubt])])


@autohold.command("list")
@TENANT
@click.pass_obj
def list_requests(out: Output, tenant: str) -> None:
    """List the requests."""
    client = out.client()
    found = client.get(f"/api/tenant/{tenant_of(client, tenant)}/autohold")
    rows = [(one["id"], one["project"], one["job"], one["ref_filter"], _used(one), one["reason"]) for one in found]
    out.table(found, rows, ("id", "project", "job", "refs", "used", "reason"), "No nodes are asked for.")


@autohold.command("show")
@click.argument("request")
@TENANT
@click.pass_obj
def show(out: Output, request: str, tenant: str) -> None:
    """Show one request with the nodes that it holds."""
    client = out.client()
    found = client.get(f"/api/tenant/{tenant_of(client, tenant)}/autohold/{quote(request, safe='')}")
    lines = [f"{found['id']}  {found['job']} of {found['project']}, {found['ref_filter']}", f"  {found['reason']}"]
    lines.append(f"  used {_used(found)}")
    if found["sentence"]:
        lines.append(f"  {found['sentence']}")
    lines += [f"  holds {', '.join(held['nodes'])} of build {held['build']}" for held in found["nodes"]]
    out.text(found, lines)


@autohold.command("delete")
@click.argument("request")
@TENANT
@click.pass_obj
def delete(out: Output, request: str, tenant: str) -> None:
    """Give a request up; the nodes that it holds go."""
    client = out.client()
    client.call("DELETE", f"/api/tenant/{tenant_of(client, tenant)}/autohold/{quote(request, safe='')}")
    out.text({"id": request}, [f"Request {request} is gone."])


def _whose(count: int) -> str:
    return "The next failed build" if count == 1 else f"The next {count} failed builds"


def _kept(count: int, hours: int) -> str:
    keep = "keeps its nodes" if count == 1 else "keep their nodes"
    if not hours:
        return f"{keep} until they are let go"
    return f"{keep} for {hours} hour{'' if hours == 1 else 's'}" + ("" if count == 1 else " each")


def _used(one: dict[str, Any]) -> str:
    return f"{one['current_count']} of {one['max_count']}"

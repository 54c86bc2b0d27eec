# SPDX-License-Identifier: Apache-2.0
"""`gatebot job ...` and `gatebot semaphore ...`: what a tenant consists of, and what would run.

A client of `/api/tenant/NAME/`. The tenant need not be named where there is only one. `config freeze` does the same
from files, without a server.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import click

from ..errors import NotFound
from .output import Client, Output

TENANT = click.option("--tenant", default="", help="The tenant; need not be said where there is one.")


def tenant_of(client: Client, given: str) -> str:
    """The tenant that was named, or the only one."""
    if given:
        return quote(given, safe="")
    names = [one["name"] for one in client.get("/api/tenants")]
    if len(names) != 1:
        raise click.UsageError(f"Which tenant? Give --tenant. There are: {', '.join(names) or 'none'}.")
    return quote(names[0], safe="")


@click.group()
def job() -> None:
    """Look at jobs, and at what would run."""


@job.command("list")
@TENANT
@click.pass_obj
def list_jobs(out: Output, tenant: str) -> None:
    """List the jobs."""
    client = out.client()
    found = client.get(f"/api/tenant/{tenant_of(client, tenant)}/jobs")
    out.table(found, [(one["name"], one.get("description", "")) for one in found], ("job", "description"), "No jobs.")


@job.command("show")
@click.argument("name")
@TENANT
@click.pass_obj
def show(out: Output, name: str, tenant: str) -> None:
    """Show every definition of a job. With where it stands, its parent and branches."""
    client = out.client()
    found = client.get(f"/api/tenant/{tenant_of(client, tenant)}/job/{quote(name, safe='')}")
    lines: list[str] = []
    for one in found:
        at = one["source_context"]
        lines.append(f"{one['name']}  {at['project']} {at['branch']} {at['path']}:{at['line']}")
        told = {"parent": one["parent"], "branches": ", ".join(one["branches"]), "timeout": one["timeout"]}
        told |= {"run": ", ".join(book["path"] for book in one["run"]), "description": one["description"]}
        lines += [f"  {key}: {value}" for key, value in told.items() if value]
    out.text(found, lines)


@job.command("freeze")
@click.option("--project", required=True, help="The project of the change.")
@click.option("--pipeline", required=True, help="The pipeline that it would be in.")
@click.option("--branch", default="main", show_default=True, help="The branch that it is for.")
@click.option("--file", "files", multiple=True, help="A path that the change alters; may be said several times.")
@click.option("--job", "name", default="", help="Show this one in full.")
@TENANT
@click.pass_obj
def freeze(
    out: Output, project: str, pipeline: str, branch: str, files: tuple[str, ...], name: str, tenant: str
) -> None:
    """Say which jobs a change would run, and why the others would not. Without --file: as if any file were altered."""
    client = out.client()
    at = f"/api/tenant/{tenant_of(client, tenant)}/pipeline/{quote(pipeline, safe='')}"
    at += f"/project/{quote(project)}/branch/{quote(branch)}"
    query = urlencode([("why", "1"), *(("file", path) for path in files)])
    found = client.get(f"{at}/freeze-jobs?{query}")
    if name:
        _one(out, client, at, name, files, found)
        return
    lines = [_line(one) for one in found["jobs"]]
    lines += [f"- {one['name']}: {one['sentence']}" for one in found["skipped"]]
    lines += [f"! {one['error']}" for one in found["errors"]]
    if not found["configured"]:
        lines = [f"{project} has no jobs in {pipeline} on {branch}."]
    out.text(found, lines or ["No job would run."])
    if found["errors"]:
        raise click.exceptions.Exit(1)


def _line(one: dict[str, Any]) -> str:
    needs = ", ".join(need["name"] + (" (soft)" if need["soft"] else "") for need in one["dependencies"])
    return f"+ {one['name']}{'' if one['voting'] else ' (non-voting)'}{f'  after {needs}' if needs else ''}"


def _one(out: Output, client: Client, at: str, name: str, files: tuple[str, ...], graph: dict[str, Any]) -> None:
    for one in graph["skipped"]:
        if one["name"] == name:
            raise NotFound(one["sentence"])
    query = urlencode([("file", path) for path in files])
    found = client.get(f"{at}/freeze-job/{quote(name, safe='')}" + (f"?{query}" if query else ""))
    books = [
        f"  {book['project']}:{book['path']}@{book['branch']}"
        for kind in ("pre_playbooks", "playbooks", "post_playbooks")
        for book in found[kind]
    ]
    labels = ", ".join(node["label"] for node in found["nodeset"]["nodes"]) or "none"
    facts = [f"parents: {', '.join(found['parents'])}", f"nodes: {labels}", f"timeout: {found['timeout'] or 'none'}"]
    out.text(found, [name, *(f"  {fact}" for fact in facts), "  playbooks:", *(f"  {book}" for book in books)])


@click.group()
def semaphore() -> None:
    """Look at semaphores: who holds them, who waits."""


@semaphore.command("list")
@TENANT
@click.pass_obj
def list_semaphores(out: Output, tenant: str) -> None:
    """List the semaphores. With how many jobs may hold each, how many do, how many wait."""
    client = out.client()
    found = client.get(f"/api/tenant/{tenant_of(client, tenant)}/semaphores")
    rows = [(one["name"], one["max"], one["holders"]["count"], len(one["waiting"])) for one in found]
    out.table(found, rows, ("semaphore", "max", "held", "waiting"), "No semaphores.")

# SPDX-License-Identifier: Apache-2.0
"""`gatebot config freeze` and `gatebot config try`: what would run, and why; what a change of configuration does to it.

From a tenant file and checkouts, without a server; `try` also asks a server about a change. Exit codes: 0 done; 1 there
are errors, so that a change would not pass; 2 wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from .. import words
from ..pipeline.config.explained import graph_json, graph_lines
from ..pipeline.config.freeze import freeze as freeze_graph
from ..pipeline.config.layout import Layout
from ..pipeline.config.offline import layout_of, proposed_of, tenant_of
from ..pipeline.config.trial import difference_json, differences
from .output import Output
from .tenants import TENANT
from .tenants import tenant_of as tenant_there

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_DIRECTORY = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.option("--tenant-config", required=True, type=_FILE, help="The tenant file.")
@click.option("--tenant", "name", default="", help="Which tenant of it (default: the first).")
@click.option("--repos", required=True, type=_DIRECTORY, help="Where the projects are: DIR/PROJECT, files or git.")
@click.option("--project", required=True, help="The project of the change.")
@click.option("--pipeline", required=True, help="The pipeline that the change is in.")
@click.option("--branch", default="master", show_default=True, help="The branch of the change.")
@click.option("--file", "files", multiple=True, metavar="PATH", help="A file that it changes; several times for more.")
@click.argument("more", nargs=-1, metavar="[PATH]...")
@click.option("--with", "over", type=_DIRECTORY, help="Where the projects are as the change has them, DIR/PROJECT.")
@click.option("--plain-branch", default="master", show_default=True, help="The branch of projects without git.")
@click.pass_obj
def freeze(
    out: Output, tenant_config: Path, name: str, repos: Path, project: str, pipeline: str, branch: str,
    files: tuple[str, ...], more: tuple[str, ...], over: Path | None, plain_branch: str,
) -> None:  # fmt: skip
    """Show which jobs a change of the files PATH would run, and why.

    A change that edits configuration is shown with what it proposes by --with. Exits with 1 if something is wrong with
    the graph, or with what is proposed: such a change would not pass.
    """
    tenant = tenant_of(tenant_config, name)
    if over is None:
        layout, previous, broken = layout_of(tenant, repos, plain_branch), None, ()
    else:
        previous, proposal = proposed_of(tenant, repos, plain_branch, over)
        layout, broken = proposal.layout, proposal.errors
    known = layout.project(project)
    if known is None:
        like = _like(project, layout.projects) or f"{tenant_config} says which are."
        raise click.UsageError(f"Project {project} is not in tenant {layout.tenant.name}. {like}")
    _require_pipeline(layout, pipeline, repos)
    branches = layout.sources.branches.get(known.name, ())
    if branches and branch not in branches and not branch.startswith("refs/"):
        there = ", ".join(branches[:10])
        click.echo(
            f"Note: {known.name} has no branch {branch} here; it has {there}. Choose one with --branch.", err=True
        )
    graph = freeze_graph(layout, pipeline, known.name, branch, files=(*files, *more), previous=previous)
    if broken and layout.tenant.fail_closed:
        graph = replace(graph, errors=tuple(dict.fromkeys((*broken, *graph.errors))))
    out.text(graph_json(graph, words.say), graph_lines(graph, words.say))
    sys.exit(1 if graph.errors else 0)


def _require_pipeline(layout: Layout, pipeline: str, repos: Path) -> None:
    if pipeline in layout.pipelines:
        return
    lost = [error for one in layout.lost.get(f"pipeline {pipeline}", ()) for error in one.errors]
    if lost:
        raise click.UsageError(f"Pipeline {pipeline} cannot be used: {words.say(lost[0].reason)}")
    if not layout.pipelines:
        wanted = ", ".join(project.name for project in layout.tenant.projects if project.trusted)
        where = f"They are read from the config projects ({wanted}); look for these in {repos}."
        raise click.UsageError(f"Tenant {layout.tenant.name} has no pipelines here. {where}")
    like = _like(pipeline, layout.pipelines)
    raise click.UsageError(f"There is no pipeline {pipeline}: {', '.join(layout.pipelines)}. {like}".rstrip())


def _like(word: str, known: Iterable[str]) -> str:
    """The question that a mistyped name deserves; "" if nothing is like it."""
    found = get_close_matches(word, known, n=3)
    return f"Did you mean {' or '.join(found)}?" if found else ""


@click.command("try")
@click.argument("change", type=int, required=False)
@click.option("--tenant-config", type=_FILE, help="Without a server: the tenant file.")
@click.option("--repos", type=_DIRECTORY, help="Without a server: where the projects are now.")
@click.option("--with", "over", type=_DIRECTORY, help="Without a server: where the altered projects are, DIR/PROJECT.")
@click.option("--plain-branch", default="master", show_default=True, help="The branch of projects without git.")
@TENANT
@click.pass_obj
def try_change(
    out: Output, change: int | None, tenant_config: Path | None, repos: Path | None, over: Path | None,
    plain_branch: str, tenant: str,
) -> None:  # fmt: skip
    """Say what a change of configuration does to everybody's jobs.

    Of every project, pipeline and branch, before it is merged. CHANGE is one of the server; or compare two sets of
    checkouts by --tenant-config, --repos and --with. Exits with 1 if jobs could not be run any more.
    """
    if change is not None:
        client = out.client()
        found: list[Any] = client.get(f"/api/tenant/{tenant_there(client, tenant)}/try/{change}")
    elif tenant_config is None or repos is None or over is None:
        raise click.UsageError("Give the number of a change, or all of --tenant-config, --repos and --with.")
    else:
        named = tenant_of(tenant_config, tenant)
        before, after = (layout_of(named, repos, plain_branch, place) for place in (None, over))
        found = [difference_json(one, words.say) for one in differences(before, after)]
    out.text(found, _tried(found))
    sys.exit(1 if any(one["errors"] for one in found) else 0)


def _tried(found: list[Any]) -> list[str]:
    """The differences for people, graph by graph."""
    lines: list[str] = []
    for one in found:
        lines.append(f"{one['project']}, {one['pipeline']}, {one['branch']}")
        lines += [f"  + {name}" for name in one["added"]]
        lines += [f"  - {name}" for name in one["removed"]]
        for name, attributes in one["changed"].items():
            values = one["values"][name]
            told = (f"{each} ({' → '.join(values[each])})" if each in values else each for each in attributes)
            lines.append(f"  ~ {name}: {', '.join(told)}")
        lines += [f"  ! {error['path']}:{error['line']}: {error['error']}" for error in one["errors"]]
    return lines or ["No job of any project changes."]

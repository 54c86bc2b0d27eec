# SPDX-License-Identifier: Apache-2.0
"""`gatebot config freeze`: which jobs a change would run, and why, from a tenant file and checkouts, without a server.

Exit codes: 0 done; 1 the graph has errors, so that a change would not pass; 2 wrong usage.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .. import words
from ..pipeline.config.explained import graph_json, graph_lines
from ..pipeline.config.freeze import freeze as freeze_graph
from ..pipeline.config.layout import Layout
from ..pipeline.config.offline import layout_of, tenant_of
from .output import Output

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
@click.option("--plain-branch", default="master", show_default=True, help="The branch of projects without git.")
@click.pass_obj
def freeze(
    out: Output, tenant_config: Path, name: str, repos: Path, project: str, pipeline: str, branch: str,
    files: tuple[str, ...], more: tuple[str, ...], plain_branch: str,
) -> None:  # fmt: skip
    """Show the jobs that a change of the files PATH would run, each with why it runs or does not.

    Exits with 1 if something is wrong with the graph: such a change would not pass.
    """
    layout = layout_of(tenant_of(tenant_config, name), repos, plain_branch)
    known = layout.project(project)
    if known is None:
        raise click.UsageError(f"Project {project} is not in tenant {layout.tenant.name}.")
    _require_pipeline(layout, pipeline)
    graph = freeze_graph(layout, pipeline, known.name, branch, files=(*files, *more))
    out.text(graph_json(graph, words.say), graph_lines(graph, words.say))
    sys.exit(1 if graph.errors else 0)


def _require_pipeline(layout: Layout, pipeline: str) -> None:
    if pipeline in layout.pipelines:
        return
    lost = [error for one in layout.lost.get(f"pipeline {pipeline}", ()) for error in one.errors]
    why = f" It cannot be used: {words.say(lost[0].reason)}" if lost else ""
    raise click.UsageError(f"There is no pipeline {pipeline}: {', '.join(layout.pipelines)}.{why}")

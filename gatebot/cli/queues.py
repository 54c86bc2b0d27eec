# SPDX-License-Identifier: Apache-2.0
"""`gatebot queue ...`: what the pipelines are doing.

A client of `/api/status`: every waiting thing comes with its reason as a sentence. Nothing is decided
or changed here.
"""

from __future__ import annotations

import click

from .output import Output


@click.group()
def queue() -> None:
    """Look at the queues of the pipelines."""


@queue.command("show")
@click.pass_obj
def show(out: Output) -> None:
    """Show every queue: its items in order, what each waits for, and its jobs."""
    status = out.client().get("/api/status")
    lines: list[str] = []
    for pipeline in status["pipelines"]:
        for line in pipeline["queues"]:
            if not line["items"]:
                continue
            lines.append(f"{pipeline['name']}  {line['name']}")
            for item in line["items"]:
                lines.append(f"  {item['title']}: {item['sentence']}")
                lines.extend(f"    {job['name']}: {job.get('result') or job.get('state', '')}" for job in item["jobs"])
    out.text(status, lines or ["All queues are empty. Nothing waits."])

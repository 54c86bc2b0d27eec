# SPDX-License-Identifier: Apache-2.0
"""`gatebot queue ...`: what the pipelines are doing, and changes to their head.

A client of `/api/status`: every waiting thing comes with its reason as a sentence. Nothing is decided here.
"""

from __future__ import annotations

import click

from .output import Output


@click.group()
def queue() -> None:
    """Look at the queues; bring changes to their head."""


@queue.command("show")
@click.pass_obj
def show(out: Output) -> None:
    """Show every queue: its items, what each waits for, its jobs."""
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


@queue.command("promote")
@click.argument("changes", metavar="CHANGE...", nargs=-1, required=True, type=int)
@click.option("--pipeline", default="gate", show_default=True, help="The pipeline that they are in.")
@click.pass_obj
def promote(out: Output, changes: tuple[int, ...], pipeline: str) -> None:
    """Bring changes to the head of their queue, in this order."""
    answer = out.client().call("POST", "/api/promote", {"pipeline": pipeline, "changes": list(changes)})
    out.text(answer, [answer["sentence"]])

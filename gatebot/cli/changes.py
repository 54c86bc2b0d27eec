# SPDX-License-Identifier: Apache-2.0
"""`gatebot change ...` and `gatebot why`: look at changes, vote, recheck, submit, enqueue, dequeue.

A client of Gerrit's REST and of the verdict and queue calls beside it; decides nothing. CHANGE may be
a number, an address of any page of the change, or a Change-Id.
"""

from __future__ import annotations

import re
from typing import Any

import click

from ..errors import Conflict
from .output import Client, Output, quote

_NOTHING_TO_RUN = "pipeline.no-job-of-this-pipeline"  # nothing that anybody must do anything about


@click.group()
def change() -> None:
    """Look at changes, vote, recheck, submit, enqueue. CHANGE is a number, an address or a Change-Id."""


@change.command("list")
@click.argument("query", nargs=-1)
@click.option("-n", "limit", default=50, help="At most this many.", show_default=True)
@click.pass_obj
def list_changes(out: Output, query: tuple[str, ...], limit: int) -> None:
    """List changes that match QUERY (default: status:open). Newest first.

    Example: gatebot change list status:open project:demo/api
    """
    found = out.client().get("/changes/", q=" ".join(query) or "status:open", n=limit)
    rows = [(c["_number"], c["status"], c["project"], c["branch"], c["subject"]) for c in found]
    out.table(
        found, rows, ("change", "status", "project", "branch", "subject"),
        "No changes. Push one with: git push origin HEAD:refs/for/main",
    )  # fmt: skip


@change.command("show")
@click.argument("change_id", metavar="CHANGE")
@click.pass_obj
def show(out: Output, change_id: str) -> None:
    """Show one change: its state, votes, and what it waits for."""
    client = out.client()
    info = client.get(f"/changes/{_id(change_id)}/detail")
    verdict = client.get(f"/api/change/{info['_number']}/verdict")
    lines = [
        f"{info['_number']}  {info['subject']}",
        f"  {info['project']} {info['branch']}  {info['status']}  by {info['owner'].get('username', '?')}",
        f"  {client.url}/c/{info['project']}/+/{info['_number']}",
        *(f"  {line}" for line in _votes(info)),
        *_verdict_lines(verdict),
    ]
    out.text({"change": info, "verdict": verdict}, lines)


@change.command("vote")
@click.argument("change_id", metavar="CHANGE")
@click.argument("votes", nargs=-1, required=True, metavar="LABEL=VALUE...")
@click.option("-m", "--message", default="", help="A comment to go with the votes.")
@click.pass_obj
def vote(out: Output, change_id: str, votes: tuple[str, ...], message: str) -> None:
    """Vote on a change. For example: gatebot change vote 12 Code-Review=+2 Workflow=+1"""
    labels: dict[str, int] = {}
    for given in votes:
        found = re.fullmatch(r"([A-Za-z0-9-]+)=([+-]?\d)", given)
        if not found:
            raise click.UsageError(f"'{given}' is no vote: write LABEL=VALUE, for example Code-Review=+2.")
        labels[found[1]] = int(found[2])
    _review(out, change_id, {"message": message, "labels": labels})


@change.command("recheck")
@click.argument("change_id", metavar="CHANGE")
@click.pass_obj
def recheck(out: Output, change_id: str) -> None:
    """Run the check jobs again (the same as the comment "recheck")."""
    _review(out, change_id, {"message": "recheck"})


@change.command("comment")
@click.argument("change_id", metavar="CHANGE")
@click.argument("message")
@click.pass_obj
def comment(out: Output, change_id: str, message: str) -> None:
    """Write a comment on the current patch set."""
    _review(out, change_id, {"message": message})


@change.command("submit")
@click.argument("change_id", metavar="CHANGE")
@click.pass_obj
def submit(out: Output, change_id: str) -> None:
    """Submit a change. Where a gate is, this puts it into the queue; it merges when its jobs pass."""
    client = out.client()
    try:
        answer = client.call("POST", f"/changes/{_id(change_id)}/submit", {})
    except Conflict as told:
        if not str(told).startswith("enqueued"):
            raise
        out.text({"message": str(told)}, [str(told)])
        return
    out.text(answer, [f"Change {answer['_number']} is {answer['status']}."])


@change.command("enqueue")
@click.argument("change_id", metavar="CHANGE")
@click.option("--pipeline", required=True, help="The pipeline to put it in.")
@click.pass_obj
def enqueue(out: Output, change_id: str, pipeline: str) -> None:
    """Put a change into a pipeline, as if its trigger had come."""
    _queue(out, change_id, "enqueue", pipeline)


@change.command("dequeue")
@click.argument("change_id", metavar="CHANGE")
@click.option("--pipeline", required=True, help="The pipeline to take it out of.")
@click.pass_obj
def dequeue(out: Output, change_id: str, pipeline: str) -> None:
    """Take a change out of a pipeline; its builds are stopped."""
    _queue(out, change_id, "dequeue", pipeline)


def _queue(out: Output, change_id: str, verb: str, pipeline: str) -> None:
    client = out.client()
    number = client.get(f"/changes/{_id(change_id)}")["_number"]
    answer = client.call("POST", f"/api/change/{number}/{verb}", {"pipeline": pipeline})
    out.text(answer, [answer["sentence"]])


@click.command()
@click.argument("change_id", metavar="CHANGE")
@click.pass_obj
def why(out: Output, change_id: str) -> None:
    """Say what a change waits for, who can do it, where it stands."""
    client = out.client()
    info = client.get(f"/changes/{_id(change_id)}")
    number = info["_number"]
    verdict = client.get(f"/api/change/{number}/verdict")
    status = client.get(f"/api/status/change/{number}")
    stays = _queue_lines(status) or _departure_lines(status, info["current_revision_number"])
    lines = [f"{number} {info['subject']}: {info['status']}", *_verdict_lines(verdict), *stays]
    out.text({"verdict": verdict, "status": status}, lines)


def _review(out: Output, change_id: str, body: dict[str, Any]) -> None:
    client = out.client()
    answer = client.call("POST", f"/changes/{_id(change_id)}/revisions/current/review", body)
    told = [f"{label} {value:+d}" for label, value in body.get("labels", {}).items()] or [body["message"]]
    out.text(answer, [f"Said on change {change_id}: {', '.join(told)}"])


def _id(given: str) -> str:
    """A number, an address of a change on any page, or a Change-Id, as REST takes it."""
    number = re.fullmatch(r"(?:https?://.+/)?(\d+)(?:/\d+)?/?", given.split("#")[0])
    return number[1] if number else quote(given)


def _votes(info: Any) -> list[str]:
    lines: list[str] = []
    for label, detail in sorted(info.get("labels", {}).items()):
        cast = [f"{v.get('username', '?')} {v['value']:+d}" for v in detail.get("all", []) if v.get("value")]
        if cast:
            lines.append(f"{label}: {', '.join(cast)}")
    return lines


def _verdict_lines(verdict: Any) -> list[str]:
    return [f"  {line}" for line in verdict["lines"]]


def _queue_lines(status: Any) -> list[str]:
    lines: list[str] = []
    for item in status.get("items", []):
        lines.append(f"  in {item['pipeline']}: {item.get('sentence', '')}")
        lines.extend(f"    {_job_line(job)}" for job in item.get("jobs", []))
    return lines


def _job_line(job: Any) -> str:
    """A job, how far it is, and what it waits for or why it failed."""
    stands = f"{job['name']}: {job.get('result') or job.get('state', '')}"
    return f"{stands}. {job['sentence']}" if job.get("sentence") else stands


def _departure_lines(status: Any, patch_set: int) -> list[str]:
    """Why the newest patch set failed in each pipeline that it was in, and why it was taken out of the last."""
    past = [stay for stay in status.get("past", []) if stay["reason"] != _NOTHING_TO_RUN]
    last = past[:1] if past and past[0]["outcome"] == "withdrawn" else []
    newest: dict[str, Any] = {}
    for stay in past:
        newest.setdefault(stay["pipeline"], stay)
    told = [*last, *(stay for stay in newest.values() if stay["outcome"] == "failed")]
    return [
        f"  left {stay['pipeline']}: {stay['sentence']}"
        for stay in told
        if stay["patch_set"] == patch_set and stay["sentence"]
    ]


__all__ = ["Client", "change", "why"]

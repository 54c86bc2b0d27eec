# SPDX-License-Identifier: Apache-2.0
"""Builds and buildsets in the form of Zuul's REST, as Zuul's clients read them.

Pure: rows in, values for JSON out. Reasons arrive as sentences already.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...change import own_number
from ..naming import change_ref, full_ref
from ..queue.model import Outcome
from ..rows import BuildRow, BuildsetRow, given_json

_RESULTS = {
    Outcome.MERGED: "SUCCESS",
    Outcome.SUCCEEDED: "SUCCESS",
    Outcome.FAILED: "FAILURE",
    Outcome.WITHDRAWN: "DEQUEUED",
}


def ref(row: BuildRow | BuildsetRow, url: str) -> dict[str, object]:
    """What a build is about."""
    number, branch = row.change, full_ref(row.branch)
    mine = number is None or number == own_number(number)
    place = f"c/{row.project}/+/{number}" if mine else f"{number}"  # which leads to where it is at home
    return {
        "project": row.project,
        "branch": row.branch,
        "change": own_number(number) if number else None,
        "patchset": str(row.patch_set) if row.patch_set else None,
        "ref": change_ref(own_number(number), row.patch_set) if number and row.patch_set else branch,
        "oldrev": None,
        "newrev": None,
        "ref_url": f"{url}/{place}" if number else f"{url}/project/{row.project}",
    }


def build(row: BuildRow, url: str, why: str = "") -> dict[str, object]:
    """A build with the buildset that it belongs to."""
    about = ref(row, url)
    return {
        **_own(row, url, why),
        "pipeline": row.pipeline,
        "event_id": row.item,
        "event_timestamp": _time(row.created),
        "queue_item_uuid": row.item,
        "buildset": {"uuid": row.buildset, "refs": [about]},
    }


def buildset(row: BuildsetRow, url: str, why: str = "", builds: Sequence[BuildRow] | None = None) -> dict[str, object]:
    """A buildset; with its builds where one is asked for."""
    told: dict[str, object] = {
        "uuid": row.buildset,
        "result": result(row),
        "message": why,
        "pipeline": row.pipeline,
        "event_id": row.item,
        "event_timestamp": _time(row.created),
        "queue_item_uuid": row.item,
        "first_build_start_time": _time(row.started),
        "last_build_end_time": _time(row.ended),
        "refs": [ref(row, url)],
    }
    return told if builds is None else {**told, "builds": [_own(one, url, "") for one in builds]}


def result(row: BuildsetRow) -> str | None:
    """How it ended, in Zuul's words; None while it runs, `ABORTED` when the item was tested anew."""
    if not row.last:
        return "ABORTED"
    return _RESULTS[Outcome(row.outcome)] if row.outcome else None


def _own(row: BuildRow, url: str, why: str) -> dict[str, object]:
    return {
        "uuid": row.build,
        "job_name": row.job,
        "result": row.result or None,
        "held": False,
        "execute_time": _time(row.created),
        "start_time": _time(row.started),
        "end_time": _time(row.ended),
        "duration": (row.ended - row.started).total_seconds() if row.ended and row.started else None,
        "voting": row.voting,
        "log_url": f"{url}/logs/{row.build}/",
        "nodeset": row.node,
        "nodes": [given_json(node) for node in row.nodes],
        "error_detail": why or None,
        "final": row.final,
        "artifacts": [{"name": name, "url": at} for name, at in row.artifacts],
        "provides": [],
        "ref": ref(row, url),
    }


def _time(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%S") if at is not None else None

# SPDX-License-Identifier: Apache-2.0
"""The queues in the form of Zuul's `status`, as dashboards and Zuul's clients read it.

Pure. Milliseconds where Zuul has them; the heads of a queue are chains of items that are tested on top of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...change import own_number
from ..naming import change_ref, full_ref
from ..queue.model import RETRY
from ..status import FAILING, RUNNING, WAITING, ItemView, JobView, PipelineView, QueueView


def status(pipelines: Iterable[PipelineView], version: str, url: str, at: int) -> dict[str, object]:
    """Everything of a tenant; `at` is the time in milliseconds."""
    return {
        "zuul_version": version,
        "last_reconfigured": at,
        "trigger_event_queue": {"length": 0},
        "management_event_queue": {"length": 0},
        "pipelines": [_pipeline(pipeline, url) for pipeline in pipelines],
    }


def stays(pipelines: Iterable[PipelineView], number: int, patch_set: int | None, url: str) -> list[dict[str, object]]:
    """The items of a change."""
    return [
        item(view, pipeline.name, url)
        for pipeline in pipelines
        for queue in pipeline.queues
        for view in queue.items
        if any(one.number == number and patch_set in (None, one.patch_set) for one in view.changes)
    ]


def item(
    view: ItemView, pipeline: str, url: str, ahead: str | None = None, behind: Sequence[str] = ()
) -> dict[str, object]:
    """One item."""
    return {
        "id": view.id,
        "live": view.live,
        "active": view.state != WAITING or any(job.build for job in view.jobs),
        "refs": list(_refs(view, url)),
        "item_ahead": ahead,
        "items_behind": list(behind),
        "failing_reasons": ["at least one job failed"] if view.state == FAILING else [],
        "zuul_ref": None,
        "enqueue_time": int(view.enqueued.timestamp() * 1000),
        "remaining_time": None if view.left is None else int(view.left * 1000),
        "jobs": [_job(job, pipeline, url) for job in view.jobs],
    }


def _pipeline(view: PipelineView, url: str) -> dict[str, object]:
    return {
        "name": view.name,
        "description": view.description,
        "state": "normal",
        "manager": view.manager.value,
        "triggers": [],
        "change_queues": [_queue(queue, view.name, url) for queue in view.queues],
    }


def _queue(view: QueueView, pipeline: str, url: str) -> dict[str, object]:
    return {
        "name": view.name,
        "branch": None,
        "uuid": view.id,
        "window": view.window,
        "heads": [
            [
                item(
                    one, pipeline, url, chain[at - 1].id if at else None, [other.id for other in chain[at + 1 : at + 2]]
                )
                for at, one in enumerate(chain)
            ]
            for chain in _chains(view)
        ],
    }


def _chains(view: QueueView) -> Iterator[list[ItemView]]:
    """In a chain of merges a failing item stands alone; elsewhere an item stands behind those that stand in for it."""
    chain: list[ItemView] = []
    for one in view.items:
        if view.chained and one.state == FAILING:
            yield [one]
            continue
        chain.append(one)
        if one.live and not view.chained:
            yield chain
            chain = []
    if chain:
        yield chain


def _refs(view: ItemView, url: str) -> Iterator[dict[str, object]]:
    for one in view.changes:
        yield {
            "id": f"{own_number(one.number)},{one.patch_set}",
            "ref": change_ref(own_number(one.number), one.patch_set),
            "project": one.project,
            "project_canonical": one.project,
            "owner": one.owner or None,
            "url": one.url or f"{url}/c/{one.project}/+/{one.number}",
        }
    if view.ref is not None:
        project = view.ref.project
        yield {
            "id": view.ref.new or view.ref.branch,
            "ref": full_ref(view.ref.branch),
            "project": project,
            "project_canonical": project,
            "owner": None,
            "url": f"{url}/project/{project}",
        }


def _job(job: JobView, pipeline: str, url: str) -> dict[str, object]:
    result = None if job.state in (RUNNING, WAITING, FAILING) else job.state
    return {
        "name": job.name,
        "dependencies": list(job.needs),
        "elapsed_time": None if job.elapsed is None else int(job.elapsed * 1000),
        "remaining_time": None if job.left is None else int(job.left * 1000),
        "url": f"{url}/build/{job.build}" if job.build else None,
        "report_url": f"{url}/build/{job.build}" if job.build and result else None,
        "result": result,
        "voting": job.voting,
        "uuid": job.build or None,
        "estimated_time": None if job.left is None or job.elapsed is None else job.left + job.elapsed,
        "pipeline": pipeline if job.build else None,
        "canceled": result == "CANCELED",
        "paused": job.paused,
        "pre_fail": job.state == FAILING,
        "retry": result == RETRY,
        "tries": job.tries,
        "queued": job.state == WAITING,
        "waiting_status": None,
    }

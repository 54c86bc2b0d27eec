# SPDX-License-Identifier: Apache-2.0
"""What the builds of an item say together: the result of every job, which may run, whether the item fails.

Pure and derived: nothing here is stored. Results are Zuul's names; an empty one is not known yet. A job whose
parent did not succeed is SKIPPED, and a skipped job neither passes nor fails an item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...reasons import Reason, reason
from .model import FAILURE, NOOP, RETRY, RETRY_LIMIT, SKIPPED, SUCCESS, Build, Item, PlannedJob, Preparation

_HARMLESS = ("", SUCCESS, SKIPPED)
_TEXT = 200  # characters of a log line in a sentence


def results(item: Item) -> dict[str, str]:
    """Job -> result, in the order of the graph."""
    if item.prepared is None:
        return {}
    graph = {job.name: job for job in item.prepared.jobs}
    known: dict[str, str] = {}
    for name in graph:
        _result(name, graph, item, known)
    if item.prepared.fail_fast and any(known[name] not in _HARMLESS for name, job in graph.items() if job.voting):
        known = {name: result or ("" if _running(item, name) else SKIPPED) for name, result in known.items()}
    return {name: known[name] for name in graph}


def _running(item: Item, job: str) -> bool:
    build = item.builds.get(job)
    return build is not None and not build.result


def _result(name: str, graph: dict[str, PlannedJob], item: Item, known: dict[str, str]) -> str:
    if name in known:
        return known[name]
    known[name] = ""  # a circle of jobs waits for ever rather than running here for ever
    build = item.builds.get(name)
    if name == NOOP:
        known[name] = SUCCESS
    elif build is None:
        known[name] = SKIPPED if _parents(graph[name], graph, item, known) is False else ""
    elif build.result == RETRY:
        known[name] = RETRY_LIMIT if build.tries >= graph[name].attempts else ""
    else:
        known[name] = build.result
    return known[name]


def _parents(job: PlannedJob, graph: dict[str, PlannedJob], item: Item, known: dict[str, str]) -> bool | None:
    """Whether the jobs it needs let it run; None: not known yet. A soft need counts only where it runs."""
    wanted = [need for need in job.needs if need.name in graph or not need.soft]
    found = [_result(need.name, graph, item, known) if need.name in graph else SKIPPED for need in wanted]
    if any(result not in ("", SUCCESS) for result in found):
        return False
    return True if all(found) else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that one look at an item gives. `failure` says why it cannot merge as it is, None while it can.

    `ready` are the jobs that may start now, each with the number of its try; `complete` says that every result is
    known, `holds` that items behind must wait with their builds for a job of this one.
    """

    results: Mapping[str, str]
    failure: Reason | None
    ready: tuple[tuple[PlannedJob, int], ...]
    complete: bool
    holds: bool


_seen: dict[str, tuple[Item, Verdict]] = {}
_MOST = 5000


def judge(item: Item) -> Verdict:
    """The verdict of an item as it is. Remembered while the very same value is asked for: most items rest."""
    known = _seen.get(item.id)
    if known is not None and known[0] is item:
        return known[1]
    if len(_seen) >= _MOST:
        _seen.clear()
    found = _judge(item)
    _seen[item.id] = (item, found)
    return found


def _judge(item: Item) -> Verdict:
    known = results(item)
    jobs = item.prepared.jobs if item.prepared is not None else ()
    return Verdict(
        known,
        _failure(item, known),
        tuple(_ready(item, known)),
        item.prepared is not None and all(known.values()),
        any(job.hold_following and known[job.name] != SUCCESS for job in jobs),
    )


def _ready(item: Item, known: dict[str, str]) -> Iterator[tuple[PlannedJob, int]]:
    if item.prepared is None or item.prepared.broken is not None:
        return
    graph = {job.name: job for job in item.prepared.jobs}
    for name, job in graph.items():
        build = item.builds.get(name)
        if known[name] or (build is not None and build.result != RETRY):
            continue
        if _parents(job, graph, item, known):
            yield job, 1 if build is None else build.tries + 1


def _failure(item: Item, known: dict[str, str]) -> Reason | None:
    prepared = item.prepared
    if item.refused is not None:
        return reason("pipeline.landing-refused", item.refused)
    if prepared is None:
        return None
    if prepared.broken is not None or not item.live:
        return prepared.broken  # what stands in for others runs nothing, and cannot fail by that
    if not prepared.jobs:
        return reason("pipeline.no-jobs")
    for job in prepared.jobs:
        build = item.builds.get(job.name)
        lost = known[job.name] not in _HARMLESS or (build is not None and build.failing is not None)
        if job.voting and lost:
            return _job_failed(item, prepared, job, known[job.name] or FAILURE, build)
    if all(result == SKIPPED for result in known.values()):
        return reason("pipeline.all-jobs-skipped")
    return None


def _job_failed(item: Item, prepared: Preparation, job: PlannedJob, result: str, build: Build | None) -> Reason:
    why = (build.failing or build.reason) if build is not None else None
    because = () if why is None else (why,)
    if prepared.ahead:
        told = ", ".join(map(str, prepared.ahead))
        collided = "pipeline.collided" if job.name in item.passed else "pipeline.tested-on-top-of"
        because = (*because, reason(collided, job=job.name, changes=told))
    if build is not None and build.error_line:
        text = build.error_text.strip()[:_TEXT]
        return reason("pipeline.job-failed-at", *because, job=job.name, result=result, line=build.error_line, text=text)
    return reason("pipeline.job-failed", *because, job=job.name, result=result)

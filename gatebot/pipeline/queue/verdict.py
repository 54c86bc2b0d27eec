# SPDX-License-Identifier: Apache-2.0
"""What the builds of an item say together: the result of every job, which may run, whether the item fails.

Pure and derived: nothing here is stored. Results are Zuul's names; an empty one is not known yet. A skipped job neither
passes nor fails an item. Reporter jobs are no part of this before the item was reported, and never of its failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...reasons import Reason, reason
from .graph import JobGraph, counts, next_choice, open_again, result
from .model import CANCELED, FAILURE, SKIPPED, SUCCESS, Build, Item, PlannedJob, Preparation
from .sharing import REPORTER

_HARMLESS = ("", SUCCESS, SKIPPED)
_TEXT = 400  # characters of a log line in a sentence


@dataclass(frozen=True, slots=True)
class Ready:
    """A job that may start now: the number of its try, and which alternative of its nodeset is its turn."""

    job: PlannedJob
    tries: int = 1
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that one look at an item gives. `failure` says why it cannot merge as it is, None while it can.

    `results` are by the keys of jobs; `complete` says that every one is known, `holds` that items behind must wait with
    their builds for a job of this one, `stopped` that a failure ends its other builds (fail-fast). `resumes` are paused
    builds that nobody needs any more, `stale` those that depended on one that was lost. `rests`: nothing is to be
    said about the item while its base stands and it is not its turn.
    """

    results: Mapping[str, str]
    failure: Reason | None
    ready: tuple[Ready, ...]
    complete: bool
    holds: bool
    stopped: bool
    resumes: tuple[Build, ...] = ()
    stale: tuple[Build, ...] = ()
    rests: bool = False


_seen: dict[str, tuple[Item, Verdict]] = {}
_MOST = 5000


def forget() -> None:
    """Remember nothing, as a new process; what is asked for again is worked out again."""
    _seen.clear()


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


def results(item: Item) -> Mapping[str, str]:
    """The result of each job by its key, in the order of the graph."""
    return judge(item).results


def graph_of(item: Item) -> JobGraph:
    """The jobs that count now: reporter jobs only once the item was reported."""
    jobs = item.prepared.jobs if item.prepared is not None else ()
    return JobGraph.of(job for job in jobs if item.reported or job.type != REPORTER)


def reports_by_jobs(item: Item) -> bool:
    """Whether reporter jobs come after the item's report."""
    return item.prepared is not None and any(job.type == REPORTER for job in item.prepared.jobs)


def reporters_failed(item: Item) -> bool:
    """Whether a reporter job that votes did not succeed; it changes nothing about the item itself."""
    known, jobs = results(item), item.prepared.jobs if item.prepared is not None else ()
    return any(job.type == REPORTER and job.voting and known.get(job.key) not in _HARMLESS for job in jobs)


def _judge(item: Item) -> Verdict:
    calm = not (item.needs or item.unfit or item.failed or item.landing or item.landed or item.reported)
    if item.prepared is None and item.refused is None:
        return Verdict({}, None, (), complete=False, holds=False, stopped=False, rests=calm)
    graph = graph_of(item)
    ended = {key: result(job, item.builds.get(key)) for key, job in graph.jobs.items()}
    skipped = graph.skipped(item.builds) if graph.parents or _lacking(graph) else set[str]()
    known = {key: ended[key] or (SKIPPED if key in skipped else "") for key in graph.jobs}
    fail_fast = item.prepared is not None and item.prepared.fail_fast
    stopped = fail_fast and any(known[key] not in _HARMLESS for key, job in graph.jobs.items() if job.voting)
    if stopped:
        known = {key: found or ("" if _running(item, key) else CANCELED) for key, found in known.items()}
    waiting = _open_parents(item, graph, known) if graph.parents else {}
    failure, ready = _failure(item, graph, known), tuple(_ready(item, graph, known, waiting))
    holds = any(job.hold_following and known[job.key] != SUCCESS for job in graph.jobs.values())
    resumes = tuple(_resumes(item, graph, known))
    stale = tuple(build for key in waiting if (build := counts(item.builds.get(key))) is not None)
    busy = failure or ready or holds or stopped or resumes or stale or any(build.wants for build in item.unfinished)
    return Verdict(
        known,
        failure,
        ready,
        item.prepared is not None and all(known.values()),
        holds,
        stopped,
        resumes,
        stale,
        rests=calm and not busy,
    )


def _lacking(graph: JobGraph) -> bool:
    return any(job.needs for job in graph.jobs.values())


def _running(item: Item, key: str) -> bool:
    build = item.builds.get(key)
    return build is not None and not build.result


def _open_parents(item: Item, graph: JobGraph, known: Mapping[str, str]) -> dict[str, list[str]]:
    """Job -> those that it depends on, however far, that neither ended nor wait for it."""
    open_ = {key for key, found in known.items() if not found and not _paused(item, key)}
    waiting = {key: [parent for parent in graph.before(key) if parent in open_] for key in graph.parents}
    return {key: parents for key, parents in waiting.items() if parents}


def _paused(item: Item, key: str) -> bool:
    build = item.builds.get(key)
    return build is not None and build.paused and not build.result


def _ready(item: Item, graph: JobGraph, known: Mapping[str, str], waiting: Mapping[str, list[str]]) -> Iterator[Ready]:
    if item.prepared is None or item.prepared.broken is not None:
        return
    for key, job in graph.jobs.items():
        build = item.builds.get(key)
        if known[key] or key in waiting:
            continue
        if build is None:
            yield Ready(job)
        elif build.void or (build.result and open_again(job, build)):
            yield Ready(job, build.tries + 1, next_choice(job, build))


def _resumes(item: Item, graph: JobGraph, known: Mapping[str, str]) -> Iterator[Build]:
    for key in graph.jobs:
        build = item.builds.get(key)
        waits = build is not None and build.paused and not (build.resumed or build.result)
        if build is not None and waits and all(known[child] for child in graph.after(key)):
            yield build


def _failure(item: Item, graph: JobGraph, known: Mapping[str, str]) -> Reason | None:
    prepared = item.prepared
    if item.refused is not None:
        return reason("pipeline.landing-refused", item.refused)
    if prepared is None:
        return None
    if prepared.broken is not None or not item.live:
        return prepared.broken  # what stands in for others runs nothing, and cannot fail by that
    if not prepared.jobs:
        return reason("pipeline.no-jobs")
    lost = [job for job in graph.jobs.values() if job.voting and job.type != REPORTER and _lost(item, job, known)]
    if lost:
        first = next((job for job in lost if known[job.key] != CANCELED), lost[0])
        return _job_failed(item, prepared, first, known[first.key] or FAILURE, item.builds.get(first.key))
    if all(found == SKIPPED for key, found in known.items() if graph.jobs[key].type != REPORTER):
        return reason("pipeline.all-jobs-skipped")
    return None


def _lost(item: Item, job: PlannedJob, known: Mapping[str, str]) -> bool:
    """Whether a job failed, or is seen to fail."""
    build = counts(item.builds.get(job.key))
    return known[job.key] not in _HARMLESS or (build is not None and build.failing is not None)


def _job_failed(item: Item, prepared: Preparation, job: PlannedJob, result: str, build: Build | None) -> Reason:
    why = (build.failing or build.reason) if build is not None else None
    because = () if why is None else (why,)
    if prepared.ahead:
        told = ", ".join(map(str, prepared.ahead))
        collided = "pipeline.collided" if job.name in item.passed else "pipeline.tested-on-top-of"
        because = (*because, reason(collided, job=job.key, changes=told))
    if build is not None and build.error_line:
        line = build.error_text.strip()
        text = line if len(line) <= _TEXT else f"{line[: _TEXT - 1]}…"
        return reason("pipeline.job-failed-at", *because, job=job.key, result=result, line=build.error_line, text=text)
    return reason("pipeline.job-failed", *because, job=job.key, result=result)

# SPDX-License-Identifier: Apache-2.0
"""What builds returned (`zuul_return`) and what becomes of it: data and artifacts for jobs, words for people.

Pure, in Zuul's order: jobs later in the graph win over earlier ones; `zuul`, `nodepool` and `unsafe_vars` are never
handed on. Whatever has the wrong shape says nothing: jobs are strangers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urljoin

from ..assignment import Json, ProvidedArtifact
from ..change import FileComment, TextRange, own_number
from ..merging import merged
from ..reasons import Reason, reason
from .queue.graph import JobGraph, counts
from .queue.model import Item, ItemChange
from .queue.verdict import graph_of

_KEPT_BACK = ("zuul", "nodepool", "unsafe_vars")
_MOST_REMARKS = 100
_MOST_WARNINGS = 20
_SPAN = ("start_line", "start_character", "end_line", "end_character")


@dataclass(frozen=True, slots=True)
class ReturnedBuild:
    """One build with what it returned; relative addresses begin at `log_url`. `change` None: it was of a branch."""

    build: str
    job: str
    project: str
    branch: str
    change: int | None = None
    patch_set: int | None = None
    data: Mapping[str, Json] = field(default_factory=dict[str, Json])
    secret_data: Mapping[str, Json] = field(default_factory=dict[str, Json])
    log_url: str = ""


@dataclass(frozen=True, slots=True)
class HandedOn:
    """What a job gets from the builds before it."""

    data: Mapping[str, Json] = field(default_factory=dict[str, Json])
    secret_data: Mapping[str, Json] = field(default_factory=dict[str, Json])
    artifacts: tuple[ProvidedArtifact, ...] = ()


def parents(item: Item, job: str) -> tuple[str, ...]:
    """The builds that a job of an item depends on, however far, in the order of the graph."""
    graph: JobGraph = graph_of(item)
    before = graph.before(job)
    found = (counts(item.builds.get(key)) for key in graph.jobs if key in before)
    return tuple(build.id for build in found if build is not None)


def handed_on(before: Sequence[ReturnedBuild], provided: Sequence[ReturnedBuild]) -> HandedOn:
    """What a job gets from its `parents`, and from the builds that provide what it requires."""
    return HandedOn(_data(before), _secrets(before), artifacts((*provided, *before)))


def _data(builds: Iterable[ReturnedBuild]) -> Mapping[str, Json]:
    found: Mapping[str, Json] = {}
    for one in builds:
        found = merged(found, one.data)
    return {name: value for name, value in found.items() if name not in _KEPT_BACK}


def _secrets(builds: Iterable[ReturnedBuild]) -> Mapping[str, Json]:
    found: Mapping[str, Json] = {}  # here, as in Zuul, the earlier job wins
    for one in builds:
        found = merged(one.secret_data, found)
    return {name: value for name, value in found.items() if name != "zuul"}


def artifacts(builds: Iterable[ReturnedBuild]) -> tuple[ProvidedArtifact, ...]:
    """The artifacts of some builds, each once."""
    found: list[ProvidedArtifact] = []
    for one in builds:
        found += (artifact for artifact in _artifacts(one) if artifact not in found)
    return tuple(found)


def _artifacts(one: ReturnedBuild) -> Iterator[ProvidedArtifact]:
    base = _told(one).get("log_url")
    base = base if isinstance(base, str) and base else one.log_url
    for listed in _list(_told(one).get("artifacts")):
        told = _table(listed)
        name, url = told.get("name"), told.get("url")
        if isinstance(name, str) and isinstance(url, str):
            where = urljoin(base if base.endswith("/") else f"{base}/", url)
            about = (one.project, one.job, one.change, one.patch_set, one.branch)
            yield ProvidedArtifact(name, where, *about, metadata=_table(told.get("metadata")))


def warnings(builds: Iterable[ReturnedBuild]) -> tuple[str, ...]:
    """What jobs want people to know besides the result."""
    return tuple(told for one in builds for told in _list(_told(one).get("warnings")) if isinstance(told, str))


def remarks(change: ItemChange, builds: Iterable[ReturnedBuild]) -> tuple[FileComment, ...]:
    """The remarks of builds on the files of one change, as many as anybody can read."""
    return _remarks(change, builds)[:_MOST_REMARKS]


def _remarks(change: ItemChange, builds: Iterable[ReturnedBuild]) -> tuple[FileComment, ...]:
    """All of them, each once; what is said of other files has no place there."""
    found = dict.fromkeys(remark for one in builds for remark in comments(one))
    return tuple(one for one in found if not change.files or one.path in change.files)


def left_out(item: Item, builds: Sequence[ReturnedBuild]) -> Iterator[Reason]:
    """Warnings: how many remarks are too many, and the files with remarks that no change of the item touches."""
    for change in item.changes:
        if (more := len(_remarks(change, builds)) - _MOST_REMARKS) > 0:
            yield reason("pipeline.remarks-left-out", most=_MOST_REMARKS, count=more, change=own_number(change.number))
    if all(change.files for change in item.changes):
        touched = {path for change in item.changes for path in change.files}
        said = dict.fromkeys((one.job, remark.path) for one in builds for remark in comments(one))
        strange = [one for one in said if one[1] not in touched]
        for job, path in strange[:_MOST_WARNINGS]:
            yield reason("pipeline.remarks-elsewhere", job=job, path=path)
        if len(strange) > _MOST_WARNINGS:
            yield reason("pipeline.more-remarks-elsewhere", count=len(strange) - _MOST_WARNINGS)


def comments(one: ReturnedBuild) -> Iterator[FileComment]:
    """The remarks of a build on lines of files."""
    for path, listed in _table(_told(one).get("file_comments")).items():
        for told in map(_table, _list(listed)):
            message, span, level = told.get("message"), _table(told.get("range")), told.get("level")
            line = told.get("line", span.get("end_line"))
            if isinstance(message, str) and message and isinstance(line, int) and line >= 0:
                yield FileComment(path, line, message, level if isinstance(level, str) else "info", _span(span))


def _span(told: Mapping[str, Json]) -> TextRange | None:
    """A piece of a file, where all four numbers of it are told and it is none the wrong way round."""
    numbers = tuple(value for name in _SPAN if isinstance(value := told.get(name), int) and value >= 0)
    right = len(numbers) == len(_SPAN) and numbers[0] > 0 and numbers[:2] <= numbers[2:]
    return TextRange(*numbers) if right else None


def json_table(text: str) -> Mapping[str, Json]:
    """What a build returned, from its text."""
    try:
        return _table(json.loads(text or "{}"))
    except (ValueError, RecursionError):
        return {}


def _told(one: ReturnedBuild) -> Mapping[str, Json]:
    return _table(one.data.get("zuul"))


def _table(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Json) -> list[Json]:
    return cast("list[Json]", value) if isinstance(value, list) else []

# SPDX-License-Identifier: Apache-2.0
"""Facts that somebody asked for something: by name, of pipelines and of what stops them.

Part of `events.py`, which is what others import; the same rules hold. Whoever asks was allowed to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .assignment import Json
from .fact import Event


@dataclass(frozen=True, slots=True)
class SubmitRequested(Event):
    """A person pressed Submit on a project whose changes go through a gate: enqueue, do not merge."""

    change: int
    patch_set: int
    account: int


@dataclass(frozen=True, slots=True)
class EnqueueRequested(Event):
    """A person asked for a place in a pipeline by name (button, REST, command line)."""

    change: int
    pipeline: str
    account: int


@dataclass(frozen=True, slots=True)
class DequeueRequested(Event):
    change: int
    pipeline: str
    account: int


@dataclass(frozen=True, slots=True)
class RefEnqueueRequested(Event):
    """A person asked for a branch or tag in a pipeline; `ref` is a full name, `new` empty: where it points to now.

    `parameters` are those that the project declares for the pipeline, as they were given.
    """

    project: str
    ref: str
    pipeline: str
    account: int
    old: str = ""
    new: str = ""
    parameters: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class RefDequeueRequested(Event):
    project: str
    ref: str
    pipeline: str
    account: int


@dataclass(frozen=True, slots=True)
class BuildAbortRequested(Event):
    """A person wants a build that runs, or waits to, to end: it counts as canceled, which is no success."""

    build: str
    account: int


@dataclass(frozen=True, slots=True)
class PromoteRequested(Event):
    """A person wants these changes at the head of their queue, in this order; everything behind is tested again."""

    pipeline: str
    changes: tuple[int, ...]
    account: int


@dataclass(frozen=True, slots=True)
class ConfigErrorAccepted(Event):
    """An administrator lets an error of a tenant's configuration be until a time (ISO 8601); `owner` is to mend it."""

    tenant: str
    key: str
    project: str
    owner: str
    why: str
    until: str
    account: int


@dataclass(frozen=True, slots=True)
class ConfigErrorUnaccepted(Event):
    """The error stops items again."""

    tenant: str
    key: str
    account: int

# SPDX-License-Identifier: Apache-2.0
"""What the server and executors on other machines say to each other, and the subjects that it goes by.

Only values, which survive a trip through JSON. A message names builds with their fencing numbers and nothing else; the
job, its secrets and its commits come with `Claimed`, over HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from ...assignment import Assignment, Checkout, NodeWait
from ...reasons import Reason
from ..providers.model import Capacity

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
"""An executor's name, which is a part of subjects."""
BEAT_SECONDS = 2.0
ANSWER_SECONDS = 3.0
"""So long a beat waits for its answer."""
SILENT_SECONDS = 10.0
"""An executor that nobody answered for so long ends its builds itself, and is given no more."""
LEASE_SECONDS = 20.0
"""A build that was not heard of for so long is given to another executor, with a new fence."""
FAREWELL_SECONDS = 120.0
"""So long an executor goes on alone when the server said that it ends; it is waited for so much longer, too."""

STREAM = "GATEBOT"
TO = "gatebot.to"
DELIVER = "gatebot.deliver"
BEAT = "gatebot.beat"
EXECUTOR, BUILD = "Gatebot-Executor", "Gatebot-Build"
"""The headers that carry the pass of an executor, and that of a build."""
VISITS = "/api/executor/visits/"
"""Where an executor comes for somebody who visits a node that it keeps."""


class Verb(StrEnum):
    """What a word asks for."""

    OFFER = "offer"
    ABORT = "abort"
    RESUME = "resume"
    GRANT = "grant"
    LET_GO = "let-go"
    VISIT = "visit"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Word:
    """One message to an executor; `names` are the semaphores of a grant, or a kept node and the id of a visit there.

    What concerns kept nodes has no fence. `why` is for the log of a build that ends.
    """

    verb: Verb
    build: str
    fence: int
    names: tuple[str, ...] = ()
    why: Reason | None = None


Written: TypeAlias = "Mapping[str, str | int | float | bool]"
"""A label as settings write it."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an executor can have nodes of: by its providers, those that are `trusted` only after review.

    `labels` are those of its own settings; the site's own are known to everybody. `unusable` says why a provider can do
    nothing now, `trying` since when it is being tried out; `unready` are labels whose images are not there yet.
    """

    capacities: Mapping[str, Capacity] = field(default_factory=dict[str, Capacity])
    trusted: tuple[str, ...] = ()
    labels: Mapping[str, Written] = field(default_factory=dict[str, Written])
    unusable: Mapping[str, Reason] = field(default_factory=dict[str, Reason])
    trying: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    unready: Mapping[str, Reason] = field(default_factory=dict[str, Reason])


@dataclass(frozen=True, slots=True)
class Beat:
    """An executor lives. `builds` are those that it runs, with their fences.

    It keeps the nodes of `held` builds for people, and has none of `gone` ones, that the server thought it had. Of its
    builds those of `waits` have no nodes yet. `excused`: the last answer that it had was a farewell.
    """

    version: str
    slots: int
    abilities: Abilities
    builds: Mapping[str, int] = field(default_factory=dict[str, int])
    held: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    waits: Mapping[str, NodeWait] = field(default_factory=dict[str, NodeWait])
    excused: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """To a beat. `lost` are builds that are not the executor's any more: it ends them. One that is not `known` goes.

    Of the nodes that it keeps those of builds that are `over` may go; it should have those of `held` ones. `parting`:
    the server ends, and nobody answers for a while. `again` are words that may have been lost.
    """

    lost: tuple[str, ...] = ()
    known: bool = True
    over: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    parting: bool = False
    again: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """What an executor needs to begin: where NATS is, and what the site is like. `nats_pass` is good for a minute."""

    name: str
    nats: str
    nats_pass: str
    host: str
    max_log: int
    max_artifacts: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A build for whoever claimed it. `box` is sealed to its key: the values of secrets; `token` dies with the build.

    `labels` are what the site says of the labels of the job, by name.
    """

    assignment: Assignment
    box: str
    token: str
    labels: Mapping[str, Written] = field(default_factory=dict[str, Written])


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An executor that may come; without a `key` it has not come yet. `token` is the hash of what it shows."""

    name: str
    token: str
    created: datetime
    expires: datetime | None = None
    key: str = ""
    version: str = ""
    slots: int = 0
    abilities: Abilities = Abilities()
    heard: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Who runs a build, since where its log is his (before that are earlier runs), and what he may fetch for it.

    His lease begins when he was `heard`; a server that parts lets it begin later.
    """

    build: str
    fence: int
    executor: str
    log_base: int
    heard: datetime
    checkouts: tuple[Checkout, ...] = ()


def about_secrets(build: str, fence: int) -> str:
    """What a box of secrets is sealed about: it opens for this run of this build alone."""
    return f"build {build} run {fence}"

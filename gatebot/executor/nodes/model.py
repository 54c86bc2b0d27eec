# SPDX-License-Identifier: Apache-2.0
"""What is said of nodes: providers with what they can do, labels with who serves them, nodes with who has them.

Only values.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...assignment import GivenNode
from ...reasons import Reason
from ..model import Label
from ..providers.model import Capacity


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a build's nodes are kept after its end: the request, whose it is, and until when (None: it is deleted)."""

    request: int
    account: int
    who: str
    why: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Node:
    """A node that a build has, or had before it was kept."""

    id: str
    build: str
    job: str
    project: str
    given: GivenNode
    since: datetime
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class ProviderState:
    """A provider of an executor; without a `capacity` it can do nothing. `used` is how many nodes it has given."""

    name: str
    capacity: Capacity | None
    problems: tuple[Reason, ...]
    trusted: bool
    used: int


@dataclass(frozen=True, slots=True)
class ExecutorState:
    """An executor with its providers; the server's own has no name."""

    name: str
    alive: bool
    providers: tuple[ProviderState, ...]


@dataclass(frozen=True, slots=True)
class LabelState:
    """A label, the executors that can serve it now, and why the others cannot.

    `coming`: nobody can yet, but one of them is silent or still tried out, or its image is being built.
    """

    label: Label
    executors: tuple[str, ...]
    whys: tuple[tuple[str, Reason], ...]
    coming: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to run on a node; nothing: a shell. With a `terminal` it has that size and kind."""

    argv: tuple[str, ...] = ()
    terminal: bool = False
    rows: int = 24
    columns: int = 80
    term: str = "dumb"


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it."""

    executors: tuple[ExecutorState, ...]
    labels: tuple[LabelState, ...]
    nodes: tuple[Node, ...]

# SPDX-License-Identifier: Apache-2.0
"""A change of a Gerrit as it is kept here, and what a reading of that Gerrit's answers gives.

Floor 0: values only. Numbers of changes and accounts are gatebot's (`change.SPACE`); names, branches and commits are
the Gerrit's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...change import ChangeFacts

Json = Mapping[str, Any]

MERGED, ABANDONED, NEW = "MERGED", "ABANDONED", "NEW"


@dataclass(frozen=True, slots=True)
class Place:
    """Which Gerrit: the name of its connection, its address, and where its numbers begin here."""

    name: str
    url: str
    space: int


@dataclass(frozen=True, slots=True)
class PatchSet:
    """One patch set; `ref` is where it is to be fetched."""

    number: int
    commit: str
    parents: tuple[str, ...]
    subject: str
    message: str
    uploader: int
    author: str
    kind: str
    ref: str


@dataclass(frozen=True, slots=True)
class Need:
    """A submit requirement that is not met: its name, its expression, and the labels that this one speaks of."""

    name: str
    expression: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A change as it was seen last. `heard` are the messages that were told, `state` changes with anything in it."""

    facts: ChangeFacts
    patch_sets: tuple[PatchSet, ...]
    needs: tuple[Need, ...]
    heard: tuple[str, ...]
    state: str


@dataclass(frozen=True, slots=True)
class Said:
    """One message of people or programs, with the votes that came with it."""

    id: str
    patch_set: int
    account: int
    text: str
    tag: str = ""
    votes: tuple[tuple[str, int], ...] = ()
    inline: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """An account of that Gerrit, as far as filters look at it."""

    id: int
    username: str
    email: str


@dataclass(frozen=True, slots=True)
class Reading:
    """All that an answer about one change tells."""

    change: Mirrored
    said: tuple[Said, ...]
    people: tuple[Person, ...]
    updated: datetime


@dataclass(frozen=True, slots=True)
class Hint:
    """Something may be new: with one change, with the branches of one project, or (without a project) anywhere."""

    project: str = ""
    change: int | None = None

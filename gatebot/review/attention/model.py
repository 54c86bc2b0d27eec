# SPDX-License-Identifier: Apache-2.0
"""The values of the attention set: who is in it, and what a reply or a wish changes in it.

Floor 0. Reasons are sentences as Gerrit stores them, because clients show them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ADDED = "Reviewer was added"
REPLIED = "removed on reply"
REMOVED = "Reviewer/Cc was removed"
SUBMITTED = "Change was submitted"
ABANDONED = "Change was abandoned"
WIP = "Change was marked work in progress"
READY = "Change was marked ready for review"
OUTDATED = "Vote got outdated and was removed: {label}"
VOTE_REMOVED = "Vote was removed: {label}"


@dataclass(frozen=True, slots=True)
class Attention:
    """Somebody who is in the set, or was (`active` no)."""

    account: int
    active: bool
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A published review, as far as it decides whose turn it is.

    `participants` wrote in the threads that are answered. `tells` says whether it has anything but votes on an
    old patch set; `negative` whether a vote is below zero.
    """

    author: int
    owner: int
    uploader: int
    participants: frozenset[int] = frozenset()
    bot: bool = False
    negative: bool = False
    tells: bool = True


@dataclass(frozen=True, slots=True)
class Moves:
    """Who comes into the set and who leaves it, each with the reason."""

    add: tuple[tuple[int, str], ...] = ()
    remove: tuple[tuple[int, str], ...] = ()


NOBODY = Moves()
"""Nobody comes and nobody leaves."""

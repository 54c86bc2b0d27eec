# SPDX-License-Identifier: Apache-2.0
"""How long an executor goes on without an answer, and by when the server gives its builds to another.

Pure, and the same for both sides: an executor ends its builds before anybody else may have them, whatever was lost on
the way. So a longer time counts for the server from before it says so, and until it hears that a shorter one is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .model import FAREWELL_SECONDS, SILENT_SECONDS, Beat, Claim


def patience(parting: bool) -> float:
    """For how many seconds an executor goes on alone."""
    return FAREWELL_SECONDS if parting else SILENT_SECONDS


def counts_as_heard(now: datetime, *, parting: bool) -> datetime:
    """When an executor that says something now was heard, for its lease; while the server parts that is to come."""
    return now + timedelta(seconds=patience(parting) - SILENT_SECONDS)


@dataclass(frozen=True, slots=True)
class Answered:
    """The last answer that an executor had, to what it `sent` then."""

    sent: datetime
    parting: bool = False

    def newer(self, other: Answered) -> Answered:
        """Answers may come late: the one to what was sent last counts."""
        return other if other.sent >= self.sent else self

    def over(self, now: datetime) -> bool:
        """Whether it must not go on any more."""
        return (now - self.sent).total_seconds() >= patience(self.parting)


def shortened(claims: Iterable[Claim], beat: Beat, now: datetime) -> Mapping[str, Claim]:
    """Of the claims of an executor those whose lease ends as always again: it has had an answer since the farewell."""
    if beat.excused:
        return {}
    return {claim.build: replace(claim, heard=now) for claim in claims if claim.heard > now}

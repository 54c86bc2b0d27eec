# SPDX-License-Identifier: Apache-2.0
"""What an upgrade costs those who use the cloud: pings that a guest did not answer, and times an API did not.

Pure, of what `watching` saw. The two are told apart: who upgrades services does not touch guests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SENT = re.compile(r"^(\d+) packets transmitted, (\d+) received", re.MULTILINE)
_ANSWER = re.compile(r"^\[(\d+\.\d+)\] \d+ bytes from .* icmp_seq=", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pings:
    """How a guest answered; `silence` is the longest time between two answers, in seconds."""

    sent: int
    answered: int
    silence: float

    def __str__(self) -> str:
        """For people."""
        lost = self.sent - self.answered
        return f"{self.sent} pings, {lost} lost ({lost / max(self.sent, 1):.1%}), longest silence {self.silence:.1f} s"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to an API: when it was asked, when that ended, and whether it was answered."""

    begin: float
    end: float
    good: bool


@dataclass(frozen=True, slots=True)
class Downtime:
    """How long an API did not answer, in seconds: in all, and at most at once."""

    all: float
    longest: float

    def __str__(self) -> str:
        """For people."""
        return f"{self.all:.1f} s down, at most {self.longest:.1f} s at once" if self.all else "always answered"


def pings(told: str) -> Pings | None:
    """What `ping -D` found; None when it was not told to the end."""
    sent = _SENT.search(told)
    if sent is None:
        return None
    moments = sorted(map(float, _ANSWER.findall(told)))
    gaps = (after - before for before, after in pairwise(moments))
    return Pings(int(sent[1]), int(sent[2]), max(gaps, default=0.0))


def downtime(asked: Sequence[Asked]) -> Downtime:
    """From a question that was not answered to the end of the next one that was, or of the last one."""
    found = list(_outages(asked))
    return Downtime(sum(found), max(found, default=0.0))


def _outages(asked: Iterable[Asked]) -> Iterable[float]:
    began: float | None = None
    end = 0.0
    for one in asked:
        end = one.end
        if not one.good and began is None:
            began = one.begin
        elif one.good and began is not None:
            yield one.end - began
            began = None
    if began is not None:
        yield end - began

# SPDX-License-Identifier: Apache-2.0
"""The first error that the services of a cloud logged: of all their logs, in the order of time, past what is noise.

Pure. Where a server does not boot, one service says why and the others say that it did not: the first one counts. What
services log as errors though all is well is known by rules that are data (`noise.toml`), each with its reason.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

#: `2026-11-28 12:54:21.123 4711 ERROR nova.compute.manager [None req-...] [instance: ...] message`, by oslo.log.
_LOGGED = re.compile(
    r"^(?P<at>\d{4}-\d\d-\d\d \S+) \d+ (?:ERROR|CRITICAL) (?P<where>\S+) (?:\[[^\]]*\] )+(?P<told>.*)$"
)
#: What follows such a line: the traceback of what it tells, each line with what stood before the message.
_TRACED = re.compile(r"^\d{4}-\d\d-\d\d \S+ \d+ (?:ERROR|CRITICAL) (?P<where>\S+) (?:\[instance: \S+\] )?(?P<text>.*)$")
NOISE = Path(__file__).parent.parent / "noise.toml"
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Noise:
    """What one service logs as an error though nothing is wrong. `where` is the logger."""

    service: str
    where: str
    pattern: str
    reason: str

    def covers(self, service: str, where: str, told: str) -> bool:
        """Whether it is this."""
        return (self.service, self.where) == (service, where) and re.search(self.pattern, told) is not None


@dataclass(frozen=True, slots=True)
class FirstError:
    """An error of a service, when it was logged, and in which line; `place` has the log among the artifacts."""

    at: str
    service: str
    line: int
    told: str
    place: str = "cloud/services"

    def __str__(self) -> str:
        """As a sentence, with where to read on."""
        return f"{self.service}: {self.told} ({self.place}/{self.service}.log:{self.line})"


def noise(text: str) -> tuple[Noise, ...]:
    """The rules of a file."""
    return tuple(Noise(**rule) for rule in tomllib.loads(text).get("noise", ()))


def first_error(logs: Mapping[str, Iterable[str]], rules: Sequence[Noise], since: str = "") -> FirstError | None:
    """The first one of all logs, by the names of their services.

    `since` is a time as logs have it, when what failed was begun: what was logged before that is told only when nothing
    was logged after it.
    """
    found = [one for service, lines in logs.items() for one in _of(service, lines, rules)]
    return min(found, key=lambda one: (one.at < since, one.at), default=None)


def _of(service: str, lines: Iterable[str], rules: Sequence[Noise]) -> Iterator[FirstError]:
    listed = list(lines)
    for number, line in enumerate(listed, 1):
        logged = _LOGGED.match(line)
        if logged is None:
            continue
        told = logged["told"].strip()
        if told.startswith("Traceback"):  # the exception stands where the indented text ends
            told = next((one for one in listed[number:] if one[:1].strip()), told)
        else:
            told = _with_exception(told, listed[number:], logged["where"])
        if not any(rule.covers(service, logged["where"], told) for rule in rules):
            yield FirstError(logged["at"], service, number, told[:_LONGEST])


def _with_exception(told: str, after: Sequence[str], where: str) -> str:
    """What is told with the exception that its traceback ends with, where it does not name that itself."""
    traced = list(takewhile(lambda one: one and one["where"] == where, map(_TRACED.match, after)))
    texts = [one["text"] for one in traced if one]
    if not texts or not texts[0].startswith("Traceback"):
        return told
    exception = next((text for text in texts[1:] if text[:1].strip()), "")
    return told if not exception or exception in told else f"{told}: {exception}"


def read(place: Path, shown: str = "cloud/services", since: str = "") -> FirstError | None:
    """The first error of all logs of a directory, which is `shown` among the artifacts; `since` as above."""
    logs = {path.stem: path.read_text(errors="replace").splitlines() for path in sorted(place.glob("*.log"))}
    found = first_error(logs, noise(NOISE.read_text()), since)
    return found and replace(found, place=shown)

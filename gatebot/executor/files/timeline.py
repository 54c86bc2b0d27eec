# SPDX-License-Identifier: Apache-2.0
"""What happened to one server of a cloud, from the lines that name it: accepted, asked for, other states, gone.

Pure. An API answers at once (202) and the work goes on: lines of several services and of several requests tell of it,
and many of them only that somebody asked again. Those are one step each, with how often.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ..log_html import REQUEST
from .model import RequestLine, moment_of

#: How services of OpenStack tell of a request once they have answered it.
_ANSWERED = re.compile(r'"(?P<method>[A-Z]+) (?P<path>\S+)" status: (?P<status>\d{3})\b')
#: A line of oslo.log; what debugging adds behind the message is its function and its place.
_SAID = re.compile(
    r"^\S+ \S+ \d+ (?P<level>[A-Z]+) \S+ \[[^\]]*\] (?:\[instance: [0-9a-f-]+\] )?(?P<text>.*?)(?: \w+ /\S+\.py:\d+)?$"
)
_STATE = re.compile(r"\bvm_state:? (?P<server>\w+)\W+(?:and|current)? ?task_state:? (?P<task>\w+)")
_SERVER = re.compile(rb"\[instance: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\]")
_TOLD = frozenset({"INFO", "WARNING"})
_TROUBLE = frozenset({"ERROR", "CRITICAL"})
_NEAR = 3  # steps among which the same one again is only counted: an API and who it asks tell in turns
_LONGEST = 500


class Happened(StrEnum):
    """What a step is."""

    ACCEPTED = "accepted"
    POLLED = "polled"
    CALLED = "called"
    STATE = "state"
    TOLD = "told"
    ERROR = "error"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened at a time, the same `times` times up to `until`, with the line that tells of it first."""

    happened: Happened
    at: float
    text: str
    file: str
    line: int
    request: str = ""
    times: int = 1
    until: float = 0.0

    @property
    def moment(self) -> datetime | None:
        """Its time as pages show one."""
        return moment_of(self.at)


def servers_in(line: bytes) -> tuple[str, ...]:
    """The servers that a line says it is about."""
    return tuple(found.decode() for found in _SERVER.findall(line)) if b"[instance: " in line else ()


def concerns(resource: bytes, line: bytes) -> bool:
    """Whether a line may be about a server: it names it, or accepts something that has no name yet."""
    return resource in line or (b'"POST ' in line and b"status: 202" in line)


def timeline(resource: str, lines: Iterable[RequestLine]) -> tuple[Step, ...]:
    """The steps of a server in the order of time, from lines that may be about it."""
    ordered = sorted(lines, key=lambda line: (line.at, line.file, line.number))
    makers = {id for line in ordered if resource in line.text for id in REQUEST.findall(line.text)}
    steps: list[Step] = []
    for line in ordered:
        step = _step(resource, line, makers)
        if step is None or (step.happened is Happened.STATE and step.text == _last_state(steps)):
            continue
        _add(steps, step)
    return tuple(steps)


def _step(resource: str, line: RequestLine, makers: set[str]) -> Step | None:
    ids = REQUEST.findall(line.text)
    found = _happened(resource, line.text, made=bool(makers.intersection(ids)))
    if found is None:
        return None
    happened, text = found
    return Step(happened, line.at, text[:_LONGEST], line.file, line.number, ids[0] if ids else "", until=line.at)


def _happened(resource: str, text: str, *, made: bool) -> tuple[Happened, str] | None:
    """What a line tells; None: nothing that belongs to the story. `made`: its request is one that names the server."""
    if (answer := _ANSWERED.search(text)) is not None:
        return _answered(resource, *answer.group("method", "path", "status"), made=made)
    if resource not in text or (said := _SAID.match(text)) is None:
        return None
    level, message = said.group("level", "text")
    if level in _TROUBLE:
        return Happened.ERROR, message
    if (state := _STATE.search(message)) is not None:
        return Happened.STATE, ", ".join(word for word in state.group("server", "task") if word != "None")
    return (Happened.TOLD, message) if level in _TOLD else None


def _answered(resource: str, method: str, path: str, status: str, *, made: bool) -> tuple[Happened, str] | None:
    text = f"{method} {path} {status}"
    if resource not in path:
        return (Happened.ACCEPTED, text) if made and (method, status) == ("POST", "202") else None
    if method != "GET":
        return Happened.CALLED, text
    gone = status == "404" and path.partition("?")[0].endswith(resource)
    return (Happened.GONE if gone else Happened.POLLED), text


def _last_state(steps: Sequence[Step]) -> str:
    return next((step.text for step in reversed(steps) if step.happened is Happened.STATE), "")


def _add(steps: list[Step], step: Step) -> None:
    """Add a step, or count it where it only happened again."""
    for place in range(len(steps) - 1, max(len(steps) - 1 - _NEAR, -1), -1):
        before = steps[place]
        if (before.happened, before.text, before.file) == (step.happened, step.text, step.file):
            steps[place] = replace(before, times=before.times + 1, until=step.at)
            return
        if before.happened is Happened.STATE:
            break
    steps.append(step)

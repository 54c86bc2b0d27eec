# SPDX-License-Identifier: Apache-2.0
"""What was said while the bot was away: asked of the network where it keeps that, and put before what is said now.

Pure. Until the answer is there, live lines of the channel are held; whatever comes of it, none is lost, and a marker
says honestly what the log holds. A little more is asked for than is missing: what came before has its message id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..model import Line, LineKind

LOST = "The bot has lost its connection; what is said from here on may be missing."
GAP = "The log begins or goes on here; what was said before may be missing."
FILLED = "The bot is back; what was said while it was away was taken from the network's own history."

_PATIENCE = timedelta(seconds=20)
_OVERLAP = timedelta(seconds=2)
_PAGE = 100
_MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Filling:
    """One channel whose past is asked for: what came of it, what is held meanwhile, how long that may go on."""

    channel: str
    since: datetime
    until: datetime
    lines: tuple[Line, ...] = ()
    held: tuple[Line, ...] = ()
    page: int = 0
    last: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """All that is being filled, by folded channel; `batches` tells which open batch belongs to which."""

    fillings: Mapping[str, Filling] = field(default_factory=dict[str, Filling])
    batches: Mapping[str, str] = field(default_factory=dict[str, str])

    def with_(self, key: str, filling: Filling | None) -> History:
        """One channel's filling is this now; None: it is over."""
        fillings = {name: one for name, one in self.fillings.items() if name != key}
        if filling is not None:
            fillings[key] = filling
        return replace(self, fillings=fillings)


Heard = list[tuple[str, Line]]
Step = tuple[History, list[str], Heard]


def marker(now: datetime, text: str) -> Line:
    """A line that says what the log holds."""
    return Line(now, "", text, LineKind.GAP)


def ask(history: History, key: str, channel: str, mark: datetime, limit: int, now: datetime) -> tuple[History, str]:
    """Begin to fill: what was said after `mark`."""
    filling = Filling(channel, mark - _OVERLAP, now + _PATIENCE)
    if (begun := history.fillings.get(key)) is not None:  # thrown out and in again: what is there already is kept
        filling = replace(begun, until=filling.until, page=0, last="")
    return history.with_(key, filling), _request(filling, limit)


def hold(history: History, key: str, line: Line) -> History | None:
    """Keep a live line until its channel is filled; None where nothing is being filled."""
    filling = history.fillings.get(key)
    return history.with_(key, replace(filling, held=(*filling.held, line))) if filling else None


def opened(history: History, reference: str, key: str) -> History:
    """A batch of a channel's history begins."""
    return replace(history, batches={**history.batches, reference: key})


def told(history: History, key: str, line: Line | None) -> History:
    """A message of such a batch; it counts also when it is no line of ours."""
    filling = history.fillings.get(key)
    if filling is None:
        return history
    lines = (*filling.lines, line) if line is not None else filling.lines
    return history.with_(key, replace(filling, lines=lines, page=filling.page + 1))


def closed(history: History, reference: str, limit: int, now: datetime) -> Step:
    """A batch is complete: ask for the next, or hand over what came."""
    key = history.batches.get(reference)
    history = replace(history, batches={name: one for name, one in history.batches.items() if name != reference})
    filling = history.fillings.get(key) if key is not None else None
    if key is None or filling is None:
        return history, [], []
    last = filling.lines[-1] if filling.lines else None
    full = filling.page >= page(limit)
    # By ids it is asked until nothing more comes: servers may answer with less than they were asked for.
    more = last is not None and (last.msgid != filling.last if last.msgid else full and last.at > filling.since)
    if last is not None and more and len(filling.lines) < _MOST_LINES:
        after = replace(filling, since=last.at, last=last.msgid, page=0, until=now + _PATIENCE)
        return history.with_(key, after), [_request(after, limit)], []
    return history.with_(key, None), [], _handed(filling, now, GAP if full else FILLED)


def refused(history: History, key: str, now: datetime) -> tuple[History, Heard]:
    """The network keeps nothing of a channel after all."""
    filling = history.fillings.get(key)
    return (history.with_(key, None), _handed(filling, now, GAP)) if filling else (history, [])


def overdue(history: History, now: datetime) -> tuple[History, Heard]:
    """Wait no longer for answers that do not come."""
    heard: Heard = []
    for key, filling in history.fillings.items():
        if now >= filling.until:
            history, more = refused(history, key, now)
            heard += more
    return history, heard


def page(limit: int) -> int:
    """How many messages one request is answered with."""
    return min(limit or _PAGE, _PAGE)


def _request(filling: Filling, limit: int) -> str:
    if filling.last:
        return f"CHATHISTORY AFTER {filling.channel} msgid={filling.last} {page(limit)}"
    since = f"{filling.since:%Y-%m-%dT%H:%M:%S}.{filling.since.microsecond // 1000:03d}Z"
    return f"CHATHISTORY AFTER {filling.channel} timestamp={since} {page(limit)}"


def _handed(filling: Filling, now: datetime, text: str) -> Heard:
    """What came, once each and in order; the marker; what was held."""
    known: set[str] = set()
    lines: list[Line] = []
    for line in (*sorted(filling.lines, key=lambda line: line.at), marker(now, text), *filling.held):
        if line.msgid and line.msgid in known:
            continue
        known.add(line.msgid)
        lines.append(line)
    return [(filling.channel, line) for line in lines]

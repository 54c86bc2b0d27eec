# SPDX-License-Identifier: Apache-2.0
"""What brings items into a pipeline, what a change must be, and who is told: from checked mappings to values.

Each function takes one entry that fits its table in `tables_connections.py`; `parse_pipeline.py` says which they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...expressions import compiled
from ...reasons import Reason, reason
from .fields import entries, flag, mappings, pattern, patterns, text, texts
from .model import Approval, ChangeFilter, EventFilter, Pattern, Reporter, TimerTrigger, ZuulTrigger
from .tables_connections import GERRIT_REPORTER
from .yamltext import Node, YamlMap

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def event_filter(connection: str, conf: YamlMap) -> EventFilter:
    """One trigger of a review server; the old names of attributes mean what the new ones do."""
    require, reject = conf.get("require"), conf.get("reject")
    return EventFilter(
        connection=connection,
        events=patterns(conf, "event") or (),
        branches=patterns(conf, "branch") or (),
        refs=patterns(conf, "ref") or (),
        comments=_renamed(conf, "comment"),
        usernames=_renamed(conf, "username"),
        emails=_renamed(conf, "email"),
        approvals=_votes(mappings(conf, "approval")),
        approval_changes=_votes(mappings(conf, "approval-change")),
        hashtags_added=patterns(conf, "added") or (),
        hashtags_removed=patterns(conf, "removed") or (),
        ignore_deletes=flag(conf, "ignore-deletes") is not False,
        require=_with_approvals(connection, require, mappings(conf, "require-approval")),
        reject=_with_approvals(connection, reject, mappings(conf, "reject-approval")),
    )


def _renamed(conf: YamlMap, attribute: str) -> tuple[Pattern, ...]:
    return patterns(conf, attribute if attribute in conf else f"{attribute}_filter") or ()


def _with_approvals(connection: str, conf: Node, more: Iterable[YamlMap]) -> ChangeFilter | None:
    approvals = tuple(_approval(item) for item in more)
    if not isinstance(conf, YamlMap):
        return ChangeFilter(connection, approvals=approvals) if approvals else None
    made = change_filter(connection, conf)
    return replace(made, approvals=made.approvals + approvals)


def _votes(found: Iterable[YamlMap]) -> tuple[tuple[str, int], ...]:
    return tuple((label, value) for item in found for label, value in item.items() if isinstance(value, int))


def change_filter(connection: str, conf: YamlMap) -> ChangeFilter:
    """What a change must be, or must not be."""
    return ChangeFilter(
        connection=connection,
        open=flag(conf, "open"),
        current_patchset=flag(conf, "current-patchset"),
        wip=flag(conf, "wip"),
        status=texts(conf, "status") or (),
        approvals=tuple(_approval(item) for item in mappings(conf, "approval")),
        hashtags=patterns(conf, "hashtags") or (),
    )


def _approval(conf: YamlMap) -> Approval:
    named = {"username", "email", "older-than", "newer-than"}
    return Approval(
        votes=tuple((label, _values(conf, label)) for label in conf if label not in named),
        username=pattern(conf["username"]) if "username" in conf else None,
        email=pattern(conf["email"]) if "email" in conf else None,
        older_than=_age(text(conf, "older-than")),
        newer_than=_age(text(conf, "newer-than")),
    )


def _values(conf: YamlMap, label: str) -> tuple[int, ...]:
    return tuple(value for value, _ in entries(conf, label) or () if isinstance(value, int))


def _age(said: str | None) -> int | None:
    return int(said[:-1]) * _SECONDS[said[-1]] if said else None


def timer(connection: str, conf: YamlMap) -> TimerTrigger:
    """One time at which every branch with jobs comes in."""
    return TimerTrigger(text(conf, "time") or "", flag(conf, "dereference") or False, connection)


_NUMBER = r"\d+"
_STEPS = rf"(\*|{_NUMBER}|{_NUMBER}-{_NUMBER})(/[1-9]\d*)?"
_DAY_NAME = "(mon|tue|wed|thu|fri|sat|sun)"
_MONTH_NAME = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
# The parts of a time: name, smallest and largest number, and what else may stand there.
_PARTS = (
    ("minute", 0, 59, ""),
    ("hour", 0, 23, ""),
    ("day", 1, 31, "|last"),
    ("month", 1, 12, f"|{_MONTH_NAME}(-{_MONTH_NAME})?"),
    ("weekday", 0, 6, f"|{_DAY_NAME}(-{_DAY_NAME})?"),
    ("second", 0, 59, ""),
)


def time_problem(time: str) -> Reason | None:
    """What is wrong with the time of a timer: `minute hour day month weekday [second [jitter]]`."""
    parts = time.lower().split()
    if not 5 <= len(parts) <= 7:
        return reason("config.time-parts", count=len(parts))
    for said, (name, least, most, words) in zip(parts, _PARTS, strict=False):
        for piece in said.split(","):
            numbers = [int(number) for number in piece.partition("/")[0].split("-") if number.isdigit()]
            formed = compiled(f"({_STEPS}{words})$").match(piece)
            if not formed or numbers != sorted(numbers) or any(not least <= one <= most for one in numbers):
                return reason("config.time-part", part=name, found=said, least=least, most=most)
    if len(parts) == 7 and not parts[6].isdigit():
        return reason("config.time-jitter", found=parts[6])
    return None


def zuul_trigger(connection: str, conf: YamlMap) -> ZuulTrigger:
    """One trigger by what happened in another pipeline, or to an image."""
    return ZuulTrigger(texts(conf, "event") or (), patterns(conf, "pipeline") or (), connection)


def reporter(connection: str, kind: str, conf: YamlMap) -> Reporter:
    """What one connection is told."""
    if kind == "zuul":
        return Reporter(
            connection,
            comment=False,
            image_built=flag(conf, "image-built") or False,
            image_validated=flag(conf, "image-validated"),
        )
    return Reporter(
        connection=connection,
        votes=tuple(
            (label, vote)
            for label, vote in conf.items()
            if label not in GERRIT_REPORTER.fields and isinstance(vote, int)
        ),
        submit=flag(conf, "submit") or False,
        comment=flag(conf, "comment") is not False,
        notify=text(conf, "notify") or "",
    )

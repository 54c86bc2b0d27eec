# SPDX-License-Identifier: Apache-2.0
"""Pipelines: from a checked mapping to `PipelineConfig`.

The parts that belong to a connection are checked here, because their tables depend on which kind of connection the
site has under that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ...reasons import reason
from .fields import entries, flag, mappings, number, pattern, patterns, text, texts
from .model import (
    Approval,
    ChangeFilter,
    EventFilter,
    Manager,
    Moment,
    Order,
    PipelineConfig,
    Precedence,
    Reporter,
    Speculation,
    Step,
    TimerTrigger,
    Window,
)
from .parse_job import Place
from .schema import Findings, Kind, check
from .tables_pipelines import CONNECTIONS, GERRIT_REPORTER, MESSAGES, Connection
from .yamltext import Node, YamlMap

# Names that may stand for a connection, with its kind.
BUILT_IN: Mapping[str, str] = {"gatebot": "gerrit", "gerrit": "gerrit", "timer": "timer", "zuul": "zuul"}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def pipeline(conf: YamlMap, place: Place, connections: Mapping[str, str], found: Findings) -> PipelineConfig | None:
    """One pipeline that fits its table; None when a part that belongs to a connection is wrong."""
    window = _window(conf, found)
    before = len(found.problems)
    _check_connected(conf, connections, found)
    if len(found.problems) > before:
        return None
    reporters = {moment: _reporters(conf, moment) for moment in Moment}
    for moment in (Moment.MERGE_CONFLICT, Moment.CONFIG_ERROR):
        reporters[moment] = reporters[moment] or reporters[Moment.FAILURE]
    said = {name: text(conf, f"{name}-message") for name in MESSAGES}
    return PipelineConfig(
        name=text(conf, "name") or "",
        manager=Manager(text(conf, "manager") or Manager.INDEPENDENT),
        at=place.at(conf.line),
        description=text(conf, "description") or "",
        triggers=tuple(
            _event_filter(name, item)
            for name, items in _parts(conf, "trigger")
            if connections[name] == "gerrit"
            for item in items
        ),
        timers=tuple(
            TimerTrigger(text(item, "time") or "", flag(item, "dereference") or False)
            for name, items in _parts(conf, "trigger")
            if connections[name] == "timer"
            for item in items
        ),
        require=tuple(_change_filter(name, item) for name, items in _parts(conf, "require") for item in items),
        reject=tuple(_change_filter(name, item) for name, items in _parts(conf, "reject") for item in items),
        reporters=reporters,
        messages={name: MESSAGES[name] if words is None else words for name, words in said.items()},
        supercedes=texts(conf, "supercedes") or (),
        precedence=Precedence(text(conf, "precedence") or Precedence.NORMAL),
        post_review=flag(conf, "post-review") or False,
        dequeue_on_new_patchset=flag(conf, "dequeue-on-new-patchset") is not False,
        ignore_dependencies=flag(conf, "ignore-dependencies") or False,
        allow_other_connections=flag(conf, "allow-other-connections") is not False,
        disable_after=number(conf, "disable-after-consecutive-failures"),
        window=window,
        speculation=Speculation(text(conf, "speculation") or Speculation.CLASSIC),
        order=Order(text(conf, "order") or Order.QUEUE),
    )


def _window(conf: YamlMap, found: Findings) -> Window:
    def said(name: str, default: int) -> int:
        value = number(conf, f"window-{name}" if name else "window")
        return default if value is None else value

    floor, ceiling = said("floor", 3), number(conf, "window-ceiling")
    if ceiling is not None and ceiling < floor:
        found.add(conf.lines["window-ceiling"], reason("config.ceiling-below-floor", ceiling=ceiling, floor=floor))
    return Window(
        size=said("", 20),
        floor=floor,
        ceiling=ceiling,
        increase=Step(text(conf, "window-increase-type") or Step.LINEAR),
        increase_by=said("increase-factor", 1),
        decrease=Step(text(conf, "window-decrease-type") or Step.EXPONENTIAL),
        decrease_by=said("decrease-factor", 2),
    )


_PLACES: tuple[tuple[str, Callable[[Connection], Kind | None]], ...] = (
    ("trigger", lambda kind: kind.trigger),
    ("require", lambda kind: kind.require),
    ("reject", lambda kind: kind.require),
    *((moment.value, lambda kind: kind.report) for moment in Moment),
)


def _check_connected(conf: YamlMap, connections: Mapping[str, str], found: Findings) -> None:
    """Check everything that stands below the name of a connection."""
    for place, kind_of in _PLACES:
        part = conf.get(place)
        if not isinstance(part, YamlMap):
            continue
        for name, value in part.items():
            line, where = part.lines[name], f"pipeline.{place}.{name}"
            known = CONNECTIONS.get(connections.get(name, ""))
            kind = kind_of(known) if known else None
            if known is None:
                names = ", ".join(sorted(connections))
                found.add(line, reason("config.unknown-connection", connection=name, known=names))
            elif kind is None:
                found.add(line, reason("config.connection-not-here", connection=name, attribute=f"pipeline.{place}"))
            else:
                check(kind, value, line, where, found)


def _parts(conf: YamlMap, place: str) -> list[tuple[str, tuple[YamlMap, ...]]]:
    """What stands below each connection of `trigger`, `require` or `reject`."""
    part = conf.get(place)
    return [(name, mappings(part, name)) for name in part] if isinstance(part, YamlMap) else []


def _event_filter(connection: str, conf: YamlMap) -> EventFilter:
    require, reject = conf.get("require"), conf.get("reject")
    return EventFilter(
        connection=connection,
        events=patterns(conf, "event") or (),
        branches=patterns(conf, "branch") or (),
        refs=patterns(conf, "ref") or (),
        comments=patterns(conf, "comment") or (),
        usernames=patterns(conf, "username") or (),
        emails=patterns(conf, "email") or (),
        approvals=_votes(mappings(conf, "approval")),
        approval_changes=_votes(mappings(conf, "approval-change")),
        hashtags_added=patterns(conf, "added") or (),
        hashtags_removed=patterns(conf, "removed") or (),
        ignore_deletes=flag(conf, "ignore-deletes") is not False,
        require=_change_filter(connection, require) if isinstance(require, YamlMap) else None,
        reject=_change_filter(connection, reject) if isinstance(reject, YamlMap) else None,
    )


def _votes(found: Iterable[YamlMap]) -> tuple[tuple[str, int], ...]:
    return tuple((label, value) for item in found for label, value in item.items() if isinstance(value, int))


def _change_filter(connection: str, conf: YamlMap) -> ChangeFilter:
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


def _reporters(conf: YamlMap, moment: Moment) -> tuple[Reporter, ...]:
    part = conf.get(moment.value)
    if not isinstance(part, YamlMap):
        return ()
    return tuple(_reporter(name, value) for name, value in part.items())


def _reporter(connection: str, value: Node) -> Reporter:
    conf = value if isinstance(value, YamlMap) else YamlMap(0)
    return Reporter(
        connection=connection,
        votes=tuple(
            (label, vote)
            for label, vote in conf.items()
            if label not in GERRIT_REPORTER.fields and isinstance(vote, int)
        ),
        submit=flag(conf, "submit") or False,
        comment=flag(conf, "comment") is not False,
    )

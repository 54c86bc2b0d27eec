# SPDX-License-Identifier: Apache-2.0
"""Pipelines: from a checked mapping to `PipelineConfig`.

The parts that belong to a connection are checked here, because their tables depend on which kind of connection the
site has under that name. A part of a kind that gatebot does not serve is left out, with an error that says so: it
concerns projects that are elsewhere, or people who are told in other ways, never what an item has to pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ...reasons import reason
from .fields import entries, flag, number, text, texts
from .model import Manager, Moment, Order, PipelineConfig, Precedence, Reporter, Speculation, Step, Window
from .parse_filters import change_filter, event_filter, reporter, time_problem, timer, zuul_trigger
from .parse_job import Place
from .schema import Findings, Kind, Many, check
from .tables_connections import BUILT_IN, CONNECTIONS, Connection
from .tables_pipelines import MESSAGES
from .yamltext import Problem, YamlMap

__all__ = ["BUILT_IN", "pipeline"]


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands below one connection in one place of a pipeline."""

    connection: str
    kind: str
    entries: tuple[YamlMap, ...]


@dataclass(slots=True)
class _Parts:
    """The parts of a pipeline that are used, by place."""

    by_place: dict[str, list[_Part]] = field(default_factory=dict[str, list[_Part]])

    def of(self, place: str, kind: str = "") -> Iterator[tuple[str, YamlMap]]:
        """Every entry in a place with the name of its connection; of one kind of connection, or of all."""
        for part in self.by_place.get(place, ()):
            if kind in ("", part.kind):
                for entry in part.entries:
                    yield part.connection, entry

    def review_servers(self) -> tuple[str, ...]:
        """The names of the review servers that any part is about."""
        parts = (part for place in self.by_place.values() for part in place)
        return tuple(dict.fromkeys(part.connection for part in parts if part.kind == "gerrit"))

    def reporters(self, moment: Moment) -> tuple[Reporter, ...]:
        parts = self.by_place.get(moment.value, ())
        return tuple(reporter(part.connection, part.kind, entry) for part in parts for entry in part.entries)


def pipeline(conf: YamlMap, place: Place, connections: Mapping[str, str], found: Findings) -> PipelineConfig | None:
    """One pipeline that fits its table; None when a part that belongs to a connection is wrong."""
    window = _window(conf, found)
    before = len(found.problems)
    parts = _connected(conf, connections, found)
    if len(found.problems) > before:
        return None
    reporters = {moment: parts.reporters(moment) for moment in Moment}
    for moment in (Moment.MERGE_CONFLICT, Moment.CONFIG_ERROR):
        reporters[moment] = reporters[moment] or reporters[Moment.FAILURE]
    said = {name: text(conf, f"{name}-message") for name in MESSAGES}
    return PipelineConfig(
        name=text(conf, "name") or "",
        manager=Manager(text(conf, "manager") or Manager.INDEPENDENT),
        at=place.at(conf.line),
        description=text(conf, "description") or "",
        triggers=tuple(event_filter(name, entry) for name, entry in parts.of("trigger", "gerrit")),
        timers=tuple(timer(name, entry) for name, entry in parts.of("trigger", "timer")),
        zuul_triggers=tuple(zuul_trigger(name, entry) for name, entry in parts.of("trigger", "zuul")),
        require=tuple(change_filter(name, entry) for name, entry in parts.of("require")),
        reject=tuple(change_filter(name, entry) for name, entry in parts.of("reject")),
        reporters=reporters,
        messages={name: MESSAGES[name] if words is None else words for name, words in said.items()},
        supercedes=texts(conf, "supercedes") or (),
        precedence=Precedence(text(conf, "precedence") or Precedence.NORMAL),
        post_review=flag(conf, "post-review") or False,
        dequeue_on_new_patchset=flag(conf, "dequeue-on-new-patchset") is not False,
        ignore_dependencies=flag(conf, "ignore-dependencies") or False,
        allow_other_connections=flag(conf, "allow-other-connections") is not False,
        connections=parts.review_servers(),
        allow_parameters=flag(conf, "allow-parameters") or False,
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


def _connected(conf: YamlMap, connections: Mapping[str, str], found: Findings) -> _Parts:
    """Check everything that stands below the name of a connection, and keep what is used."""
    parts = _Parts()
    for place, kind_of in _PLACES:
        part = conf.get(place)
        for name in part if isinstance(part, YamlMap) else ():
            assert isinstance(part, YamlMap)
            line, attribute = part.lines[name], f"pipeline.{place}"
            served = CONNECTIONS.get(connections.get(name, ""))
            kind = kind_of(served) if served else None
            if served is None:
                names = ", ".join(sorted(connections))
                found.add(line, reason("config.unknown-connection", connection=name, known=names))
            elif kind is None:
                found.add(line, reason("config.connection-not-here", connection=name, attribute=attribute))
            else:
                kept = _entries(part, name, kind, f"{attribute}.{name}", found)
                if served.unserved:
                    why = reason(served.unserved, service=connections[name], attribute=f"{attribute}.{name}")
                    found.spared.append(Problem(line, why))
                else:
                    parts.by_place.setdefault(place, []).append(_Part(name, connections[name], kept))
    return parts


def _entries(part: YamlMap, name: str, kind: Kind, where: str, found: Findings) -> tuple[YamlMap, ...]:
    """What stands below a connection, without the entries that gatebot does not act on."""
    kept: list[YamlMap] = []
    listed = entries(part, name) if isinstance(kind, Many) else [(part[name], part.lines[name])]
    for entry, line in listed or ():
        mine = Findings()
        check(kind.item if isinstance(kind, Many) else kind, entry, line, where, mine)
        if isinstance(entry, YamlMap) and not mine.problems and "time" in entry:
            why = time_problem(text(entry, "time") or "")
            mine.problems += [Problem(entry.lines["time"], why)] if why else []
        found.problems += mine.problems
        found.spared += mine.refusals
        if not mine.refusals:
            kept.append(entry if isinstance(entry, YamlMap) else YamlMap(line))
    return tuple(kept)

# SPDX-License-Identifier: Apache-2.0
"""One entry of `schedule:` in a meeting's file: when, how often, where, and on which dates not.

Pure. Each wrong value is told with its line and with what to write.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches

import yaml

from ...reasons import reason
from .frequencies import FREQUENCIES, weekday_of
from .model import DAYS, Frequency, Kind, Skip, Slot
from .nodes import Table, Told, keyed, line_of, text_of
from .occurrences import days, first_day

_KEYS = ("time", "day", "irc", "matrix", "frequency", "duration", "start_date", "skip_dates", "chair")
_SKIP_KEYS = ("skip_date", "reason")
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)")
_CHANNEL = re.compile(r"#?[^\x00-\x20,#:]{1,62}")
_MATRIX = re.compile(r"#[^\s:]{1,200}:[^\s:]{1,200}(:\d+)?")
_LONGEST, _USUAL, _MOST_SKIPS = 1440, 60, 500


def slot(number: int, node: yaml.Node, chair: str, told: Told) -> Slot | None:
    """One slot; None where it has flaws, which are told."""
    if not isinstance(node, yaml.MappingNode):
        told.append((line_of(node), reason("meetbot.schedule-no-slot")))
        return None
    before = len(told)
    table = keyed(node, _KEYS, told)
    texts = {key: text_of(table, key, told) for key in _KEYS if key != "skip_dates"}
    line = line_of(node)
    if not (texts["chair"] or chair):
        told.append((line, reason("meetbot.schedule-needed", key="chair")))
    frequency = _frequency(table, texts["frequency"], line, told)
    place, duration = _place(table, texts, line, told), _duration(table, texts["duration"], told)
    start = _day_of(table, "start_date", texts["start_date"], told)
    adhoc = frequency is not None and frequency.kind is Kind.NEVER
    day = _weekday(table, texts["day"], frequency, line, told)
    at = _time(table, texts["time"], line, told) if texts["time"] or not adhoc else None
    if frequency is None or len(told) > before:
        return None
    found = Slot(number, line, frequency, place, day, at, duration, start, texts["chair"] or chair)
    skips = _skips(table.get("skip_dates"), found, told)
    return replace(found, skips=skips) if len(told) == before else None


def _line(table: Table, key: str, otherwise: int) -> int:
    return line_of(table[key]) if key in table else otherwise


def _frequency(table: Table, given: str, line: int, told: Told) -> Frequency | None:
    found = FREQUENCIES.get(given.lower())
    if found is None and not given:
        told.append((line, reason("meetbot.schedule-needed", key="frequency")))
    elif found is None:
        begun = [name for name in FREQUENCIES if name.startswith(given.lower())]
        near = begun or get_close_matches(given.lower(), list(FREQUENCIES), 1, 0.5) or ["weekly"]
        why = reason("meetbot.schedule-bad-frequency", given=given, meant=near[0])
        told.append((_line(table, "frequency", line), why))
    return found


def _weekday(table: Table, given: str, frequency: Frequency | None, line: int, told: Told) -> int | None:
    own = weekday_of(frequency) if frequency else None
    name = given.capitalize()
    if not given:
        if own is None and frequency is not None and frequency.kind is not Kind.NEVER:
            told.append((line, reason("meetbot.schedule-needed", key="day")))
        return own
    if name not in DAYS:
        near = get_close_matches(name, DAYS, 1, 0.4) or [DAYS[0]]
        told.append((_line(table, "day", line), reason("meetbot.schedule-bad-day", given=given, meant=near[0])))
        return None
    day = DAYS.index(name)
    if own is not None and frequency is not None and own != day:
        right = frequency.name.partition("-")[0] + "-" + name.lower()
        why = reason("meetbot.schedule-two-days", day=name, frequency=frequency.name, right=right)
        told.append((_line(table, "day", line), why))
    return day


def _time(table: Table, given: str, line: int, told: Told) -> time | None:
    if not given:
        told.append((line, reason("meetbot.schedule-needed", key="time")))
        return None
    found = _TIME.fullmatch(given)
    if found is None:
        told.append((_line(table, "time", line), reason("meetbot.schedule-bad-time", given=given)))
        return None
    return time(int(found[1]), int(found[2]))


def _place(table: Table, texts: dict[str, str], line: int, told: Told) -> str:
    channel, room = texts["irc"], texts["matrix"]
    if not (channel or room):
        told.append((line, reason("meetbot.schedule-needed", key="irc")))
    elif channel and not _CHANNEL.fullmatch(channel):
        told.append((_line(table, "irc", line), reason("meetbot.schedule-bad-channel", given=channel)))
    elif not channel and not _MATRIX.fullmatch(room):
        told.append((_line(table, "matrix", line), reason("meetbot.schedule-bad-room", given=room)))
    return f"#{channel.lstrip('#')}" if channel else room


def _duration(table: Table, given: str, told: Told) -> timedelta:
    if not given:
        return timedelta(minutes=_USUAL)
    if not (re.fullmatch(r"[0-9]{1,4}", given) and 1 <= int(given) <= _LONGEST):
        told.append((line_of(table["duration"]), reason("meetbot.schedule-bad-duration", given=given, most=_LONGEST)))
        return timedelta(minutes=_USUAL)
    return timedelta(minutes=int(given))


def _day_of(table: Table, key: str, given: str, told: Told) -> date | None:
    if not given:
        return None
    try:
        found = datetime.strptime(given, "%Y%m%d").date() if re.fullmatch(r"[0-9]{8}", given) else None
    except ValueError:
        found = None
    if found is None or not 1970 <= found.year < 3000:
        told.append((line_of(table[key]), reason("meetbot.schedule-bad-date", key=key, given=given)))
        return None
    return found


def _skips(node: yaml.Node | None, slot: Slot, told: Told) -> tuple[Skip, ...]:
    """The dates without a meeting; each must be one on which there would be one."""
    if node is None:
        return ()
    if not isinstance(node, yaml.SequenceNode) or len(node.value) > _MOST_SKIPS:
        told.append((line_of(node), reason("meetbot.schedule-no-skips", most=_MOST_SKIPS)))
        return ()
    found = [_skip(one, slot, told) for one in node.value]
    return tuple(sorted((one for one in found if one is not None), key=lambda skip: skip.day))


def _skip(node: yaml.Node, slot: Slot, told: Told) -> Skip | None:
    if not isinstance(node, yaml.MappingNode):
        told.append((line_of(node), reason("meetbot.schedule-no-skips", most=_MOST_SKIPS)))
        return None
    table = keyed(node, _SKIP_KEYS, told, others=False)
    texts = {key: text_of(table, key, told) for key in _SKIP_KEYS}
    lacking = [key for key in _SKIP_KEYS if not texts[key]]
    told += [(line_of(node), reason("meetbot.schedule-needed", key=key)) for key in lacking]
    day = _day_of(table, "skip_date", texts["skip_date"], told)
    if day is None or lacking:
        return None
    if slot.day is not None and day >= first_day(slot):
        near = next(days(slot, day), None)
        if near is not None and near != day:
            why = reason("meetbot.schedule-no-such-date", given=f"{day:%Y%m%d}", next=f"{near:%Y%m%d}")
            told.append((line_of(table["skip_date"]), why))
            return None
    return Skip(day, texts["reason"])

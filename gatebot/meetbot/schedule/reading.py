# SPDX-License-Identifier: Apache-2.0
"""From the text of a meeting's file to a `Planned`, or to all that is wrong with it, each with its line.

Pure. The form is that of yaml2ical. Values are taken as they are written, so that `time: 0930` without quotes is half
past nine and no octal number. What one slot needs is read in `slots.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import cast
from urllib.parse import urlsplit

import yaml

from ...reasons import Reason, reason
from .model import Flaw, Planned, Schedule
from .nodes import Table, keyed, text_of
from .slots import slot

_KEYS = ("project", "project_url", "agenda_url", "meeting_id", "chair", "description", "schedule")
_MOST = 64 * 1024
_MOST_SLOTS = 50


def read(files: Mapping[str, bytes]) -> Schedule:
    """The meetings of a directory, by paths; other files than YAML are passed over."""
    meetings: list[Planned] = []
    flaws: list[Flaw] = []
    keys: dict[str, str] = {}
    for path in sorted(files):
        if not path.endswith((".yaml", ".yml")):
            continue
        found, wrong = read_file(path, files[path])
        flaws += wrong
        if found is None:
            continue
        other = keys.setdefault(found.key, path)
        if other != path:
            flaws.append(Flaw(path, 1, reason("meetbot.schedule-same-name", other=other)))
        else:
            meetings.append(found)
    return Schedule(tuple(meetings), tuple(flaws))


def read_file(path: str, data: bytes) -> tuple[Planned | None, list[Flaw]]:
    """One meeting; None where the file has flaws."""
    told: list[tuple[int, Reason]] = []
    root = _root(data, told)
    if root is None:
        return None, _flaws(path, told)
    table = keyed(root, _KEYS, told)
    texts = {key: text_of(table, key, told) for key in _KEYS if key != "schedule"}
    told += [(root.start_mark.line + 1, reason("meetbot.schedule-needed", key=key)) for key in _lacking(table, texts)]
    told += [
        (table[key].start_mark.line + 1, reason("meetbot.schedule-bad-url", key=key, given=texts[key]))
        for key in ("project_url", "agenda_url")
        if texts[key] and not _is_url(texts[key])
    ]
    listed = table.get("schedule")
    slots = []
    if listed is not None:
        if not isinstance(listed, yaml.SequenceNode) or not 1 <= len(listed.value) <= _MOST_SLOTS:
            told.append((listed.start_mark.line + 1, reason("meetbot.schedule-no-list", most=_MOST_SLOTS)))
        else:
            slots = [slot(number, node, texts["chair"], told) for number, node in enumerate(listed.value, 1)]
    if told:
        return None, _flaws(path, told)
    whole = tuple(one for one in slots if one is not None)
    words = (texts[key] for key in ("meeting_id", "project_url", "agenda_url"))
    return Planned(path, texts["project"], texts["description"], texts["chair"], whole, *words), []


def _flaws(path: str, told: Iterable[tuple[int, Reason]]) -> list[Flaw]:
    return [Flaw(path, line, why) for line, why in sorted(told, key=lambda one: one[0])]


def _root(data: bytes, told: list[tuple[int, Reason]]) -> yaml.MappingNode | None:
    """What the file has at its top, if that is what a meeting needs."""
    if len(data) > _MOST:
        told.append((1, reason("meetbot.schedule-too-long", kib=_MOST // 1024)))
        return None
    try:
        text = data.decode("utf-8")
        root = cast(object, yaml.compose(text, yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
    except UnicodeDecodeError as error:
        told.append((data[: error.start].count(b"\n") + 1, reason("meetbot.schedule-not-utf8")))
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        told.append((mark.line + 1 if mark else 1, reason("meetbot.schedule-not-yaml", problem=str(problem))))
        return None
    except RecursionError:
        told.append((1, reason("meetbot.schedule-not-yaml", problem="it is nested too deeply")))
        return None
    if not isinstance(root, yaml.MappingNode):
        told.append((1, reason("meetbot.schedule-no-meeting")))
        return None
    return root


def _lacking(table: Table, texts: Mapping[str, str]) -> Iterable[str]:
    """What is needed and is not there; a chair is needed here or in each slot, which slots say themselves."""
    yield from (key for key in ("project", "description") if key not in table or not texts[key])
    if "schedule" not in table:
        yield "schedule"


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and re.search(r"\s", text) is None

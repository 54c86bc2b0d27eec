# SPDX-License-Identifier: Apache-2.0
"""Minutes and log for programs: `.json`, everything the other files are made of.

Pure. Keys are the words of the vocabulary; times are ISO in UTC; `line` is the number of a line in the log, as in the
anchors of `.log.html`.
"""

from __future__ import annotations

import json

from ..model import Entry, EntryKind, Line
from .fold import Minutes


def minutes_json(minutes: Minutes) -> str:
    """The `.json` file."""
    return json.dumps(_minutes(minutes), ensure_ascii=False, indent=1) + "\n"


def _minutes(minutes: Minutes) -> dict[str, object]:
    return {
        "channel": minutes.channel,
        "name": minutes.name,
        "title": minutes.title,
        "owner": minutes.owner,
        "started": minutes.started.isoformat(),
        "ended": minutes.ended.isoformat() if minutes.over else None,
        "restricted": minutes.restricted,
        "location": minutes.location,
        "items": [_item(item, who) for item, who in minutes.marked],
        "actions": [item.text for item in minutes.actions],
        "actions_by_person": {nick: [item.text for item in items] for nick, items in minutes.by_person},
        "unassigned": [item.text for item in minutes.unassigned],
        "done": [item.text for item in minutes.of(EntryKind.DONE)],
        "people": [{"nick": nick, "lines": count} for nick, count in minutes.people],
        "absences": list(minutes.absences),
        "edits": [
            {"at": edit.at.isoformat(), "who": edit.who, "before": edit.before, "after": edit.after}
            for edit in minutes.edits
        ],
        "log": [_line(number, line) for number, line in enumerate(minutes.log, 1)],
    }


def _item(item: Entry, who: str) -> dict[str, object]:
    told: dict[str, object] = {
        "kind": item.kind.value,
        "text": item.text,
        "nick": item.nick,
        "at": item.at.isoformat(),
        "line": item.number,
    }
    return told | ({"changed_by": who} if who else {})


def _line(number: int, line: Line) -> dict[str, object]:
    return {
        "line": number,
        "at": line.at.isoformat(),
        "nick": line.nick,
        "kind": line.kind.value,
        "text": line.text.strip(),
    }

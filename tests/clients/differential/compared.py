# SPDX-License-Identifier: Apache-2.0
"""Two sides that played the same: everything in which they differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.clients.differential.shapes import Difference, Names, differences, flat
from tests.clients.differential.sides import Side

#: What a Gerrit tells of its own store, which is not here: every change has a reference of its own that moves.
_STORE = "refs/changes/"


#: Gerrit tells its progress again and again; what git itself says of references follows from what they were before.
_PROGRESS = re.compile(r"remote: Processing changes: (?!.*done)")
_OF_GIT = re.compile(r" (\*|  )")


def answers(gerrit: Side, here: Side) -> list[Difference]:
    """What REST, git and SSH answered, step for step."""
    assert list(gerrit.told) == list(here.told), "the two have not played the same"
    found: list[Difference] = []
    for step in gerrit.told:
        found += differences(step, gerrit.told[step], here.told[step])
    return found


def words(gerrit: Side, here: Side) -> list[Difference]:
    """Lines of pushes and commands that Gerrit tells and that are not told here, in Gerrit's order."""
    found: list[Difference] = []
    for step, lines in gerrit.spoken.items():
        rest = list(here.spoken[step])
        for line in lines:
            if _PROGRESS.match(line) or _OF_GIT.match(line):
                continue
            if line in rest:
                del rest[: rest.index(line) + 1]
            else:
                found.append(Difference(step, "line", line, rest[0] if rest else ""))
    return found


def events(
    gerrit: Sequence[Mapping[str, Any]], here: Sequence[Mapping[str, Any]], of_gerrit: Names, of_here: Names
) -> list[Difference]:
    """The events of both: for each subject its events in order, and each event's fields."""
    theirs, ours = _by_subject(gerrit), _by_subject(here)
    found: list[Difference] = []
    for subject in dict.fromkeys((*theirs, *ours)):
        kinds = [[str(one["type"]) for one in side.get(subject, [])] for side in (theirs, ours)]
        if kinds[0] != kinds[1]:
            found.append(Difference(f"events of {subject}", "order", " ".join(kinds[0]), " ".join(kinds[1])))
    for kind, (one, other) in _by_kind(theirs, ours).items():
        merged = [_merged(flat(list(rows), names)) for rows, names in ((one, of_gerrit), (other, of_here))]
        found += differences(f"event {kind}", *merged)
    return found


def _by_subject(events: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Events of each change, reference and project, in order; a subject has a name that both servers have."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in events:
        update = one.get("refUpdate", {})
        if str(update.get("refName", "")).startswith(_STORE):
            continue
        change = one.get("change", {})
        subject = (
            f"change {change['id']} on {change['branch']}"
            if change
            else f"{update['project']} {update['refName']}"
            if update
            else f"project {one.get('projectName', one['type'])}"
        )
        found.setdefault(subject, []).append(one)
    return found


def _by_kind(
    theirs: Mapping[str, list[Mapping[str, Any]]], ours: Mapping[str, list[Mapping[str, Any]]]
) -> dict[str, tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]]:
    """Events by type of both, of the subjects whose events are the same on both sides."""
    found: dict[str, tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]] = {}
    for subject in theirs:
        pairs = zip(theirs[subject], ours.get(subject, []), strict=False)
        for one, other in pairs:
            if one["type"] == other["type"]:
                both = found.setdefault(str(one["type"]), ([], []))
                both[0].append(one)
                both[1].append(other)
    return found


def _merged(fields: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Fields of events that one server tells of: which, and with which values in order."""
    return {path.replace("[]", "", 1): tuple(values) for path, values in fields.items() if path != "."}

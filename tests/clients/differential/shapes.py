# SPDX-License-Identifier: Apache-2.0
"""What two servers answered, made comparable, and where it differs. Pure.

An answer is flattened to its fields; what must differ between two servers (moments, ids, addresses, commits that a
server made) is replaced by a word, everything else is compared as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

#: Fields whose values belong to one server alone; that they are there, and of which type, still counts.
OWN_VALUES = frozenset(
    {
        "change_message_id", "createdOn", "date", "eventCreatedOn", "grantedOn", "id_of_message", "in_reply_to",
        "lastUpdated", "last_update", "registered_on", "runTimeMilliseconds", "submission_id", "timestamp", "trace_id",
    }
)  # fmt: skip
_NUMBERS = frozenset({"_number", "number", "_change_number", "virtual_id_number", "_current_change"})
_WORDS = (
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}\b"), "<moment>"),
    (re.compile(r"refs/changes/\d\d/\d+"), "refs/changes/<change>"),
    (re.compile(r"/\+/\d+"), "/+/<change>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,40}\b"), "<commit>"),
    (re.compile(r"\bI[0-9a-f]{40}\b"), "<change-id>"),
)


@dataclass(frozen=True, slots=True)
class Names:
    """What a server calls things: its addresses, and its people by id."""

    addresses: tuple[str, ...]
    people: Mapping[int, str] = field(default_factory=dict[int, str])

    def text(self, value: str) -> str:
        """A text with the words that stand for what is the server's own."""
        for address in self.addresses:
            value = value.replace(address, "<site>")
        for pattern, word in _WORDS:
            value = pattern.sub(word, value)
        return value


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One field of one answer: what Gerrit has, and what is here; nothing where it is not there."""

    step: str
    where: str
    gerrit: str
    here: str

    def __str__(self) -> str:
        return f"{self.step} | {self.where} | Gerrit: {self.gerrit or '-'} | here: {self.here or '-'}"


@dataclass(frozen=True, slots=True)
class Listed:
    """A difference that is known: patterns of the step and of the field, and why it is so."""

    step: str
    where: str
    why: str

    def covers(self, one: Difference) -> bool:
        """Whether this is that difference."""
        # `[]` stands for the elements of a list, not for a choice of letters.
        step, where = (text.replace("[", "[[]") for text in (self.step, self.where))
        return fnmatchcase(one.step, step) and fnmatchcase(one.where, where)


def flat(value: Any, names: Names) -> dict[str, tuple[str, ...]]:
    """The fields of an answer with their values; of a list each field has as many values as elements have it."""
    found: dict[str, list[str]] = {}

    def walk(value: Any, path: str, name: str) -> None:
        match value:
            case dict():
                if not path.endswith("[]"):
                    found.setdefault(path or ".", []).append("object")
                for key, one in value.items():
                    walk(one, f"{path}.{_key(str(key), names)}", str(key))
            case list():
                found.setdefault(path or ".", []).append(f"list of {len(value)}")
                for one in value:
                    walk(one, f"{path}[]", name)
            case _:
                found.setdefault(path or ".", []).append(_leaf(value, path, name, names))

    walk(value, "", "")
    return {path: tuple(values) for path, values in found.items()}


def _key(name: str, names: Names) -> str:
    """A key; those that are ids stand for their kind."""
    if name.isdecimal() and int(name) in names.people:
        return names.people[int(name)]
    return names.text(name)


def _leaf(value: Any, path: str, name: str, names: Names) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int):
        if name == "_account_id":
            return names.people.get(value, "<account>")
        return "<number>" if name in OWN_VALUES or name in _NUMBERS else str(value)
    own = name in OWN_VALUES or (name == "id" and re.search(r"(messages|comments?|drafts?|/[^.]*)\[\]\.id$", path))
    return f"<{type(value).__name__}>" if own else f'"{names.text(str(value))}"'


def differences(step: str, gerrit: Mapping[str, Sequence[str]], here: Mapping[str, Sequence[str]]) -> list[Difference]:
    """Where two answers differ.

    Below a field that only one of them has, nothing more is told; in lists of different length only what one of them
    has not at all. Where the status differs, the rest must.
    """
    if gerrit.get("status") != here.get("status"):
        return [Difference(step, "status", _brief(gerrit.get("status")), _brief(here.get("status")))]
    found: list[Difference] = []
    uneven: list[str] = []
    for path in sorted({*gerrit, *here}):
        theirs, ours = gerrit.get(path), here.get(path)
        if theirs == ours or any(_below(path, one.where) for one in found if not (one.gerrit and one.here)):
            continue
        if theirs is not None and ours is not None:
            if any(_below(path, parent) for parent in uneven):
                continue
            if len(theirs) != len(ours) or any(value.startswith("list of") for value in (*theirs, *ours)):
                uneven.append(path)
        found.append(Difference(step, path, _brief(theirs), _brief(ours)))
    return found


def _below(path: str, parent: str) -> bool:
    return path.startswith((f"{parent}.", f"{parent}[]"))


def _brief(values: Sequence[str] | None) -> str:
    if values is None:
        return ""
    text = ", ".join(dict.fromkeys(values)) or "(empty)"
    return text if len(text) <= 160 else f"{text[:157]}..."


def lines(text: str, names: Names) -> list[str]:
    """What a server told behind `remote:`, and what became of each reference."""
    found = [names.text(line.rstrip()) for line in re.split(r"[\r\n]+", text)]
    return [line for line in found if line.removeprefix("remote:").strip() and not line.startswith(("To ", "error: "))]

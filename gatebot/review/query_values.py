# SPDX-License-Identifier: Apache-2.0
"""The values of Gerrit's query operators: votes, ages, moments, sizes, patterns.

Pure. What cannot be meant is refused with how to write it; nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from ..access import expression
from .query import bad_value

_NAME = r"[A-Za-z][A-Za-z0-9-]*?"
_LABEL = re.compile(rf"({_NAME})(?:(>=|<=|=|>|<)([+-]?\d{{1,4}}|MAX|MIN|ANY)|([+-]\d{{1,4}}))?")
_COUNT = re.compile(r"count(>=|<=|=|>|<)(\d{1,4})")
_SIZE = re.compile(r"(>=|<=|=|>|<)?(\d{1,9})")


@dataclass(frozen=True, slots=True)
class LabelTerm:
    """`label:NAME<op>VALUE[,WHO][,count<op>N]`. `value` is a number, or `MAX`, `MIN`, `ANY`.

    `user` is a name or `owner`, `uploader`, `non_uploader`; `group` a group; `count` says how many such votes.
    """

    label: str
    comparison: str
    value: int | str
    user: str = ""
    group: str = ""
    count: tuple[str, int] | None = None


def label_term(value: str) -> LabelTerm:
    """Read the value of `label:`; a bare name means +1, as in Gerrit."""
    text, *arguments = (part.strip() for part in value.split(","))
    match = _LABEL.fullmatch(text)
    if match is None:
        raise bad_value("label", value, "write it as Code-Review=2, Verified>=1 or Workflow+1,user=NAME")
    name, comparison, compared, short = match.groups()
    number = compared or short or "1"
    user = group = ""
    count: tuple[str, int] | None = None
    for argument in arguments:
        if (counted := _COUNT.fullmatch(argument)) is not None:
            count = counted[1], int(counted[2])
        elif argument.startswith("group="):
            group = argument.removeprefix("group=")
        else:
            user = argument.removeprefix("user=")
    read = number if number in ("MAX", "MIN", "ANY") else int(number)
    return LabelTerm(name, comparison or "=", read, user, group, count)


_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mon": 2_592_000, "y": 31_536_000}
_AGE = re.compile(r"(\d{1,9})\s*([a-z]+)")
_OLDEST = 4_000_000_000


def age_seconds(value: str) -> int:
    """Read the value of `age:`: `30s`, `2d`, `1week`; a bare number is seconds."""
    match = _AGE.fullmatch(value + "s" if value.isdecimal() else value)
    if match is not None:
        unit = match[2]
        for short in (unit, unit.rstrip("s"), unit[:3], unit[:1]):
            if short in _AGES:
                return min(int(match[1]) * _AGES[short], _OLDEST)
    raise bad_value("age", value, "write it as 30s, 5m, 2h, 3d, 1w, 1mon or 1y")


def moment(operator: str, value: str) -> datetime:
    """Read a date or a time; without a zone it is UTC."""
    text = re.sub(r"\s([+-]\d{4})$", r"\1", value.strip())
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise bad_value(operator, value, "write a date as 2026-01-31, or with a time as 2026-01-31T12:00") from None


def size_term(operator: str, value: str) -> tuple[str, int]:
    """Read the value of `added:` and its like: `>50`, `<=3`, `7`."""
    match = _SIZE.fullmatch(value)
    if match is None:
        raise bad_value(operator, value, "write it as >50, <=3 or 7")
    return match[1] or "=", int(match[2])


def pattern(operator: str, value: str) -> str | None:
    """The regular expression of a value that begins with `^`, as it has to match from the first letter to the last.

    Only what both databases read alike: no look-around, no classes of Unicode.
    """
    if not value.startswith("^"):
        return None
    body = value[1:].removesuffix("$")
    try:
        expression(body)
    except ValueError as error:
        raise bad_value(operator, value, f"it is no regular expression: {error}") from None
    if len(body) > 500 or re.search(r"\\[^\\.dwsDWS/_\-+*?()\[\]{}|^$ ]|\(\?|\[\[|[*+?}][*+?]", body):
        raise bad_value(operator, value, "use only plain classes, groups and repetitions in a regular expression")
    return f"^({body})$"


def is_change_id(text: str) -> bool:
    """Whether a word is a Change-Id, or the beginning of one."""
    return re.fullmatch(r"I[0-9a-fA-F]{4,40}", text) is not None

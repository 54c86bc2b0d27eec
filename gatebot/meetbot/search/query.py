# SPDX-License-Identifier: Apache-2.0
"""What a query asks: words, phrases in quotes, and `from: in: meeting: before: after: has:link`.

Pure. A query becomes groups of alternatives, each a run of tokens that stand side by side in the index; both engines
are asked the same. What an index cannot tell (phrases across scripts) is looked up in the texts themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ...errors import Invalid
from ...reasons import reason
from .. import tokens

LONGEST = 300  # characters of a query
_PART = re.compile(r'(?:(?P<field>from|in|meeting|before|after|has):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>\S+))')
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_LINK = re.compile(r"\b(?:https?|ftp|irc|ssh)://\S|\bmailto:\S", re.IGNORECASE)

# What a token begins with that tells a circumstance and not a word: no text has these, and both engines keep them.
_FROM, _IN, _HAS_LINK, _MEETING = "\ue000", "\ue001", "\ue002", "\ue003"

Run = tuple[str, ...]
Group = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that was read. `before` and `after` are moments: up to the one, from the other on."""

    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    people: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    meetings: tuple[str, ...] = ()
    before: datetime | None = None
    after: datetime | None = None
    link: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked at all."""
        return self == Asked()


def parse(query: str) -> Asked:
    """What a text asks; a date that is none is refused."""
    words: list[str] = []
    phrases: list[tuple[str, ...]] = []
    fields: dict[str, list[str]] = {"from": [], "in": [], "meeting": [], "before": [], "after": [], "has": []}
    for part in _PART.finditer(query[:LONGEST].translate(_QUOTES)):
        field, value = part["field"], (part["quoted"] if part["quoted"] is not None else part["bare"])
        if field == "has" and value.lower() not in ("link", "links"):
            words += tokens.words(f"{field} {value}")
        elif field:
            fields[field] += [value] if value else []
        elif part["quoted"] is not None:
            run = tuple(tokens.words(value))
            phrases += [run] if len(run) > 1 else []
            words += run if len(run) == 1 else []
        else:
            words += tokens.words(value)
    return Asked(
        tuple(dict.fromkeys(words)),
        tuple(phrases),
        tuple(fields["from"]),
        tuple(fields["in"]),
        tuple(fields["meeting"]),
        min((_moment(day) for day in fields["before"]), default=None),
        max((_moment(day) for day in fields["after"]), default=None),
        bool(fields["has"]),
    )


def _moment(text: str) -> datetime:
    """The first moment of a day, a month or a year in UTC."""
    found = _DAY.fullmatch(text)
    try:
        if found is not None:
            return datetime(int(found[1]), int(found[2] or 1), int(found[3] or 1), tzinfo=UTC)
    except ValueError:
        pass
    raise Invalid(reason=reason("meetbot.bad-search-day", day=text)) from None


def groups(asked: Asked, meetings: Iterable[int] = ()) -> list[Group]:
    """What a line must have: of each group at least one run. `meetings` are the ids that `meeting:` stands for."""
    needed: list[Group] = [(_run(word),) for word in asked.words]
    for phrase in asked.phrases:
        if any(map(tokens.is_syllabic, phrase)):
            needed += [(_run(word),) for word in phrase]
        else:
            needed.append((tuple(map(tokens.cut, phrase)),))
    if asked.people:
        needed.append(tuple((_field(_FROM, nick),) for nick in asked.people))
    if asked.channels:
        names = [name for channel in asked.channels for name in (channel, f"#{channel}")]
        needed.append(tuple((_field(_IN, name),) for name in names))
    if asked.meetings:
        needed.append(tuple((f"{_MEETING}{meeting}",) for meeting in meetings) or ((_MEETING,),))
    if asked.link:
        needed.append(((_HAS_LINK,),))
    return needed


def _run(word: str) -> Run:
    """A word as the index has it: pairs side by side for a run of Hangul or CJK."""
    if tokens.is_syllabic(word) and len(word) > 1:
        return tuple(word[place : place + 2] for place in range(len(word) - 1))
    return (tokens.cut(word),)


def _field(mark: str, value: str) -> str:
    """A value as one token of letters and digits, whatever stands in it."""
    return mark + tokens.normal(value).encode().hex()


def line_tokens(nick: str, channel: str, text: str, meeting: int) -> list[str]:
    """Everything that a line is found by."""
    found = [*tokens.indexed(text), _field(_FROM, nick), _field(_IN, channel)]
    found += [_HAS_LINK] if _LINK.search(text) else []
    return [*found, f"{_MEETING}{meeting}"] if meeting else found


def holds(text: str, asked: Asked) -> bool:
    """Whether a text that has all tokens really holds the words and phrases: tokens may come from different places."""
    syllabic = [word for word in asked.words if tokens.is_syllabic(word)]
    if not syllabic and not asked.phrases:
        return True
    said = f" {' '.join(tokens.words(text))} "
    return all(word in said for word in syllabic) and all(_needle(phrase) in said for phrase in asked.phrases)


def _needle(phrase: tuple[str, ...]) -> str:
    """A phrase as it stands among words: letters end at their word, Hangul goes on into its particle."""
    first = "" if tokens.is_syllabic(phrase[0]) else " "
    last = "" if tokens.is_syllabic(phrase[-1]) else " "
    return first + " ".join(phrase) + last

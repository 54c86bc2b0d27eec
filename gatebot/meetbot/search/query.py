# SPDX-License-Identifier: Apache-2.0
"""What a query asks: words, phrases in quotes, and `from: in: meeting: before: after: has:link`.

Pure. A query becomes groups of alternatives, each a run of tokens that stand side by side in the index; both engines
are asked the same. Of two words that are neighbours in a line the index has a token too, by how they begin: what
particle ends a word does not part it from the next. Whether words really are neighbours is looked up in the texts.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise

from ...errors import Invalid
from ...reasons import reason
from .. import tokens
from ..webchat.words import of_account

LONGEST = 300  # characters of a query
_PART = re.compile(r'(?:(?P<field>from|in|meeting|before|after|has):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>\S+))')
_FIELD = re.compile(r"(from|in|meeting|before|after|has):")
_EXAMPLES = {
    "from": "from:ann", "in": "in:#gatebot", "meeting": "meeting:nova", "has": "has:link",
    "before": "before:2026-11-22", "after": "after:2026-11-22",
}  # fmt: skip
CONDITIONS = frozenset(_EXAMPLES)
"""All names of conditions."""
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?Z?)?)?)?", re.ASCII)
_LINK = re.compile(r"\b(?:https?|ftp|irc|ssh)://\S|\bmailto:\S", re.IGNORECASE)

# What a token begins with that tells a circumstance and not a word: no text has these, and both engines keep them.
_FROM, _IN, _HAS_LINK, _MEETING, _NEIGHBOURS = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
_KINDS = 1 << 20  # of neighbours that are told apart: so many that few lines come with others', so few that they repeat

Run = tuple[str, ...]
Group = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that was read. `before` and `after` are moments: up to the one, from the other on.

    `row` are all words in the order in which they were asked for, if there are several that may stand apart.
    """

    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    people: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    meetings: tuple[str, ...] = ()
    before: datetime | None = None
    after: datetime | None = None
    link: bool = False
    row: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked at all."""
        return self == Asked()


def parse(query: str) -> Asked:
    """What a text asks; a date that is none is refused, and so is a part that says nothing."""
    words: list[str] = []
    phrases: list[tuple[str, ...]] = []
    row: list[str] = []
    fields: dict[str, list[str]] = {"from": [], "in": [], "meeting": [], "before": [], "after": [], "has": []}
    for part in _PART.finditer(query[:LONGEST].translate(_QUOTES)):
        field, value = part["field"], (part["quoted"] if part["quoted"] is not None else part["bare"])
        if empty := _FIELD.fullmatch(value) if field is None and part["quoted"] is None else None:
            field, value = empty[1], ""
        if field == "has" and value.lower() not in ("link", "links"):
            raise Invalid(reason=reason("meetbot.bad-search-has", value=value))
        if field and not value.strip():
            raise Invalid(reason=reason("meetbot.bad-search-part", part=field, example=_EXAMPLES[field]))
        if field:
            fields[field].append(value)
            continue
        said = tuple(tokens.words(value))
        row += said
        if part["quoted"] is not None and len(said) > 1 and not field:
            phrases.append(said)
        else:
            words += said
    return Asked(
        tuple(dict.fromkeys(words)),
        tuple(phrases),
        tuple(fields["from"]),
        tuple(fields["in"]),
        tuple(fields["meeting"]),
        min((_moment(day) for day in fields["before"]), default=None),
        max((_moment(day) for day in fields["after"]), default=None),
        bool(fields["has"]),
        tuple(row) if len(row) > 1 and (words or len(phrases) > 1) else (),
    )


def _moment(text: str) -> datetime:
    """A moment, or the first one of a day, a month or a year, in UTC."""
    found = _DAY.fullmatch(text)
    try:
        if found is not None:
            year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups())
            return datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0, tzinfo=UTC)
    except ValueError:
        pass
    raise Invalid(reason=reason("meetbot.bad-search-day", day=text)) from None


def groups(asked: Asked, meetings: Iterable[int] = ()) -> list[Group]:
    """What a line must have: of each group at least one run. `meetings` are the ids that `meeting:` stands for."""
    needed: list[Group] = [(_run(word),) for word in asked.words]
    for phrase in asked.phrases:
        if any(map(tokens.is_syllabic, phrase)):
            needed += [(_run(word),) for word in phrase]
            needed += [((pair,),) for pair in _certain(phrase)]
        else:
            needed.append((tuple(map(tokens.cut, phrase)),))
    if asked.people:
        needed.append(tuple((_field(_FROM, nick),) for nick in _called(asked.people)))
    if asked.channels:
        names = [name for channel in asked.channels for name in (channel, f"#{channel}")]
        needed.append(tuple((_field(_IN, name),) for name in names))
    if asked.meetings:
        needed.append(tuple((f"{_MEETING}{meeting}",) for meeting in meetings) or ((_MEETING,),))
    if asked.link:
        needed.append(((_HAS_LINK,),))
    return needed


def _called(people: Sequence[str]) -> list[str]:
    """The nicks that names stand for: who is called so, and has signed in to speak from the web."""
    return [nick for name in people for nick in (name, of_account(name))]


def neighbours(asked: Asked) -> list[Group]:
    """What a line must have besides, for the words to stand side by side in it as they were asked for."""
    return [((pair,),) for pair in dict.fromkeys(_pair(*two) for two in pairwise(asked.row))]


def _pair(first: str, second: str) -> str:
    """Two words that are neighbours as one token: of syllables the first two, so that a particle changes nothing."""
    return f"{_NEIGHBOURS}{zlib.crc32(f'{_stem(first)} {_stem(second)}'.encode()) % _KINDS:05x}"


def _stem(word: str) -> str:
    return word[:2] if tokens.is_syllabic(word) else tokens.cut(word)


def _certain(phrase: Sequence[str]) -> list[str]:
    """The neighbours in a phrase whose beginnings are known: its first word may be the end of a longer one."""
    inside = [True, *(True for _ in phrase[1:])]
    inside[0] = not tokens.is_syllabic(phrase[0])
    if tokens.is_syllabic(phrase[-1]) and len(phrase[-1]) == 1:
        inside[-1] = False
    return [_pair(*two) for two, known in zip(pairwise(phrase), pairwise(inside), strict=True) if all(known)]


def _run(word: str) -> Run:
    """A word as the index has it: pairs side by side for a run of Hangul or CJK."""
    if tokens.is_syllabic(word) and len(word) > 1:
        return tuple(word[place : place + 2] for place in range(len(word) - 1))
    return (tokens.cut(word),)


def _field(mark: str, value: str) -> str:
    """A value as one token of letters and digits, whatever stands in it; PostgreSQL takes 2,046 bytes of one."""
    return mark + tokens.normal(value).encode()[:1000].hex()


def line_tokens(nick: str, channel: str, text: str, meeting: int) -> list[str]:
    """Everything that a line is found by."""
    said = list(tokens.words(text))
    found = [_field(_FROM, nick), _field(_IN, channel)]
    found += [_HAS_LINK] if _LINK.search(text) else []
    found += [f"{_MEETING}{meeting}"] if meeting else []
    return [*found, *tokens.indexed(said), *dict.fromkeys(_pair(*two) for two in pairwise(said))]


def holds(text: str, asked: Asked) -> bool:
    """Whether a text that has all tokens really holds the phrases: tokens may come from different places."""
    if not asked.phrases:
        return True
    said = f" {' '.join(tokens.words(text))} "
    return all(_needle(phrase) in said for phrase in asked.phrases)


def _needle(phrase: tuple[str, ...]) -> str:
    """A phrase as it stands among words: letters end at their word, Hangul goes on into its particle."""
    first = "" if tokens.is_syllabic(phrase[0]) else " "
    last = "" if tokens.is_syllabic(phrase[-1]) else " "
    return first + " ".join(phrase) + last


def fits(text: str, nick: str, channel: str, asked: Asked) -> bool:
    """Whether a text that is in no index is what is asked for, but for its time and its meeting."""
    said = f" {' '.join(tokens.words(text))} "
    there = all((word if tokens.is_syllabic(word) else f" {word} ") in said for word in asked.words)
    told = not asked.people or tokens.normal(nick) in map(tokens.normal, _called(asked.people))
    here = not asked.channels or tokens.normal(channel).lstrip("#") in (
        tokens.normal(name).lstrip("#") for name in asked.channels
    )
    return there and told and here and (not asked.link or _LINK.search(text) is not None) and holds(text, asked)


def stands(text: str, row: tuple[str, ...]) -> bool:
    """Whether a text has words side by side in their order; each may go on into a particle."""
    return _standing(row).search(" ".join(tokens.words(text))) is not None


@lru_cache(maxsize=64)
def _standing(row: tuple[str, ...]) -> re.Pattern[str]:
    ends = (r"\S*" if tokens.is_syllabic(word) and len(word) > 1 else "" for word in row)
    words = " ".join(re.escape(word) + end for word, end in zip(row, ends, strict=True))
    return re.compile(rf"(?<!\S){words}(?!\S)")

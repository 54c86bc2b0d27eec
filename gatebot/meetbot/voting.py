# SPDX-License-Identifier: Apache-2.0
"""Votes: what a `#startvote` line asks, who chose what, and how results read.

Pure. Options stand after the last question mark: between commas, bars or semicolons, or else between blanks; quotes
and parentheses hold words together. Strict mode splits as OpenDev's bot did, at everything but ASCII word
characters, `+` and `-`. A voter is a nick; only the last choice counts.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from dataclasses import replace

from .model import Vote

_WIDTH = 400
_STRICT = re.compile(r"[^\w+-]+", re.ASCII)
_ASKED = re.compile(r"(.*)\?\s*(.*)", re.ASCII)
_DEFAULT = ("Yes", "No")
_WIDE = str.maketrans({"？": "?", "，": ",", "、": ",", "（": "(", "）": ")", "｜": "|", "；": ";"})
_CLOSING = {'"': '"', "'": "'", "“": "”", "‘": "’", "(": ")"}
_SIGNS = (",", "|", ";")
_PARTING = " \t,|;/·•"  # what parts options is none itself
_QUOTES = frozenset(_CLOSING) - {"("}


def open_vote(text: str, strict: bool = False) -> Vote | None:
    """The vote that a line opens; None when it asks nothing."""
    if strict:
        asked = _ASKED.fullmatch(text)
        return Vote(f"{asked[1]}?", tuple(_STRICT.split(asked[2])) if asked[2] else _DEFAULT) if asked else None
    read = text.translate(_WIDE)
    end = read.rfind("?")
    question, offered = text[: max(end, 0)], read[end + 1 :].strip()
    if not question.strip():
        return None
    return Vote(question.strip() + "?", _options(offered) or _DEFAULT)


def _options(offered: str) -> tuple[str, ...]:
    """Options in the order they are offered, each once."""
    if offered.startswith("(") and _end_of_held(offered, 0) == len(offered):
        offered = offered[1:-1]
    words = next((parts for sign in _SIGNS if len(parts := _cut(offered, sign)) > 1), None) or _cut(offered, " \t")
    once: dict[str, str] = {}
    for word in map(_unquoted, words):
        if word.strip(_PARTING):
            once.setdefault(_folded(word), word)
    return tuple(once.values())


def _cut(offered: str, separators: str) -> list[str]:
    """The text cut at separators, but not inside quotes and parentheses. A quote opens only where a word begins."""
    parts: list[str] = []
    start = place = 0
    while place < len(offered):
        character = offered[place]
        if character in separators:
            parts.append(offered[start:place])
            start = place + 1
        elif character == "(" or (character in _QUOTES and not offered[start:place].strip()):
            place = _end_of_held(offered, place)
            continue
        place += 1
    return [*parts, offered[start:]]


def _end_of_held(text: str, start: int) -> int:
    """Where what a quote or a parenthesis holds together ends; one that is never closed holds nothing."""
    opening, closing = text[start], _CLOSING[text[start]]
    depth = 1
    for place in range(start + 1, len(text)):
        depth += (text[place] == opening != closing) - (text[place] == closing)
        if depth == 0:
            return place + 1
    return start + 1


def _unquoted(word: str) -> str:
    word = word.strip()
    held = len(word) > 1 and word[0] in _CLOSING and _end_of_held(word, 0) == len(word)
    return word[1:-1].strip() if held and word[-1] == _CLOSING[word[0]] else word


def _folded(option: str) -> str:
    """The form in which options are compared: composed, and without the difference of case."""
    return unicodedata.normalize("NFC", option).casefold()


def cast(vote: Vote, nick: str, choice: str, strict: bool = False) -> Vote | None:
    """The vote with one more ballot; None when the choice is not offered."""
    fold = str.lower if strict else _folded
    wanted = {choice.lower()} if strict else {_folded(choice.strip()), _folded(_unquoted(choice))}
    option = next((offered for offered in vote.options if fold(offered) in wanted), None)
    if option is None:
        return None
    ballots = (*(ballot for ballot in vote.ballots if ballot[0] != nick), (nick, option))
    chosen = vote.chosen if option in vote.chosen else (*vote.chosen, option)
    return replace(vote, ballots=ballots, chosen=chosen)


def rename(vote: Vote | None, old: str, new: str) -> Vote | None:
    """The same vote after a voter took another nick; what was voted under that before counts no more."""
    if vote is None or old == new or all(nick != old for nick, _ in vote.ballots):
        return vote
    others = (ballot for ballot in vote.ballots if ballot[0] != new)
    return replace(vote, ballots=tuple((new if nick == old else nick, option) for nick, option in others))


def voters(vote: Vote) -> list[tuple[str, tuple[str, ...]]]:
    """Every option somebody holds to, in the order offered, with its voters."""
    held = {option: tuple(nick for nick, choice in vote.ballots if choice == option) for option in vote.options}
    return [(option, nicks) for option, nicks in held.items() if nicks]


def table(vote: Vote) -> list[str]:
    """The standing of a vote as lines for the channel; long lists repeat their head."""
    lines: list[str] = []
    for option, nicks in voters(vote):
        head = f"{option} ({len(nicks)}): "
        wrapped = textwrap.wrap(", ".join(nicks), _WIDTH, break_long_words=False, break_on_hyphens=False)
        lines += [head + part for part in wrapped]
    return lines


def sentence(vote: Vote, strict: bool = False) -> str:
    """The result as the minutes keep it. Strict: an option chosen and abandoned counts 0 instead of nothing."""
    counts = {option: len(nicks) for option, nicks in voters(vote)}
    if strict:
        counts = {option: counts.get(option, 0) for option in vote.options if option in vote.chosen}
    return ", ".join([f'Voted on "{vote.question}" Results are', *(f"{o}: {n}" for o, n in counts.items())])

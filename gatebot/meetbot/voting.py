# SPDX-License-Identifier: Apache-2.0
"""Votes: what a `#startvote` line asks, who chose what, and how results read.

Pure. Options stand after the last question mark: between commas, or else between blanks; quotes and
parentheses hold words together. Strict mode splits as OpenDev's bot did, at everything but ASCII word
characters, `+` and `-`. A voter is a nick; only the last choice counts.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace

from .model import Vote

_WIDTH = 400
_STRICT = re.compile(r"[^\w+-]+", re.ASCII)
_PART = re.compile(r'(?:"[^"]*"|“[^”]*”|[^,])+')
_WORD = re.compile(r'"[^"]+"|“[^”]+”|\S+')
_QUOTES = {'"': '"', "'": "'", "“": "”"}


def open_vote(text: str, strict: bool = False) -> Vote | None:
    """The vote that a line opens; None when it asks nothing."""
    question, mark, rest = text.rpartition("?")
    if not mark or not question.strip():
        return None
    offered = rest.strip()
    options = tuple(_STRICT.split(offered)) if strict else _options(offered)
    if not any(options):
        options = ("Yes", "No")
    return Vote(question.strip() + "?", options)


def _options(offered: str) -> tuple[str, ...]:
    """Options in the order they are offered, each once."""
    if offered.startswith("(") and offered.endswith(")"):
        offered = offered[1:-1]
    parts: list[str] = _PART.findall(offered)
    words: list[str] = parts if len(parts) > 1 else _WORD.findall(offered)
    once: dict[str, str] = {}
    for word in map(_unquoted, words):
        if word:
            once.setdefault(word.casefold(), word)
    return tuple(once.values())


def _unquoted(word: str) -> str:
    word = word.strip()
    quoted = len(word) > 1 and _QUOTES.get(word[0]) == word[-1]
    return word[1:-1].strip() if quoted else word


def cast(vote: Vote, nick: str, choice: str) -> Vote | None:
    """The vote with one more ballot; None when the choice is not offered."""
    wanted = choice.strip().casefold()
    option = next((offered for offered in vote.options if offered.casefold() == wanted), None)
    if option is None:
        return None
    ballots = (*(ballot for ballot in vote.ballots if ballot[0] != nick), (nick, option))
    chosen = vote.chosen if option in vote.chosen else (*vote.chosen, option)
    return replace(vote, ballots=ballots, chosen=chosen)


def rename(vote: Vote | None, old: str, new: str) -> Vote | None:
    """The same vote after a voter took another nick."""
    if vote is None or all(nick != old for nick, _ in vote.ballots):
        return vote
    return replace(vote, ballots=tuple((new if nick == old else nick, option) for nick, option in vote.ballots))


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

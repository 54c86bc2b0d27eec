# SPDX-License-Identifier: Apache-2.0
"""The verdict as lines of text, in the reader's language: for push output, command line, page and REST.

The only place of the room where reasons become sentences, by `words.py`; nothing decides here.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import words
from ..reasons import reason
from .verdict import Outcome, Requirement, Verdict


@dataclass(frozen=True, slots=True)
class Line:
    """One leaf: what it is about, how it stands, the sentence, and what is to be done by whom ("" when it passes).

    `failed`: what it waits for was tried, and ended badly.
    """

    name: str
    outcome: Outcome
    text: str
    next: str = ""
    failed: bool = False


def headline(verdict: Verdict, language: str = "en") -> str:
    """The verdict in one sentence."""
    why = verdict.why_not()
    return words.say(reason("review.ready") if why is None else why, language)


def lines(verdict: Verdict, language: str = "en") -> tuple[Line, ...]:
    """The leaves of the tree in order, those of one requirement together."""
    return tuple(_line(leaf, language) for requirement in verdict.requirements for leaf in requirement.leaves())


def text(verdict: Verdict, language: str = "en") -> str:
    """The whole verdict for a terminal: the headline, then one line for each leaf that does not pass."""
    told = [headline(verdict, language)]
    told += [f"  {line.name}: {line.text} {line.next}" for line in lines(verdict, language) if line.next]
    return "\n".join(told)


def _line(leaf: Requirement, language: str) -> Line:
    following = ""
    if leaf.who is not None and leaf.takes is not None:
        who, takes = words.say(leaf.who, language), words.say(leaf.takes, language)
        following = words.say(reason("review.who-can", who=who, takes=takes), language)
    failed = any(why.kind == "review.voted-against" for why in leaf.says.because)
    return Line(leaf.name, leaf.outcome, words.say(leaf.says, language), following, failed)

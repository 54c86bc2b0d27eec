# SPDX-License-Identifier: Apache-2.0
"""How people name bugs when they talk: the rules of trackers, which are made for footers, as rules for speech.

Pure. In a commit message the footer says what a number is (`Closes-Bug: #7`); in a channel its noun does (`bug 7`,
`story #7`, and `LP#7` for Launchpad). What a rule finds anywhere it finds here as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from .model import Named, Rule
from .rules import named

_LAUNCHPAD = "launchpad.net"
_DIGIT = re.compile(r"[0-9]")
_OWN_WORD = "\\b"  # a rule that looks for a word of its own needs no footer before it


def spoken(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules by which talk is read."""
    return tuple(_spoken(rule) for rule in rules if rule.link)


def said(text: str, rules: Sequence[Rule]) -> list[Named]:
    """What is named in talk, by rules for speech: something with a number, or by a rule that needs no footer."""
    if not _DIGIT.search(text):  # as most of what is said
        return []
    return [one for one in named(text, rules) if one.url and _DIGIT.search(one.id)]


def _spoken(rule: Rule) -> Rule:
    if not rule.footers or _OWN_WORD in rule.match:
        return replace(rule, footers=())
    nouns = {footer.rpartition("-")[2].lower() for footer in rule.footers}
    nouns |= {"lp"} if "bug" in nouns and _LAUNCHPAD in rule.link else set()
    words = "|".join(re.escape(noun) for noun in sorted(nouns))
    id = rule.match if "(" in rule.match else f"(?P<id>{rule.match})"
    return Rule(rf"(?i:\b(?:{words})(?:[ \t]*[:#]|[ \t])[ \t]*){id}", rule.link)

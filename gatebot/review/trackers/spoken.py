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
from .rules import is_safe, named

_LAUNCHPAD = "launchpad.net"
_DIGIT = re.compile(r"[0-9]")
_ID = re.compile(r"[A-Za-z0-9_-]+")
_ENDS = "/#?"
_OWN_WORD = "\\b"  # a rule that looks for a word of its own needs no footer before it


def spoken(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules by which talk is read."""
    return tuple(_spoken(rule) for rule in rules if rule.link)


def said(text: str, rules: Sequence[Rule]) -> list[Named]:
    """What is named in talk, by rules for speech: something with a number, or by a rule that needs no footer."""
    if not _DIGIT.search(text):  # as most of what is said
        return []
    return [one for one in named(text, rules) if one.url and _DIGIT.search(one.id)]


def bug_at(address: str, rules: Sequence[Rule]) -> str:
    """What an address is of, as a rule's link has it: it may end otherwise, as with `/` or a comment's place.

    Launchpad shows a bug below its project as well (`/nova/+bug/7`).
    """
    if not _DIGIT.search(address):
        return ""
    for rule in rules:
        before, id, after = rule.link.partition("{id}")
        if not id or not before.startswith("http"):
            continue
        rest = address.removeprefix(before) if address.startswith(before) else _on_launchpad(address, before)
        found = _ID.match(rest)
        if found is None or not _DIGIT.search(found[0]):
            continue
        beyond = rest[found.end() :]
        if beyond.startswith(after) if after else not beyond or beyond[0] in _ENDS:
            url = f"{before}{found[0]}{after}"
            return url if is_safe(url) else ""
    return ""


def _on_launchpad(address: str, before: str) -> str:
    """The number behind `+bug/` in an address of the site where bugs of a rule are, and what follows it."""
    here = address.startswith("https://bugs.launchpad.net/") and before == "https://bugs.launchpad.net/bugs/"
    return address.partition("/+bug/")[2] if here else ""


def _spoken(rule: Rule) -> Rule:
    if not rule.footers or _OWN_WORD in rule.match:
        return replace(rule, footers=())
    nouns = {footer.rpartition("-")[2].lower() for footer in rule.footers}
    nouns |= {"lp"} if "bug" in nouns and _LAUNCHPAD in rule.link else set()
    words = "|".join(re.escape(noun) for noun in sorted(nouns))
    id = rule.match if "(" in rule.match else f"(?P<id>{rule.match})"
    return Rule(rf"(?i:\b(?:{words})(?:[ \t]*[:#]|[ \t])[ \t]*){id}", rule.link)

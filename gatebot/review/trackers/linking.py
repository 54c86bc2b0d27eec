# SPDX-License-Identifier: Apache-2.0
"""Texts of people as safe HTML: what rules name becomes links, and so do http(s) addresses.

Pure. Everything is escaped here, piece by piece: without its links a text is the same text, escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..config.ports import Configs, NoConfigs
from .commentlinks import commentlinks
from .model import Named, Rule, Tracker
from .rules import named

_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


def linked(text: str, rules: Sequence[Rule] = ()) -> str:
    """Text as safe HTML with its links."""
    pieces: list[str] = []
    end = 0
    for one in _links(text, rules):
        shown = html.escape(text[one.start : one.end])
        pieces.append(html.escape(text[end : one.start]))
        pieces.append(f'<a href="{html.escape(one.url)}" rel="nofollow noopener">{shown}</a>')
        end = one.end
    return "".join([*pieces, html.escape(text[end:])])


def _links(text: str, rules: Sequence[Rule]) -> Iterator[Named]:
    """The links of a text in order, none within another; a rule counts before an address that begins where it does."""
    addresses = [Named(one.start(), one.end(), "", url=one.group()) for one in _ADDRESS.finditer(text)]
    ruled = [one for one in named(text, rules) if one.url]
    end = 0
    for one in sorted([*ruled, *addresses], key=lambda each: each.start):
        if one.start >= end:
            yield one
            end = one.end


@dataclass(frozen=True, slots=True)
class Linking:
    """The rules of a site: those of its trackers, and each project's own."""

    trackers: tuple[Tracker, ...] = ()
    configs: Configs = field(default_factory=NoConfigs)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those of the trackers."""
        return tuple(rule for tracker in self.trackers for rule in tracker.rules)

    def rules_for(self, project: str) -> tuple[Rule, ...]:
        """All that count in a project."""
        own = (one.rule for one in commentlinks(self.configs.files(project)) if one.rule is not None)
        return (*self.rules, *own)

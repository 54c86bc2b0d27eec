# SPDX-License-Identifier: Apache-2.0
"""The values of trackers: rules that find what texts name, what they found, and trackers that are told of merges.

Floor 0. Rules come from the site's settings and from `project.config`; expressions are RE2.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """How texts name something: `match` in the values of these footers; without footers, anywhere.

    The id is the group `id` of the match, or its first group, or all of it. In `link`, `{id}` stands for it and
    `$1` to `$9` for groups. Without a link it leads nowhere.
    """

    match: str
    link: str = ""
    footers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tracker:
    """A tracker of the settings. `hook` is told of merges, `local`: on this machine too; `token_file` is our token."""

    name: str
    rules: tuple[Rule, ...]
    hook: str = ""
    token_file: str = ""
    local: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """Something that a text names from `start` to `end`, and where it leads; empty: nowhere."""

    start: int
    end: int
    id: str
    footer: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one tracker is told once; `key` is the same at every try."""

    tracker: str
    key: str
    body: bytes
    id: int = 0
    tries: int = 0

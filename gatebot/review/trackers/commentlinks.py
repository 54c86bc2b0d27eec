# SPDX-License-Identifier: Apache-2.0
"""`[commentlink "NAME"]` of a `project.config`: Gerrit's patterns that become links, with its inheritance.

Pure. A name of a project takes the place of its parents', `enabled = false` takes it away. What cannot be used is told
by `check` when somebody wants to put it there, and left out where it lies already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...expressions import strictly
from ...reasons import Reason, reason
from ..config.model import ConfigFile, Trouble
from .model import Rule
from .rules import is_safe

SECTION = "commentlink"
_MOST = 50  # of one project


@dataclass(frozen=True, slots=True)
class Commentlink:
    """One pattern as it is written; `rule` is None where it cannot be used or leads nowhere."""

    name: str
    match: str
    link: str
    rule: Rule | None


def commentlinks(files: Sequence[ConfigFile]) -> tuple[Commentlink, ...]:
    """What counts in a project; `files` are its own, then its parents'."""
    found: dict[str, Commentlink] = {}
    for file in reversed(files):
        for name in file.subsections(SECTION):
            if (file.get(SECTION, "enabled", name) or "true").strip().lower() in ("false", "no", "off", "0"):
                found.pop(name, None)
            elif (one := _read(file, name)) is not None:
                found[name] = one
    return tuple(found.values())[:_MOST]


def check(file: ConfigFile) -> list[Trouble]:
    """Everything that is wrong with the patterns of a file."""
    found: list[Trouble] = []
    for name in file.subsections(SECTION):
        for key, why in _wrong(file, name):
            entry = file.entry(SECTION, key, name)
            found.append(Trouble(file.file, entry.line if entry else file.line_of(SECTION, name), why))
    return found


def _read(file: ConfigFile, name: str) -> Commentlink | None:
    match, link = file.get(SECTION, "match", name), (file.get(SECTION, "link", name) or "").strip()
    if not match:
        return None
    usable = bool(link) and not any(_wrong(file, name))
    return Commentlink(name, match, link, Rule(match, _here(link)) if usable else None)


def _wrong(file: ConfigFile, name: str) -> Iterator[tuple[str, Reason]]:
    match, link = file.get(SECTION, "match", name), (file.get(SECTION, "link", name) or "").strip()
    if match:
        try:
            strictly(match)
        except ValueError as problem:
            yield "match", reason("review.commentlink-match", name=name, why=str(problem))
    if link and not is_safe(_tried(_here(link))):
        yield "link", reason("review.commentlink-link", name=name, link=link)


def _here(link: str) -> str:
    """Gerrit's own pages as addresses of this site."""
    return link.removeprefix("#") if link.startswith("#/") else link


def _tried(link: str) -> str:
    """The link as it may come out; one that is all of the match may become anything, and is looked at then."""
    return "https://x" if link.startswith("$") else link.replace("$", "x").replace("{", "x").replace("}", "x")

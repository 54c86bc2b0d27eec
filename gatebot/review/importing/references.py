# SPDX-License-Identifier: Apache-2.0
"""Which references of another Gerrit come here, and where they go. Pure.

Patch sets go to the numbers of their changes here. Of the others come branches, tags, notes and `refs/meta/`; what a
Gerrit keeps for itself in references (`refs/changes/*/meta`, `refs/sequences/` ...) comes as rows or not at all. A
reference that moved here since it was brought stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..model import change_ref
from .model import Mark
from .reading import patch_set_of

_BROUGHT = ("refs/heads/", "refs/tags/", "refs/notes/", "refs/meta/")
_OWN = ("refs/meta/version", "refs/meta/gatebot/")
"""What each site writes for itself alone."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """What is to be fetched: `moves` are reference -> (before, after) of those that people read, the rest is
    `refspecs`. `arrived` are where they are there, though nothing remembers that they were brought: an import was cut
    short. `stuck` were moved here, `clashing` are patch sets that have another commit here."""

    moves: Mapping[str, tuple[str, str]]
    arrived: Mapping[str, tuple[str, str]]
    refspecs: tuple[str, ...]
    stuck: tuple[str, ...]
    clashing: tuple[int, ...]
    patch_sets: int


def readable(theirs: Mapping[str, str]) -> dict[str, str]:
    """Those of their references that come as they are."""
    return {ref: at for ref, at in theirs.items() if ref.startswith(_BROUGHT) and not ref.startswith(_OWN)}


def patch_sets(theirs: Mapping[str, str], numbers: Mapping[int, int]) -> dict[str, tuple[str, str, int]]:
    """Each patch set of known changes: reference there -> (reference here, commit, change there)."""
    found: dict[str, tuple[str, str, int]] = {}
    for ref, commit in theirs.items():
        place = patch_set_of(ref)
        if place is not None and place[0] in numbers:
            found[ref] = (change_ref(numbers[place[0]], place[1]), commit, place[0])
    return found


def plan(
    theirs: Mapping[str, str], here: Mapping[str, str], numbers: Mapping[int, int], marks: Mapping[str, Mark]
) -> Fetching:
    """What to fetch of a repository; `marks` tell of each reference where it was when it was brought."""
    moves: dict[str, tuple[str, str]] = {}
    arrived: dict[str, tuple[str, str]] = {}
    stuck: list[str] = []
    for ref, commit in readable(theirs).items():
        mine, known = here.get(ref, ""), marks.get(ref)
        seen = known.seen if known is not None else ""
        if seen == commit:
            continue
        if mine == commit:
            arrived[ref] = (seen, commit)
        elif mine == seen:
            moves[ref] = (mine, commit)
        else:
            stuck.append(ref)
    sets = patch_sets(theirs, numbers)
    missing = tuple(f"{ref}:{target}" for ref, (target, _, _) in sets.items() if target not in here)
    clashing = {change for target, commit, change in sets.values() if here.get(target, commit) != commit}
    return Fetching(moves, arrived, missing, tuple(stuck), tuple(sorted(clashing)), len(sets))

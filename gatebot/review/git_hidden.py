# SPDX-License-Identifier: Apache-2.0
"""What git keeps from a reader: the patch sets of changes that he may not see, by name and by id.

`uploadpack.hideRefs` hides names. Protocol 2 gives any object to whoever knows its id, so the wants
of a request are read here too, and an object that only hidden references reach is not there.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..repo import git_output
from ..repo.wants import wants

_MANY = 500  # beyond this all patch sets are hidden, so that no command line grows without end


def references(numbers: Collection[int]) -> tuple[str, ...]:
    """The references of some changes, as prefixes."""
    if len(numbers) > _MANY:
        return ("refs/changes",)
    return tuple(f"refs/changes/{number % 100:02d}/{number}" for number in sorted(numbers))


def secrets(store: Path, hidden: Collection[str]) -> frozenset[str]:
    """The objects of a repository that only `hidden` references reach."""
    without = [f"--exclude={prefix}/*" for prefix in hidden]
    globs = [f"--glob={prefix}/*" for prefix in hidden]
    listing = git_output(store, ["rev-list", "--objects", "--no-object-names", *globs, "--not", *without, "--all"])
    return frozenset(listing.split())


def refused(store: Path, hidden: Collection[str], body: bytes) -> str | None:
    """The first object that a request wants and only `hidden` references reach."""
    asked = list(wants(body))
    if not asked:
        return None
    secret = secrets(store, hidden)
    return next((wanted for wanted in asked if wanted in secret), None)

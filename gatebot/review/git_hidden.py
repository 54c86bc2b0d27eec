# SPDX-License-Identifier: Apache-2.0
"""What git keeps from a reader: references that he may not read and patch sets of changes that he may not see.

`uploadpack.hideRefs` hides names. Protocol 2 gives any object to whoever knows its id, so the wants
of a request are read here too, and an object that only hidden references reach is not there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ..access import Actor, Rulebook, Target, Verb, may, read_patterns
from ..repo import Repositories, git_output
from ..repo.wants import wants
from .config.model import CONFIG_REF
from .permission import reads_all_branches
from .project_boards.model import DASHBOARDS

META, OWN = "refs/meta", "refs/meta/gatebot"
_BOARDS = DASHBOARDS.rstrip("/")


@dataclass(frozen=True, slots=True)
class Unseen:
    """What git keeps from a reader, as prefixes of references: what is `there`, and what may come while git answers.

    Of a change that comes nobody knows yet whether it is private, so that no list that git makes meanwhile names it.
    """

    there: tuple[str, ...] = ()
    coming: tuple[str, ...] = ()


_MANY = 500  # beyond this all patch sets are hidden, so that no command line grows without end


def references(numbers: Collection[int]) -> tuple[str, ...]:
    """The references of some changes, as prefixes."""
    if len(numbers) > _MANY:
        return ("refs/changes",)
    return tuple(f"refs/changes/{number % 100:02d}/{number}" for number in sorted(numbers))


def unreadable(actor: Actor, project: str, repositories: Repositories, rules: Rulebook) -> tuple[str, ...]:
    """The branches, tags and other references that somebody may not read; `!` before what he may of refs/meta.

    git hides all of refs/meta by itself; what is named here also hides what it reaches. What the site holds there for
    itself, as pushed edits, nobody reads by git.
    """
    own = ["for-each-ref", "--count=1", "--format=%(refname)", f"{OWN}/"]  # the library would list every patch set
    found = [OWN] if git_output(repositories.path(project), own) else []
    head = f"refs/heads/{repositories.default_branch(project)}".replace("refs/heads/refs/", "refs/")
    if may(actor, Verb.READ, Target(project, CONFIG_REF), rules):
        found.append(f"!{CONFIG_REF}")
    elif repositories.resolve(project, CONFIG_REF):
        found.append(META)
    found.append(f"!{_BOARDS}" if _reads_boards(actor, project, rules) else _BOARDS)
    if not reads_all_branches(project, rules):
        names = [name for name in repositories.references(project) if name.startswith(("refs/heads/", "refs/tags/"))]
        shut = [name for name in names if not may(actor, Verb.READ, Target(project, name), rules)]
        found += shut if len(shut) <= _MANY else ["refs/heads", "refs/tags"]
        if not may(actor, Verb.READ, Target(project, head), rules):
            found.append("HEAD")
    return tuple(found)


def _reads_boards(actor: Actor, project: str, rules: Rulebook) -> bool:
    """Whether all dashboards are there for somebody. Where rules tell them apart, git gives none: REST asks of each."""
    told = [one for one in read_patterns(rules.of(project)) if one.startswith(DASHBOARDS) and one != f"{DASHBOARDS}*"]
    return not told and may(actor, Verb.READ, Target(project, f"{DASHBOARDS}*"), rules)


def secrets(store: Path, hidden: Collection[str]) -> frozenset[str]:
    """The objects of a repository that only `hidden` references reach."""
    prefixes = _prefixes(hidden)
    if not prefixes:
        return frozenset()
    without = [f"--exclude={one}" for one in (*hidden, *(f"{prefix}/*" for prefix in prefixes)) if one[0] != "!"]
    shown = [f"--glob={one[1:]}/*" for one in hidden if one.startswith("!")]
    command = ["rev-list", "--objects", "--no-object-names", *_reached(prefixes), "--not", *without, "--all", *shown]
    return frozenset(git_output(store, command).split())


def _prefixes(hidden: Collection[str]) -> list[str]:
    return [one for one in hidden if not one.startswith("!") and one != "HEAD"]


def _reached(prefixes: list[str]) -> list[str]:
    """What names the commits of some references to git."""
    whole = [one for one in prefixes if one.startswith(("refs/heads/", "refs/tags/"))]
    return ["--ignore-missing", *whole, *(f"--glob={prefix}/*" for prefix in prefixes if prefix not in whole)]


def refused(store: Path, hidden: Collection[str], body: bytes) -> str | None:
    """The first object that a request wants and only `hidden` references reach."""
    asked = list(wants(body))
    prefixes = _prefixes(hidden)
    if not asked or not prefixes:
        return None
    if set(prefixes) <= {META, _BOARDS}:
        # Configuration shares no history with branches: few objects, which are soon listed.
        few = git_output(store, ["rev-list", "--objects", "--no-object-names", *_reached(prefixes)]).split()
        if not set(few).intersection(asked):
            return None
    secret = secrets(store, hidden)
    return next((wanted for wanted in asked if wanted in secret), None)

# SPDX-License-Identifier: Apache-2.0
"""The rules of every project as its `refs/meta/config` has them now: the site's living rulebook.

Reads git and memory only, so anybody may ask at any time, inside a transaction too. What a commit
says is remembered by its id; where the reference is, is looked up again after a moment, and at once
when this process moved it. Files that cannot be read shut their project for all but administrators.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ... import words
from ...access import ADMINISTRATORS, DEFAULT, IMPLIED, Permission, Rule, Rules, Section
from ...db import Database, Session
from ...errors import GatebotError
from ...identity import group_store
from ...repo import Repositories
from . import whole
from .model import ALL_PROJECTS, CONFIG_REF, GROUPS, PROJECT_CONFIG, ConfigFile, ProjectConfig, Trouble

log = logging.getLogger(__name__)
_MOMENT = 0.05  # seconds; another process's push is seen after that
_GENERATION = 10.0  # seconds
_REMEMBERED = 2000  # configurations by commit
_DEEPEST = 30  # projects that inherit from one another

_ONLY_ADMINISTRATORS = tuple(
    Permission(name, (Rule(ADMINISTRATORS, force=True),), exclusive=True) for name in ("read", "push", "create")
)
LOCKED = (Section("refs/*", _ONLY_ADMINISTRATORS), Section(CONFIG_REF, _ONLY_ADMINISTRATORS))
"""What a project permits whose files cannot be read."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found for a project: its configuration's commits, nearest first, and the rules they make."""

    until: float
    tips: tuple[tuple[str, str], ...]
    rules: Rules
    files: tuple[ConfigFile, ...]


class Book:
    """A `Rulebook` over the repositories of a site. `refresh` it once before it is asked."""

    def __init__(self, db: Database, repositories: Repositories, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._repositories = repositories
        self._clock = clock
        self._names: Mapping[str, str] = {}
        self._known: dict[str, _Known] = {}
        self._read: dict[str, ProjectConfig] = {}
        self._moves = 0
        repositories.moved.append(self._moved)

    async def refresh(self) -> None:
        """Learn what the groups are called now."""
        names = await self._db.read(_names_in)
        if names != self._names:
            self._names = names
            self._known.clear()

    def of(self, project: str) -> Rules:
        """The rules that decide for a project, as they are now; the empty name asks for those of All-Projects."""
        return self._find(project or ALL_PROJECTS).rules

    def _find(self, project: str) -> _Known:
        known, now = self._known.get(project), self._clock()
        if known is not None and now < known.until:
            return known
        tips = self._tips(project)
        if known is not None and known.tips == tips:
            found = replace(known, until=now + _MOMENT)
        else:
            files = tuple(self._config(*one).file for one in tips)
            found = _Known(now + _MOMENT, tips, self._rules(tips), files)
        self._known[project] = found
        return found

    def configs(self, project: str) -> tuple[ProjectConfig, ...]:
        """What the files of a project say, then those of its parents up to All-Projects."""
        return tuple(self._config(name, tip) for name, tip in self._tips(project or ALL_PROJECTS))

    def files(self, project: str) -> tuple[ConfigFile, ...]:
        """The same for those who read other parts of `project.config`: the same value while nothing changes."""
        return self._find(project or ALL_PROJECTS).files

    @property
    def generation(self) -> tuple[int, int]:
        """Another one whenever a configuration moved here; and now and then, as another process may have moved one."""
        return self._moves, int(self._clock() // _GENERATION)

    def parent(self, project: str) -> str:
        """What a project inherits from; the root inherits from nothing."""
        if project == ALL_PROJECTS:
            return ""
        return self._config(project, self._tip(project)).parent or ALL_PROJECTS

    def troubles(self, project: str, read: Callable[[str], bytes | None]) -> tuple[Trouble, ...]:
        """Everything that speaks against files that somebody wants to put there; `read` gives one by its name."""
        parents = {name: self.parent(name) for name in self._repositories.projects()}
        return whole.check(project, _texts(read), {name: uuid for uuid, name in self._names.items()}, parents)

    def takes_parent(self, project: str, read: Callable[[str], bytes | None]) -> bool:
        """Whether such files would give a project another parent: a matter of administrators, for it undoes blocks."""
        config, _ = whole.read(_texts(read))
        return project != ALL_PROJECTS and (config.parent or ALL_PROJECTS) != self.parent(project)

    def _moved(self, project: str, ref: str) -> None:
        if ref == CONFIG_REF:
            self._moves += 1
            # Those that inherit from it are not known by name here.
            self._known.clear()

    def _tips(self, project: str) -> tuple[tuple[str, str], ...]:
        """The project and its parents, each with the commit of its configuration; empty: it has none."""
        found: list[tuple[str, str]] = []
        name = project
        while name and name not in [one for one, _ in found] and len(found) < _DEEPEST:
            found.append((name, self._tip(name)))
            name = self.parent(name)
        if found[-1][0] != ALL_PROJECTS:
            found.append((ALL_PROJECTS, self._tip(ALL_PROJECTS)))
        return tuple(found)

    def _tip(self, project: str) -> str:
        if not self._repositories.exists(project):
            return ""
        return self._repositories.resolve(project, CONFIG_REF) or ""

    def _rules(self, tips: tuple[tuple[str, str], ...]) -> Rules:
        found = [whole.resolved(self._config(name, tip), self._names) for name, tip in tips]
        root = found[-1]
        return Rules((*(config.sections for config in found), IMPLIED), root.capabilities, root.limits)

    def _config(self, project: str, tip: str) -> ProjectConfig:
        if not tip:
            return _BEFORE if project == ALL_PROJECTS else _NOTHING
        known = self._read.get(tip)
        if known is None:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            known = self._read[tip] = self._parse(project, tip)
        return known

    def _parse(self, project: str, tip: str) -> ProjectConfig:
        try:
            config, troubles = whole.read(_texts(lambda name: self._repositories.read_file(project, tip, name)))
        except GatebotError:
            log.exception("%s of %s cannot be read; only administrators may use it", CONFIG_REF, project)
            return _SHUT
        if not troubles:
            return config
        for one in troubles:
            log.error("%s of %s: %s:%d: %s", CONFIG_REF, project, one.file, one.line, words.say(one.why))
        log.error("%s is shut for all but administrators until these are corrected", project)
        # A rule that cannot be read may be one that blocks.
        return replace(_SHUT, file=config.file, parent=config.parent)


_NOTHING = ProjectConfig()
_BEFORE = ProjectConfig(sections=DEFAULT.chain[0], capabilities=DEFAULT.capabilities, limits=DEFAULT.limits)
_SHUT = ProjectConfig(sections=LOCKED, capabilities=DEFAULT.capabilities)


def _texts(read: Callable[[str], bytes | None]) -> dict[str, str]:
    return {name: (read(name) or b"").decode("utf-8", "replace") for name in (PROJECT_CONFIG, GROUPS)}


def _names_in(session: Session) -> dict[str, str]:
    return {group.uuid: group.name for group in group_store.every(session)}

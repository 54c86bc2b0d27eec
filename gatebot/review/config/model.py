# SPDX-License-Identifier: Apache-2.0
"""The values of project configuration: entries with their lines, what is wrong, and the whole.

Floor 0: frozen values and how to look things up in them. Reading text is in `syntax.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...access_rules import Limit, Section, Verb
from ...reasons import Reason

PROJECT_CONFIG = "project.config"
GROUPS = "groups"
CONFIG_REF = "refs/meta/config"
ALL_PROJECTS = "All-Projects"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong with a file, and what to do about it. Line 0 is the file as a whole."""

    file: str
    line: int
    why: Reason


@dataclass(frozen=True, slots=True)
class Entry:
    """One line `name = value` of a section. Section and name are in lower case, `spelled` is the name as written.

    `value` None: there was no `=`.
    """

    section: str
    subsection: str | None
    name: str
    value: str | None
    line: int
    spelled: str = ""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A text in git's configuration syntax, in its order. `headers` are sections with their lines, empty ones too."""

    file: str
    entries: tuple[Entry, ...] = ()
    headers: tuple[tuple[str, str | None, int], ...] = ()

    def all(self, section: str, name: str, subsection: str | None = None) -> tuple[Entry, ...]:
        """Every entry of a name, in order; names of sections and entries in any case of letters."""
        wanted = (section.lower(), subsection, name.lower())
        return tuple(entry for entry in self.entries if (entry.section, entry.subsection, entry.name) == wanted)

    def entry(self, section: str, name: str, subsection: str | None = None) -> Entry | None:
        """The entry that counts: the last one."""
        found = self.all(section, name, subsection)
        return found[-1] if found else None

    def get(self, section: str, name: str, subsection: str | None = None) -> str | None:
        """The value that counts; an entry without `=` has none."""
        found = self.entry(section, name, subsection)
        return found.value if found else None

    def of(self, section: str, subsection: str | None = None) -> tuple[Entry, ...]:
        """All entries of one section, however often it is opened."""
        wanted = (section.lower(), subsection)
        return tuple(entry for entry in self.entries if (entry.section, entry.subsection) == wanted)

    def subsections(self, section: str) -> tuple[str, ...]:
        """The names in quotes behind a section's, each once, in order."""
        wanted = section.lower()
        return tuple(dict.fromkeys(sub for name, sub, _ in self.headers if name == wanted and sub is not None))

    def line_of(self, section: str, subsection: str | None = None) -> int:
        """Where a section is opened first; 0 when it is not."""
        wanted = (section.lower(), subsection)
        return next((line for name, sub, line in self.headers if (name, sub) == wanted), 0)


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One line of `groups`: the identity of a group and the name that `project.config` uses for it."""

    uuid: str
    name: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """What the two files say about access, and `file` for the parts that others read.

    `parent` empty: All-Projects. Sections name groups as the file does; `groups` tells who is meant.
    """

    parent: str = ""
    sections: tuple[Section, ...] = ()
    capabilities: tuple[tuple[Verb, str], ...] = ()
    limits: tuple[Limit, ...] = ()
    groups: tuple[GroupLine, ...] = ()
    file: ConfigFile = field(default_factory=lambda: ConfigFile(PROJECT_CONFIG))

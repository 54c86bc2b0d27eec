# SPDX-License-Identifier: Apache-2.0
"""What other parts of the room ask of project configuration.

Floor 0: Protocols, and the answer of a site without any. `book.py` is the real one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .model import ConfigFile, ProjectConfig, Trouble


class Configs(Protocol):
    """The `project.config` of every project."""

    def files(self, project: str) -> tuple[ConfigFile, ...]:
        """That of the project, then those of its parents up to All-Projects."""
        ...

    @property
    def generation(self) -> tuple[int, int]:
        """While it is the same, what was read of all projects may be used again."""
        ...

    def configs(self, project: str) -> tuple[ProjectConfig, ...]:
        """What they say about access, in the same order."""
        ...

    def parent(self, project: str) -> str:
        """What a project inherits from; empty for All-Projects."""
        ...

    def troubles(self, project: str, read: Callable[[str], bytes | None]) -> tuple[Trouble, ...]:
        """Everything that speaks against files that somebody wants to put there; `read` gives one by its name."""
        ...

    def takes_parent(self, project: str, read: Callable[[str], bytes | None]) -> bool:
        """Whether such files would give a project another parent, which only administrators may."""
        ...


class NoConfigs:
    """Projects without any configuration."""

    def files(self, project: str) -> tuple[ConfigFile, ...]:
        """Nothing."""
        del project
        return ()

    @property
    def generation(self) -> tuple[int, int]:
        """Nothing ever moves."""
        return 0, 0

    def configs(self, project: str) -> tuple[ProjectConfig, ...]:
        """Nothing."""
        del project
        return (ProjectConfig(),)

    def parent(self, project: str) -> str:
        """None."""
        del project
        return ""

    def troubles(self, project: str, read: Callable[[str], bytes | None]) -> tuple[Trouble, ...]:
        """Nothing speaks against anything."""
        del project, read
        return ()

    def takes_parent(self, project: str, read: Callable[[str], bytes | None]) -> bool:
        """There are no parents."""
        del project, read
        return False

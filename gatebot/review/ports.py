# SPDX-License-Identifier: Apache-2.0
"""What the review room needs of others, as Protocols; `app.py` plugs them in.

Floor 0: no behaviour. The pipeline room tells which branches have a gate, where a change stands in
it, and what was built for it; everything else the room gets from the hall.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..reasons import Reason
from .config.model import ConfigFile
from .labels.model import Content


class Gates(Protocol):
    """What the pipeline room knows of a branch and of a change; it answers from memory, at once."""

    def gated(self, project: str, branch: str) -> bool:
        """Whether a dependent pipeline merges the changes of this branch."""
        ...

    def jobs(self, project: str) -> Sequence[tuple[str, Sequence[str]]]:
        """The pipelines of a project, each with the jobs that it lists there."""
        ...

    def configures(self, project: str, branch: str, files: Collection[str]) -> bool:
        """Whether any of these files says which jobs run."""
        ...

    def position(self, change: int) -> Reason | None:
        """Where the change stands in the gate, for people; None when it is in none."""
        ...


@dataclass(frozen=True, slots=True)
class BuildLine:
    """A build in one line of a change's page; `result` is empty while it waits (`why` says for what) or runs.

    A job that waits for its build has no `uuid`.
    """

    uuid: str
    job: str
    pipeline: str
    patch_set: int
    result: str = ""
    voting: bool = True
    started: bool = True
    why: Reason | None = None


class Contents(Protocol):
    """What is in the commits of this site's repositories."""

    def of(self, project: str, commit: str) -> Content:
        """The content of a commit; nothing is read before it is asked for."""
        ...

    def within(self, project: str, commit: str, branch: str) -> bool:
        """Whether a branch contains a commit; also where neither can be told."""
        ...


class Configs(Protocol):
    """The `project.config` files of this site."""

    def files(self, project: str) -> tuple[ConfigFile, ...]:
        """A project's and its parents', the nearest first; it answers from memory where nothing was pushed since."""
        ...

    @property
    def generation(self) -> tuple[int, int]:
        """While it is the same, what was read of all projects may be used again."""
        ...


class Builds(Protocol):
    """The builds of the pipeline room."""

    async def of_change(self, number: int) -> Sequence[BuildLine]:
        """The builds of a change, newest first."""
        ...

# SPDX-License-Identifier: Apache-2.0
"""What mirroring a Gerrit needs of the rest of the pipeline room, as Protocols; `app/` plugs them in.

Floor 0: no behaviour. Everything answers from memory, at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol


class Use(Protocol):
    """How the tenants use the projects of one connection."""

    def projects(self) -> Collection[str]:
        """The projects that tenant files name under the connection."""
        ...

    def labels(self) -> Collection[str]:
        """The labels that pipelines which merge vote on."""
        ...

    def reads(self, project: str, branch: str) -> bool:
        """Whether a queue that merges stands on this branch now."""
        ...

    def merging(self) -> Mapping[int, str]:
        """The changes that are being merged from here now, with their projects: whoever merges them tells of it."""
        ...

    def refresh(self) -> None:
        """Read the configuration again: a project is there that was not. Blocks."""
        ...

# SPDX-License-Identifier: Apache-2.0
"""What the loader needs of the repositories, and nothing else of them.

`repo.Repositories` has all of it; tests may have a dictionary.
"""

from __future__ import annotations

from typing import Protocol


class ConfigSource(Protocol):
    """Reads of bare repositories; a store is a project's name or `speculation/QUEUE`."""

    def exists(self, project: str) -> bool: ...

    def default_branch(self, project: str) -> str: ...

    def branches(self, project: str) -> dict[str, str]: ...

    def list_files(self, store: str, commit: str, prefix: str = "") -> tuple[tuple[str, str], ...]: ...

    def read_file(self, store: str, commit: str, path: str) -> bytes | None: ...

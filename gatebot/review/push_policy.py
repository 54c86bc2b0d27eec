# SPDX-License-Identifier: Apache-2.0
"""What a project asks of those who push to it, beside rights: Gerrit's section `[receive]` and its like.

Only values and the Protocol by which a push asks for them; where they come from, whoever puts the server together says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Policy:
    """`change_id` strict: every commit carries one. The defaults are those of a new site."""

    strict_change_id: bool = False
    signed_off_by: bool = False
    implicit_merges: bool = False
    private: bool = False
    work_in_progress: bool = False
    read_only: bool = False


class Policies(Protocol):
    """The policy of each project."""

    def of(self, project: str) -> Policy:
        """What this project asks of a push. Called in a worker thread; it may read."""
        ...


@dataclass(frozen=True, slots=True)
class SamePolicy:
    """One policy for every project."""

    policy: Policy = Policy()

    def of(self, project: str) -> Policy:
        """The site's."""
        del project
        return self.policy

# SPDX-License-Identifier: Apache-2.0
"""What a project asks of those who push to it, beside rights: Gerrit's section `[receive]` and its like.

Only values and the Protocol by which a push asks for them; where they come from, whoever puts the server together says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .agreements.model import Agreement


@dataclass(frozen=True, slots=True)
class Policy:
    """`change_id` strict: every commit carries one. `agreements`: one of these is to be on file, where there are any.

    The defaults are those of a new site.
    """

    strict_change_id: bool = False
    signed_off_by: bool = False
    implicit_merges: bool = False
    private: bool = False
    work_in_progress: bool = False
    read_only: bool = False
    agreements: tuple[Agreement, ...] = ()


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

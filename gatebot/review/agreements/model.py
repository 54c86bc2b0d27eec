# SPDX-License-Identifier: Apache-2.0
"""A contributor agreement, as `[contributor-agreement "NAME"]` of All-Projects says it.

Floor 0.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """`accepted` are the UUIDs of groups whose members have it on file; who accepts it himself joins `verifies`.

    `projects` and `excluded` are regular expressions of the projects that it is for; no `projects`: all.
    """

    name: str
    description: str = ""
    url: str = ""
    accepted: frozenset[str] = frozenset()
    verifies: str = ""
    projects: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

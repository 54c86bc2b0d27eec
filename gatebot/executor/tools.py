# SPDX-License-Identifier: Apache-2.0
"""What every run of a build works with, and how one that is over before its steps are says so.

Only the bundle; what is in it lives in modules of its own, and `assembly.py` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .commands import Surroundings
from .egress import Egress
from .holding import HeldNodes
from .logs import Logs
from .model import Verdict
from .ports import Reports, Sources
from .supply import Supply
from .workspaces import Workspaces


@dataclass(frozen=True, slots=True)
class Tools:
    """`layers` is where workspaces are prepared."""

    supply: Supply
    workspaces: Workspaces
    logs: Logs
    reports: Reports
    sources: Sources
    egress: Egress
    surroundings: Surroundings
    layers: Path
    held: HeldNodes


class Ended(Exception):
    """The build is over before its steps are; carries how."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.result)
        self.verdict = verdict

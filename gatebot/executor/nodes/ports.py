# SPDX-License-Identifier: Apache-2.0
"""What the overview of nodes needs of the rows of builds.

The pipeline room keeps them; `app` plugs in what reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ..ports import BuildFacts
from .model import Hold


class Uses(Protocol):
    """Who has nodes."""

    async def running(self) -> Sequence[BuildFacts]:
        """The builds that run now."""
        ...

    async def held(self) -> Sequence[tuple[BuildFacts, Hold]]:
        """The builds that ended and whose nodes are kept."""
        ...

    async def keep_until(self, build: str, until: datetime) -> None:
        """The nodes of a build are kept until then."""
        ...

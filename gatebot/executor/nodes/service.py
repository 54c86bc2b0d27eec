# SPDX-License-Identifier: Apache-2.0
"""Asks executors and builds for what is said of nodes.

Every executor is asked alike: what those on other machines can do is known from what they announce.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ..fleet.choosing import HERE, Member
from ..fleet.roster import member
from ..fleet.service import Enrolment
from .listing import nodes_of, overview
from .model import Overview
from .ports import Uses


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of a site."""

    enrolment: Enrolment
    uses: Uses

    async def overview(self) -> Overview:
        """Everything."""
        fleet, now = self.enrolment.fleet, self.enrolment.clock.now()
        known, running, held = await asyncio.gather(self.enrolment.every(), self.uses.running(), self.uses.held())
        come = [one.executor for one in known if one.executor.heard is not None]
        members = [member(one.name, 0, one.abilities) for one in come]
        alive = {one.name for one in come if fleet.roster.lives(one.name, now)}
        if fleet.local is not None:
            members.insert(0, Member(HERE, 0, fleet.offers()))
            alive.add(HERE)
        nodes = [node for build in running for node in nodes_of(build)]
        nodes += [node for build, hold in held for node in nodes_of(build, hold)]
        return overview(members, frozenset(alive), fleet.labels(), nodes)

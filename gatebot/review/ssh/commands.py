# SPDX-License-Identifier: Apache-2.0
"""The table of Gerrit's commands: their names, and which module does each.

What they all share is in `model.py`, how their words are read in `arguments.py`.
"""

from __future__ import annotations

from ...db import Database
from ...journal import Journal
from ..gerrit_json import VERSION
from ..room import ReviewRoom
from .arranging import Arranging
from .model import Call, Command, Commands
from .naming import Naming
from .querying import Querying
from .reviewing import Reviewing
from .streaming import Streaming
from .telling import Telling


def table(db: Database, journal: Journal, room: ReviewRoom, telling: Telling) -> Commands:
    """Every command by its name, which may be two words."""
    naming = Naming(room)
    arranging = Arranging(room, naming)
    streaming = Streaming(journal, room.identity, room, telling)
    return {
        "query": Command("Query the change database", Querying(db, room).run),
        "review": Command("Apply reviews to one or more patch sets", Reviewing(room, naming).run),
        "set-hashtags": Command("Add and remove hashtags of one or more changes", arranging.set_hashtags),
        "set-reviewers": Command("Add or remove reviewers on a change", arranging.set_reviewers),
        "set-topic": Command("Set the topic for one or more changes", arranging.set_topic),
        "stream-events": Command("Monitor events occurring in real time", streaming.run),
        "version": Command("Display gerrit version", version),
    }


async def version(call: Call) -> None:
    """`gerrit version`."""
    await call.terminal.say(f"gerrit version {VERSION}\n")

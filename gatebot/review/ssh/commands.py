# SPDX-License-Identifier: Apache-2.0
"""The table of Gerrit's commands: their names, and which module does each.

What they all share is in `model.py`, how their words are read in `arguments.py`.
"""

from __future__ import annotations

from ...db import Database
from ...journal import Journal
from ..branching import Branching
from ..gerrit_json import VERSION
from ..room import ReviewRoom
from .arranging import Arranging
from .grouping import Grouping
from .listing import Listing
from .making import Making
from .model import Call, Command, Commands
from .naming import Naming
from .querying import Querying
from .reviewing import Reviewing
from .streaming import Streaming
from .telling import Telling


def table(db: Database, journal: Journal, room: ReviewRoom, telling: Telling, branching: Branching) -> Commands:
    """Every command by its name, which may be two words."""
    naming = Naming(room)
    arranging, listing = Arranging(room, naming), Listing(room)
    making, grouping = Making(room, branching), Grouping(room, naming)
    streaming = Streaming(journal, room.identity, room, telling)
    return {
        "ban-commit": Command("Ban a commit from a project's repository", making.ban_commit),
        "create-account": Command("Create a new batch/role account", grouping.create_account),
        "create-branch": Command("Create a new branch", making.create_branch),
        "create-group": Command("Create a new account group", grouping.create_group),
        "create-project": Command("Create a new project and associated Git repository", making.create_project),
        "ls-groups": Command("List groups visible to the caller", listing.groups),
        "ls-members": Command("List the members of a given group", listing.members),
        "ls-projects": Command("List projects visible to the caller", listing.projects),
        "plugin ls": Command("List the installed plugins", listing.plugins),
        "query": Command("Query the change database", Querying(db, room).run),
        "review": Command("Apply reviews to one or more patch sets", Reviewing(room, naming).run),
        "set-hashtags": Command("Add and remove hashtags of one or more changes", arranging.set_hashtags),
        "set-members": Command("Modify members of specific group or number of groups", grouping.set_members),
        "set-project": Command("Change a project's settings", making.set_project),
        "set-reviewers": Command("Add or remove reviewers on a change", arranging.set_reviewers),
        "set-topic": Command("Set the topic for one or more changes", arranging.set_topic),
        "stream-events": Command("Monitor events occurring in real time", streaming.run),
        "version": Command("Display gerrit version", version),
    }


async def version(call: Call) -> None:
    """`gerrit version`."""
    await call.terminal.say(f"gerrit version {VERSION}\n")

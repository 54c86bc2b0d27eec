# SPDX-License-Identifier: Apache-2.0
"""`All-Projects`: the repository that every site has and every project inherits from.

Made with a site, and at the start of one that is older: then its `project.config` says what gatebot
permitted until then. Doing it again changes nothing.
"""

from __future__ import annotations

import asyncio

from ...access import DEFAULT
from ...clock import Clock
from ...db import Database, Session
from ...identity import group_store
from ...repo import ZERO, Repositories, person
from .. import hosting
from ..model import Project
from . import writing
from .model import ALL_PROJECTS, CONFIG_REF

DESCRIPTION = "Rights that all projects inherit."
MESSAGE = "Begin with the rights that gatebot ships\n"


async def found_root(db: Database, repositories: Repositories, clock: Clock) -> bool:
    """Make what is missing of All-Projects; whether anything was."""
    uuids = await db.read(_uuids_in)
    made = await asyncio.to_thread(_make, repositories, uuids, clock)
    hosted = await db.read(hosting.find_project, ALL_PROJECTS)
    if hosted is None:
        project = Project(ALL_PROJECTS, DESCRIPTION, default_branch=CONFIG_REF)
        await db.run(hosting.create_project, project, None, clock.now())
    return made or hosted is None


def _uuids_in(session: Session) -> dict[str, str]:
    return {group.name: group.uuid for group in group_store.every(session)}


def _make(repositories: Repositories, uuids: dict[str, str], clock: Clock) -> bool:
    if not repositories.exists(ALL_PROJECTS):
        repositories.create(ALL_PROJECTS, CONFIG_REF)
    if repositories.resolve(ALL_PROJECTS, CONFIG_REF):
        return False
    texts = writing.files(DEFAULT, DESCRIPTION, uuids)
    tree = repositories.write_tree(ALL_PROJECTS, {name: text.encode() for name, text in texts.items()})
    who = person("gatebot", "gatebot@localhost", int(clock.now().timestamp()))
    commit = repositories.write_commit(ALL_PROJECTS, tree, (), who, who, MESSAGE)
    return repositories.update_ref(ALL_PROJECTS, CONFIG_REF, ZERO, commit)

# SPDX-License-Identifier: Apache-2.0
"""What a running build may read that not everybody may: the artifacts that it was handed, by a pass that ends with it.

A pass is sealed by the site's key and kept nowhere. What it opens is what the build was given, so nothing is opened to
who names a build: artifacts of its own item, of the changes that it is made of, of the repositories in its workspace.
"""

from __future__ import annotations

import binascii

from ..assignment import Assignment
from ..db import Database, Session
from ..errors import Unavailable
from ..keys.site_key import SiteKey
from . import store
from .reproducing import store as given_builds

#: The header that shows a pass.
HEADER = "Gatebot-Build"
_ABOUT = "artifacts for a build"


def readable(given: Assignment, logs: str) -> frozenset[str]:
    """The builds whose artifacts a build may read; `logs` is where the files of builds are, by address."""
    changes = {one.number for one in given.changes}
    projects = {one.project for one in given.checkouts}
    found = [one for one in given.provided if one.change in changes or one.project in projects]
    return frozenset(one.url.removeprefix(logs).partition("/")[0] for one in found if one.url.startswith(logs))


class ArtifactPasses:
    """Makes passes, and tells what they open; `url` is the site's address."""

    def __init__(self, db: Database, key: SiteKey, url: str) -> None:
        self._db = db
        self._key = key
        self._logs = f"{url}/logs/"

    def pass_of(self, build: str, fence: int) -> str:
        """What a run of a build shows."""
        sealed = self._key.seal(f"{build} {fence}".encode(), _ABOUT)
        return sealed.translate(str.maketrans("+/", "-_")).rstrip("=")

    async def opens(self, text: str, build: str) -> bool:
        """Whether this is the pass of a build that runs, and was handed artifacts of another."""
        shown, _, fence = self._opened(text).partition(" ")
        if not fence:
            return False

        def look(session: Session) -> bool:
            given = given_builds.find(session, shown) if store.is_current(session, shown, int(fence)) else None
            return given is not None and build in readable(given, self._logs)

        return await self._db.read(look)

    def _opened(self, text: str) -> str:
        try:
            padded = text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4)
            return self._key.open(padded, _ABOUT).decode()
        except (Unavailable, ValueError, binascii.Error):
            return ""

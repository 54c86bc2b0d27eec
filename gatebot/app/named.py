# SPDX-License-Identifier: Apache-2.0
"""What becomes of the changes, builds and bugs that people speak of; the meetbot's `States`.

Values of the review and of the pipeline room are made values of the meetbot's. Of what a reader may not see nothing is
told, not even that it is there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..access import Actor
from ..change import SPACE, own_number
from ..db import Database, Session
from ..meetbot.model import Bug, State
from ..pipeline import history
from ..pipeline.ports import Sight
from ..pipeline.rows import BuildRow
from ..review.model import Change
from ..review.reading import Reading
from ..review.trackers.model import Rule
from ..review.trackers.spoken import said, spoken


class SiteStates:
    """States as the tables have them at this moment; `rules` are those of the site's trackers."""

    def __init__(self, db: Database, reading: Reading, sight: Sight, rules: Sequence[Rule]) -> None:
        self._db = db
        self._reading = reading
        self._sight = sight
        self._rules = spoken(rules)

    async def of(self, actor: Actor, targets: Sequence[str]) -> Mapping[str, State]:
        """Those that there are and that the reader may see: one transaction for all."""
        numbers = [int(id) for kind, _, id in (target.partition("/") for target in targets) if kind == "change"]
        uuids = [id for kind, _, id in (target.partition("/") for target in targets) if kind == "build"]
        changes, builds = await self._db.read(self._read, actor, numbers, uuids)
        # A change of another place is seen by other rules than ours.
        away = {row.change for row in builds.values() if row.change is not None and row.change >= SPACE}
        hidden = await self._sight.hidden(actor, away) if away else frozenset[int]()
        seen = {*changes, *(away - hidden)}
        found = {f"change/{number}": _of_change(changes[number]) for number in numbers if number in changes}
        return found | {
            f"build/{uuid}": _of_build(row) for uuid, row in builds.items() if row.change is None or row.change in seen
        }

    def bugs(self, text: str) -> Sequence[Bug]:
        """What a text names in the trackers of the site."""
        return [Bug(one.start, one.end, one.url) for one in said(text, self._rules)] if self._rules else ()

    def _read(
        self, session: Session, actor: Actor, numbers: Sequence[int], uuids: Collection[str]
    ) -> tuple[dict[int, Change], dict[str, BuildRow]]:
        builds = history.these_builds(session, uuids) if uuids else {}
        of_builds = {row.change for row in builds.values() if row.change is not None and row.change < SPACE}
        return self._reading.seen_in(session, actor, {*numbers, *of_builds}), builds


def _of_change(change: Change) -> State:
    title = f"{change.subject} ({change.project} {change.branch})"
    return State("change", change.status.value, title, change.work_in_progress, change.created)


def _of_build(row: BuildRow) -> State:
    of = f"{own_number(row.change)},{row.patch_set}" if row.change is not None else row.branch
    word = row.result or ("running" if row.started else "")
    return State("build", word, f"{row.job} ({row.project} {of})", since=row.created)

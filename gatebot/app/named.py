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
from ..review.bugs import store as bugs
from ..review.bugs.deciding import progress
from ..review.bugs.model import Fix
from ..review.model import Change, Status
from ..review.reading import Reading
from ..review.trackers.model import Rule
from ..review.trackers.spoken import bug_at, said, spoken

_TITLES = 3  # changes that fix a bug and are named for it


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
        urls = [id for kind, _, id in (target.partition("/") for target in targets) if kind == "bug"]
        changes, builds, fixed = await self._db.read(self._read, actor, numbers, uuids, urls)
        # A change of another place is seen by other rules than ours.
        away = {row.change for row in builds.values() if row.change is not None and row.change >= SPACE}
        hidden = await self._sight.hidden(actor, away) if away else frozenset[int]()
        seen = {*changes, *(away - hidden)}
        found = {f"change/{number}": _of_change(changes[number]) for number in numbers if number in changes}
        found |= {
            f"build/{uuid}": _of_build(row) for uuid, row in builds.items() if row.change is None or row.change in seen
        }
        return found | {f"bug/{url}": state for url, state in fixed.items()}

    def bugs(self, text: str) -> Sequence[Bug]:
        """What a text names in the trackers of the site."""
        return [Bug(one.start, one.end, one.url) for one in said(text, self._rules)] if self._rules else ()

    def bug_at(self, address: str) -> str:
        """What an address is of in the trackers of the site."""
        return bug_at(address, self._rules)

    def _read(
        self, session: Session, actor: Actor, numbers: Sequence[int], uuids: Collection[str], urls: Collection[str]
    ) -> tuple[dict[int, Change], dict[str, BuildRow], dict[str, State]]:
        builds = history.these_builds(session, uuids) if uuids else {}
        fixes = bugs.fixing(session, urls) if urls else []
        of_builds = {row.change for row in builds.values() if row.change is not None and row.change < SPACE}
        seen = self._reading.seen_in(session, actor, {*numbers, *of_builds, *(fix.change for fix in fixes)})
        states = {url: _of_bug([(fix, seen[fix.change]) for fix in fixes if _fixes(fix, url, seen)]) for url in urls}
        # What was not asked for is known for bugs and builds alone.
        return seen, builds, {url: state for url, state in states.items() if state is not None}


def _fixes(fix: Fix, url: str, seen: Collection[int]) -> bool:
    return fix.url == url and fix.change in seen


def _of_bug(fixes: Sequence[tuple[Fix, Change]]) -> State | None:
    """How far the fix of a bug is, by the changes that a reader may see."""
    at_it = [(fix, change) for fix, change in fixes if change.status is not Status.ABANDONED]
    word = progress((change.status, fix.part) for fix, change in at_it)
    if word is None:
        return None
    titles = [f"{change.number}: {_of_change(change).title}" for _, change in at_it]
    more = f"; {len(titles) - _TITLES} more" if len(titles) > _TITLES else ""
    return State("bug", word.value, "; ".join(titles[:_TITLES]) + more, url=f"/{_first(at_it).number}")


def _first(at_it: Sequence[tuple[Fix, Change]]) -> Change:
    """Where the state leads: to the newest change that is merged and more than a part, or else to the newest."""
    whole = [change for fix, change in at_it if change.status is Status.MERGED and not fix.part]
    return whole[0] if whole else at_it[0][1]


def _of_change(change: Change) -> State:
    title = f"{change.subject} ({change.project} {change.branch})"
    return State("change", change.status.value, title, change.work_in_progress, change.created)


def _of_build(row: BuildRow) -> State:
    of = f"{own_number(row.change)},{row.patch_set}" if row.change is not None else row.branch
    word = row.result or ("running" if row.started else "")
    return State("build", word, f"{row.job} ({row.project} {of})", since=row.created)

# SPDX-License-Identifier: Apache-2.0
"""What must hold of builds whatever happened to their executors, read from the database of a server that runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from gatebot import journal
from gatebot.db import Session
from gatebot.events import BranchMoved, BuildCompleted
from gatebot.executor.files.model import OUTPUT
from gatebot.pipeline import store
from gatebot.pipeline.queue.model import ABORTED, RETRY, RETRY_LIMIT
from tests.chaos import evidence

_ALL = 1_000_000


@contextmanager
def looking(database: Path) -> Iterator[Session]:
    """A session that only reads; what it sees is of one moment."""
    engine = sa.create_engine(f"sqlite:///file:{database}?mode=ro&uri=true")
    try:
        with engine.connect() as session:
            yield session
    finally:
        engine.dispose()


def builds_of(session: Session) -> set[str]:
    """All builds that there ever were."""
    return set(session.execute(sa.select(store.builds.c.uuid)).scalars())


def every_build_has_one_verdict(session: Session) -> Counter[str]:
    """Each build was told once, with the fence that counts, and the row says the same; how many of each result.

    Only the queue knows that no attempt is left after a build that was told to be tried again.
    """
    rows = {row.uuid: row for row in session.execute(sa.select(store.builds))}
    told: dict[str, list[BuildCompleted]] = defaultdict(list)
    for entry in journal.read_in(session, 0, (BuildCompleted,), limit=_ALL):
        assert isinstance(entry.event, BuildCompleted)
        told[entry.event.build].append(entry.event)
    without = [build for build, row in rows.items() if not row.result]
    assert without == [], f"no verdict: {without}"
    for build, events in told.items():
        assert len(events) == 1, f"{build} was told {len(events)} times: {events}"
        (event,) = events
        row = rows[build]
        kept = RETRY if row.result == RETRY_LIMIT else row.result
        told_result = RETRY if event.result == ABORTED else event.result  # by nobody's wish: it is tried again
        assert (told_result, event.fence) == (kept, row.fence), f"{event}: {row}"
    assert told.keys() == {build for build, row in rows.items() if row.result not in ("SKIPPED", "CANCELED")}
    return Counter(row.result for row in rows.values())


def out_of_attempts(session: Session) -> set[int]:
    """The changes of which a job could not be tried again."""
    return set(session.execute(sa.select(store.builds.c.change).where(store.builds.c.result == RETRY_LIMIT)).scalars())


def what_merged_passed_all_its_jobs(session: Session, jobs: Collection[str], logs: Path) -> int:
    """Each merge is of the commit that every job of the item has tested and passed; how many merges there were."""
    evidence.what_merged_was_tested_in_order_and_once(session)
    moved = {
        entry.event.item: entry.event.new
        for entry in journal.read_in(session, 0, (BranchMoved,), limit=_ALL)
        if isinstance(entry.event, BranchMoved) and entry.event.item is not None
    }
    for item, commit in moved.items():
        passed = session.execute(
            sa.select(store.builds).where(store.builds.c.item == item, store.builds.c.result == "SUCCESS")
        ).all()
        last = {
            row.job
            for row in passed
            if f"has tested {commit}" in (logs / row.uuid / OUTPUT).read_text("utf-8", "replace")
        }
        assert last >= set(jobs), f"{item} merged as {commit}: {set(jobs) - last} never passed on it"
    return len(moved)

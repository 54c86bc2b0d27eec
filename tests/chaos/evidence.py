# SPDX-License-Identifier: Apache-2.0
"""What a site has on its disk while no server runs, journal, rows and repositories; and what must hold there."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from gatebot import journal
from gatebot.app.places import Places
from gatebot.db import Session
from gatebot.events import BranchMoved, ChangeMerged
from gatebot.pipeline import store
from gatebot.pipeline.queue import facts
from gatebot.pipeline.queue.model import Outcome
from gatebot.pipeline.view import FOLDED, View
from gatebot.repo import Repositories
from gatebot.review import tables
from gatebot.review.model import branch_ref, change_ref

_ALL = 1_000_000
_AT_MOST = 3.0  # seconds


@contextmanager
def evidence(places: Places) -> Iterator[Session]:
    """A session on a copy of the database, so that what the server finds is what it left."""
    assert places.database_file is not None
    with TemporaryDirectory(prefix="gatebot-evidence-") as scratch:
        for file in places.data.glob(f"{places.database_file.name}*"):
            if not file.name.endswith("-shm"):
                shutil.copyfile(file, Path(scratch) / file.name)
        engine = sa.create_engine(f"sqlite:///{scratch}/{places.database_file.name}")
        try:
            with engine.connect() as session:
                yield session
        finally:
            engine.dispose()


def after_facts(places: Places, number: int) -> None:
    """Wait until a running server has written so many more facts, or has nothing to write for a while."""
    with closing(sqlite3.connect(f"file:{places.database_file}?mode=ro", uri=True)) as watching:

        def last() -> int:
            return int(watching.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()[0])

        upto, end = last() + number, time.monotonic() + _AT_MOST
        while last() < upto and time.monotonic() < end:
            time.sleep(0.002)


def finished(session: Session) -> set[str]:
    """The builds that have a result."""
    rows = session.execute(sa.select(store.builds.c.uuid).where(store.builds.c.result != ""))
    return set(rows.scalars())


def unfinished(session: Session) -> set[str]:
    """The builds that have no result, of items that wait for one no more."""
    return set(session.execute(sa.select(store.builds.c.uuid).where(store.builds.c.result == "")).scalars())


def runs(file: Path) -> Counter[str]:
    """How often each build was begun, as its job itself wrote down."""
    return Counter(line.split()[1] for line in file.read_text().splitlines() if line.startswith("begin "))


def the_snapshot_is_what_the_journal_tells(session: Session) -> int:
    """A server that ended in order had the queues that a replay of all facts gives; how many items they had."""
    kept, upto = store.load_snapshot(session)
    view = View.of({})
    for entry in journal.read_in(session, 0, (*facts.ALL, *FOLDED), limit=_ALL):
        if entry.id <= upto:
            view.apply(entry.event)
    assert view.queues == kept
    return sum(len(queue.items) for queue in kept.values())


def what_merged_was_tested_in_order_and_once(session: Session) -> list[int]:
    """Every merge is of the commit that was prepared last, in the order of the queue, once; the changes."""
    prepared: dict[str, dict[str, str]] = {}
    entered: list[str] = []
    left: list[str] = []
    merged: list[int] = []
    tips: dict[tuple[str, str], str] = {}
    for entry in journal.read_in(session, 0, (*facts.ALL, BranchMoved, ChangeMerged), limit=_ALL):
        match entry.event:
            case facts.Prepared() as fact:
                prepared[fact.item] = dict(fact.state)
            case facts.ItemEnqueued() as fact if fact.queue == "main/gate/integrated":
                entered.append(fact.item)
            case facts.ItemDequeued() as fact if fact.outcome is Outcome.MERGED:
                left.append(fact.item)
            case ChangeMerged() as event:
                merged.append(event.change)
            case BranchMoved() as event:
                place = (event.project, event.branch)
                assert tips.get(place, event.old) == event.old, f"{place} moved from where it was not"
                tips[place] = event.new
                if event.item is not None:
                    assert prepared[event.item][f"{event.project}:{event.branch}"] == event.new
            case _:
                pass
    assert [item for item in entered if item in left] == left, "merged in another order than queued"
    assert Counter(merged).most_common(1)[0][1] == 1, "merged twice"
    return merged


#: The project of all has no branches: its HEAD is its configuration, as in Gerrit. Git calls that an error.
FINE = ("notice: ", "error: HEAD points to something strange (refs/meta/config)")


def repositories_agree_with_the_rows(session: Session, repositories: Repositories) -> None:
    """Every repository is sound, every patch set has its reference, every branch is where the journal moved it."""
    for head in repositories.root.rglob("HEAD"):
        command = ["git", "-c", "safe.directory=*", "fsck", "--full", "--strict", "--no-dangling"]
        done = subprocess.run(command, cwd=head.parent, capture_output=True, text=True, check=False)
        told_wrong = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith(FINE)]
        assert not (done.returncode and told_wrong), f"{head.parent}: {done.stdout}{done.stderr}"
    told: dict[tuple[str, str], str] = {}
    for entry in journal.read_in(session, 0, (BranchMoved,), limit=_ALL):
        assert isinstance(entry.event, BranchMoved)
        told[entry.event.project, entry.event.branch] = entry.event.new
    for (project, branch), commit in told.items():
        assert repositories.resolve(project, branch_ref(branch)) == commit
    changes, patch_sets = tables.changes.c, tables.patch_sets.c
    joined = sa.join(tables.patch_sets, tables.changes, patch_sets.change == changes.number)
    query = sa.select(changes.project, changes.number, patch_sets.number, patch_sets.commit).select_from(joined)
    for project, change, number, commit in session.execute(query):
        assert repositories.resolve(project, change_ref(change, number)) == commit

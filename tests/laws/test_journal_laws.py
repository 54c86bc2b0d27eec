# SPDX-License-Identifier: Apache-2.0
"""Laws of the journal: every fact comes back as it was said, and whatever happens, ids have no gap."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st

from gatebot import db, events, journal
from gatebot.assignment import Json
from gatebot.events import Event
from gatebot.journal import Journal
from gatebot.reasons import Reason

text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
values: dict[object, st.SearchStrategy[object]] = {
    str: text,
    int: st.integers(-(2**53), 2**53),
    bool: st.booleans(),
    str | None: st.none() | text,
    int | None: st.none() | st.integers(0, 10),
    Mapping[str, Json]: st.dictionaries(text, st.booleans() | st.integers(0, 9) | text, max_size=3),
    tuple[str, ...]: st.lists(text, max_size=3).map(tuple),
    tuple[str, ...] | None: st.none() | st.lists(text, max_size=3).map(tuple),
    tuple[int, ...]: st.lists(st.integers(0, 99), max_size=3).map(tuple),
    tuple[tuple[str, int], ...]: st.lists(st.tuples(text, st.integers(-2, 2)), max_size=3).map(tuple),
    tuple[tuple[str, str], ...]: st.lists(st.tuples(text, text), max_size=3).map(tuple),
}
reasons = st.recursive(
    st.builds(Reason, text, st.lists(st.tuples(text, text | st.integers(0, 99)), max_size=3).map(tuple)),
    lambda inner: st.builds(Reason, text, st.just(()), st.lists(inner, max_size=2).map(tuple)),
    max_leaves=4,
)
values[Reason] = reasons
values[Reason | None] = st.none() | reasons
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def facts_of(event_class: type[Event]) -> st.SearchStrategy[Event]:
    """Any fact of a kind, from the types of its fields."""
    hints = get_type_hints(event_class)
    return st.builds(event_class, **{item.name: values[hints[item.name]] for item in dataclasses.fields(event_class)})


any_fact = st.sampled_from(events.ALL).flatmap(facts_of)


@contextmanager
def database(migrated: Path) -> Iterator[db.Database]:
    """A database of one example's own."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "x.db"
        shutil.copyfile(migrated, path)
        opened = db.Database.open(f"sqlite:///{path}", durable=False)
        try:
            yield opened
        finally:
            opened.close_now()


def test_every_fact_comes_back_as_it_was_said(migrated_sqlite: Path) -> None:
    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.tuples(any_fact, moments), max_size=8))
    def check(said: list[tuple[Event, datetime]]) -> None:
        with database(migrated_sqlite) as opened:
            for event, at in said:
                opened.run_now(journal.append, event, at)
            entries = opened.read_now(journal.read_in, 0)
        assert [(entry.event, entry.at) for entry in entries] == said
        assert [entry.id for entry in entries] == list(range(1, len(said) + 1))

    check()


def test_a_reader_that_looks_at_any_moment_sees_a_beginning_of_the_whole(migrated_sqlite: Path) -> None:
    fact = events.ProjectCreated(project="demo/api")

    def write(session: db.Session, count: int, fails: bool) -> None:
        for _ in range(count):
            journal.append(session, fact, datetime(2026, 1, 5, tzinfo=UTC))
        if fails:
            raise LookupError

    async def play(opened: db.Database, steps: list[tuple[str, int, bool]]) -> int:
        facts = Journal(opened)
        writes, reads = [], []
        for kind, count, fails in steps:
            if kind == "write":
                writes.append(asyncio.create_task(opened.run(write, count, fails)))
            else:
                reads.append(asyncio.create_task(facts.read(0)))
            await asyncio.sleep(0)
        await asyncio.gather(*writes, return_exceptions=True)
        for entries in await asyncio.gather(*reads, facts.read(0)):
            assert [entry.id for entry in entries] == list(range(1, len(entries) + 1))
        return await facts.last()

    step = st.tuples(st.sampled_from(["write", "read"]), st.integers(0, 3), st.booleans())

    @settings(deadline=None, max_examples=25)
    @given(st.lists(step, max_size=12))
    def check(steps: list[tuple[str, int, bool]]) -> None:
        with database(migrated_sqlite) as opened:
            last = asyncio.run(play(opened, steps))
        assert last == sum(count for kind, count, fails in steps if kind == "write" and not fails)

    check()

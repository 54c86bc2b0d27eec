# SPDX-License-Identifier: Apache-2.0
"""The rows of the pipeline room, on both engines: what one pass writes at once is all there afterwards."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from gatebot.db import Database
from gatebot.pipeline import history, store

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def row(uuid: str, **more: object) -> store.Row:
    """A build; what ended without a run has more columns than what was given out."""
    told = {
        "uuid": uuid,
        "buildset": "s",
        "item": "i",
        "tenant": "main",
        "pipeline": "gate",
        "job": uuid,
        "project": "api",
    }
    return store.builds.insert(), told | {
        "branch": "main",
        "voting": True,
        "attempt": 1,
        "fence": 1,
        "created": AT,
    } | more


async def test_statements_with_other_columns_are_written_whole_whichever_comes_first(migrated_url: str) -> None:
    db = await asyncio.to_thread(Database.open, migrated_url)
    statement, ended = row("ended", result="FAILURE", ended=AT)
    _, given = row("given")
    for rows in (
        [(statement, ended), (statement, given)],
        [(statement, given | {"uuid": "3"}), (statement, ended | {"uuid": "4"})],
    ):
        await db.run(store.write, rows)
    found = {one.build: (one.result, one.ended) for one in await db.read(history.find_builds, item="i")}
    assert found == {"ended": ("FAILURE", AT), "given": ("", None), "3": ("", None), "4": ("FAILURE", AT)}
    await db.close()

# SPDX-License-Identifier: Apache-2.0
"""The pipeline's builds as the executor's room and the review room know them.

Values of one room are made values of another; what a build waits for that has not begun comes with it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ..db import Database, Session
from ..executor.ports import BuildFacts
from ..pipeline import autohold, history, keeping
from ..pipeline.rows import BuildRow
from ..pipeline.waiting import Waiting
from ..reasons import Reason
from ..review import store
from ..review.ports import BuildLine

#: Results whose reason says nothing that the build's page does not say better.
_SPEAK_FOR_THEMSELVES = frozenset({"", "SUCCESS", "FAILURE", "SKIPPED"})


class BuildRows:
    """The pipeline's rows of builds, as the executor's pages and the change's page show them."""

    def __init__(self, db: Database, waiting: Waiting) -> None:
        self._db = db
        self._waiting = waiting

    async def build(self, uuid: str) -> BuildFacts | None:
        """One build, or None."""
        row = await self._db.read(history.build, uuid)
        if row is None:
            return None
        why = (await self._waiting.reasons([row])).get(uuid, row.reason)
        return replace(facts_of(row), reason=why, held=await self._db.read(autohold.hold_of, uuid))

    async def builds(
        self,
        *,
        change: int | None = None,
        project: str = "",
        job: str = "",
        result: str = "",
        item: str = "",
        limit: int = 50,
    ) -> tuple[BuildFacts, ...]:
        """The newest builds that fit, newest first."""
        rows = await self._db.read(
            history.find_builds, change=change, project=project, job=job, result=result, item=item, limit=limit
        )
        return tuple(facts_of(row) for row in rows)

    async def of_branch(self, build: str, limit: int) -> tuple[BuildFacts, ...]:
        """The builds before one of the same job that show its branch without its change, newest first."""
        like = await self._db.read(history.build, build)
        rows = () if like is None else await self._db.read(history.builds_of_branch, like=like, limit=limit)
        return tuple(facts_of(row) for row in rows)

    async def wanted(self) -> Collection[str]:
        """The builds whose artifacts builds of open changes may still be given."""
        return await self._db.read(_wanted)

    async def take(self, builds: Collection[str], why: Reason) -> None:
        """What these left is taken away now, or their artifacts, as the reason says."""
        await self._db.run(keeping.take, builds, why)

    async def of_change(self, number: int) -> Sequence[BuildLine]:
        """The builds of a change, newest first; before them its jobs that wait for theirs."""
        rows = await self._db.read(history.find_builds, change=number, limit=40)
        waits = await self._waiting.reasons(rows)
        unbegun = [
            BuildLine("", one.job.name, one.pipeline, one.patch_set, "", one.job.voting, False, one.job.why)
            for one in await self._waiting.unbegun(number)
        ]
        return unbegun + [
            BuildLine(
                row.build, row.job, row.pipeline, row.patch_set or 0, row.result, row.voting, bool(row.started),
                row.reason if row.result not in _SPEAK_FOR_THEMSELVES else waits.get(row.build),
            )
            for row in rows
        ]  # fmt: skip


def _wanted(session: Session) -> frozenset[str]:
    """Those in a queue, and those of the current patch sets of open changes; of changes elsewhere nothing is known."""
    providers = keeping.providers(session)
    own = store.find_changes(session, {one.change for one in providers if one.change is not None})
    return frozenset(
        one.build
        for one in providers
        if one.waiting
        or (one.change is not None and one.change not in own)
        or (one.change is not None and own[one.change].is_open and own[one.change].current == one.patch_set)
    )


def facts_of(row: BuildRow) -> BuildFacts:
    """A row of the pipeline's as the executor's room knows it."""
    return BuildFacts(
        build=row.build,
        buildset=row.buildset,
        item=row.item,
        job=row.job,
        tenant=row.tenant,
        pipeline=row.pipeline,
        project=row.project,
        branch=row.branch,
        change=row.change,
        patch_set=row.patch_set,
        voting=row.voting,
        result=row.result,
        attempt=row.attempt,
        nodes=row.nodes,
        reason=row.reason,
        created=row.created,
        started=row.started,
        ended=row.ended,
        error_line=row.error_line,
        error_text=row.error_text,
        artifacts=row.artifacts,
        final=row.final,
        taken=row.taken,
    )

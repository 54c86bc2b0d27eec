# SPDX-License-Identifier: Apache-2.0
"""Requests about queues: checked for what can never work, then told to the gate by the journal.

Whether a change meets the requirements of its pipeline is decided where it enters; what is answered here says what
happens next. Nothing here changes a queue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ... import journal
from ...access import DEFAULT, Actor, Rulebook, Target, Verb, may
from ...assignment import Json
from ...change import ChangeFacts
from ...clock import Clock
from ...db import Database
from ...errors import Conflict, Invalid, NotFound
from ...events import (
    BuildAbortRequested,
    DequeueRequested,
    EnqueueRequested,
    Event,
    PromoteRequested,
    RefDequeueRequested,
    RefEnqueueRequested,
)
from ...reasons import Reason, reason
from ..config.collect import listing
from ..config.layout import Layout
from ..config.parameters import refusals
from ..layouts import Layouts
from ..naming import full_ref
from ..permission import account_of, require
from ..ports import Review, Sight
from ..queue.model import Queue

_CHANGE = re.compile(r"(\d{1,9})(?:,(\d{1,9}))?")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what: `tenant` empty: any that has the project and the pipeline."""

    actor: Actor
    pipeline: str
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class ByHand:
    """What somebody may do to a change, for the buttons of its page; `pipelines` are those it can be asked into."""

    enqueue: bool = False
    dequeue: bool = False
    promote: bool = False
    pipelines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operating:
    """`queues` answers from memory. Each request answers with the reason that says what comes of it."""

    layouts: Layouts
    review: Review
    sight: Sight
    queues: Callable[[], Iterable[Queue]]
    db: Database
    clock: Clock
    rules: Rulebook = DEFAULT

    async def enqueue(self, asked: Asked, change: str, project: str = "") -> Reason:
        """A change is to enter a pipeline."""
        found = await self._change(asked, Verb.ENQUEUE, change, project)
        if found.status != "NEW":
            raise Conflict(reason=reason("review.is-closed", status=found.status.lower()))
        told = {"change": found.number, "pipeline": asked.pipeline}
        if self._stays(asked.pipeline, found.number):
            return reason("pipeline.is-in-already", **told)
        await self._tell(EnqueueRequested(found.number, asked.pipeline, account_of(asked.actor)))
        return reason("pipeline.will-be-enqueued", **told)

    async def dequeue(self, asked: Asked, change: str, project: str = "") -> Reason:
        """A change is to leave a pipeline."""
        found = await self._change(asked, Verb.DEQUEUE, change, project)
        told = {"change": found.number, "pipeline": asked.pipeline}
        if not self._stays(asked.pipeline, found.number):
            raise Conflict(reason=reason("pipeline.is-not-in", **told))
        await self._tell(DequeueRequested(found.number, asked.pipeline, account_of(asked.actor)))
        return reason("pipeline.will-be-dequeued", **told)

    async def enqueue_ref(
        self,
        asked: Asked,
        project: str,
        ref: str,
        old: str = "",
        new: str = "",
        parameters: Mapping[str, Json] | None = None,
    ) -> Reason:
        """A branch or a tag is to enter a pipeline, with the parameters that its project declares there."""
        name = self._ref(asked, Verb.ENQUEUE, project, ref)
        given = parameters or {}
        layout, branch = self._layout(asked, name), ref.removeprefix("refs/heads/")
        containing = layout.sources.branches.get(name, ()) if branch == ref else ()  # a tag: any of them may
        declared = listing(layout, asked.pipeline, name, branch, containing).parameters
        if why := next(refusals(declared.values(), given), None):
            raise Invalid(reason=why)
        told = {"project": name, "ref": ref, "pipeline": asked.pipeline}
        account = account_of(asked.actor)
        await self._tell(RefEnqueueRequested(name, ref, asked.pipeline, account, old=old, new=new, parameters=given))
        return reason("pipeline.ref-will-be-enqueued", **told)

    async def dequeue_ref(self, asked: Asked, project: str, ref: str) -> Reason:
        """A branch or a tag is to leave a pipeline."""
        name = self._ref(asked, Verb.DEQUEUE, project, ref)
        told = {"project": name, "ref": ref, "pipeline": asked.pipeline}
        await self._tell(RefDequeueRequested(name, ref, asked.pipeline, account_of(asked.actor)))
        return reason("pipeline.ref-will-be-dequeued", **told)

    async def promote(self, asked: Asked, changes: Sequence[str]) -> Reason:
        """Changes are to be at the head of their queue, in this order."""
        if not changes:
            raise Invalid(reason=reason("pipeline.promote-nothing"))
        found = [await self._change(asked, Verb.PROMOTE, change) for change in changes]
        told = {"changes": ", ".join(str(one.number) for one in found), "pipeline": asked.pipeline}
        for one in found:
            if not self._stays(asked.pipeline, one.number):
                raise Conflict(reason=reason("pipeline.is-not-in", change=one.number, pipeline=asked.pipeline))
        numbers = tuple(dict.fromkeys(one.number for one in found))
        await self._tell(PromoteRequested(asked.pipeline, numbers, account_of(asked.actor)))
        return reason("pipeline.will-be-promoted", **told)

    async def abort(self, actor: Actor, build: str) -> Reason:
        """A build is to end; whoever may dequeue what it tests may ask for that."""
        account = account_of(actor)
        found = next(((queue, item) for queue in self.queues() if (item := queue.owners.get(build))), None)
        if found is None:
            raise Conflict(reason=reason("pipeline.build-is-over", build=build))
        queue, item = found[0], found[0].items[found[1]]
        asked = Asked(actor, queue.pipeline, queue.tenant)
        if item.ref is not None:
            self._ref(asked, Verb.DEQUEUE, item.ref.project, full_ref(item.ref.branch))
        for change in item.changes[-1:]:
            await self._change(asked, Verb.DEQUEUE, str(change.number))
        await self._tell(BuildAbortRequested(build, account))
        return reason("pipeline.build-will-end", build=build)

    async def by_hand(self, actor: Actor, number: int) -> ByHand:
        """What the asker may do to a change that he may see."""
        found = await self.review.change(number) if actor.account is not None else None
        if found is None or found.status != "NEW":
            return ByHand()
        target = Target(found.project, full_ref(found.branch), found.owner)
        layouts = self.layouts.of_project(found.project)
        return ByHand(
            enqueue=may(actor, Verb.ENQUEUE, target, self.rules),
            dequeue=may(actor, Verb.DEQUEUE, target, self.rules),
            promote=may(actor, Verb.PROMOTE, target, self.rules),
            pipelines=tuple(dict.fromkeys(name for layout in layouts for name in layout.pipelines)),
        )

    # -- parts ------------------------------------------------------------------------------------------

    async def _change(self, asked: Asked, verb: Verb, change: str, project: str = "") -> ChangeFacts:
        """A change that the asker may see and do this to, in a project of the tenant that has the pipeline."""
        account_of(asked.actor)
        number, patch_set = _parsed(change)
        await self.sight.change_project(asked.actor, number)
        found = await self.review.change(number)
        if found is None or (project and self._short(asked, project) != found.project):
            raise NotFound(reason=reason("review.no-such-change", change=number))
        require(asked.actor, verb, Target(found.project, full_ref(found.branch), found.owner), self.rules)
        if patch_set is not None and patch_set != found.current:
            raise Conflict(reason=reason("pipeline.not-current", change=number, patch_set=found.current))
        self._layout(asked, found.project)
        return found

    def _ref(self, asked: Asked, verb: Verb, project: str, ref: str) -> str:
        account_of(asked.actor)
        name = self._short(asked, project)
        if not ref.startswith(("refs/heads/", "refs/tags/")):
            raise Invalid(reason=reason("pipeline.ref-in-full", ref=ref))
        if not may(asked.actor, Verb.READ, Target(name, ref), self.rules):
            raise NotFound(reason=reason("review.no-such-project", project=project))
        self._layout(asked, name)
        require(asked.actor, verb, Target(name, ref), self.rules)
        return name

    def _short(self, asked: Asked, project: str) -> str:
        """A project's own name, where a client says it with the host."""
        layout = self.layouts.current(asked.tenant)
        known = layout.project(project) if layout is not None else None
        return known.name if known is not None else project

    def _layout(self, asked: Asked, project: str) -> Layout:
        layouts = [one for one in self.layouts.of_project(project) if asked.tenant in ("", one.tenant.name)]
        if not layouts:
            raise NotFound(reason=reason("pipeline.not-in-tenant", project=project, tenant=asked.tenant or "-"))
        for layout in layouts:
            if asked.pipeline in layout.pipelines:
                return layout
        names = ", ".join(dict.fromkeys(name for layout in layouts for name in layout.pipelines))
        raise NotFound(reason=reason("pipeline.no-such-pipeline", pipeline=asked.pipeline, pipelines=names))

    def _stays(self, pipeline: str, number: int) -> bool:
        return any(
            item.live and number in item.numbers
            for queue in self.queues()
            if queue.pipeline == pipeline
            for item in queue.items.values()
        )

    async def _tell(self, event: Event) -> None:
        await self.db.run(journal.append, event, self.clock.now())


def _parsed(change: str) -> tuple[int, int | None]:
    found = _CHANGE.fullmatch(change.strip())
    if found is None:
        raise Invalid(reason=reason("pipeline.no-change-name", text=change[:80]))
    return int(found[1]), int(found[2]) if found[2] else None

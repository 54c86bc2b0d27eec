# SPDX-License-Identifier: Apache-2.0
"""From configuration and changes to the values of queues: which queue, under which policy, as which item.

Pure.
"""

from __future__ import annotations

from ..change import ChangeFacts
from .config.layout import Layout
from .config.model import Manager, Moment, PipelineConfig, Window
from .queue.facts import QueueOpened
from .queue.model import ItemChange, Policy

SHARED = (Manager.DEPENDENT, Manager.SERIAL)
_ONE = Window(size=1, floor=1, ceiling=1)  # Zuul: one at a time, whatever `window` says


def full_ref(branch: str) -> str:
    """The full name of a branch; that of a tag is what an item calls it by anyway."""
    return branch if branch.startswith("refs/") else f"refs/heads/{branch}"


def change_ref(number: int, patch_set: int) -> str:
    """The ref of a patch set, Gerrit's."""
    return f"refs/changes/{number % 100:02d}/{number}/{patch_set}"


def policy(pipeline: PipelineConfig) -> Policy:
    """What a pipeline asks of its queues."""
    announces = tuple(one for one in (Moment.ENQUEUE, Moment.START) if pipeline.reporters.get(one))
    window = _ONE if pipeline.manager in (Manager.SERIAL, Manager.SUPERCEDENT) else pipeline.window
    return Policy(pipeline.manager, window, pipeline.speculation, pipeline.order, announces, pipeline.precedence)


def queue_of(layout: Layout, pipeline: PipelineConfig, project: str, branch: str, item: str) -> QueueOpened:
    """The queue of an item: one that projects share, that of its branch, or one of its own."""
    tenant = layout.tenant.name
    if pipeline.manager is Manager.SUPERCEDENT:
        own = f"{project}:{branch}"
        return QueueOpened(f"{tenant}/{pipeline.name}/{own}", tenant, pipeline.name, own, policy(pipeline))
    if pipeline.manager not in SHARED:
        return QueueOpened(f"{tenant}/{pipeline.name}/{item}", tenant, pipeline.name, project, policy(pipeline))
    key, _ = layout.queue(project, branch)
    name = f"{key.name}@{key.branch}" if key.branch else key.name
    return QueueOpened(f"{tenant}/{pipeline.name}/{name}", tenant, pipeline.name, name, policy(pipeline))


def item_change(change: ChangeFacts) -> ItemChange:
    """A patch set as its item keeps it."""
    return ItemChange(
        change.number,
        change.patch_set,
        change.project,
        change.branch,
        change.commit,
        change.change_id,
        change.subject,
        change.url,
        change.owner_username,
        change.submit_type,
        change.status == "MERGED",
        change.files,
        change.footers,
    )

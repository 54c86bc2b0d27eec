# SPDX-License-Identifier: Apache-2.0
"""Gets a build what it runs on: its nodes, with its workspace on them.

The workspace is prepared in a directory of this machine, the layer. A provider that is layered makes it part of the
node's files; to other nodes it is brought when they are ready, and the layer goes.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..architectures import Execution
from ..assignment import Assignment, NodeChoice
from ..errors import Refused
from ..reasons import Reason, reason
from ..words import say
from .commands import Surroundings
from .model import LOCAL, Places, Result, Verdict
from .placing import Placed, Placement
from .providers.bubblewrap import HOME, PLAY
from .providers.model import NodeRequest
from .providers.ports import Connection
from .tools import Ended, Tools
from .workspace_order import files, order

_MAKING = 60.0


@dataclass(frozen=True, slots=True)
class Equipped:
    """A node that is ready; `assignment` is the build with the alternative of its nodeset that was taken.

    `around` is what the node has of this machine: nothing where it is elsewhere.
    """

    assignment: Assignment
    placed: Placed
    places: Places
    connection: Connection
    around: Surroundings


async def equip(tools: Tools, assignment: Assignment, told: Callable[[str], None]) -> Equipped:
    """Wait for a node, make it, and put the workspace on it; `told` hears what is waited for.

    Raises `Ended` where the build can never run.
    """
    placement = await _placed(tools, assignment, told)
    placed, *others = placement.nodes
    if others:
        raise Ended(Verdict(Result.NODE_FAILURE, reason("executor.one-node-only", nodes=len(placement.nodes))))
    job = assignment.job
    taken = replace(assignment, job=replace(job, nodes=placement.choice.nodes, groups=placement.choice.groups))
    provider = tools.supply.provider(placed.provider)
    playbooks = (*job.pre_run, *job.run, *job.post_run, *job.cleanup_run)
    if not provider.layered and any(one.path.endswith((".yaml", ".yml")) for one in playbooks):
        told_why = reason("executor.playbook-elsewhere", label=placed.label.name, provider=placed.provider)
        raise Ended(Verdict(Result.NODE_FAILURE, told_why))
    places = replace(provider.places(placed.node), scheme=job.workspace_scheme)
    layer = tools.layers / placed.node
    await _prepare(tools, taken, layer, places)
    try:
        await provider.create(NodeRequest(placed.node, placed.label, str(layer), placed.arch, placed.execution))
        await provider.wait_ready(placed.node, _MAKING)
        connection = provider.connect(placed.node)
        if not provider.layered:
            await _bring(connection, layer, places)
    finally:
        if not provider.layered:
            await asyncio.to_thread(shutil.rmtree, layer, ignore_errors=True)
    around = tools.surroundings if provider.layered else Surroundings(placed.arch, proxied=False)
    return Equipped(taken, placed, places, connection, around)


def remarkable(placed: Placed) -> Reason | None:
    """What the log says of a node that is elsewhere, or is not what it seems; of others nothing."""
    if placed.provider == LOCAL and placed.execution is Execution.NATIVE:
        return None
    return reason(
        "executor.node-is",
        label=placed.label.name,
        provider=placed.provider,
        arch=placed.arch,
        execution=placed.execution.value,
    )


async def _placed(tools: Tools, assignment: Assignment, told: Callable[[str], None]) -> Placement:
    job = assignment.job
    choices = job.alternatives or (NodeChoice(job.nodes, job.groups),)

    def busy(why: Reason) -> None:
        told(f"gatebot: {say(why)}")

    try:
        return await tools.supply.take(assignment.build, choices, post_review=assignment.post_review, busy=busy)
    except Refused as never:
        raise Ended(Verdict(Result.NODE_FAILURE, never.reason)) from None


async def _prepare(tools: Tools, assignment: Assignment, layer: Path, places: Places) -> None:
    """The layer: repositories, and what the job is told about itself."""
    inside = Places(HOME, PLAY, places.host, scheme=places.scheme)
    try:
        locate = partial(tools.sources.locate, build=assignment.build)
        read = await tools.workspaces.prepare(order(assignment, inside, str(layer), locate))
    except Refused as problem:
        raise Ended(Verdict(Result.ERROR, problem.reason)) from None
    await tools.workspaces.write(layer, files(assignment, places, inside, read))


async def _bring(connection: Connection, layer: Path, places: Places) -> None:
    await connection.put(layer / HOME.lstrip("/"), places.home)
    await connection.put(layer / PLAY.lstrip("/"), places.play)

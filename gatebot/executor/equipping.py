# SPDX-License-Identifier: Apache-2.0
"""Gets a build what it runs on: its nodes, with its workspace on them, and what its playbooks run in.

The workspace is prepared in a directory of this machine, the layer. A provider that is layered makes it part of the
node's files; to other nodes it is brought when they are ready, and the layer goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..architectures import Execution
from ..assignment import Assignment, NodeChoice, NodeSpec
from ..errors import Refused
from ..reasons import Reason, reason
from ..words import say
from .commands import Surroundings, is_play, login, surroundings_of
from .inventory import Way, addresses
from .model import LOCAL, Label, Network, Places, Result, Verdict
from .placing import Placed, Placement
from .providers.bubblewrap import HOME, PLAY
from .providers.model import Inside, NodeRequest, Ssh
from .providers.ports import Connection, Here
from .providers.sweeping import removed
from .switchboard import Line, Switchboard
from .tools import Ended, Tools
from .workspace_order import files, order

_PYTHON = "/usr/bin/python3"
#: What playbooks for other nodes run in: nobody else's network, and room for the workspace.
_CONTROL = Label("control", network=Network.NONE)


@dataclass(frozen=True, slots=True)
class Ready:
    """A node that is ready. `around` is what it has of this machine; `more` is for the environment of playbooks."""

    placed: Placed
    places: Places
    connection: Connection
    around: Surroundings
    more: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Equipped:
    """The nodes of a build; `assignment` is the build with the alternative of its nodeset that was taken.

    Scripts run on the first node. Playbooks do, too, where it is the only one and they can; else in the `control`
    sandbox, which `switchboard` connects to the nodes.
    """

    assignment: Assignment
    nodes: tuple[Ready, ...]
    control: Ready | None = None
    switchboard: Switchboard | None = None

    @property
    def everything(self) -> tuple[Ready, ...]:
        """The nodes, and the control sandbox."""
        return self.nodes if self.control is None else (*self.nodes, self.control)

    @property
    def returning(self) -> tuple[Ready, ...]:
        """Where a job leaves what it gives back: the first node, and where its playbooks run."""
        return self.nodes[:1] if self.control is None else (self.nodes[0], self.control)

    def runs(self, playbook: str) -> Ready:
        """Where a playbook or script runs, by its path."""
        return self.control if self.control is not None and is_play(playbook) else self.nodes[0]

    async def kill(self) -> None:
        """End all processes of the build, on every node."""
        await asyncio.gather(*(node.connection.kill() for node in self.everything), return_exceptions=True)


async def equip(tools: Tools, assignment: Assignment, told: Callable[[str], None]) -> Equipped:
    """Wait for nodes, make them, and put the workspace on them; `told` hears what is waited for.

    Raises `Ended` where the build can never run.
    """
    placement = await _placed(tools, assignment, told)
    job = assignment.job
    taken = replace(assignment, job=replace(job, nodes=placement.choice.nodes, groups=placement.choice.groups))
    here = tools.supply.provider(LOCAL)
    assert isinstance(here, Here)
    near = [one for one in placement.nodes if one.provider == LOCAL and one.label.network is not Network.FULL]
    where = dict(zip((one.node for one in near), here.addresses(len(near)), strict=False))
    ways = tuple(Way(where.get(one.node, ""), one.provider, one.node) for one in placement.nodes)
    several = len(placement.nodes) > 1
    nodes = await _together([_make(tools, taken, one, ways if several else ()) for one in placement.nodes])
    if not several and isinstance(nodes[0].connection.reach, Inside):
        return Equipped(taken, nodes)
    if len(near) > 1:
        await here.join([one.node for one in near])
    ways = tuple(_way(node, way.address) for node, way in zip(nodes, ways, strict=True)) if job.nodes else ()
    return await _controlled(tools, here, taken, nodes, ways)


async def _together(making: Iterable[Coroutine[Any, Any, Ready]]) -> tuple[Ready, ...]:
    """Make nodes at the same time; when one cannot be made, the others are given up."""
    tasks = [asyncio.create_task(one) for one in making]
    try:
        return tuple(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _make(tools: Tools, assignment: Assignment, placed: Placed, ways: tuple[Way, ...]) -> Ready:
    """One node, with the workspace on it."""
    provider = tools.supply.provider(placed.provider)
    places = replace(provider.places(placed.node), scheme=assignment.job.workspace_scheme)
    layer = tools.layers / placed.node
    await _prepare(tools, assignment, layer, places, ways)
    try:
        await provider.create(NodeRequest(placed.node, placed.label, str(layer), placed.arch, placed.execution))
        await provider.wait_ready(placed.node, tools.supply.sources[placed.provider].making)
        connection = provider.connect(placed.node)
        if not provider.layered:
            await _bring(connection, layer, places)
    finally:
        if not provider.layered:
            await asyncio.to_thread(removed, layer)
    around = surroundings_of(tools.surroundings, placed.arch, places, layered=provider.layered)
    near = [name for pair in addresses(assignment, ways).items() for name in pair if name]
    return Ready(placed, places, connection, replace(around, near=tuple(near)))


def _way(node: Ready, address: str) -> Way:
    """How a playbook comes to a node, by what the provider said of it."""
    reach, provider, name = node.connection.reach, node.placed.provider, node.placed.node
    match reach:
        case Ssh():
            return Way(address or reach.host, provider, name, reach.user, "auto_silent", node.places.home)
        case _:
            python = _PYTHON if provider == LOCAL else "auto_silent"
            return Way(address, provider, name, python=python, home=node.places.home)


async def _controlled(
    tools: Tools, here: Here, assignment: Assignment, nodes: tuple[Ready, ...], ways: tuple[Way, ...]
) -> Equipped:
    """With a control sandbox: one more node of this machine, which reaches nothing but the others."""
    first = nodes[0].placed
    own = first.provider == LOCAL and first.execution is Execution.NATIVE
    label = replace(_CONTROL, image=first.label.image) if own else _CONTROL
    name = f"{assignment.build}-{len(nodes)}"
    placed = Placed(name, NodeSpec((), label.name), label, LOCAL, tools.surroundings.arch, Execution.NATIVE)
    places = replace(here.places(name), scheme=assignment.job.workspace_scheme)
    layer = tools.layers / name
    tools.supply.attach(assignment.build, placed)
    await _prepare(tools, assignment, layer, places, ways)
    await here.create(NodeRequest(name, label, str(layer), placed.arch, placed.execution, door=True))
    await here.wait_ready(name, tools.supply.sources[LOCAL].making)
    lines: dict[str, Line] = {}
    for node, spec, way in zip(nodes, assignment.job.nodes, ways, strict=False):
        line = Line(node.connection, login(node.places, node.placed.label, node.around))
        lines |= dict.fromkeys((way.address, *spec.names), line)
    switchboard, door = Switchboard(lines), here.door(name)
    await switchboard.open(door)
    more = {"GATEBOT_DOOR": door.place, "ANSIBLE_SSH_EXECUTABLE": f"{tools.surroundings.callbacks}/bin/ssh"}
    return Equipped(assignment, nodes, Ready(placed, places, here.connect(name), tools.surroundings, more), switchboard)


def remarkable(placed: Placed) -> Reason | None:
    """What the log says of a node that is elsewhere, or is not what it seems; of others nothing."""
    if placed.ids == 1:
        return reason("executor.node-nested-alone", label=placed.label.name)
    if placed.ids:
        return reason("executor.node-nested", label=placed.label.name, ids=placed.ids)
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


async def _prepare(tools: Tools, assignment: Assignment, layer: Path, places: Places, ways: tuple[Way, ...]) -> None:
    """The layer: repositories, and what the job is told about itself."""
    inside = Places(HOME, PLAY, places.host, scheme=places.scheme)
    try:
        locate = partial(tools.sources.locate, build=assignment.build)
        read = await tools.workspaces.prepare(order(assignment, inside, str(layer), locate))
    except Refused as problem:
        raise Ended(Verdict(Result.ERROR, problem.reason)) from None
    await tools.workspaces.write(layer, files(assignment, places, inside, read, ways))


async def _bring(connection: Connection, layer: Path, places: Places) -> None:
    await connection.put(layer / HOME.lstrip("/"), places.home)
    await connection.put(layer / PLAY.lstrip("/"), places.play)

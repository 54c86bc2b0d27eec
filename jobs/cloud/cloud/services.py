# SPDX-License-Identifier: Apache-2.0
"""OpenStack's own services, started in the order that is fastest, and waited for until they do their work."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterable
from typing import Any

from . import swift
from .configs import southbound, url
from .data import people
from .options import Options, Service
from .parts import Part, parts
from .processes import Failed, Processes
from .shims import for_firmware, for_groups


async def first(options: Options, start: Starter) -> None:
    """Start what needs no broker as soon as there is a database: a broker takes longest to come up."""
    await start.processes.listens("mariadb", 3306)
    await start.all(Service.KEYSTONE, Service.PLACEMENT, Service.GLANCE)
    if Service.SWIFT in options:
        await asyncio.to_thread(swift.rings)
        await start.all(Service.SWIFT)


async def begin(options: Options, start: Starter, *, known: bool) -> None:
    """Start everything else; `known`: users and endpoints are in the databases already."""
    processes = start.processes
    later = parts(options, Service.NOVA, Service.NEUTRON, Service.CINDER)
    if known:  # it ends when it has no user; and nova-compute loses ten seconds when it has to wait for it
        await start.these(part for part in later if part.name == "nova-conductor")
    await start.these(part for part in later if part.module)
    await processes.answers("keystone", f"{url(options, 'keystone')}/v3")
    if not known:
        with processes.step("users and endpoints"):
            await asyncio.to_thread(people, options)
    await start.these(part for part in later if not part.module and not processes.runs(part.name))
    await complete(options, processes)


async def join(options: Options, start: Starter) -> None:
    """Start what a host has that has only guests, and wait until the controller gives it some."""
    await start.these(parts(options))
    with start.processes.step("compute host and its network agents are there"):
        await asyncio.to_thread(_complete, options, start.processes)


async def complete(options: Options, processes: Processes) -> None:
    """Wait until the cloud can be used."""
    with processes.step("all APIs answer"):
        asked = ((part.name, part.url(options)) for part in parts(options))
        await asyncio.gather(*(processes.answers(name, where) for name, where in asked if where))
    with processes.step("compute host and network agents are there"):
        waits = [asyncio.to_thread(_complete, options, processes)]
        if Service.CINDER in options:
            waits.append(asyncio.to_thread(_volume_type))
        await asyncio.gather(*waits)


async def keystone_alone(options: Options, processes: Processes) -> None:
    """Start keystone, tell it of users and endpoints, end it."""
    await Starter(options, processes).all(Service.KEYSTONE)
    await processes.answers("keystone", f"{url(options, 'keystone')}/v3")
    with processes.step("users and endpoints"):
        await asyncio.to_thread(people, options)
    await processes.end("keystone")


def _complete(options: Options, processes: Processes) -> None:
    """Wait until a server can be booted: before its agents are alive, neutron refuses to bind ports."""
    import openstack

    cloud = openstack.connect(cloud="admin")
    deadline = time.monotonic() + options.deadline
    while True:
        lacking: list[str] = []
        if Service.NEUTRON in options:
            agents = list(cloud.network.agents())
            if not agents or not all(agent.is_alive for agent in agents):
                told = ", ".join(f"{agent.agent_type} {'alive' if agent.is_alive else 'silent'}" for agent in agents)
                lacking.append(f"network agents ({told or 'none'})")
            if options.host not in {agent.host for agent in agents}:
                lacking.append(f"a network agent of {options.host}")
            if Service.NOVA in options and not _metadata_agent(options):
                lacking.append("the agent of metadata")
        if Service.NOVA in options and options.host not in compute_hosts(cloud):
            lacking.append("a compute host")
        if not lacking:
            return
        processes.all_live()
        if time.monotonic() > deadline:
            raise Failed(
                f"After {options.deadline:.0f} s there are still lacking: {', '.join(lacking)}. See their logs."
            )
        time.sleep(0.3 * options.patience)


def compute_hosts(cloud: Any) -> set[str]:
    """The hosts that servers can be on: those that the scheduler has found, and that answer.

    Nova asks each how long it is up. A host is listed a moment before it listens; asked just then it never answers,
    nova says 500 after a minute, and a server would have been lost as that question was.
    """
    from openstack.exceptions import HttpException

    try:
        return {one.service_details["host"] for one in cloud.compute.hypervisors(details=True)}
    except HttpException as problem:
        if (problem.status_code or 0) < 500:
            raise
        return set()


def _metadata_agent(options: Options) -> bool:
    """Whether OVN knows the agent that guests of this host get their metadata from.

    What neutron tells of it is old: it hears of an agent when OVN's databases next count on, after a minute or so.
    """
    line = ["ovn-sbctl", f"--db={southbound(options)}", "--bare", "--columns=external_ids"]
    line += ["list", "Chassis_Private", options.host]
    return "neutron:ovn-metadata-id" in subprocess.run(line, capture_output=True, text=True, check=False).stdout


def _volume_type() -> None:
    """The type that volumes have when nobody says which."""
    import openstack

    storage = openstack.connect(cloud="admin").block_storage
    if not [one for one in storage.types() if one.name == "files"]:
        storage.create_type(name="files", extra_specs={"volume_backend_name": "nfs"})


class Starter:
    """Starts the processes of services."""

    def __init__(self, options: Options, processes: Processes) -> None:
        """Nothing is started yet."""
        self._options = options
        self.processes = processes

    async def all(self, *services: Service) -> None:
        """What these services are of."""
        await self.these(parts(self._options, *services))

    async def these(self, wanted: Iterable[Part]) -> None:
        """These, one after another; none is waited for."""
        began = int(time.time())
        for part in wanted:
            more = for_groups() if part.shim else for_firmware(self._options) if part.describes else {}
            await self.processes.start(part.name, *part.line(self._options, began), environment=more)

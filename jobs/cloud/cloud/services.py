# SPDX-License-Identifier: Apache-2.0
"""OpenStack's own services, started in the order that is fastest, and waited for until they do their work."""

from __future__ import annotations

import asyncio
import subprocess
import time

from . import swift
from .configs import KEYSTONE_URL, NEUTRON_FILES, PORTS
from .data import people
from .options import Options, Service
from .processes import Failed, Processes

#: What is asked of an API that has nothing at its root.
_ASKED = {"swift": "healthcheck"}
_PATIENCE = 900.0
_LOG = '%(addr) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(rsize) %(msecs)ms'


async def first(options: Options, start: Starter) -> None:
    """Start what needs no broker as soon as there is a database: a broker takes longest to come up."""
    await start.processes.listens("mariadb", 3306)
    await start.api("keystone", "keystone.wsgi.api:application")
    if Service.PLACEMENT in options:
        await start.api("placement", "placement.wsgi.api:application")
    if Service.GLANCE in options:
        # Uploads come in chunks, which uWSGI passes on only in this mode.
        http = ("--http", f"127.0.0.1:{PORTS['glance']}", "--http-chunked-input", "--http-raw-body")
        await start.api("glance", "glance.wsgi.api:application", *http)
    if Service.SWIFT in options:
        await swift.begin(start.processes)
        start.apis.append("swift")


async def begin(options: Options, start: Starter, *, known: bool) -> None:
    """Start everything else; `known`: users and endpoints are in the databases already."""
    processes = start.processes
    if Service.NOVA in options and known:
        await start.program("nova-conductor")  # first: nova-compute loses ten seconds when it has to wait for it
    if Service.NOVA in options:
        await start.api("nova", "nova.wsgi.osapi_compute:application")
        await start.api("metadata", "nova.wsgi.metadata:application")
    if Service.NEUTRON in options:
        files = f"OS_NEUTRON_CONFIG_FILES={';'.join(NEUTRON_FILES)}"
        told = ("--set", f"start-time={int(time.time())}", "--env", files)
        await start.api("neutron", "neutron.wsgi.api:application", *told)
    if Service.CINDER in options:
        await start.api("cinder", "cinder.wsgi.api:application")
    await processes.answers("keystone", f"{KEYSTONE_URL}/v3")
    if not known:
        with processes.step("users and endpoints"):
            await asyncio.to_thread(people, options)
        if Service.NOVA in options:
            await start.program("nova-conductor")  # it ends when it has no user
    await _agents(options, start)
    with processes.step("all APIs answer"):
        await asyncio.gather(
            *(processes.answers(name, f"http://127.0.0.1:{PORTS[name]}/{_ASKED.get(name, '')}") for name in start.apis)
        )
    with processes.step("compute host and network agents are there"):
        parts = [asyncio.to_thread(_complete, options, processes)]
        if Service.CINDER in options:
            parts.append(asyncio.to_thread(_volume_type))
        await asyncio.gather(*parts)


async def keystone_alone(options: Options, processes: Processes) -> None:
    """Start keystone, tell it of users and endpoints, end it."""
    start = Starter(options, processes)
    await start.api("keystone", "keystone.wsgi.api:application")
    await processes.answers("keystone", f"{KEYSTONE_URL}/v3")
    with processes.step("users and endpoints"):
        await asyncio.to_thread(people, options)
    await processes.end("keystone")


async def _agents(options: Options, start: Starter) -> None:
    if Service.NEUTRON in options:
        files = tuple(word for path in NEUTRON_FILES for word in ("--config-file", path))
        if options.broker:
            await start.program("neutron-rpc-server", *files)
            await start.program("neutron-periodic-workers", *files)
        await start.program("neutron-ovn-maintenance-worker", *files)
    if Service.NOVA in options:
        agent = "/etc/neutron/neutron_ovn_metadata_agent.ini"
        await start.program("neutron-ovn-metadata-agent", "--config-file", NEUTRON_FILES[0], "--config-file", agent)
        await start.program("nova-compute", "--config-file", "/etc/nova/nova-compute.conf")
        await start.program("nova-scheduler")
    if Service.CINDER in options:
        await start.program("cinder-scheduler")
        await start.program("cinder-volume")


def _complete(options: Options, processes: Processes) -> None:
    """Wait until a server can be booted: before its agents are alive, neutron refuses to bind ports."""
    import openstack

    cloud = openstack.connect(cloud="admin")
    deadline = time.monotonic() + _PATIENCE
    while True:
        lacking: list[str] = []
        if Service.NEUTRON in options:
            agents = list(cloud.network.agents())
            if not agents or not all(agent.is_alive for agent in agents):
                told = ", ".join(f"{agent.agent_type} {'alive' if agent.is_alive else 'silent'}" for agent in agents)
                lacking.append(f"network agents ({told or 'none'})")
            if Service.NOVA in options and not _metadata_agent():
                lacking.append("the agent of metadata")
        if Service.NOVA in options and not list(cloud.compute.hypervisors()):
            lacking.append("a compute host")
        if not lacking:
            return
        processes.all_live()
        if time.monotonic() > deadline:
            raise Failed(f"After {_PATIENCE:.0f} s there are still lacking: {', '.join(lacking)}. See their logs.")
        time.sleep(0.3)


def _metadata_agent() -> bool:
    """Whether OVN knows the agent that guests get their metadata from.

    What neutron tells of it is old: it hears of an agent when OVN's databases next count on, after a minute or so.
    """
    line = ["ovn-sbctl", "--bare", "--columns=external_ids", "list", "Chassis_Private"]
    return "neutron:ovn-metadata-id" in subprocess.run(line, capture_output=True, text=True, check=False).stdout


def _volume_type() -> None:
    """The type that volumes have when nobody says which."""
    import openstack

    storage = openstack.connect(cloud="admin").block_storage
    if not [one for one in storage.types() if one.name == "files"]:
        storage.create_type(name="files", extra_specs={"volume_backend_name": "nfs"})


class Starter:
    """How services are started: APIs by uWSGI, others by their own program."""

    def __init__(self, options: Options, processes: Processes) -> None:
        self._options = options
        self.processes = processes
        self.apis: list[str] = []

    async def api(self, name: str, module: str, *more: str) -> None:
        """An application of WSGI on its port."""
        port = () if "--http" in more else ("--http-socket", f"127.0.0.1:{PORTS[name]}")
        self.apis.append(name)
        await self.processes.start(
            name, "uwsgi", *port, "--module", module, "--virtualenv", self._options.venv,
            "--master", "--processes", "1", "--threads", "4", "--enable-threads", "--lazy-apps", "--thunder-lock",
            "--die-on-term", "--need-app", "--buffer-size", "65535", "--procname-prefix", f"{name} ",
            # Clients keep connections that uWSGI closes: their second request would fail.
            "--add-header", "Connection: close", "--logformat", _LOG, *more,
        )  # fmt: skip

    async def program(self, name: str, *more: str) -> None:
        """A service that is a program of its own."""
        await self.processes.start(name, name, *more)

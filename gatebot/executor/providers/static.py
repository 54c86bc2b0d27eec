# SPDX-License-Identifier: Apache-2.0
"""The provider `static`: hosts that are there already, reached by SSH, used by one build after another.

A node is a directory on a host, and a place in its count. Nothing keeps a job from what its user may do there, and it
may leave things behind: so these hosts are for jobs that run after review, unless the settings say otherwise, and are
cleaned between builds. A host whose cleaning failed takes no build until it succeeds.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...architectures import Execution, canonical
from ...errors import GatebotError, Unavailable
from ...reasons import Reason, reason
from ..model import Places
from .host_places import places_below, prepare
from .making import Making, never_asked
from .model import NODE_ID, Capacity, NodeRequest, Platform
from .shells import Line, ShellConnection
from .ssh import SshHost

_CLEANING = 900.0
_REMOVE = 'if [ -e "$1" ]; then chmod -R u+rwX "$1" 2>/dev/null; rm -rf -- "$1"; fi'
_LIST = 'umask 077; mkdir -p "$1" && [ -O "$1" ] && uname -m && ls "$1"'
_USED = "used"


@dataclass(frozen=True, slots=True)
class Policy:
    """How hosts are used again: how many nodes each has at once, and what is done between builds.

    `directory` is where nodes are, on every host. `cleanup` is a command for the host, or a playbook of this machine.
    `alone`: the user is there for builds only, and all its processes end with one. Without `reuse` a host has one node,
    and the next when somebody has made it new, which takes the mark away that is left there.
    """

    directory: str
    slots: int = 1
    cleanup: str = ""
    alone: bool = False
    reuse: bool = True


@dataclass(slots=True)
class _Host:
    """A host, and what is known of it. `why`: it takes no nodes now."""

    ssh: SshHost
    arch: str = ""
    nodes: set[str] = field(default_factory=set[str])
    why: Reason | None = None
    dirty: bool = False


class Static:
    """Nodes on hosts that are there already."""

    layered = False

    def __init__(self, hosts: Sequence[SshHost], policy: Policy, *, site: str) -> None:
        """`site` is the host name that stands for the site in workspaces."""
        self._hosts = [_Host(one) for one in hosts]
        self._policy = policy
        self._site = site
        self._making = Making()
        self._lines: dict[str, Line] = {}

    async def probe(self) -> Capacity | Reason:
        """Ask every host what it is; those that cannot be used are said, and count nothing."""
        await asyncio.gather(*map(self._look, self._hosts))
        problems = tuple(host.why for host in self._hosts if host.why is not None)
        usable = [host for host in self._hosts if host.why is None]
        if not usable:
            return reason("executor.no-host", *problems)
        each = self._policy.slots if self._policy.reuse else 1
        counted = Counter(host.arch for host in usable)
        platforms = tuple(Platform(arch, Execution.NATIVE, count * each) for arch, count in counted.items())
        return Capacity(platforms, len(usable) * each, "none", problems=problems)

    async def create(self, request: NodeRequest) -> None:
        """Take a place on the host of that architecture that has the most free."""
        if request.node in self._making:
            return
        fitting = [host for host in self._hosts if host.why is None and host.arch == request.arch and self._free(host)]
        if not fitting:
            raise Unavailable(reason=reason("executor.node-not-made", told="no host is free"))
        host = max(fitting, key=self._free)
        host.nodes.add(request.node)
        self._making.begin(request.node, lambda: self._make(host, request.node))

    async def wait_ready(self, node: str, deadline: float) -> None:
        """Return when the node's directories are there."""
        await self._making.ready(node, deadline)

    def places(self, node: str) -> Places:
        """The same directories on every host."""
        return places_below(self._policy.directory, node, self._site)

    def connect(self, node: str) -> ShellConnection:
        """Run commands on its host."""
        for host in self._hosts:
            if node in host.nodes and node not in self._lines:  # another executor made it
                self._lines[node] = host.ssh.line(node, whole=self._policy.alone)
        line = self._lines.get(node)
        if line is None:
            raise never_asked()
        return ShellConnection(line)

    async def freeze(self, node: str, frozen: bool = True) -> None:
        """Stop its processes, or let them go on."""
        await self.connect(node).signal("STOP" if frozen else "CONT")

    async def destroy(self, node: str) -> None:
        """End its processes, remove its directory, clean the host; one that cannot be cleaned takes no more nodes."""
        await self._making.end(node, cancel=False)
        for host in self._hosts:
            if node in host.nodes:
                await self._clear(host, node)
                host.nodes.discard(node)

    async def close(self) -> None:
        """End the connections; what is on the hosts stays there."""
        for node in tuple(self._lines):
            await self._lines.pop(node).close()
        for host in self._hosts:
            await host.ssh.close()
        for control in {host.ssh.control for host in self._hosts}:
            shutil.rmtree(control, ignore_errors=True)

    async def list_owned(self) -> tuple[str, ...]:
        """What is on the hosts, also what another server left."""
        for host, found in zip(self._hosts, await asyncio.gather(*map(self._look, self._hosts)), strict=True):
            host.nodes |= found
        return tuple(sorted(node for host in self._hosts for node in host.nodes))

    # -- what these are made of -----------------------------------------------------------------

    def _directory(self, node: str) -> str:
        return f"{self._policy.directory}/{node}"

    def _free(self, host: _Host) -> int:
        return (self._policy.slots if self._policy.reuse else 1) - len(host.nodes)

    async def _look(self, host: _Host) -> set[str]:
        """Ask the host what it is; the nodes that are on it."""
        try:
            await host.ssh.begin()
            if host.dirty:
                await self._clean(host, "")
            arch, *names = (await host.ssh.ask("sh", "-c", _LIST, "sh", self._policy.directory)).splitlines()
        except GatebotError as problem:
            host.why = problem.reason or reason("executor.provider-failed", told=str(problem))
            return set()
        host.arch = canonical(arch)
        spent = not self._policy.reuse and _USED in names and not host.nodes
        host.why = reason("executor.host-used", host=str(host.ssh.address)) if spent else None
        return {name for name in names if NODE_ID.fullmatch(name)}

    async def _make(self, host: _Host, node: str) -> None:
        self._lines[node] = host.ssh.line(node, whole=self._policy.alone)
        await prepare(host.ssh, self._policy.directory, node)
        if not self._policy.reuse:
            await host.ssh.ask("touch", f"{self._policy.directory}/{_USED}")

    async def _clear(self, host: _Host, node: str) -> None:
        line = self._lines.pop(node, None) or host.ssh.line(node, whole=self._policy.alone)
        try:
            await ShellConnection(line).kill()
        finally:
            await line.close()
        await host.ssh.ask("sh", "-c", _REMOVE, "sh", self._directory(node), deadline=_CLEANING)
        if self._policy.cleanup:
            host.dirty = True
            try:
                await self._clean(host, node)
            except GatebotError as problem:
                host.why = problem.reason

    async def _clean(self, host: _Host, node: str) -> None:
        """What the policy wants done between builds; raises what it says when it fails."""
        if self._policy.cleanup.endswith((".yaml", ".yml")):
            await asyncio.to_thread(self._play, host, node)
        else:
            await host.ssh.ask("sh", "-c", self._policy.cleanup, "sh", node, deadline=_CLEANING)
        host.dirty = False

    def _play(self, host: _Host, node: str) -> None:
        """Run the playbook against the host, as nobody but the site's own people can have it."""
        where = host.ssh.address
        variables = {
            "ansible_host": where.host,
            "ansible_port": where.port,
            **({"ansible_user": where.user} if where.user else {}),
            "ansible_ssh_common_args": " ".join(host.ssh.options),
            "gatebot_node": node,
        }
        with tempfile.NamedTemporaryFile("w", suffix=".json") as inventory:
            json.dump({"all": {"hosts": {where.host: variables}}}, inventory)
            inventory.flush()
            program = Path(sys.executable).with_name("ansible-playbook")
            line = [str(program), "-i", inventory.name, self._policy.cleanup]
            try:
                done = subprocess.run(line, capture_output=True, text=True, timeout=_CLEANING, env={**os.environ})
            except (OSError, subprocess.TimeoutExpired) as problem:
                raise Unavailable(reason=self._uncleaned(host, str(problem))) from problem
        if done.returncode:
            raise Unavailable(reason=self._uncleaned(host, (done.stdout + done.stderr).strip()[-500:]))

    def _uncleaned(self, host: _Host, told: str) -> Reason:
        return reason("executor.host-uncleaned", host=str(host.ssh.address), told=told)

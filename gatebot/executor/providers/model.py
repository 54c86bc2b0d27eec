# SPDX-License-Identifier: Apache-2.0
"""What is asked of a provider and what it answers: node requests, commands, exits, capacity.

Only values, and the shape of ids that everything privileged checks again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ...architectures import Execution
from ...reasons import Reason
from ..model import Label, Sandbox

#: A node's id is the build's, and a number when a build has several nodes.
NODE_ID = re.compile(r"[0-9a-f]{32}(?:-\d{1,3})?")


def private_address(index: int) -> str:
    """Where a node of this machine is in the network that the nodes of its build share."""
    return f"172.24.0.{index + 1}"


@dataclass(frozen=True, slots=True)
class Platform:
    """What a node can be, and how many such a provider can have at once; 0: as many as of any kind.

    `ids` is how many user ids jobs of nested labels have there for namespaces of their own; 0: all, as on a machine.
    """

    arch: str
    execution: Execution = Execution.NATIVE
    slots: int = 0
    ids: int = 0


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a provider was found to be able to do, by trying it; the best platform comes first.

    `slots` is how many nodes there can be at once; 0: as many as builds want. `limits` is how memory, processes and CPU
    are limited: `cgroup1`, `cgroup2`, `rlimits`, or what the provider has. `sandbox` is only said of nodes here.
    `problems` are what could not be used of it, `lacking` what would bring an architecture. `nested`: nodes may make
    namespaces and mounts of their own; `ranges` is how many of these can have more than one user id at once, 0: as many
    as there are nodes.
    """

    platforms: tuple[Platform, ...]
    slots: int
    limits: str = ""
    sandbox: Sandbox | None = None
    problems: tuple[Reason, ...] = ()
    nested: bool = False
    ranges: int = 0
    lacking: tuple[tuple[str, Reason], ...] = ()


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """One node. `layer` is the prepared directory: a provider that is `layered` makes it part of the node's files.

    `arch` (by its one name) and `execution` are one of the provider's platforms. With a `door` (only on this machine)
    this side is asked things from inside the node, and by nothing else.
    """

    node: str
    label: Label
    layer: str
    arch: str
    execution: Execution
    door: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """The descriptor of a socket that listens in a node, and its `place` as programs there see it.

    A place is a port of 127.0.0.1, or a path.
    """

    listener: int
    place: str


@dataclass(frozen=True, slots=True)
class Inside:
    """Playbooks can run in this node itself: it has Ansible, and the playbooks are in its files."""


@dataclass(frozen=True, slots=True)
class Ssh:
    """The node answers SSH. `host_key` is a line of known_hosts without the host; the key stays on this machine."""

    host: str
    port: int
    user: str
    host_key: str
    key_path: str


@dataclass(frozen=True, slots=True)
class Broker:
    """Nothing but `Connection.run`, `put` and `get` reaches the node."""


Reach: TypeAlias = Inside | Ssh | Broker


@dataclass(frozen=True, slots=True)
class Command:
    """One process tree on a node. `cwd` and paths in `argv` are as the node sees them.

    What it leaves running lives on with the node, unless it runs `apart`: then no other command sees its processes, nor
    its `files`, by path in memory.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    apart: bool = False
    files: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Exit:
    """How a command ended; `status` is negative for the signal that killed it.

    `robbed`: the node was killed under it, by somebody who is not of the build.
    """

    status: int
    out_of_memory: bool = False
    disk_full: bool = False
    robbed: bool = False

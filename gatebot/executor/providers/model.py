# SPDX-License-Identifier: Apache-2.0
"""What is asked of a provider and what it answers: node requests, commands, exits, capacity.

Only values, and the shape of ids that everything privileged checks again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..model import Label, Sandbox

#: A node's id is the build's, and a number when a build has several nodes.
NODE_ID = re.compile(r"[0-9a-f]{32}(?:-\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a provider was found to be able to do, by trying it."""

    arch: str
    execution: str
    slots: int
    sandbox: Sandbox
    limits: str
    """How memory, processes and CPU are limited: `cgroup1`, `cgroup2`, or `rlimits`."""


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """One node. `layer` is the prepared directory that becomes part of the node's file system."""

    node: str
    label: Label
    layer: str


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
    """How a command ended; `status` is negative for the signal that killed it."""

    status: int
    out_of_memory: bool = False
    disk_full: bool = False

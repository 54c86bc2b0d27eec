# SPDX-License-Identifier: Apache-2.0
"""What the workspace child is asked to prepare, as values that travel over its socket.

Pure: which repositories go where, and the files that tell a job about itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import cast

from ..assignment import Assignment, Json
from .model import Places
from .variables import inventory, playbook_checkouts, variables


@dataclass(frozen=True, slots=True)
class Tree:
    """One work tree: `target` is below the layer; HEAD and `branch` are `commit`, found in the store at `source`."""

    project: str
    source: str
    branch: str
    commit: str
    target: str


@dataclass(frozen=True, slots=True)
class Order:
    """One layer: work trees, empty directories, and files by path."""

    layer: str
    trees: tuple[Tree, ...]
    directories: tuple[str, ...]
    files: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """For the socket."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, message: bytes) -> Order:
        """From the socket."""
        value = cast("dict[str, object]", json.loads(message))
        trees = tuple(Tree(**one) for one in cast("list[dict[str, str]]", value["trees"]))
        directories = tuple(cast("list[str]", value["directories"]))
        return cls(str(value["layer"]), trees, directories, cast("dict[str, str]", value["files"]))


def order(assignment: Assignment, places: Places, inside: Places, layer: str, locate: Callable[[str], str]) -> Order:
    """What one build needs. `places` are where the job sees things, `inside` the same in a sandbox: below the layer."""
    trees = [
        Tree(one.project, locate(one.store), one.branch, one.commit, inside.source(one.project).lstrip("/"))
        for one in assignment.checkouts
        if one.required
    ]
    trees += [
        Tree(one.project, locate(one.store), one.branch, one.commit, inside.playbooks(one).lstrip("/"))
        for one in playbook_checkouts(assignment)
    ]
    node = assignment.job.nodes[0].label if assignment.job.nodes else ""
    values = variables(assignment, places, node)
    hosts: dict[str, Json] = inventory(assignment, values, "/usr/bin/python3")
    files = {
        inside.variables.lstrip("/"): json.dumps(values),
        f"{inside.play}/inventory.json".lstrip("/"): json.dumps(hosts),
    }
    directories = (inside.artifacts.lstrip("/"), f"{inside.home}/src".lstrip("/"), f"{inside.home}/.cache".lstrip("/"))
    return Order(layer, tuple(trees), directories, files)

# SPDX-License-Identifier: Apache-2.0
"""The variables of a job in Zuul's order of precedence, as an Ansible inventory and as one table for scripts.

Pure. Data of jobs before it, then included files, then the job's variables; over them those of groups, then of hosts,
then `extra-vars`; what gatebot itself says wins. Texts that come from people's changes are never templates, and where a
playbook is given secrets no text of the job's is: it could be written to give them away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from ..assignment import Assignment, Json, NodeSpec
from ..merging import merged
from .model import LOCAL, Places
from .variables import zuul

Table = Mapping[str, Json]
_TALK = ("change_message",)
#: How tasks become somebody else: `become_plugins/gatebot.py`.
_BECOME = "gatebot"


@dataclass(frozen=True, slots=True)
class Way:
    """How playbooks that run elsewhere come to a node, and where it is for the other nodes of the build.

    `node` is its id.
    """

    address: str
    provider: str
    node: str = ""
    user: str = "job"
    python: str = "/usr/bin/python3"


class Plain(str):
    """A text that is no template."""

    __slots__ = ()


def plain(value: Json) -> Json:
    """The value with its texts marked as texts that are no templates."""
    if isinstance(value, str):
        return Plain(value)
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def spelled(value: Json) -> Json:
    """As Ansible reads it from JSON. Names that would mean something to its reader are left out: they are not ours."""
    if isinstance(value, Plain):
        return {"__ansible_unsafe": str(value)} if "{" in value else str(value)
    if isinstance(value, Mapping):
        return {name: spelled(inner) for name, inner in value.items() if not name.startswith("__ansible_")}
    return [spelled(inner) for inner in value] if isinstance(value, list) else value


def job_variables(assignment: Assignment, files: Iterable[Table]) -> dict[str, Json]:
    """What every node is told, apart from what gatebot says itself. `files` are the included ones, in order."""
    found: Table = {name: plain(value) for name, value in assignment.inherited.items() if name != "zuul"}
    for file in files:
        found = merged(found, file)
    return merged(found, assignment.job.vars)


def addresses(assignment: Assignment, ways: tuple[Way, ...]) -> dict[str, str]:
    """Where nodes are for each other, by each of their names."""
    return {name: way.address for node, way in zip(assignment.job.nodes, ways, strict=False) for name in node.names}


def told(assignment: Assignment, places: Places, node: str, nodes: Mapping[str, str] | None = None) -> dict[str, Json]:
    """What gatebot itself says to a job; `nodes` are the addresses of several.

    Everything that Zuul has a word for is under that word in both tables.
    """
    common = zuul(assignment, places)
    return {
        "zuul": common,
        "zuul_user_dir": places.home,
        "gatebot": {
            **common,
            "item": assignment.item,
            "node": node,
            "home": places.home,
            "artifacts_dir": places.artifacts,
            "result": places.result,
            "nodes": dict[str, Json](nodes or {}),
        },
    }


def untalkative(value: Json, name: str = "") -> Json:
    """What gatebot says, with people's messages marked as texts that are no templates."""
    if isinstance(value, Mapping):
        return {key: untalkative(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [untalkative(inner, name) for inner in value]
    return plain(value) if name in _TALK or name in ("topic", "branch", "ref", "subject") else value


def squashed(assignment: Assignment, common: Table) -> dict[str, Json]:
    """All variables of the first node as one table, for programs that are no playbooks."""
    job = assignment.job
    names = [name for node in job.nodes[:1] for name in node.names]
    found = dict(common)
    for group in sorted(job.groups, key=lambda one: one.name):
        if set(names) & set(group.nodes):
            found |= _table(job.group_vars.get(group.name))
    for name in names:
        found |= _table(job.host_vars.get(name))
    return {**found, **job.extra_vars}


def inventory(
    assignment: Assignment,
    common: Table,
    python: str,
    *,
    secretive: bool = False,
    user: str = "job",
    ways: tuple[Way, ...] = (),
) -> dict[str, Json]:
    """An Ansible inventory. Without `ways`, which are in the order of the nodes, the playbook runs in the only node.

    There it is `user`, with this `python`.
    """
    job = assignment.job
    show = plain if secretive else _same
    nodes = {name: (node, number) for number, node in enumerate(job.nodes) for name in node.names}
    hosts: dict[str, Json] = {
        name: (_reached(node, name, number, ways) if ways else _host(node, assignment.build, python, user))
        | _table(show(_table(job.host_vars.get(name))))
        for name, (node, number) in nodes.items()
    }
    groups: dict[str, Json] = {
        group.name: {
            "hosts": {name: None for name in group.nodes if name in nodes},
            "vars": show(_table(job.group_vars.get(group.name))),
        }
        for group in job.groups
    }
    groups["zuul_unreachable"] = {"hosts": {}}
    everywhere = _table(show(merged(common, _table(job.group_vars.get("all")))))
    if not nodes:
        here = _host(NodeSpec(("localhost",), ""), assignment.build, python, user)
        hosts = {"localhost": here | {"ansible_connection": "local"}}
    return {"all": {"hosts": hosts, "children": groups, "vars": everywhere}}


def _host(node: NodeSpec, uuid: str, python: str, user: str) -> dict[str, Json]:
    """The node that the playbook runs in."""
    return {
        "ansible_connection": "gatebot",
        "ansible_become_method": _BECOME,
        "ansible_host": "127.0.0.1",
        "ansible_user": user,
        "ansible_python_interpreter": python,
        **_about(node, uuid, LOCAL, "127.0.0.1"),
    }


def _reached(node: NodeSpec, name: str, number: int, ways: tuple[Way, ...]) -> dict[str, Json]:
    """A node that the playbook comes to from outside, by the program `ssh` of its sandbox."""
    way = ways[number]
    own = way.address and all(way.address != other.address for other in ways[:number] + ways[number + 1 :])
    return {
        "ansible_connection": "ssh",
        "ansible_host": way.address if own else name,
        "ansible_user": way.user,
        "ansible_python_interpreter": way.python,
        "ansible_ssh_args": "",
        "ansible_ssh_transfer_method": "piped",
        "ansible_become_method": _BECOME,
        **_about(node, way.node, way.provider, way.address),
    }


def _about(node: NodeSpec, uuid: str, provider: str, address: str) -> dict[str, Json]:
    """What Zuul says about a node; null is what has no meaning here."""
    about: dict[str, Json] = {
        **{"label": node.label, "provider": provider, "external_id": uuid, "node_properties": {}},
        **dict.fromkeys(("region", "az", "cloud", "host_id", "slot")),
        **{"interface_ip": address, "public_ipv4": address, "private_ipv4": address},
        **{"public_ipv6": "", "private_ipv6": ""},
    }
    return {"nodepool": about, "zuul_node": {**about, "uuid": uuid, "reuse": None}}


def _same(value: Json) -> Json:
    return value


def _table(value: object) -> dict[str, Json]:
    return dict(cast(Table, value)) if isinstance(value, Mapping) else {}

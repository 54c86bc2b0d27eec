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
from .spelling import Plain, plain
from .variables import zuul

Table = Mapping[str, Json]
#: Parts of `zuul.*` that are told by people and by their jobs.
_TALK = ("change_message", "topic", "branch", "ref", "subject", "artifacts")
#: How tasks become somebody else: `become_plugins/gatebot.py`.
_BECOME = "gatebot"
#: That of ssh: whoever calls `ssh` comes to the node whatever the port, and roles put it into addresses.
_PORT = 22


@dataclass(frozen=True, slots=True)
class Way:
    """How playbooks that run elsewhere come to a node, and where it is for the other nodes of the build.

    `node` is its id, `home` where a login begins.
    """

    address: str
    provider: str
    node: str = ""
    user: str = "job"
    python: str = "/usr/bin/python3"
    home: str = ""


def job_variables(assignment: Assignment, files: Iterable[Table]) -> dict[str, Json]:
    """What every node is told, apart from what gatebot says itself. `files` are the included ones, in order."""
    found = _table(plain({name: value for name, value in assignment.inherited.items() if name != "zuul"}))
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
    """What gatebot says, with people's messages and what other jobs said marked as texts that are no templates."""
    if name in _TALK:
        return plain(value)
    if isinstance(value, Mapping):
        return {Plain(key): untalkative(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [untalkative(inner, name) for inner in value]
    return value


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
    home: str = "",
    ways: tuple[Way, ...] = (),
) -> dict[str, Json]:
    """An Ansible inventory. Without `ways`, which are in the order of the nodes, the playbook runs in the only node.

    There it is `user` at `home`, with this `python`.
    """
    job = assignment.job
    show = plain if secretive else _same
    own = Way("127.0.0.1", LOCAL, assignment.build, user, python, home)
    nodes = {name: (node, number) for number, node in enumerate(job.nodes) for name in node.names}
    hosts: dict[str, Json] = {
        name: (_reached(node, name, number, ways) if ways else _host(node, own))
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
        hosts = {"localhost": _host(NodeSpec(("localhost",), ""), own)}
    return {"all": {"hosts": hosts, "children": groups, "vars": everywhere}}


def _host(node: NodeSpec, own: Way) -> dict[str, Json]:
    """The node that the playbook runs in."""
    return {"ansible_connection": "gatebot", "ansible_host": own.address, **_about(node, own)}


def _reached(node: NodeSpec, name: str, number: int, ways: tuple[Way, ...]) -> dict[str, Json]:
    """A node that the playbook comes to from outside, by the program `ssh` of its sandbox."""
    way = ways[number]
    own = way.address and all(way.address != other.address for other in ways[:number] + ways[number + 1 :])
    return {
        "ansible_connection": "ssh",
        "ansible_host": way.address if own else name,
        "ansible_ssh_args": "",
        "ansible_ssh_transfer_method": "piped",
        **_about(node, way),
    }


def _about(node: NodeSpec, way: Way) -> dict[str, Json]:
    """What Ansible has to know of any node, and what Zuul says about it; null is what has no meaning here.

    Gathered facts replace the home directory that is said here.
    """
    about: dict[str, Json] = {
        **{"label": node.label, "provider": way.provider, "external_id": way.node, "node_properties": {}},
        **dict.fromkeys(("region", "az", "cloud", "host_id", "slot")),
        **dict.fromkeys(("interface_ip", "public_ipv4", "private_ipv4"), way.address),
        **{"public_ipv6": "", "private_ipv6": ""},
    }
    return {
        "ansible_user": way.user,
        "ansible_user_dir": way.home,
        "ansible_port": _PORT,
        "ansible_python_interpreter": way.python,
        "ansible_become_method": _BECOME,
        "nodepool": about,
        "zuul_node": {**about, "uuid": way.node, "reuse": None},
    }


def _same(value: Json) -> Json:
    return value


def _table(value: object) -> dict[str, Json]:
    return dict(cast(Table, value)) if isinstance(value, Mapping) else {}

# SPDX-License-Identifier: Apache-2.0
"""The parts of a node in a cloud: how each is called, asked for, found and known as ours.

Pure. Every part of a node (server, port, volume, floating address, key pair) has one and the same name, which says
whose it is and which node's: so each is found and taken away also by who knows nothing else of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..providers.answers import Object, table, tables
from ..providers.model import NODE_ID

_MARK = "gatebot"
#: What the mark of an executor is made of.
_INSTANCE = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of part: where the API has them, and what of them is the name.

    `by` is the query that looks for a name (empty: all are listed); where it takes a `pattern`, names that begin alike
    can be looked for. One that `lingers` is there for a while after it was deleted.
    """

    service: str
    path: str
    listing: str
    field: str = "name"
    by: str = "name"
    pattern: bool = False
    detail: str = ""
    lingers: bool = False

    @property
    def one(self) -> str:
        """What a single one is under, in the JSON."""
        return self.listing[:-1]


SERVER = Kind("compute", "/servers", "servers", pattern=True, detail="/detail", lingers=True)
FLOATING = Kind("network", "/floatingips", "floatingips", field="description", by="description")
PORT = Kind("network", "/ports", "ports")
VOLUME = Kind("block_storage", "/volumes", "volumes", detail="/detail", lingers=True)
KEYPAIR = Kind("compute", "/os-keypairs", "keypairs", by="")
#: In the order in which they are taken away: what uses another first.
KINDS = (SERVER, FLOATING, PORT, VOLUME, KEYPAIR)


def name_of(instance: str, node: str) -> str:
    """The name of every part of a node."""
    return f"{_MARK}-{instance}-{node}"


def node_of(instance: str, name: str) -> str | None:
    """The node of a part with that name, when it is one of this executor's."""
    begin = f"{_MARK}-{instance}-"
    node = name.removeprefix(begin)
    return node if name.startswith(begin) and _INSTANCE.fullmatch(instance) and NODE_ID.fullmatch(node) else None


def question(kind: Kind, name: str) -> tuple[str, Mapping[str, str]]:
    """Path and query that list the parts of a kind with a name."""
    query = {kind.by: f"^{name}$" if kind.pattern else name} if kind.by else {}
    return f"{kind.path}{kind.detail}", query


def everything(kind: Kind, instance: str) -> tuple[str, Mapping[str, str]]:
    """Path and query that list at least all parts of a kind that are ours."""
    query = {kind.by: f"^{name_of(instance, '')}"} if kind.pattern else {}
    return f"{kind.path}{kind.detail}", query


def listed(kind: Kind, answer: Object) -> tuple[Object, ...]:
    """The parts in an answer to such a question."""
    found = tables(answer.get(kind.listing))
    return tuple(table(one, kind.one) or one for one in found)


def named(kind: Kind, answer: Object, name: str) -> tuple[Object, ...]:
    """Those with exactly that name; clouds take a name for a pattern, or do not look at it."""
    return tuple(one for one in listed(kind, answer) if one.get(kind.field) == name)


def owned(kind: Kind, answer: Object, instance: str) -> frozenset[str]:
    """The nodes that have a part there."""
    nodes = (node_of(instance, str(one.get(kind.field, ""))) for one in listed(kind, answer))
    return frozenset(node for node in nodes if node)


def identity(kind: Kind, part: Object) -> str:
    """What a part is deleted by."""
    return str(part.get("name" if kind is KEYPAIR else "id", ""))

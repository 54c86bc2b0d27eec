# SPDX-License-Identifier: Apache-2.0
"""Nodesets: from a checked mapping to `Nodeset`, named or inline, with nodes or with alternatives.

Finds what one nodeset can get wrong by itself; names of other nodesets are looked up by `nodesets.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...assignment import NodeGroup, NodeSpec
from ...reasons import reason
from .fields import entries, mappings, text, texts
from .model import Location
from .objects import Nodeset
from .schema import Findings
from .yamltext import YamlMap


def nodeset(conf: YamlMap, name: str, at: Location, found: Findings) -> Nodeset:
    """A nodeset; what is wrong with it is found at the line of the entry at fault."""
    if "nodes" in conf and "alternatives" in conf:
        found.add(conf.lines["alternatives"], reason("config.nodes-and-alternatives"))
    elif "nodes" not in conf and "alternatives" not in conf:
        found.add(conf.line, reason("config.missing-attribute", attribute="nodes", object="nodeset"))
    nodes = tuple(
        NodeSpec(
            texts(node, "name") or (),
            text(node, "label") or "",
            text(node, "arch") or "",
            text(node, "execution") or "",
        )
        for node in mappings(conf, "nodes")
    )
    groups = tuple(
        NodeGroup(text(group, "name") or "", texts(group, "nodes") or ()) for group in mappings(conf, "groups")
    )
    _unique(
        ((name, node.line) for node in mappings(conf, "nodes") for name in texts(node, "name") or ()),
        "config.duplicate-node",
        found,
    )
    _unique(
        ((text(group, "name") or "", group.line) for group in mappings(conf, "groups")), "config.duplicate-group", found
    )
    known = {name for node in nodes for name in node.names}
    for group, written in zip(groups, mappings(conf, "groups"), strict=True):
        for missing in [name for name in group.nodes if name not in known]:
            found.add(written.line, reason("config.group-without-node", group=group.name, node=missing))
    alternatives = tuple(
        item if isinstance(item, str) else nodeset(item, "", at, found)
        for item, _ in entries(conf, "alternatives") or ()
        if isinstance(item, str | YamlMap)
    )
    return Nodeset(name, at, nodes, groups, alternatives)


def _unique(names: Iterable[tuple[str, int]], kind: str, found: Findings) -> None:
    seen: set[str] = set()
    for name, line in names:
        if name == "localhost":
            found.add(line, reason("config.localhost"))
        if name in seen:
            found.add(line, reason(kind, name=name))
        seen.add(name)

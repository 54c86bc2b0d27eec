# SPDX-License-Identifier: Apache-2.0
"""YAML nodes of a meeting's file: tables with known keys, and values as they are written.

Pure. What is wrong is added to a list, with its line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TypeAlias

import yaml

from ...reasons import Reason, reason

Told: TypeAlias = list[tuple[int, Reason]]
Table: TypeAlias = Mapping[str, yaml.Node]


def line_of(node: yaml.Node) -> int:
    """The line on which a node begins."""
    return int(node.start_mark.line) + 1


def keyed(node: yaml.MappingNode, known: Sequence[str], told: Told, *, others: bool = True) -> Table:
    """The values of a table by their keys. Keys that nobody knows are passed over where `others` may be: templates
    of other programs use them; one that is nearly a known key is an error all the same."""
    table: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if name in table:
            told.append((line_of(key), reason("meetbot.schedule-twice", key=name)))
        elif name in known:
            table[name] = value
        else:
            near = get_close_matches(name, [one for one in known if one not in table], 1, 0.8)
            if near:
                told.append((line_of(key), reason("meetbot.schedule-meant", key=name, meant=near[0])))
            elif not others:
                told.append((line_of(key), reason("meetbot.schedule-unknown-key", key=name, keys=", ".join(known))))
    return table


def text_of(table: Table, key: str, told: Told) -> str:
    """A value as text, empty where there is none; several lines stay several."""
    node = table.get(key)
    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"):
        return ""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value).strip()
    told.append((line_of(node), reason("meetbot.schedule-no-text", key=key)))
    return ""

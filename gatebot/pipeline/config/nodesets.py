# SPDX-License-Identifier: Apache-2.0
"""What a job's nodeset comes to: the nodesets that are tried, in order, and what is wrong with them.

Pure look-ups among the nodesets of a layout; a name, or a nodeset that is written out in the job, is where they begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...reasons import Reason, reason
from .objects import Nodeset


def choices(nodesets: Mapping[str, Nodeset], wanted: str | Nodeset | None) -> tuple[Nodeset, ...]:
    """The alternatives of a nodeset, flattened in order; itself where it has none. What is not there is left out."""
    found: list[Nodeset] = []
    seen: set[int] = set()
    waiting = [wanted]
    while waiting:
        one = waiting.pop()
        nodeset = nodesets.get(one) if isinstance(one, str) else one
        if nodeset is None or id(nodeset) in seen:
            continue
        seen.add(id(nodeset))
        if nodeset.alternatives:
            waiting += reversed(nodeset.alternatives)
        else:
            found.append(nodeset)
    return tuple(found)


def problems(nodesets: Mapping[str, Nodeset], wanted: str | Nodeset) -> Iterator[tuple[Reason, str]]:
    """Names that lead nowhere, and nodesets that stand twice among their alternatives: with the word at fault."""
    seen: set[int] = set()
    waiting = [wanted]
    while waiting:
        one = waiting.pop()
        nodeset = nodesets.get(one) if isinstance(one, str) else one
        if nodeset is None:
            yield reason("config.unknown-nodeset", nodeset=str(one)), str(one)
        elif id(nodeset) in seen:
            yield reason("config.nodeset-twice", nodeset=nodeset.name), nodeset.name
        else:
            seen.add(id(nodeset))
            waiting += reversed(nodeset.alternatives)

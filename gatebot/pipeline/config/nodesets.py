# SPDX-License-Identifier: Apache-2.0
"""What a job's nodeset comes to: the nodesets that are tried, in order, and what is wrong with them.

Pure look-ups among the nodesets of a layout; a name, or a nodeset that is written out in the job, is where they begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...reasons import Reason, reason
from .objects import Nodeset


def reached(nodesets: Mapping[str, Nodeset], wanted: str | Nodeset | None) -> Iterator[Nodeset]:
    """A nodeset and all of its alternatives, each once, in order. What is not there is left out."""
    seen: set[int] = set()
    waiting = [wanted]
    while waiting:
        one = waiting.pop()
        nodeset = nodesets.get(one) if isinstance(one, str) else one
        if nodeset is not None and id(nodeset) not in seen:
            seen.add(id(nodeset))
            waiting += reversed(nodeset.alternatives)
            yield nodeset


def choices(nodesets: Mapping[str, Nodeset], wanted: str | Nodeset | None) -> tuple[Nodeset, ...]:
    """The nodesets that are tried: the alternatives, flattened in order; the nodeset itself where it has none."""
    return tuple(one for one in reached(nodesets, wanted) if not one.alternatives)


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

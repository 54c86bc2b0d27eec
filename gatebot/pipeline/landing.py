# SPDX-License-Identifier: Apache-2.0
"""The order to land an item: its branches to the tested commits, if all that was tested is still so.

Pure. The review room carries it out: all branches move, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..change import Landing, LandingChange
from .queue.model import Item, Preparation, Queue


def landing(
    queue: Queue, item: Item, prepared: Preparation, store: Callable[[str], str], votes: Mapping[str, int]
) -> Landing:
    """What the review room is asked. `store` tells where the objects of a project's new commits are.

    Changes of a cycle that meet in one branch land one on top of the other, as they were merged.
    """
    reached = dict(prepared.base)
    changes: list[LandingChange] = []
    for position, one in enumerate(item.changes):
        expected, reached[one.place] = reached[one.place], prepared.commit_of(item, position)
        changes.append(
            LandingChange(
                one.number, one.patch_set, one.project, one.branch, expected, reached[one.place], store(one.project)
            )
        )
    own = {one.place for one in item.changes}
    others = [(at, commit) for at, commit in prepared.base.items() if at not in own]
    assumed = tuple((*at.rsplit(":", 1), commit) for at, commit in others)
    return Landing(
        item.id,
        queue.pipeline,
        tuple(changes),
        tuple((project, branch, commit) for project, branch, commit in assumed),
        tuple(votes.items()),
    )

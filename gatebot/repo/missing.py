# SPDX-License-Identifier: Apache-2.0
"""What a merge would bring along that nobody asked for: a parent that is on no branch.

The rule that the gate and a direct submit share. Which branches count, and what is said, is their affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .model import PICKS, ZERO
from .writing import Repositories


def missing_parent(
    repositories: Repositories,
    store: str,
    submit_type: str,
    commit: str,
    onto: str,
    elsewhere: Callable[[], Iterable[str]],
) -> str | None:
    """The first parent of a commit that neither `onto` nor a tip `elsewhere` contains; None: a merge brings no more.

    All its parents are asked about: the second of a merge commit may be a patch set that was replaced before its
    change was merged. A commit that is picked brings nothing of what it stands on; a merge is never picked. Gerrit's
    `MergeSorter` holds the same to be missing dependencies, whatever the submit type. `onto` ZERO is a branch without
    any commit.
    """
    parents = repositories.commit(store, commit).parents
    if submit_type in PICKS and len(parents) == 1 and onto != ZERO:
        return None
    missing = [parent for parent in parents if onto == ZERO or not repositories.descends(store, onto, parent)]
    tips = set(elsewhere()) if missing else set[str]()
    return next(
        (one for one in missing if not any(repositories.is_ancestor(store, one, tip) for tip in tips)),
        None,
    )

# SPDX-License-Identifier: Apache-2.0
"""In which order changes wait for somebody, and why, in reasons.

Pure. A review that lets most others go on comes first, then one that is all a change lacks, then what waits longest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ...reasons import Reason, reason
from ..attention.model import ADDED, READY, Attention
from ..verdict import DEPENDENCIES, Outcome, Verdict, signed
from ..whole import ChangeView
from .model import Turn

_REPLIED = " replied on the change"
_OUTDATED, _TAKEN = "Vote got outdated and was removed: ", "Vote was removed: "


def turn(
    view: ChangeView, account: int, waiting: Collection[int], *, gated: bool, inside: Collection[int] = ()
) -> Turn | None:
    """What speaks for looking at a change now; None when it is not this account's turn.

    `waiting`: who waits for it. `inside`: which changes are in a gate.
    """
    mine = next((one for one in view.attention if one.active and one.account == account), None)
    if mine is None:
        return None
    why = [told(mine)]
    votes = all_it_lacks(view, account)
    then = promise(view.verdict, votes, inside, gated=gated) if votes else None
    if then is not None:
        why.append(then)
    if waiting:
        why.append(
            reason("review.unblocks-one") if len(waiting) == 1 else reason("review.unblocks", count=len(waiting))
        )
    last = then is not None and then.kind in ("review.turn-gate", "review.turn-submit")
    return Turn(view.change.number, mine.since, tuple(why), len(waiting), last)


def ordered(turns: Iterable[Turn]) -> list[Turn]:
    """What is to be looked at first comes first."""
    return sorted(turns, key=lambda one: (-one.unblocks, not one.last, one.since, one.change))


def all_it_lacks(view: ChangeView, account: int) -> str:
    """The votes that are all a change lacks and that this account may give; empty: something else is missing too."""
    if account in (view.change.owner, view.current.uploader):
        return ""
    missing = view.verdict.of_people().without(DEPENDENCIES).missing()
    found: dict[str, int] = {}
    for leaf in missing:
        label = view.rules.label(leaf.label) if leaf.label else None
        allowed = view.permitted.get(leaf.label, ())
        if label is None or leaf.outcome is not Outcome.UNSATISFIED or label.highest not in allowed:
            return ""
        found[label.name] = label.highest
    return ", ".join(f"{name} {signed(value)}" for name, value in found.items())


def promise(verdict: Verdict, votes: str, inside: Collection[int], *, gated: bool) -> Reason | None:
    """What follows when these votes, all that its own people still owe it, are given; None: nothing yet.

    What it stands on goes first. A gate takes it behind a change that is `inside`; else it waits, and follows that one.
    """
    needs = verdict.find(DEPENDENCIES)
    left = [leaf.says for leaf in needs.leaves() if not leaf.outcome.passes] if needs is not None else []
    if any(says.kind != "review.waits-for" for says in left):
        return None
    below = [value for says in left for _, value in says.params if value not in inside or not gated]
    kind = "review.turn-gate" if gated else "review.turn-submit"
    if not below:
        return reason(kind, votes=votes)
    if len(below) == 1:
        return reason(f"{kind}-behind", votes=votes, change=below[0])
    return reason(f"{kind}-behind-several", votes=votes, changes=", ".join(map(str, below)))


def told(one: Attention, *, mine: bool = True) -> Reason:
    """Why somebody is in the attention set, as a reason: what is stored is Gerrit's English.

    `mine`: it is told to this person; else it stands behind the name, for others to read.
    """
    text = one.reason
    if text == ADDED:
        return reason("review.turn-added" if mine else "review.turn-of-added")
    if text == READY:
        return reason("review.turn-ready")
    if text.endswith(_REPLIED):
        return reason("review.turn-replied", name=text.removesuffix(_REPLIED))
    if text.startswith(_OUTDATED):
        label = text.removeprefix(_OUTDATED)
        return reason("review.turn-outdated" if mine else "review.turn-of-outdated", label=label)
    if text.startswith(_TAKEN):
        label = text.removeprefix(_TAKEN)
        return reason("review.turn-vote-removed" if mine else "review.turn-of-vote-removed", label=label)
    return reason("review.turn-said", text=text)


def reachable(edges: Mapping[int, Collection[int]], start: int) -> frozenset[int]:
    """Every change that waits for one, also through others."""
    found: set[int] = set()
    left = [start]
    while left:
        for other in edges.get(left.pop(), ()):
            if other not in found and other != start:
                found.add(other)
                left.append(other)
    return frozenset(found)

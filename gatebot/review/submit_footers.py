# SPDX-License-Identifier: Apache-2.0
"""The footers that a commit gets when it is cherry-picked or rebased on submit: who reviewed it, and where.

Pure. Gerrit's words and order. Only votes in favour are told, and none of the gate's: those are not cast yet when
the final commit is made, because it is the gate that tests it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .model import Change, Vote
from .rules import CODE_REVIEW, VERIFIED
from .whole import Known

_BY = {CODE_REVIEW: "Reviewed-by", VERIFIED: "Tested-by"}


def footers_of(
    change: Change, message: str, votes: Iterable[Vote], people: Mapping[int, Known], site: str, gate: str
) -> tuple[str, ...]:
    """The footers of a change as it is about to be merged; `gate` is the gate's user name."""
    found = [] if f"Change-Id: {change.change_id}" in message else [f"Change-Id: {change.change_id}"]
    found.append(f"Reviewed-on: {site.rstrip('/')}/{change.path}")
    for vote in sorted(votes, key=lambda one: (one.granted, one.label, one.account)):
        known = people.get(vote.account)
        if vote.value > 0 and known is not None and known.username != gate:
            name = _clean(known.name) or known.username
            found.append(f"{_BY.get(vote.label, vote.label)}: {name} <{_clean(known.email)}>")
    return tuple(dict.fromkeys(found))


def _clean(text: str) -> str:
    """A name or address on one line, without what ends it."""
    return " ".join("".join(" " if sign in "<>" else sign for sign in text).split())

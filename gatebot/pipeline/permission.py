# SPDX-License-Identifier: Apache-2.0
"""The questions this room asks of `access.py`, and the refusals that follow from the answers.

Pure: an actor, a target and the rules in; nothing, or an error with a reason, out.
"""

from __future__ import annotations

from ..access import Actor, Rulebook, Target, Verb, may
from ..errors import Unauthenticated
from ..lacking import lacking
from ..reasons import reason


def account_of(actor: Actor) -> int:
    """Who acts; a stranger may look only."""
    if actor.account is None:
        raise Unauthenticated(reason=reason("review.sign-in"))
    return actor.account


def require(actor: Actor, verb: Verb, target: Target, rules: Rulebook) -> None:
    """Refuse, with the permission that is lacking and where."""
    if not may(actor, verb, target, rules):
        raise lacking(verb, target, actor.account)

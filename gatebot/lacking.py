# SPDX-License-Identifier: Apache-2.0
"""The refusal of what somebody may not do: which permission or capability is lacking, where, and who can help.

Pure; every room refuses with it, so that all say the same. Whether somebody may is decided in `access.py`.
"""

from __future__ import annotations

from .access_rules import CAPABILITIES, Target, Verb
from .errors import NotPermitted
from .reasons import reason


def lacking(verb: Verb, target: Target, account: int | None = None) -> NotPermitted:
    """A capability is of the site; only for a change there is an owner of it who could do it instead of `account`."""
    if verb in CAPABILITIES:
        return NotPermitted(reason=reason("review.lacks-capability", capability=verb.value))
    where = {"permission": verb.value, "ref": target.ref, "project": target.project or "All-Projects"}
    of_change = target.change_owner not in (None, account) and verb is not Verb.UPLOAD
    return NotPermitted(reason=reason("review.not-permitted" if of_change else "review.lacks-permission", **where))

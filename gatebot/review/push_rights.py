# SPDX-License-Identifier: Apache-2.0
"""What `access.py` says about a push, asked once for all its commits.

Pure. The author of a commit may be anybody. The committer may not be another account of the site,
unless forging is permitted; an address that nobody here has is let pass (Gerrit refuses it, which
stops every newcomer whose git is set to another address than the account).
"""

from __future__ import annotations

from ..access import Actor, Rulebook, Target, Verb, allowed_range, may
from . import rules as labels
from .receive import Rights

_WHAT = {"create": Verb.CREATE, "delete": Verb.DELETE, "update": Verb.PUSH, "force": Verb.FORCE_PUSH}


def for_review(actor: Actor, email: str, project: str, branch: str, rules: Rulebook, known: labels.Rules) -> Rights:
    """The rights of a push to `refs/for/BRANCH`."""
    target = Target(project, f"refs/heads/{branch}", actor.account)
    return Rights(
        review=may(actor, Verb.UPLOAD, target, rules),
        merges=may(actor, Verb.PUSH_MERGE, Target(project, f"refs/for/{target.ref}", actor.account), rules),
        forge_committer=may(actor, Verb.FORGE_COMMITTER, target, rules),
        email=email,
        labels={label.name: allowed_range(actor, label.name, target, rules) for label in known.labels},
    )


def directly(actor: Actor, project: str, ref: str, what: str, rules: Rulebook) -> bool:
    """Whether a branch or tag itself may be moved; `what` is create, update, delete or force."""
    target = Target(project, ref)
    if what == "create" and ref.startswith("refs/tags/"):
        return may(actor, Verb.CREATE_TAG, target, rules) or may(actor, Verb.CREATE, target, rules)
    return may(actor, _WHAT[what], target, rules)

# SPDX-License-Identifier: Apache-2.0
"""What `access.py` says about a push, asked once for all its commits.

Pure. Author and committer of a commit may not be another account of the site, unless forging is permitted; an address
that nobody here has is let pass (Gerrit refuses it, which stops every newcomer whose git is set to another address than
the account).
"""

from __future__ import annotations

from ..access import Actor, Rulebook, Target, Verb, allowed_range, may
from . import rules as labels
from .receive import Rights

_WHAT = {"create": Verb.CREATE, "delete": Verb.DELETE, "update": Verb.PUSH, "force": Verb.FORCE_PUSH}


def for_review(actor: Actor, project: str, ref: str, rules: Rulebook, known: labels.Rules) -> Rights:
    """The rights of a push to `refs/for/REF`, or past review to REF itself."""
    target, magic = Target(project, ref, actor.account), Target(project, f"refs/for/{ref}", actor.account)
    others = Target(project, ref)  # what the owner of a change may is not asked of others' changes
    return Rights(
        read=may(actor, Verb.READ, target, rules),
        review=may(actor, Verb.UPLOAD, target, rules),
        merges=may(actor, Verb.PUSH_MERGE, magic, rules) or may(actor, Verb.PUSH_MERGE, target, rules),
        submit=may(actor, Verb.SUBMIT, magic, rules),
        add_patch_set=may(actor, Verb.ADD_PATCH_SET, others, rules),
        toggle_wip=may(actor, Verb.TOGGLE_WIP, others, rules),
        forge_author=may(actor, Verb.FORGE_AUTHOR, target, rules),
        forge_committer=may(actor, Verb.FORGE_COMMITTER, target, rules),
        account=actor.account or 0,
        labels={label.name: allowed_range(actor, label.name, target, rules) for label in known.labels},
        values={label.name: (label.lowest, label.highest) for label in known.labels},
    )


def directly(actor: Actor, project: str, ref: str, what: str, rules: Rulebook, *, tag: Verb | None = None) -> bool:
    """Whether a branch or tag itself may be moved; `what` is create, update, delete or force.

    `tag` is the permission that making an annotated or signed one needs.
    """
    target = Target(project, ref)
    if what == "create" and tag is not None and ref.startswith("refs/tags/"):
        return may(actor, tag, target, rules)
    return may(actor, _WHAT[what], target, rules)


def skips_validation(actor: Actor, project: str, ref: str, rules: Rulebook) -> bool:
    """Whether commits may go past review unread."""
    needed = (Verb.FORGE_AUTHOR, Verb.FORGE_COMMITTER, Verb.FORGE_SERVER, Verb.PUSH_MERGE)
    return all(may(actor, verb, Target(project, ref), rules) for verb in needed)

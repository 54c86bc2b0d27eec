# SPDX-License-Identifier: Apache-2.0
"""What an asker can do to a change now, as Gerrit's map of ActionInfo: the buttons of clients.

Pure. Whether something is possible, `deeds.py` decides, which the calls themselves ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..access import Actor, Rulebook
from ..assignment import Json
from . import deeds
from .model import Change, Status


@dataclass(frozen=True, slots=True)
class Submitting:
    """What submitting would do: how many changes go together, and `missing`, the sentence of what keeps it."""

    together: int = 1
    missing: str = ""


def of_change(actor: Actor, change: Change, rules: Rulebook) -> dict[str, Json]:
    """The actions that Gerrit lists with the change."""
    hide = ("private.delete", "Unmark private") if change.private else ("private", "Mark private")
    ready = (
        ("ready", "Start Review", "Set Ready For Review")
        if change.work_in_progress
        else ("wip", "WIP", "Set Work In Progress")
    )
    table = (
        ("abandon", "abandon", "POST", "Abandon", "Abandon the change"),
        ("restore", "restore", "POST", "Restore", "Restore the change"),
        ("toggle_wip", ready[0], "POST", ready[1], ready[2]),
        ("hide", hide[0], "POST", hide[1], hide[1]),
        ("move", "move", "POST", "Move Change", "Move change to a different branch"),
        ("revert", "revert", "POST", "Revert", "Revert the change"),
        ("revert", "revert_submission", "POST", "Revert submission", _REVERT_SUBMISSION),
        ("rebase", "rebase", "POST", "Rebase", _REBASE),
        ("rebase", "rebase:chain", "POST", "Rebase chain", "Rebase chain onto tip of branch or parent change"),
        ("set_topic", "topic", "PUT", "Edit Topic", ""),
        ("set_hashtags", "hashtags", "POST", "Add Hashtag", "Edit Hashtags"),
        ("delete", "/", "DELETE", "Delete", f"Delete change {change.number}"),
    )
    return _told(actor, change, rules, table)


def of_revision(actor: Actor, change: Change, patch_set: int, rules: Rulebook, asked: Submitting) -> dict[str, Json]:
    """The actions that Gerrit lists with a revision; only the current one can be submitted or rebased."""
    table = [("pick", "cherrypick", "POST", "Cherry Pick", "Cherry pick change to a different branch")]
    if patch_set == change.current:
        table.append(("rebase", "rebase", "POST", "Rebase", _REBASE))
    found = _told(actor, change, rules, table) if change.status is not Status.ABANDONED else {}
    if patch_set == change.current and deeds.can("submit", actor, change, rules):
        found["submit"] = _submit(change, asked)
    return found


def _submit(change: Change, asked: Submitting) -> dict[str, Json]:
    several = asked.together > 1
    title = f"Submit patch set {change.current}"
    title += f" and ancestors ({asked.together} changes altogether)" if several else ""
    info: dict[str, Json] = {
        "method": "POST",
        "label": "Submit including parents" if several else "Submit",
        "title": asked.missing or f"{title} into {change.branch}",
    }
    return info if asked.missing else {**info, "enabled": True}


def _told(
    actor: Actor, change: Change, rules: Rulebook, table: Iterable[tuple[str, str, str, str, str]]
) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for decider, name, method, label, title in table:
        if deeds.can(decider, actor, change, rules):
            info: dict[str, Json] = {"method": method, "label": label, "title": title, "enabled": True}
            found[name] = {key: value for key, value in info.items() if value != ""}
    return found


_REBASE = "Rebase onto tip of branch or parent change."
_REVERT_SUBMISSION = "Revert this change and all changes that have been submitted together with this change"

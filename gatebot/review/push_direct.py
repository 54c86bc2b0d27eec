# SPDX-License-Identifier: Apache-2.0
"""Whether a branch or tag may be moved past review: one reference at a time, as Gerrit decides it.

Pure. `push.py` asks `access.py` and git for the facts. The sentences are Gerrit's; hints say what to do instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from ..reasons import Reason, reason
from . import push_advice, push_flaws
from .project_boards.model import DASHBOARDS
from .push_options import is_text
from .receive import CONFIG, Command, CommitFacts, Known, Refusal, Rights

MOST_COMMITS = 10_000
_HEADS, _TAGS = "refs/heads/", "refs/tags/"


class Thing(Enum):
    """What an id names."""

    COMMIT = auto()
    TAG = auto()
    SIGNED_TAG = auto()
    OTHER = auto()
    MISSING = auto()


@dataclass(frozen=True, slots=True)
class Facts:
    """About one command. `forced`: commits would be lost. `commits` are those that no branch has yet."""

    thing: Thing = Thing.COMMIT
    allowed: bool = False
    forced: bool = False
    may_force: bool = False
    default: str = "main"
    skip: bool = False
    may_skip: bool = False
    commits: Sequence[CommitFacts] = ()


_CREATE: dict[Thing | None, tuple[str, str]] = {
    Thing.TAG: ("create tag", push_advice.CREATE_TAG),
    Thing.SIGNED_TAG: ("create signed tag", push_advice.CREATE_SIGNED_TAG),
}


def check(command: Command, facts: Facts, known: Known, rights: Rights) -> Refusal | None:
    """Why a reference may not be moved so; None: it may."""
    found = _by_name(command, facts) or _by_rights(command, facts) or _by_object(command, facts)
    return found or _by_commits(command, facts, known, rights)


def _by_name(command: Command, facts: Facts) -> Refusal | None:
    ref, deletes = command.ref, command.what == "delete"
    if not is_text(ref):
        return Refusal("the name of a reference must be UTF-8", ref=ref)
    if ref.startswith("refs/changes/"):
        hint = reason("review.push-changes-ref")
        if deletes:
            return Refusal("cannot delete changes", hint, ref=ref, advice=push_advice.DELETE_CHANGES)
        return _prohibited(command, command.what, hint)
    if deletes and ref == CONFIG:
        return Refusal("cannot delete project configuration", ref=ref, advice=push_advice.DELETE_CONFIG)
    if not ref.startswith((_HEADS, _TAGS, DASHBOARDS)) and ref != CONFIG:
        return _prohibited(command, command.what, reason("review.push-where"))
    if deletes and ref == _HEADS + facts.default and facts.allowed:
        return Refusal(f"cannot delete {ref}: it is the default branch", ref=ref)
    return None


def _by_rights(command: Command, facts: Facts) -> Refusal | None:
    ref = command.ref
    if not facts.allowed:
        hint = _instead(command.what, ref.removeprefix(_HEADS)) if ref.startswith(_HEADS) else None
        return _prohibited(command, command.what, hint, tag=facts.thing if ref.startswith(_TAGS) else None)
    if facts.forced and not facts.may_force:
        return _prohibited(command, "force update", reason("review.push-force"))
    if facts.skip and not facts.may_skip and command.what != "delete":
        return _prohibited(command, "skip validation", None)
    return None


def _prohibited(command: Command, what: str, hint: Reason | None, *, tag: Thing | None = None) -> Refusal:
    advice = {
        "create": _CREATE.get(tag, ("", push_advice.CREATE))[1],
        "delete": push_advice.DELETE,
        "update": push_advice.update(command.ref),
        "force update": push_advice.FORCE,
        "skip validation": push_advice.SKIP_VALIDATION,
    }[what]
    named = _CREATE[tag][0] if tag in _CREATE and what == "create" else what
    return Refusal(f"prohibited by Gerrit: not permitted: {named}", hint, ref=command.ref, advice=advice)


def _instead(what: str, branch: str) -> Reason:
    """What to do instead of what one may not do to a branch."""
    match what:
        case "create":
            return reason("review.push-create-branch", branch=branch)
        case "delete":
            return reason("review.push-delete-branch", branch=branch)
        case _:
            return reason("review.push-for-review", branch=branch)


def _by_object(command: Command, facts: Facts) -> Refusal | None:
    if command.what == "delete":
        return None
    if facts.thing is Thing.MISSING:
        return Refusal("invalid object", ref=command.ref)
    if facts.thing is not Thing.COMMIT and not command.ref.startswith(_TAGS):
        text = "not a commit" if command.what == "create" else "head must point to commit"
        return Refusal(text, ref=command.ref)
    return None


def _by_commits(command: Command, facts: Facts, known: Known, rights: Rights) -> Refusal | None:
    """The newest commit with a flaw."""
    if command.what == "delete" or facts.skip:
        return None
    if len(facts.commits) > MOST_COMMITS:
        text = f"more than {MOST_COMMITS} commits, and skip-validation not set"
        return Refusal(text, reason("review.push-many-commits", limit=MOST_COMMITS), ref=command.ref)
    for commit in facts.commits:
        flaw = push_flaws.of_commit(commit, known, rights)
        if flaw is not None:
            return Refusal(flaw.text, flaw.hint, flaw.commit, command.ref, told=flaw.told)
    return None

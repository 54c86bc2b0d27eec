# SPDX-License-Identifier: Apache-2.0
"""Change-Ids that the server made up, and how they get into the commits: the commands that a pusher is shown.

Pure. A commit without the line gets one made of its author, date and subject. When a hook gives the same commit another
one afterwards, it would become a second change beside the first: `second` finds such commits before anything is made.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..reasons import reason
from . import change_id
from .receive import CommitFacts, Existing, ForReview, Known, Refusal, Refused, Rights, Step

_AMEND = "commit --amend --no-edit --trailer Change-Id:"
_REPLACING = "git -c trailer.ifExists=replace "


def alike(commit: CommitFacts) -> str:
    """The Change-Id that a commit would have got, had it come without one."""
    return change_id.derive(commit.author, commit.author_email, commit.authored, commit.subject)


def command(commits: Sequence[CommitFacts], ids: Sequence[str], tip: str, base: str, *, replace: bool = False) -> str:
    """The command that gives commits their Change-Ids; `base` is what the push stands on, "" for nothing.

    `replace`: in the place of the one that is there.
    """
    git = _REPLACING if replace else "git "
    if len(commits) == 1 and commits[0].id == tip:
        return f"{git}{_AMEND}{ids[0]}"
    edits = " ".join(
        f'-e "/^pick {commit.short}/a exec {git}{_AMEND}{id}"' for commit, id in zip(commits, ids, strict=True)
    )
    return f"GIT_SEQUENCE_EDITOR='sed -i {edits}' git rebase -i {base[:10] or '--root'}"


def second(
    push: ForReview, commits: Sequence[CommitFacts], steps: Sequence[Step], known: Known, rights: Rights
) -> Refused | None:
    """Why commits are not taken that are the pusher's open changes under other Change-Ids; None: there are none."""
    kept = {step.change_id for step in steps}
    found = [(step.commit, one) for step in steps if (one := _first(step, known, rights)) is not None]
    # A change that the push brings a patch set of anyway is not meant by another commit, too.
    found = [(commit, one) for commit, one in found if one.change.change_id not in kept]
    if not found:
        return None
    base = commits[0].parents[0] if commits[0].parents else ""
    ids = [one.change.change_id for _, one in found]
    line = command([commit for commit, _ in found], ids, push.command.new, base, replace=True)
    hint = reason("review.push-second", command=line)
    text = "this commit is change %s already, under another Change-Id"
    return Refused(tuple(Refusal(text % one.url, hint, commit.id) for commit, one in found))


def _first(step: Step, known: Known, rights: Rights) -> Existing | None:
    """The pusher's open change that this commit was before it had a Change-Id."""
    if step.existing is not None or step.given:
        return None
    for one in known.by_change_id.get(alike(step.commit), ()):
        mine = one.change.is_open and one.change.owner == rights.account and one.change.number not in known.hidden
        if mine and not isinstance(change_id.read(one.current.message), str):
            return one
    return None

# SPDX-License-Identifier: Apache-2.0
"""What becomes of the commits behind `refs/for/BRANCH`: which are new changes, which are patch sets, or why not.

Pure. `push.py` has read the facts (`Known`, `Rights`) and does what the plan says. A commit that is a patch set of some
change already is passed over, as in Gerrit, unless a `base` says that it shall be a change of this branch, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..reasons import reason
from . import change_id, push_advice, push_asked, push_flaws, push_given
from .model import Kind, branch_ref
from .push_options import Options
from .receive import CommitFacts, ForReview, Known, Plan, Refusal, Refused, Rights, Step, refused

_TWICE = (
    "same Change-Id in multiple changes.\n"
    "Squash the commits with the same Change-Id or ensure Change-Ids are unique for each commit"
)


def names(commits: Sequence[CommitFacts]) -> dict[str, tuple[str, bool]]:
    """For each commit its Change-Id, and whether it is made up because the commit has none.

    A Change-Id that cannot be one is left out: such a commit is refused.
    """
    found: dict[str, tuple[str, bool]] = {}
    taken = frozenset(read for commit in commits if isinstance(read := change_id.read(commit.message), str))
    for commit in commits:
        read = change_id.read(commit.message)
        if isinstance(read, str):
            found[commit.id] = (read, False)
        elif read.text == change_id.MISSING:
            made = change_id.derive(commit.author, commit.author_email, commit.authored, commit.subject, taken)
            taken |= {made}
            found[commit.id] = (made, True)
    return found


def plan(push: ForReview, commits: Sequence[CommitFacts], known: Known, rights: Rights) -> Plan | Refused:
    """What happens to the commits that the branch does not have, oldest first."""
    denied = _not_permitted(push, rights) or _denied_label(push.options, rights)
    if denied is not None:
        return Refused((denied,))
    named = names(commits)
    fresh = [commit for commit in commits if not _is_tracked(commit, named, known, push)]
    if not fresh:
        return _nothing(push, commits, known, ssh=rights.ssh)
    if len(fresh) > rights.max_commits:
        text = f"the number of pushed changes in a batch exceeds the max limit {rights.max_commits}"
        return refused(text, reason("review.push-too-many", count=len(fresh), limit=rights.max_commits))
    flaws = [flaw for commit in fresh if (flaw := push_flaws.of_change(commit, known, rights)) is not None]
    if flaws:
        return Refused(tuple(flaws))
    steps: list[Step] = []
    for commit in fresh:
        step = _step(commit, named[commit.id], known, push)
        if isinstance(step, Refusal):
            return Refused((step,))
        if any(step.change_id == earlier.change_id for earlier in steps):
            return _repeated(step.change_id)
        steps.append(step)
    for step in steps:
        if (against := _against(step, commits, push, rights)) is not None:
            return against
    if (against := push_given.second(push, commits, steps, known, rights)) is not None:
        return against
    return Plan(tuple(steps), tuple(line for step in steps if (line := _warning(step))))


def _not_permitted(push: ForReview, rights: Rights) -> Refusal | None:
    ref = branch_ref(push.branch)
    if not rights.read:
        return Refusal(f"prohibited by Gerrit: not permitted: read on {ref}", advice=push_advice.READ)
    if not rights.review:
        text = f"prohibited by Gerrit: not permitted: create change on {ref}"
        return Refusal(text, advice=push_advice.CREATE_CHANGE)
    if push.options.submit and not rights.submit:
        text = f"prohibited by Gerrit: not permitted: update by submit on {ref}"
        return Refusal(text, reason("review.push-without-submit"), advice=push_advice.SUBMIT)
    return None


def _denied_label(options: Options, rights: Rights) -> Refusal | None:
    """The first vote of the push that the pusher may not cast; label names are as the project writes them."""
    for name, value in options.labels:
        allowed = rights.labels.get(name)
        if allowed is None:
            known = ", ".join(sorted(rights.labels)) or "-"
            return Refusal(f'label "{name}" is not a configured label', reason("review.push-labels", known=known))
        least, most = rights.values.get(name, (value, value))
        if not least <= value <= most:
            hint = reason("review.push-label-values", label=name, low=least, high=most)
            return Refusal(f'label "{name}": {value} is not a valid value', hint)
        if not allowed[0] <= value <= allowed[1]:
            hint = reason("review.push-label-range", label=name, low=allowed[0], high=allowed[1])
            return Refusal(f'applying label "{name}": {value} is restricted', hint)
    return None


def _is_tracked(commit: CommitFacts, named: Mapping[str, tuple[str, bool]], known: Known, push: ForReview) -> bool:
    """Whether there is nothing to do for a commit, because it is a patch set already."""
    seen = known.by_commit.get(commit.id, ())
    if not seen or not push.options.base:
        return bool(seen)
    here = [*seen, *known.by_change_id.get(named.get(commit.id, ("", False))[0], ())]
    return any(one.change.branch == push.branch for one in here)


def _nothing(push: ForReview, commits: Sequence[CommitFacts], known: Known, *, ssh: bool) -> Refused:
    """Nothing is new; where the commits are changes of another branch, that is said with what helps."""
    for commit in reversed(commits):
        elsewhere = [one for one in known.by_commit.get(commit.id, ()) if one.change.branch != push.branch]
        here = [one for one in known.by_commit.get(commit.id, ()) if one.change.branch == push.branch]
        if elsewhere and not here:
            base = commit.parents[0] if commit.parents else commit.id
            hint = reason("review.push-other-branch", url=elsewhere[0].url, branch=push.branch, base=base)
            return refused("no new changes", hint)
        if here and here[0].current.id != commit.id:
            return refused("no new changes", reason("review.push-old-patch-set", url=here[0].url))
        if here and (hint := push_asked.elsewhere(push.options, here[0], ssh=ssh)) is not None:
            return refused("no new changes", hint)
    return refused("no new changes", reason("review.push-nothing-new"))


def _step(commit: CommitFacts, named: tuple[str, bool], known: Known, push: ForReview) -> Step | Refusal:
    """The patch set that a commit without flaw becomes."""
    name, given = named
    existing = known.by_change_id.get(name, ())
    if any(one.change.number in known.hidden for one in existing):
        return Refusal(f"cannot add patch set to {name}.", reason("review.push-not-owner"))
    if len([one for one in existing if one.change.is_open]) > 1:
        return Refusal(f"{name} has duplicates")
    if not existing:
        if push.options.edit:
            return Refusal("edit is not supported for new changes", reason("review.push-edit-new"))
        return Step(commit, name, given=given)
    current = next((one for one in existing if one.change.is_open), existing[0])
    if not current.change.is_open or push.options.merged:
        hint = reason("review.push-closed", url=current.url, status=current.change.status.value.lower())
        return Refusal(f"change {current.url} closed", None if current.change.is_open else hint)
    return Step(commit, name, current, _kind(commit, current.current), given)


def _against(step: Step, commits: Sequence[CommitFacts], push: ForReview, rights: Rights) -> Refused | None:
    """What speaks against a patch set of a change that is here."""
    if step.existing is None:
        return None
    change = step.existing.change
    if change.owner != rights.account:
        if not rights.add_patch_set:
            return refused(f"cannot add patch set to {change.number}.", reason("review.push-not-owner"))
        if push.options.wip not in (None, change.work_in_progress) and not rights.toggle_wip:
            return refused("only users with Toggle-Wip-State permission can modify Work-in-Progress")
    if step.existing.commits & _below(step.commit, commits):
        return _repeated(step.change_id)
    return None


def _below(commit: CommitFacts, commits: Sequence[CommitFacts]) -> frozenset[str]:
    """The commits of this push that a commit stands on."""
    parents = {one.id: one.parents for one in commits}
    seen: set[str] = set()
    waiting = list(commit.parents)
    while waiting:
        one = waiting.pop()
        if one in parents and one not in seen:
            seen.add(one)
            waiting += parents[one]
    return frozenset(seen)


def _repeated(name: str) -> Refused:
    return refused(_TWICE, reason("review.push-same-change-id", change_id=name))


def _kind(new: CommitFacts, prior: CommitFacts) -> Kind:
    """What can be told without merging; trivial rebases are looked for among the reworks afterwards."""
    if new.tree != prior.tree or new.parents != prior.parents:
        return Kind.REWORK
    return Kind.NO_CHANGE if new.message == prior.message else Kind.NO_CODE_CHANGE


def _warning(step: Step) -> str:
    """Gerrit's remark when a patch set does not touch the files."""
    if step.existing is None or step.commit.tree != step.existing.current.tree:
        return ""
    new, prior = step.commit, step.existing.current
    said = [
        word
        for differs, word in (
            (new.author != prior.author or new.author_email != prior.author_email, ", author changed"),
            (new.message != prior.message, ", message updated"),
            (new.parents != prior.parents, ", was rebased"),
        )
        if differs
    ]
    if not said:
        return f"warning: no changes between prior commit {prior.short} and new commit {new.short}"
    return f"warning: {new.short}: no files changed{''.join(said)}"

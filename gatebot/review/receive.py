# SPDX-License-Identifier: Apache-2.0
"""What a push means: which changes are new, which get a patch set, and why it is refused.

Pure. `sort` reads the commands of a push, `plan` the commits behind `refs/for/BRANCH`, and
`check_direct` what goes straight to branches and tags. `push.py` reads the facts and does what the
plan says. The sentences of refusals are Gerrit's; the hints, which say how to go on, are reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..reasons import Reason, reason
from . import change_id, push_options
from .model import ZERO, Change, Kind
from .push_options import BadOption, Options

MAGIC = "refs/for/"
_DIRECT = ("refs/heads/", "refs/tags/")


@dataclass(frozen=True, slots=True)
class Command:
    """One reference of a push, as the client wants it."""

    old: str
    new: str
    ref: str


@dataclass(frozen=True, slots=True)
class CommitFacts:
    id: str
    tree: str
    parents: tuple[str, ...]
    subject: str
    message: str
    author: str
    author_email: str
    committer_email: str

    @property
    def short(self) -> str:
        """The id as people read it."""
        return self.id[:7]


@dataclass(frozen=True, slots=True)
class Existing:
    """A change that is already here and the commit of its current patch set."""

    change: Change
    current: CommitFacts
    url: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the rows say of the pushed commits: by Change-Id on this branch, and by commit (any patch set).

    `foreign` are the committers' addresses, in lower case, that belong to other accounts than the pusher's.
    """

    by_change_id: Mapping[str, Sequence[Existing]]
    by_commit: Mapping[str, Existing]
    foreign: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rights:
    """What the pusher, whose address is `email`, may do here; decided by `access.py`."""

    review: bool = True
    merges: bool = True
    forge_committer: bool = False
    email: str = ""
    hook_url: str = ""
    max_commits: int = 100
    labels: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])


@dataclass(frozen=True, slots=True)
class Refusal:
    """`text` is what git shows behind the reference; `commit` the one it is about; `hint` how to go on."""

    text: str
    hint: Reason | None = None
    commit: str = ""

    @property
    def status(self) -> str:
        """The text in the brackets behind `[remote rejected]`."""
        return f"commit {self.commit[:7]}: {self.text}" if self.commit else self.text


@dataclass(frozen=True, slots=True)
class Refused:
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class ForReview:
    """A push to `refs/for/BRANCH`; `branch` is the short name."""

    command: Command
    branch: str
    options: Options


@dataclass(frozen=True, slots=True)
class Directly:
    """A push to branches and tags, past review."""

    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One commit that becomes a patch set: of `existing`, or of a new change when that is None."""

    commit: CommitFacts
    change_id: str
    existing: Existing | None = None
    kind: Kind = Kind.REWORK


@dataclass(frozen=True, slots=True)
class Plan:
    """Oldest commit first. `warnings` are told and change nothing."""

    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()


def refused(text: str, hint: Reason | None = None, commit: str = "") -> Refused:
    """A refusal for one cause."""
    return Refused((Refusal(text, hint, commit),))


def sort(
    commands: Sequence[Command], pushed_options: Sequence[str], max_refs: int = 100
) -> ForReview | Directly | Refused:
    """Which kind of push this is."""
    if len(commands) > max_refs:
        hint = reason("review.push-too-many-refs", count=len(commands), limit=max_refs)
        return refused(f"the number of pushed references exceeds the max limit {max_refs}", hint)
    magic = [command for command in commands if command.ref.startswith(MAGIC)]
    if not magic:
        return _sort_direct(tuple(commands), pushed_options)
    if len(magic) < len(commands):
        return refused("cannot combine normal pushes and magic pushes")
    if len(magic) > 1:
        return refused("duplicate request", reason("review.push-one-branch"))
    command = magic[0]
    if command.new == ZERO:
        return refused("cannot delete", reason("review.push-delete-magic"))
    target, _, suffix = command.ref.removeprefix(MAGIC).partition("%")
    try:
        options = push_options.parse(suffix, pushed_options)
    except BadOption as error:
        return refused(str(error), reason("review.push-options", known=", ".join(push_options.KNOWN)))
    return ForReview(command, target.removeprefix("refs/heads/"), options)


def _sort_direct(commands: tuple[Command, ...], pushed_options: Sequence[str]) -> Directly | Refused:
    for command in commands:
        if command.ref.startswith("refs/changes/"):
            hint = reason("review.push-changes-ref")
            return refused(f"prohibited by Gerrit: not permitted: update {command.ref}", hint)
        if not command.ref.startswith(_DIRECT):
            return refused(f"prohibited by Gerrit: not permitted: update {command.ref}", reason("review.push-where"))
    if unknown := [word for word in pushed_options if word.partition("=")[0] not in ("trace", "skip-validation")]:
        return refused(f'"--{unknown[0].partition("=")[0]}" is not a valid option')
    return Directly(commands)


def plan(push: ForReview, commits: Sequence[CommitFacts], known: Known, rights: Rights) -> Plan | Refused:
    """What happens to the commits that the branch does not have, oldest first."""
    if not rights.review:
        return refused(f"prohibited by Gerrit: not permitted: create change on refs/heads/{push.branch}")
    denied = _denied_label(push.options, rights)
    if denied is not None:
        return Refused((denied,))
    fresh = [commit for commit in commits if not _is_current(commit, known, push.branch)]
    if not fresh:
        if commits:
            return refused("commit(s) already exists (as current patchset)", reason("review.push-nothing-new"))
        return refused("no new changes", reason("review.push-nothing-new"))
    if len(fresh) > rights.max_commits:
        text = f"the number of pushed changes in a batch exceeds the max limit {rights.max_commits}"
        return refused(text, reason("review.push-too-many", count=len(fresh), limit=rights.max_commits))
    flaws = [flaw for commit in fresh if (flaw := _flaw(commit, known, rights)) is not None]
    if flaws:
        return Refused(tuple(flaws))
    steps: list[Step] = []
    for commit in fresh:
        step = _step(commit, known, push)
        if isinstance(step, Refusal):
            return Refused((step,))
        if any(step.change_id == earlier.change_id for earlier in steps):
            return _repeated(step)
        steps.append(step)
    return Plan(tuple(steps), tuple(line for step in steps if (line := _warning(step))))


def _denied_label(options: Options, rights: Rights) -> Refusal | None:
    """The first vote of the push that the pusher may not cast; label names are as the project writes them."""
    for name, value in options.labels:
        allowed = rights.labels.get(name)
        if allowed is None:
            known = ", ".join(sorted(rights.labels)) or "-"
            return Refusal(f'label "{name}" is not a configured label', reason("review.push-labels", known=known))
        if not allowed[0] <= value <= allowed[1]:
            hint = reason("review.push-label-range", label=name, low=allowed[0], high=allowed[1])
            return Refusal(f'Applying label "{name}": {value} is restricted', hint)
    return None


def _is_current(commit: CommitFacts, known: Known, branch: str) -> bool:
    """Whether the commit is the current patch set of a change of this branch: nothing to do."""
    found = known.by_commit.get(commit.id)
    return found is not None and found.change.branch == branch and found.current.id == commit.id


def _flaw(commit: CommitFacts, known: Known, rights: Rights) -> Refusal | None:
    """What is wrong with a commit by itself."""
    if len(commit.parents) > 1 and not rights.merges:
        return Refusal("you are not allowed to upload merges", reason("review.push-merges"), commit.id)
    if commit.committer_email.lower() in known.foreign and not rights.forge_committer:
        hint = reason("review.push-committer", used=commit.committer_email, email=rights.email)
        return Refusal("invalid committer", hint, commit.id)
    found = change_id.read(commit.message)
    if isinstance(found, change_id.Flaw):
        missing = found.text == change_id.MISSING
        hint = reason("review.push-missing-change-id" if missing else "review.push-change-id", url=rights.hook_url)
        return Refusal(found.text, hint, commit.id)
    return None


def _step(commit: CommitFacts, known: Known, push: ForReview) -> Step | Refusal:
    """The patch set that a commit without flaw becomes."""
    found = change_id.read(commit.message)
    name = found if isinstance(found, str) else ""
    existing = known.by_change_id.get(name, ())
    seen = known.by_commit.get(commit.id)
    if seen is not None and seen.change.branch == push.branch:
        return Refusal(
            "commit already exists (in the change)", reason("review.push-old-patch-set", url=seen.url), commit.id
        )
    if len([one for one in existing if one.change.is_open]) > 1:
        return Refusal(f"{name} has duplicates", None, commit.id)
    if not existing:
        return Step(commit, name)
    current = next((one for one in existing if one.change.is_open), existing[0])
    if not current.change.is_open:
        hint = reason("review.push-closed", url=current.url, status=current.change.status.value.lower())
        return Refusal(f"change {current.url} closed", hint)
    return Step(commit, name, current, _kind(commit, current.current))


def _repeated(step: Step) -> Refused:
    text = (
        "same Change-Id in multiple changes.\n"
        "Squash the commits with the same Change-Id or ensure Change-Ids are unique for each commit"
    )
    return refused(text, reason("review.push-same-change-id", change_id=step.change_id), step.commit.id)


def _kind(new: CommitFacts, prior: CommitFacts) -> Kind:
    """What can be told without merging; `push.py` looks for trivial rebases among the reworks."""
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


#: What to do instead of what one may not do to a branch.
_INSTEAD: Mapping[str, Callable[[str], Reason]] = {
    "create": lambda branch: reason("review.push-create-branch", branch=branch),
    "delete": lambda branch: reason("review.push-delete-branch", branch=branch),
    "update": lambda branch: reason("review.push-for-review", branch=branch),
}


def check_direct(command: Command, *, allowed: bool, forced: bool, may_force: bool, default: str) -> Refusal | None:
    """Whether a branch or tag may be moved past review. `forced`: commits would be lost."""
    what = "create" if command.old == ZERO else "delete" if command.new == ZERO else "update"
    if not allowed:
        branch = command.ref.removeprefix("refs/heads/")
        hint = _INSTEAD[what](branch) if command.ref.startswith("refs/heads/") else None
        return Refusal(f"prohibited by Gerrit: not permitted: {what} {command.ref}", hint)
    if command.new == ZERO and command.ref == f"refs/heads/{default}":
        return Refusal(f"cannot delete {command.ref}: it is the default branch")
    if forced and not may_force:
        return Refusal(f"prohibited by Gerrit: not permitted: force update {command.ref}", reason("review.push-force"))
    return None

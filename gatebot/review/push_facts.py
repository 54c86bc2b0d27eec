# SPDX-License-Identifier: Apache-2.0
"""Reads what must be known of a push before it is decided: from rows, from git and its quarantine, from the rights.

Everything here only reads, and blocks; callers use a thread. Nothing is decided but what git itself must answer: which
commits are new, and whether they belong to the branch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ..access import Actor, Rulebook, Target, Verb, limit_of, may
from ..db import Database
from ..identity import Account
from ..identity.store import email_in
from ..reasons import Reason, reason
from ..repo import CommitInfo, Incoming, Repositories
from . import conversation, push_direct, push_given, push_plan, push_rights, push_rows
from .agreements.configured import on_file
from .agreements.store import groups_of
from .model import Change, branch_ref
from .push_direct import Thing
from .push_policy import Policies
from .receive import Command, CommitFacts, Existing, ForReview, Known, Refusal, Rights

BANNED = "refs/meta/reject-commits"
_IMPLICIT_AT_MOST = 20  # commits of another branch that are listed


@dataclass(frozen=True, slots=True)
class Push:
    """One push as git's first hook tells it."""

    project: str
    account: Account
    commands: tuple[Command, ...]
    options: tuple[str, ...]
    quarantine: str

    @property
    def actor(self) -> Actor:
        """The pusher as rules see him."""
        return self.account.actor


@dataclass(frozen=True, slots=True)
class Site:
    """Where the site is: `url` without a slash at its end, and host and port of its SSH server when it has one."""

    url: str
    ssh: tuple[str, int] | None = None

    def over_ssh(self, username: str, project: str) -> str:
        """Where somebody clones and fetches over SSH; empty where there is none."""
        return f"ssh://{username}@{':'.join(map(str, self.ssh))}/{project}" if self.ssh is not None else ""

    def gitreview(self, project: str, branch: str) -> str:
        """What git-review reads in a repository: over SSH where it is open, else over HTTP."""
        if self.ssh is not None:
            place = (f"host={self.ssh[0]}", f"port={self.ssh[1]}")
        else:
            url = urlsplit(self.url)
            port = url.port or (443 if url.scheme == "https" else 80)
            place = (f"scheme={url.scheme}", f"host={url.hostname}", f"port={port}")
        return "\n".join(("[gerrit]", *place, f"project={project}", f"defaultbranch={branch}"))

    @property
    def hook_line(self) -> str:
        """One command that installs the commit-msg hook, in work trees too, to be followed by others."""
        url = f"{self.url}/tools/hooks/commit-msg"
        return f'f="$(git rev-parse --git-path hooks/commit-msg)"; curl -fLo "$f" --create-dirs {url} && chmod +x "$f"'

    def hook(self, username: str) -> str:
        """How to install the commit-msg hook, in Gerrit's words."""
        curl = (
            f'  f="$(git rev-parse --git-dir)/hooks/commit-msg"; curl -o "$f" {self.url}/tools/hooks/commit-msg ; '
            'chmod +x "$f"'
        )
        if self.ssh is None:
            return curl
        host, port = self.ssh
        return (
            f"  gitdir=$(git rev-parse --git-dir); scp -p -P {port} {username}@{host}:hooks/commit-msg "
            "${gitdir}/hooks/\n(for OpenSSH >= 9.0 you need to add the flag '-O' to the scp command)\n"
            f"or, for http(s):\n{curl}"
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the facts of pushes. `url` gives the address of a change's page."""

    db: Database
    repositories: Repositories
    rules: Rulebook
    policies: Policies
    site: Site
    url: Callable[[Change], str]
    max_changes: int
    labels: push_rows.Labels = push_rows.rules_in

    def rights(self, push: Push, ref: str) -> Rights:
        """What the pusher may do to a branch."""
        labels = self.db.read_now(self.labels, push.project)
        found = push_rights.for_review(push.actor, push.project, ref, self.rules, labels)
        return replace(
            found,
            email=push.account.email,
            site=self.site.url,
            hook=self.site.hook(push.account.username),
            ssh=self.site.ssh is not None,
            max_commits=self._most(push),
            policy=self.policies.of(push.project),
        )

    def unsigned(self, project: str, account: Account) -> Reason | None:
        """What tells somebody that he has to agree to something first; None: it is on file, or nothing is asked for."""
        wanted = self.policies.of(project).agreements
        if not wanted or on_file(wanted, self.db.read_now(groups_of, account)):
            return None
        who = f"{account.name} <{account.email}>" if account.name else account.email
        return reason("review.agreement-missing", who=who, id=account.id)

    @property
    def agreeing(self) -> Reason:
        """Where somebody agrees."""
        return reason("review.push-agreement", url=f"{self.site.url}/settings/agreements")

    def _most(self, push: Push) -> int:
        """How many changes one push may make."""
        return limit_of(push.actor, "batchChangesLimit", self.rules, self.max_changes)

    def target(self, project: str, branch: str) -> str | None:
        """The tip of the branch that a push for review is for."""
        return self.repositories.resolve(project, branch_ref(branch))

    def known(self, push: Push, branch: str, commits: Sequence[CommitFacts]) -> Known:
        """What the rows say of commits that are pushed for review."""
        names = [name for name, _ in push_plan.names(commits).values()]
        names += [push_given.alike(commit) for commit in commits]
        by_id = self.db.read_now(push_rows.known_by_id, push.project, branch, names)
        by_commit = self.db.read_now(push_rows.known_by_commit, push.project, [commit.id for commit in commits])
        hidden = self._hidden(push, [row.change for rows in (*by_id.values(), *by_commit.values()) for row in rows])
        seen = {commit: [one for one in rows if one.change.number not in hidden] for commit, rows in by_commit.items()}
        return Known(
            {name: [self._existing(push.project, one) for one in found] for name, found in by_id.items()},
            {commit: [self._existing(push.project, one) for one in found] for commit, found in seen.items()},
            self.foreign(push, commits),
            self._banned(push.project),
            hidden,
        )

    def _hidden(self, push: Push, found: Sequence[Change]) -> frozenset[int]:
        """The changes that the pusher may not know of. Who may not read the branch is refused before."""
        if may(push.actor, Verb.VIEW_PRIVATE, Target(), self.rules):
            return frozenset()
        return self.db.read_now(conversation.hidden_from, found, push.account.id)

    def brings_hidden(self, push: Push, incoming: Incoming, tip: str) -> bool:
        """Whether a push would make readable what only changes contain that the pusher may not see.

        Whoever knows the id of their commit could otherwise push something upon it, and fetch that.
        """
        tips = tuple(self.repositories.branches(push.project).values())
        commit = incoming.commit_of(tip)
        found = incoming.log(commit, without=tips, limit=push_direct.MOST_COMMITS) if commit else ()
        rows = self.db.read_now(push_rows.known_by_commit, push.project, [one.id for one in found])
        hidden = self._hidden(push, [row.change for several in rows.values() for row in several]) if rows else ()
        return any(all(row.change.number in hidden for row in several) for several in rows.values())

    def past_review(self, push: Push, commits: Sequence[CommitFacts]) -> Known:
        """What must be known of commits that go past review."""
        return Known({}, {}, self.foreign(push, commits), self._banned(push.project))

    def _existing(self, project: str, row: push_rows.Row) -> Existing:
        current = facts(self.repositories.commit(project, row.current))
        return Existing(row.change, current, self.url(row.change), row.commits)

    def foreign(self, push: Push, commits: Sequence[CommitFacts]) -> frozenset[str]:
        """The addresses of authors and committers that belong to somebody else."""
        used = {email.lower() for commit in commits for email in (commit.committer_email, commit.author_email)}
        owners = {email: self.db.read_now(email_in, email) for email in used - {push.account.email.lower()}}
        return frozenset(email for email, owner in owners.items() if owner is not None and owner.id != push.account.id)

    def _banned(self, project: str) -> frozenset[str]:
        """The commits that were banned, as notes name them."""
        notes = self.repositories.resolve(project, BANNED)
        if notes is None:
            return frozenset()
        return frozenset(path.replace("/", "") for path, _ in self.repositories.list_files(project, notes))

    # -- git ----------------------------------------------------------------------------------------------

    def new_commits(self, push: Push, incoming: Incoming, wanted: ForReview) -> tuple[CommitFacts, ...] | Refusal:
        """The commits that a push for review brings, oldest first, if they belong to the branch."""
        target, tip, options = self.target(push.project, wanted.branch), wanted.command.new, wanted.options
        if options.merged:
            if target is None:
                return Refusal(f"{branch_ref(wanted.branch)} not found")
            if not incoming.is_ancestor(tip, target):
                return Refusal("not merged into branch", reason("review.push-not-merged", branch=wanted.branch))
            return (facts(self.repositories.commit(push.project, tip)),)
        without = [target] if target else []
        if options.base:
            for base in options.base:
                if not incoming.is_commit(base):
                    return Refusal("base must be a commit" if incoming.exists(base) else "base not found")
            without += options.base
        else:
            without += self.repositories.branches(push.project).values()
        if target is not None and not incoming.is_related(tip, target):
            return Refusal("no common ancestry", reason("review.push-unrelated"))
        found = incoming.log(tip, without=tuple(without), limit=self._most(push) + 1)
        commits = tuple(facts(info) for info in reversed(found))
        policy = self.policies.of(push.project)
        if target is not None and not policy.implicit_merges and commits and len(commits[-1].parents) == 1:
            return self._implicit(incoming, commits, target) or commits
        return commits

    def _implicit(self, incoming: Incoming, commits: Sequence[CommitFacts], target: str) -> Refusal | None:
        """Whether commits that grow on another branch would bring it along."""
        new = {commit.id for commit in commits}
        outside = {parent for commit in commits for parent in commit.parents} - new
        if not outside or any(incoming.is_ancestor(parent, target) for parent in outside):
            return None
        brought = [
            one for parent in sorted(outside)
            for one in incoming.log(parent, without=(target,), limit=_IMPLICIT_AT_MOST)
        ]  # fmt: skip
        lines = tuple(f"ERROR: Implicit Merge of {one.id[:7]} {one.subject}" for one in brought[:_IMPLICIT_AT_MOST])
        return Refusal("implicit merges detected", reason("review.push-implicit-merge"), lines=lines)

    def direct(self, push: Push, incoming: Incoming, command: Command, *, skip: bool) -> push_direct.Facts:
        """About one reference that shall move past review."""
        deletes, heads = command.what == "delete", not command.ref.startswith("refs/tags/")
        thing = Thing.COMMIT if deletes else _THINGS[incoming.kind(command.new)]
        ordinary = command.what == "update" and thing is Thing.COMMIT and heads
        commits: tuple[CommitFacts, ...] = ()
        if thing is Thing.COMMIT and not deletes and not skip:
            tips = tuple(self.repositories.branches(push.project).values())
            without = (*tips, command.old) if command.what == "update" else tips
            found = incoming.log(command.new, without=without, limit=push_direct.MOST_COMMITS + 1)
            commits = tuple(facts(info) for info in found)
        rights = (push.actor, push.project, command.ref)
        return push_direct.Facts(
            thing=thing,
            allowed=push_rights.directly(*rights, command.what, self.rules, tag=_TAG_VERBS.get(thing)),
            forced=command.what == "update" and not (ordinary and _forward(incoming, command)),
            may_force=push_rights.directly(*rights, "force", self.rules),
            default=self.repositories.default_branch(push.project),
            skip=skip,
            may_skip=push_rights.skips_validation(*rights, self.rules),
            commits=commits,
        )


def _forward(incoming: Incoming, command: Command) -> bool:
    """Whether a branch only gains commits. What a client says that it was may be anything."""
    return incoming.is_commit(command.old) and incoming.is_ancestor(command.old, command.new)


_THINGS = {
    "commit": Thing.COMMIT, "tag": Thing.TAG, "signed tag": Thing.SIGNED_TAG, "other": Thing.OTHER, "": Thing.MISSING
}  # fmt: skip
_TAG_VERBS = {Thing.TAG: Verb.CREATE_TAG, Thing.SIGNED_TAG: Verb.CREATE_SIGNED_TAG}


def facts(info: CommitInfo) -> CommitFacts:
    """A commit as the deciders see it."""
    author = info.author
    return CommitFacts(
        info.id, info.tree, info.parents, info.subject, info.message, author.name, author.email, info.committer.email,
        f"{author.time} {author.offset}", info.committer.name,
    )  # fmt: skip

# SPDX-License-Identifier: Apache-2.0
"""What submit requirements may ask of changes beside their votes, read for many changes at once.

Reviewers and threads are read only when some rule speaks of them; what files a patch set touches is asked of git, and
only by the atom that wants to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..db import Session
from ..identity import Account
from . import conversation
from .config.model import ConfigFile
from .labels.model import About, Content, NoContent
from .model import Change, InlineComment, PatchSet, ReviewerState, Vote
from .ports import Contents
from .rules import Rules


@dataclass(frozen=True, slots=True)
class NoContents:
    """A site without repositories."""

    def of(self, project: str, commit: str) -> Content:
        """Nothing."""
        return NoContent()

    def within(self, project: str, commit: str, branch: str) -> bool:
        """Nobody can tell."""
        return True


@dataclass(frozen=True, slots=True)
class NoConfigs:
    """A site where no project says anything of its own."""

    def files(self, project: str) -> tuple[ConfigFile, ...]:
        """None."""
        return ()

    @property
    def generation(self) -> tuple[int, int]:
        """Nothing ever moves."""
        return 0, 0


@dataclass(frozen=True, slots=True)
class Case:
    """What was read of a change that is to be judged; `votes` are those on its current patch set."""

    change: Change
    current: PatchSet
    votes: tuple[Vote, ...]
    rules: Rules


def about(
    session: Session, cases: Sequence[Case], people: Mapping[int, Account], contents: Contents
) -> dict[int, About]:
    """What rules may ask of each change."""
    asked = {case.change.number: " ".join(_texts(case.rules)) for case in cases}
    of_reviewers = [number for number, text in asked.items() if "human_reviewers" in text]
    of_threads = [number for number, text in asked.items() if "unresolved" in text]
    reviewers = conversation.reviewers_of(session, of_reviewers) if of_reviewers else {}
    threads = conversation.comments_of(session, of_threads) if of_threads else {}
    emails = {id: account.email for id, account in people.items()}
    groups = {id: account.groups for id, account in people.items()}
    found: dict[int, About] = {}
    for case in cases:
        change, current = case.change, case.current
        asked_of = reviewers.get(change.number, ())
        found[change.number] = About(
            project=change.project,
            branch=change.branch,
            topic=change.topic,
            hashtags=change.hashtags,
            subject=current.subject,
            message=current.message,
            author=current.author.email,
            committer=current.committer.email,
            is_merge=len(current.parents) > 1,
            unresolved=bool(unresolved(threads.get(change.number, ()))),
            reviewers=tuple(one.account for one in asked_of if one.state is ReviewerState.REVIEWER),
            emails=emails,
            groups=groups,
            content=contents.of(change.project, current.commit),
        )
    return found


def reviewers_asked(rules: Rules) -> bool:
    """Whether some rule asks who the reviewers are."""
    return any("human_reviewers" in text for text in _texts(rules))


def unresolved(comments: Sequence[InlineComment]) -> int:
    """How many threads end in a comment that is not resolved."""
    answered = {comment.in_reply_to for comment in comments if comment.in_reply_to}
    return sum(comment.unresolved for comment in comments if comment.id not in answered)


def _texts(rules: Rules) -> tuple[str, ...]:
    return tuple(f"{one.applicable_if} {one.submittable_if} {one.override_if}" for one in rules.requirements)

# SPDX-License-Identifier: Apache-2.0
"""One change with all that is shown of it, as one value.

Pure. `reading.py` makes it in one transaction; pages and `gerrit_json.py` show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .attention.model import Attention
from .model import Change, InlineComment, Message, PatchSet, Project, Reviewer, ReviewerUpdate, Vote
from .rules import Rules
from .verdict import Verdict


class Known(Protocol):
    """What is shown of an account."""

    @property
    def id(self) -> int: ...
    @property
    def username(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def display_name(self) -> str: ...
    @property
    def status(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ChangeView:
    """`votes` are those on the current patch set, `permitted` the votes that the asker may cast."""

    change: Change
    patch_sets: tuple[PatchSet, ...]
    votes: tuple[Vote, ...]
    messages: tuple[Message, ...]
    comments: tuple[InlineComment, ...]
    reviewers: tuple[Reviewer, ...]
    verdict: Verdict
    rules: Rules
    project: Project
    people: Mapping[int, Known]
    permitted: Mapping[str, tuple[int, ...]]
    attention: tuple[Attention, ...] = ()
    starred: bool = False
    updates: tuple[ReviewerUpdate, ...] = ()

    @property
    def current(self) -> PatchSet:
        """The newest patch set."""
        return self.patch_sets[-1]

    @property
    def commits(self) -> Mapping[int, str]:
        """The commit of each patch set."""
        return {one.number: one.commit for one in self.patch_sets}

    @property
    def named(self) -> set[int]:
        """The accounts that have to do with the change."""
        found = {self.change.owner, *(vote.account for vote in self.votes), *(one.account for one in self.comments)}
        found |= {one.account for one in self.attention}
        found |= {id for one in self.updates for id in (one.account, one.by)}
        found |= {one.account for one in self.reviewers} | {one.uploader for one in self.patch_sets}
        found |= {one.account for one in self.messages if one.account is not None}
        return found | ({self.change.submitter} if self.change.submitter is not None else set())

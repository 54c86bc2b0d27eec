# SPDX-License-Identifier: Apache-2.0
"""Facts as Gerrit would tell them: the names and fields that Zuul's filters look at.

Pure. What only an account number says here (a username, an address) is filled in by whoever asks the accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..events import (
    BranchMoved,
    ChangeAbandoned,
    ChangeDeleted,
    ChangeMerged,
    ChangeRestored,
    CommentAdded,
    Event,
    HashtagsChanged,
    PatchSetCreated,
    ReviewerAdded,
    TagMoved,
    TopicChanged,
    VoteCast,
    WorkInProgressChanged,
)
from .naming import full_ref
from .triggers import Happening

TOLD: tuple[type[Event], ...] = (
    PatchSetCreated,
    CommentAdded,
    VoteCast,
    ChangeAbandoned,
    ChangeRestored,
    ChangeDeleted,
    ChangeMerged,
    BranchMoved,
    TagMoved,
    WorkInProgressChanged,
    TopicChanged,
    HashtagsChanged,
    ReviewerAdded,
)
"""What happens to changes, branches and tags."""

Votes = tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Cast:
    """The votes that wait for the comment they were posted with: a fact each, just before it."""

    waiting: dict[tuple[int, int], dict[str, int]] = field(default_factory=dict[tuple[int, int], dict[str, int]])

    def of(self, entries: Iterable[tuple[int, Event]]) -> tuple[Mapping[int, Votes], frozenset[int]]:
        """What each comment changed, by its entry; the entries of votes that were deleted, for which there is none."""
        changed: dict[int, Votes] = {}
        deleted: dict[tuple[int, int], list[int]] = {}
        for id, event in entries:
            match event:
                case VoteCast():
                    key = event.change, event.account
                    self.waiting.setdefault(key, {})[event.label] = event.value
                    if event.value == 0:
                        deleted.setdefault(key, []).append(id)
                case CommentAdded():
                    key = event.change, event.account
                    changed[id] = tuple(self.waiting.pop(key, {}).items())
                    deleted.pop(key, None)
                case _:
                    pass
        for key in deleted:
            self.waiting.pop(key, None)
        return changed, frozenset(id for ids in deleted.values() for id in ids)


def happenings(event: Event, *, changed: Votes = (), deleted: bool = False) -> Iterator[tuple[Happening, int | None]]:
    """What an event is called outside, and the account that did it; a vote is told by its comment, or when deleted."""
    match event:
        case PatchSetCreated():
            told = Happening("patchset-created", event.project, event.branch, event.change, event.patch_set)
            yield told, event.uploader
        case CommentAdded():
            told = Happening("comment-added", "", "", event.change, event.patch_set, comment=event.text,
                             approvals=event.votes, changed=changed)  # fmt: skip
            yield told, event.account
        case VoteCast() if deleted:
            votes = ((event.label, event.old),)
            yield Happening("vote-deleted", "", "", event.change, event.patch_set, approvals=votes), event.account
        case ChangeAbandoned():
            yield Happening("change-abandoned", "", "", event.change, comment=event.text), event.account
        case ChangeRestored():
            yield Happening("change-restored", "", "", event.change, comment=event.text), event.account
        case ChangeMerged():
            told = Happening("change-merged", event.project, event.branch, event.change, event.patch_set)
            yield told, event.account
        case WorkInProgressChanged():
            yield Happening("wip-state-changed", "", "", event.change), event.account
        case TopicChanged():
            yield Happening("topic-changed", "", "", event.change), event.account
        case HashtagsChanged():
            told = Happening("hashtags-changed", "", "", event.change, added=event.added, removed=event.removed)
            yield told, event.account
        case ReviewerAdded():
            yield Happening("reviewer-added", "", "", event.change), event.account
        case BranchMoved():
            told = Happening("ref-updated", event.project, event.branch, ref=full_ref(event.branch),
                             old=event.old, new=event.new)  # fmt: skip
            yield told, event.account
        case TagMoved():
            told = Happening("ref-updated", event.project, "", ref=f"refs/tags/{event.tag}",
                             old=event.old, new=event.new)  # fmt: skip
            yield told, event.account
        case _:
            pass

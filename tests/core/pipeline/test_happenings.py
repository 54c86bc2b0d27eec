# SPDX-License-Identifier: Apache-2.0
"""What facts are called in the language of Zuul's triggers."""

from __future__ import annotations

import pytest

from gatebot.events import (
    BranchMoved,
    ChangeAbandoned,
    ChangeMerged,
    ChangeRestored,
    CommentAdded,
    Event,
    HashtagsChanged,
    LineSaid,
    PatchSetCreated,
    ReviewerAdded,
    TagMoved,
    TopicChanged,
    VoteCast,
    WorkInProgressChanged,
)
from gatebot.pipeline.happenings import Cast, happenings


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (PatchSetCreated(1, 1, "api", "main", "c", 7), "patchset-created"),
        (CommentAdded(1, 1, 7, 1, "recheck"), "comment-added"),
        (ChangeAbandoned(1, 7), "change-abandoned"),
        (ChangeRestored(1, 7), "change-restored"),
        (ChangeMerged(1, 1, "api", "main", "c", 7), "change-merged"),
        (WorkInProgressChanged(1, True, 7), "wip-state-changed"),
        (TopicChanged(1, "new", "", 7), "topic-changed"),
        (HashtagsChanged(1, ("a",), ("b",), 7), "hashtags-changed"),
        (ReviewerAdded(1, 7, 8), "reviewer-added"),
        (BranchMoved("api", "main", "a", "b", "push", 7), "ref-updated"),
        (TagMoved("api", "1.0", "a", "b", 7), "ref-updated"),
    ],
)
def test_each_fact_has_gerrits_name_and_the_account_that_gerrit_names(event: Event, name: str) -> None:
    ((told, account),) = happenings(event)
    assert (told.name, account) == (name, 7)


def test_what_is_not_about_changes_or_branches_is_called_nothing() -> None:
    assert list(happenings(LineSaid("#dev", 1, "ann", "hello"))) == []
    assert list(happenings(VoteCast(1, 1, "Verified", 1, 7))) == []


def test_hashtags_branches_and_tags_are_told_with_what_changed() -> None:
    ((told, _),) = happenings(HashtagsChanged(1, ("a",), ("b",), 7))
    assert (told.added, told.removed) == (("a",), ("b",))
    ((told, _),) = happenings(BranchMoved("api", "main", "a", "b", "push"))
    assert (told.ref, told.old, told.new, told.change) == ("refs/heads/main", "a", "b", None)
    ((told, _),) = happenings(TagMoved("api", "1.0", "a", "b"))
    assert (told.ref, told.branch, told.old, told.new, told.change) == ("refs/tags/1.0", "", "a", "b", None)


def test_a_comment_knows_which_of_its_votes_differ_from_those_before() -> None:
    cast = Cast()
    changed, deleted = cast.of(
        [
            (1, VoteCast(1, 1, "Code-Review", 2, 7, old=1)),
            (2, CommentAdded(1, 1, 7, 1, "good", votes=(("Code-Review", 2), ("Workflow", 1)))),
            (3, CommentAdded(1, 1, 8, 2, "me too")),
        ]
    )
    assert changed == {2: (("Code-Review", 2),), 3: ()}
    assert deleted == frozenset()


def test_votes_are_kept_for_a_comment_that_comes_with_the_next_batch() -> None:
    cast = Cast()
    cast.of([(1, VoteCast(1, 1, "Workflow", 1, 7))])
    changed, _ = cast.of([(2, CommentAdded(1, 1, 7, 1, "go", votes=(("Workflow", 1),)))])
    assert changed == {2: (("Workflow", 1),)}


def test_a_vote_that_goes_without_a_comment_was_deleted_and_one_with_it_was_not() -> None:
    gone, zero = VoteCast(1, 1, "Workflow", 0, 7, old=1), VoteCast(2, 1, "Workflow", 0, 7, old=1)
    _, deleted = Cast().of([(1, gone), (2, zero), (3, CommentAdded(2, 1, 7, 1, "wait", votes=(("Workflow", 0),)))])
    assert deleted == {1}
    ((told, _),) = happenings(gone, deleted=True)
    assert (told.name, told.approvals) == ("vote-deleted", (("Workflow", 1),))

# SPDX-License-Identifier: Apache-2.0
"""The review that the reply form of a page sends."""

from __future__ import annotations

from gatebot.review.attention.model import NOBODY
from gatebot.review.model import ReviewerState
from gatebot.review.replying import names_in, review_of, with_people


def test_only_votes_that_change_something_are_cast() -> None:
    form = {"message": " Good. ", "label-Code-Review": "2", "label-Workflow": "0", "label-Verified": "many"}
    draft = review_of(form, {"Workflow": 0})
    assert (draft.message, draft.votes, draft.publish) == ("Good.", (("Code-Review", 2),), "KEEP")
    assert review_of({"label-Code-Review": "0"}, {"Code-Review": 2}).votes == (("Code-Review", 0),)


def test_a_menu_that_was_left_alone_takes_no_vote_back_that_was_given_elsewhere_meanwhile() -> None:
    form = {"label-Code-Review": "0", "was-Code-Review": "0"}
    assert review_of(form, {"Code-Review": 2}).votes == ()
    assert review_of({**form, "was-Code-Review": "2"}, {"Code-Review": 2}).votes == (("Code-Review", 0),)


def test_drafts_of_all_patch_sets_are_published_when_the_box_is_ticked() -> None:
    assert review_of({"publish": "1"}, {}).publish == "PUBLISH_ALL_REVISIONS"


def test_boxes_that_were_not_touched_leave_the_next_turn_to_the_rules() -> None:
    assert review_of({"expected-4": "1", "turn-4": "1"}, {}).turns == NOBODY
    turns = review_of({"expected-4": "1", "turn-5": "1", "turn-x": "1", "turn-": "1"}, {}).turns
    assert ([who for who, _ in turns.add], [who for who, _ in turns.remove]) == ([5], [4])


def test_people_are_named_with_commas_between_them_and_asked_once() -> None:
    assert names_in(" ann, bob;Service Users,, ann") == ("ann", "bob", "Service Users")
    draft = with_people(review_of({}, {}), [1, 2, 1], [2, 3])
    assert draft.reviewers == ((1, ReviewerState.REVIEWER), (2, ReviewerState.REVIEWER), (3, ReviewerState.CC))

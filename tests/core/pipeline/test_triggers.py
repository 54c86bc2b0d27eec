# SPDX-License-Identifier: Apache-2.0
"""Which events start a pipeline, which changes may enter it, what a commit message depends on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatebot.change import ChangeFacts, VoteFact
from gatebot.depends import depends_on
from gatebot.pipeline.config.model import (
    Approval,
    ChangeFilter,
    EventFilter,
    Location,
    Manager,
    Moment,
    Pattern,
    PipelineConfig,
    Reporter,
)
from gatebot.pipeline.triggers import Happening, own_labels, turn, unmet, wakes
from gatebot.reasons import reason

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
COMMENT = Happening("comment-added", "api", "main", 1, 1, "refs/heads/main", comment="Patch Set 1:\n\nrecheck please")
VOTE = replace(COMMENT, comment="Patch Set 1: Workflow+1", approvals=(("Workflow", 1),), username="bob")
PUSH = Happening("patchset-created", "api", "main", 1, 1, "refs/heads/main")
TAG = Happening("ref-updated", "api", "", ref="refs/tags/1.0", old="0" * 40, new="a" * 40)


def vote(label: str, value: int, username: str = "bob", age: int = 60) -> VoteFact:
    return VoteFact(label, value, 1, username, f"{username}@example.org", NOW - timedelta(seconds=age))


def change(*votes: VoteFact, **differs: object) -> ChangeFacts:
    facts = ChangeFacts(
        1, 1, 1, "I1", "api", "main", "c", ("p",), "s", "s\n", 1, "ann", 1, "NEW", "https://x/1", votes=votes
    )
    return replace(facts, **differs)


def pipeline(*filters: EventFilter, **differs: object) -> PipelineConfig:
    made = PipelineConfig("gate", Manager.DEPENDENT, Location("config", "main", "zuul.yaml"), triggers=filters)
    return replace(made, **differs)


def on(*events: str, **differs: object) -> EventFilter:
    return EventFilter("gatebot", tuple(Pattern(event) for event in events), **differs)


@pytest.mark.parametrize(
    ("filter_", "happening", "woken"),
    [
        (on("patchset-created"), PUSH, True),
        (on("patchset-created"), COMMENT, False),
        (on("comment-added", comments=(Pattern(r"(?im)^recheck"),)), COMMENT, True),
        (on("comment-added", comments=(Pattern(r"(?im)^recheck$"),)), COMMENT, False),
        (on("comment-added", approvals=(("Workflow", 1),)), VOTE, True),
        (on("comment-added", approvals=(("Workflow", 1), ("Code-Review", 2))), VOTE, False),
        (on("comment-added", approvals=(("Workflow", 1),)), COMMENT, False),
        (on("comment-added", usernames=(Pattern("^bob$"),)), VOTE, True),
        (on("comment-added", usernames=(Pattern("^ann$"),)), VOTE, False),
        (on("comment-added", usernames=(Pattern("^bob$"),)), COMMENT, False),
        (on("patchset-created", branches=(Pattern("stable/"),)), PUSH, False),
        (on("patchset-created", branches=(Pattern("main"),)), PUSH, True),
        (on("ref-updated", refs=(Pattern("^refs/heads/"),)), replace(PUSH, name="ref-updated", new="a" * 40), True),
        (on("ref-updated", refs=(Pattern("^refs/tags/.*$"),)), TAG, True),
        (on("ref-updated", refs=(Pattern("^refs/heads/"),)), TAG, False),
        (on("ref-updated", branches=(Pattern(".*"),)), TAG, False),
        (on("ref-updated"), replace(PUSH, name="ref-updated", new="0" * 40), False),
        (on("ref-updated", ignore_deletes=False), replace(PUSH, name="ref-updated", new="0" * 40), True),
    ],
)
def test_a_filter_passes_when_everything_that_it_names_fits(
    filter_: EventFilter, happening: Happening, woken: bool
) -> None:
    assert wakes(pipeline(filter_), happening, change(), NOW) is woken


def test_the_requirement_of_a_filter_is_about_the_change() -> None:
    approved = on("comment-added", require=ChangeFilter("gatebot", approvals=(Approval((("Verified", (1, 2)),)),)))
    assert not wakes(pipeline(approved), COMMENT, change(), NOW)
    assert wakes(pipeline(approved), COMMENT, change(vote("Verified", 1)), NOW)


REVIEWED = Approval((("Code-Review", (2,)),))
BY_GATE = Approval((("Verified", (1, 2)),), username=Pattern("^gatebot$"))


@pytest.mark.parametrize(
    ("require", "facts", "kind"),
    [
        (ChangeFilter("g", open=True), change(), None),
        (ChangeFilter("g", open=True), change(status="MERGED"), "pipeline.needs-open"),
        (ChangeFilter("g", current_patchset=True), change(current=2), "pipeline.needs-current-patch-set"),
        (ChangeFilter("g", wip=False), change(work_in_progress=True), "pipeline.needs-no-wip"),
        (ChangeFilter("g", status=("NEW",)), change(status="ABANDONED"), "pipeline.needs-status"),
        (ChangeFilter("g", approvals=(REVIEWED,)), change(vote("Code-Review", 1)), "pipeline.needs-approval"),
        (ChangeFilter("g", approvals=(REVIEWED,)), change(vote("Code-Review", 2)), None),
        (ChangeFilter("g", approvals=(BY_GATE,)), change(vote("Verified", 1, "eve")), "pipeline.needs-approval"),
        (ChangeFilter("g", approvals=(BY_GATE,)), change(vote("Verified", 1, "gatebot")), None),
        (
            ChangeFilter("g", approvals=(Approval((("Code-Review", (2,)),), newer_than=30),)),
            change(vote("Code-Review", 2)),
            "pipeline.needs-approval",
        ),
        (ChangeFilter("g", hashtags=(Pattern("^ok$"),)), change(hashtags=("ok",)), None),
        (ChangeFilter("g", hashtags=(Pattern("^ok$"),)), change(), "pipeline.needs-hashtag"),
    ],
)
def test_a_change_enters_only_when_it_meets_every_requirement(
    require: ChangeFilter, facts: ChangeFacts, kind: str | None
) -> None:
    why = unmet(pipeline(require=(require,)), facts, NOW)
    assert (why and why.kind) == kind


def test_the_requirement_that_is_missing_is_named_as_people_write_it() -> None:
    why = unmet(pipeline(require=(ChangeFilter("g", approvals=(BY_GATE,)),)), change(), NOW)
    assert why == reason("pipeline.needs-approval", approval="Verified +1/+2 (^gatebot$)")


def test_a_rejected_vote_keeps_a_change_out() -> None:
    reject = ChangeFilter("g", approvals=(Approval((("Code-Review", (-2,)),)),))
    why = unmet(pipeline(reject=(reject,)), change(vote("Code-Review", -2)), NOW)
    assert why == reason("pipeline.rejects-approval", approval="Code-Review -2")
    assert unmet(pipeline(reject=(reject,)), change(vote("Code-Review", -1)), NOW) is None


def test_votes_that_the_gate_casts_itself_do_not_take_a_change_out_again() -> None:
    gate = pipeline(
        require=(ChangeFilter("g", approvals=(BY_GATE, REVIEWED)),),
        reporters={Moment.START: (Reporter("g", votes=(("Verified", 0),)),)},
    )
    assert own_labels(gate) == {"Verified"}
    assert unmet(gate, change(vote("Code-Review", 2)), NOW, own_labels(gate)) is None
    assert unmet(gate, change(), NOW, own_labels(gate)) == reason("pipeline.needs-approval", approval="Code-Review +2")


def test_depends_on_footers_are_found_in_order_each_once_in_any_case() -> None:
    message = (
        "Add a client\n\n"
        "Depends-On: https://review.example.org/c/api/+/12\n"
        "depends-on: <https://review.example.org/13>\n"
        "Depends-On: https://review.example.org/c/api/+/12\n"
        "It depends on nothing else.\n"
    )
    assert depends_on(message) == ("https://review.example.org/c/api/+/12", "https://review.example.org/13")


def test_the_next_look_is_when_the_first_vote_is_of_an_age_that_is_asked_for() -> None:
    old = Approval((("Code-Review", (2,)),), older_than=3600)
    gate = pipeline(require=(ChangeFilter("g", approvals=(old,)),))
    voted = change(vote("Code-Review", 2, age=600), vote("Code-Review", 1, "eve", age=60))
    assert turn(gate, voted, NOW) == NOW + timedelta(seconds=3000)
    assert turn(gate, voted, NOW + timedelta(hours=2)) is None
    assert turn(gate, change(), NOW) is None
    assert turn(pipeline(require=(ChangeFilter("g", approvals=(REVIEWED,)),)), voted, NOW) is None

# SPDX-License-Identifier: Apache-2.0
"""Laws of the verdict, for any votes in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gatebot import words
from gatebot.review.labels.copying import Renewal
from gatebot.review.model import Kind, Status, Vote
from gatebot.review.rules import DEFAULT, LABELS, PRESETS, copied_votes
from gatebot.review.verdict import Outcome, Situation, explain

START = datetime(2026, 1, 5, tzinfo=UTC)
ACCOUNTS = st.integers(1, 5)
PASSES = (Outcome.SATISFIED, Outcome.NOT_APPLICABLE, Outcome.OVERRIDDEN)


@st.composite
def one_vote(draw: st.DrawFn) -> Vote:
    label = draw(st.sampled_from(LABELS))
    value = draw(st.sampled_from([value for value, _ in label.values if value]))
    return Vote(label.name, value, draw(ACCOUNTS), START + timedelta(seconds=draw(st.integers(0, 9))), 1)


situations = st.builds(
    Situation,
    st.sampled_from(Status),
    ACCOUNTS,
    ACCOUNTS,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.lists(st.integers(1, 9), max_size=2, unique=True).map(tuple),
)
cast = st.lists(one_vote(), max_size=8)
rules = st.sampled_from(sorted(PRESETS)).map(PRESETS.__getitem__)


@given(situations, cast, rules, st.sampled_from(LABELS), ACCOUNTS)
def test_a_veto_never_makes_a_change_submittable(situation, votes, rules, label, account) -> None:
    veto = Vote(label.name, label.lowest, account, START, 1)
    if not explain(situation, votes, rules).submittable:
        assert not explain(situation, [*votes, veto], rules).submittable


@given(situations, cast, rules, one_vote())
def test_more_approval_never_takes_away_what_was_reached(situation, votes, rules, more) -> None:
    if more.value > 0 and explain(situation, votes, rules).submittable:
        assert explain(situation, [*votes, more], rules).submittable


@given(situations, cast, rules, st.randoms(use_true_random=False))
def test_the_order_of_votes_does_not_matter(situation, votes, rules, random) -> None:
    shuffled = list(votes)
    random.shuffle(shuffled)
    assert explain(situation, shuffled, rules) == explain(situation, votes, rules)


@given(situations, cast, rules)
def test_whatever_is_missing_says_who_can_help_and_how_in_both_languages(situation, votes, rules) -> None:
    verdict = explain(situation, votes, rules)
    assert verdict.submittable == (not verdict.missing()) == (verdict.why_not() is None)
    for requirement in verdict.requirements:
        for leaf in requirement.leaves():
            passes = leaf.outcome in PASSES
            assert (leaf.who is None, leaf.takes is None) == (passes, passes)
            for reason in (leaf.says, leaf.who, leaf.takes):
                if reason is not None:
                    assert reason.kind in words.catalogue("en")
                    assert words.say(reason, "ko") != words.say(reason, "en") or reason.kind == "review.who-account"


@given(situations, cast, rules)
def test_a_node_is_as_bad_as_its_worst_part(situation, votes, rules) -> None:
    for requirement in explain(situation, votes, rules).requirements:
        if requirement.parts:
            blocked = any(part.outcome is Outcome.BLOCKED for part in requirement.parts)
            assert (requirement.outcome is Outcome.BLOCKED) == blocked
            assert (requirement.outcome in PASSES) == all(part.outcome in PASSES for part in requirement.parts)


@given(cast, st.sampled_from(Kind))
def test_copying_votes_twice_is_copying_them_once(votes, kind) -> None:
    once = copied_votes(votes, Renewal(kind), 2, DEFAULT)
    assert copied_votes(once, Renewal(kind), 2, DEFAULT) == once
    assert all(
        (vote.label, vote.value, vote.account) in {(v.label, v.value, v.account) for v in votes} for vote in once
    )

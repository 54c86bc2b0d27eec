# SPDX-License-Identifier: Apache-2.0
"""Laws of submit requirements: for any expression, any votes, any text that somebody may write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gatebot.review.labels import copying, expression, requirements
from gatebot.review.labels.copying import Renewal
from gatebot.review.labels.model import Facts, Label, SubmitRequirement
from gatebot.review.model import Kind, Status, Vote
from gatebot.review.rules import LABELS, Rules
from gatebot.review.verdict import Situation, explain

START = datetime(2026, 1, 5, tzinfo=UTC)
ATOMS = (
    "is:true", "is:false", "label:Code-Review=MAX", "label:Code-Review=MIN", "label:Workflow>=1",
    "label:Code-Review=MAX,user=non_uploader", "label:Code-Review>=1,count>1", "label:Verified=MAX",
    "distinctvoters:[Code-Review,Workflow],count>1", "label:Nope=MAX", "is:wip", "topic:x",
)  # fmt: skip
expressions = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        inner.map(lambda one: f"-({one})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda them: f"({' AND '.join(them)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda them: f"({' OR '.join(them)})"),
    ),
    max_leaves=6,
)


@st.composite
def one_vote(draw: st.DrawFn) -> Vote:
    label = draw(st.sampled_from(LABELS))
    value = draw(st.sampled_from([value for value, _ in label.values if value]))
    return Vote(label.name, value, draw(st.integers(1, 4)), START + timedelta(seconds=draw(st.integers(0, 9))), 1)


cast = st.lists(one_vote(), max_size=6).map(tuple)


def facts(votes: tuple[Vote, ...]) -> Facts:
    return Facts(1, 1, votes, {label.name.lower(): label for label in LABELS})


@given(expressions, cast)
def test_not_turns_an_expression_round_and_or_is_and_turned_round(text: str, votes: tuple[Vote, ...]) -> None:
    about = facts(votes)
    plain = requirements.evaluation(text, about)
    assert not plain.error
    assert requirements.evaluation(f"NOT ({text})", about).fulfilled is not plain.fulfilled
    for other in ("is:true", "label:Workflow=MAX"):
        both = requirements.evaluation(f"({text}) AND {other}", about).fulfilled
        assert both is not requirements.evaluation(f"-({text}) OR -{other}", about).fulfilled


@given(expressions, cast)
def test_every_atom_is_told_once_as_holding_or_not(text: str, votes: tuple[Vote, ...]) -> None:
    found = requirements.evaluation(text, facts(votes))
    atoms = {atom.text for atom in expression.atoms(expression.parse(text))}
    assert {*found.passing, *found.failing} == atoms
    assert not {*found.passing} & {*found.failing}


@given(expressions, st.sampled_from(["", "is:wip", "is:true"]), st.sampled_from(["", "label:Workflow=MAX"]), cast)
def test_what_people_are_told_passes_exactly_when_the_requirement_does(
    text: str, applicable: str, override: str, votes: tuple[Vote, ...]
) -> None:
    wanted = SubmitRequirement("Rule", text, applicable, override)
    verdict = explain(Situation(Status.NEW, 1, 1, gated=False), votes, Rules("default", LABELS, (wanted,)))
    (result,) = verdict.results
    told = verdict.requirements[-1]
    assert told.outcome.passes == (result.state.value in ("SATISFIED", "OVERRIDDEN", "NOT_APPLICABLE"))
    assert all((leaf.who is None) == leaf.outcome.passes == (leaf.takes is None) for leaf in told.leaves())


@given(st.text(max_size=60) | st.text(alphabet="is:truelabel=<>+-,()'\"{}AND OR", max_size=60))
def test_whatever_somebody_writes_is_read_or_refused_with_a_reason(text: str) -> None:
    found = requirements.evaluation(text, facts(()))
    assert bool(found.error) == (found.status == "ERROR")
    assert isinstance(copying.problem(text), str)
    assert bool(requirements.problem(text)) == bool(found.error)


@given(st.sampled_from(Kind), st.sampled_from([-2, -1, 1, 2]), st.sampled_from([f"changekind:{k.value}" for k in Kind]))
def test_no_change_copies_whatever_any_other_kind_would(kind: Kind, value: int, condition: str) -> None:
    label = Label("Code-Review", LABELS[0].values, condition)
    if copying.is_copied(label, value, 1, Renewal(kind, 1, is_merge=True)) and condition != "changekind:REWORK":
        assert copying.is_copied(label, value, 1, Renewal(Kind.NO_CHANGE, 1, is_merge=True))

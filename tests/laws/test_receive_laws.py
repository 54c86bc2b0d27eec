# SPDX-License-Identifier: Apache-2.0
"""Laws of receiving: every commit is accounted for once, plans are stable, streams are never damaged."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gatebot.review import change_id
from gatebot.review.model import ZERO, Change, Status
from gatebot.review.push_options import BadOption, Options, parse
from gatebot.review.push_plan import names, plan
from gatebot.review.push_policy import Policy
from gatebot.review.receive import Command, CommitFacts, Existing, ForReview, Known, Plan, Refused, Rights
from gatebot.review.report_text import ReportText

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PUSH = ForReview(Command(ZERO, "f" * 40, "refs/for/main"), "main", Options())


def commit(number: int, change: int | None, tree: int) -> CommitFacts:
    footer = f"\n\nChange-Id: I{change:040x}\n" if change is not None else "\n"
    parent = f"{number - 1:040x}"
    return CommitFacts(f"{number:040x}", str(tree), (parent,), "S", f"S{footer}", "M", "m@x", "m@x")


commits = st.lists(st.tuples(st.one_of(st.none(), st.integers(1, 6)), st.integers(0, 2)), max_size=6).map(
    lambda drawn: [commit(number + 1, change, tree) for number, (change, tree) in enumerate(drawn)]
)
changes = st.dictionaries(st.integers(1, 6), st.tuples(st.sampled_from(Status), st.integers(1, 20)), max_size=4)


def known(pushed: list[CommitFacts], drawn: dict[int, tuple[Status, int]]) -> Known:
    """Changes whose current patch set is one of the pushed commits, or some other."""
    by_id: dict[str, list[Existing]] = {}
    by_commit: dict[str, list[Existing]] = {}
    for change, (status, at) in drawn.items():
        current = pushed[at - 1] if at <= len(pushed) else commit(1000 + at, change, 0)
        row = Change(change, "p", "main", f"I{change:040x}", "S", status, 1, 1, NOW, NOW)
        found = Existing(row, current, f"http://x/{change}")
        by_id[row.change_id] = [found]
        by_commit[current.id] = [found]
    return Known(by_id, by_commit)


@given(pushed=commits, drawn=changes, strict=st.booleans())
def test_a_plan_takes_each_new_commit_once_in_order_or_refuses_all(
    pushed: list[CommitFacts], drawn: dict[int, tuple[Status, int]], strict: bool
) -> None:
    rows = known(pushed, drawn)
    answer = plan(PUSH, pushed, rows, Rights(policy=Policy(strict_change_id=strict)))
    if isinstance(answer, Refused):
        assert answer.refusals
        assert all(refusal.text for refusal in answer.refusals)
        return
    taken = [step.commit.id for step in answer.steps]
    here = [one.id for one in pushed if one.id in rows.by_commit]
    assert taken == [one.id for one in pushed if one.id not in here]
    assert len({step.change_id for step in answer.steps}) == len(answer.steps)
    for step in answer.steps:
        read = change_id.read(step.commit.message)
        assert read == step.change_id or (step.given and not strict and read == change_id.Flaw(change_id.MISSING))
        assert step.existing is None or step.existing.change.is_open


@given(pushed=commits, drawn=changes)
def test_what_was_planned_is_not_planned_again(pushed: list[CommitFacts], drawn: dict[int, tuple[Status, int]]) -> None:
    """Once the plan's patch sets are current, the same push has nothing left to do."""
    rows = known(pushed, drawn)
    answer = plan(PUSH, pushed, rows, Rights())
    if not isinstance(answer, Plan):
        return
    by_commit = dict(rows.by_commit)
    for number, step in enumerate(answer.steps):
        change = step.existing.change if step.existing else None
        row = change or Change(100 + number, "p", "main", step.change_id, "S", Status.NEW, 1, 1, NOW, NOW)
        by_commit[step.commit.id] = [Existing(row, step.commit, "http://x")]
    again = plan(PUSH, pushed, Known(rows.by_change_id, by_commit), Rights())
    assert isinstance(again, Refused)
    assert again.refusals[0].text == "no new changes"


@given(pushed=commits)
def test_every_commit_with_a_name_has_its_own(pushed: list[CommitFacts]) -> None:
    found = names(pushed)
    given = [name for name, made in found.values() if made]
    assert len(set(given)) == len(given)
    assert all(change_id.is_valid(name) for name in given)


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=3))
def test_options_are_understood_or_refused_with_a_sentence(suffix: str, pushed: list[str]) -> None:
    said = ""
    try:
        found = parse(suffix, pushed)
    except BadOption as error:
        found, said = None, str(error)
    assert (found is None) == bool(said)


@given(st.text(max_size=200))
def test_a_message_has_a_change_id_or_a_flaw(message: str) -> None:
    found = change_id.read(message)
    assert isinstance(found, change_id.Flaw) or f"{found}" in message


@given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=20))
def test_a_stream_passes_whole_however_it_is_cut(stream: bytes, cuts: list[int]) -> None:
    text = ReportText()
    out, rest = b"", stream
    for cut in cuts:
        out += text.feed(rest[:cut])
        rest = rest[cut:]
    assert out + text.feed(rest) + text.end() == stream

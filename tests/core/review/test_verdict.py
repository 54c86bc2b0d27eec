# SPDX-License-Identifier: Apache-2.0
"""What keeps a change from being merged, who can help, and the sentences that say it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatebot import words
from gatebot.review import sentences
from gatebot.review.labels.copying import Renewal
from gatebot.review.labels.model import About
from gatebot.review.model import Kind, Status, Vote
from gatebot.review.rules import DEFAULT, TEAM_OF_ONE, Rules, copied_votes
from gatebot.review.verdict import Outcome, Situation, Verdict, explain

ANN, BOB, EVE, GATE = 1, 2, 3, 4
NAMES = {ANN: "ann", BOB: "bob", EVE: "eve", GATE: "gatebot"}
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def situation(
    status: Status = Status.NEW,
    *,
    gated: bool = True,
    work_in_progress: bool = False,
    private: bool = False,
    waits_for: tuple[int, ...] = (),
) -> Situation:
    return Situation(status, ANN, ANN, gated, work_in_progress, private, waits_for, NAMES)


def votes(*cast: tuple[str, int, int]) -> list[Vote]:
    return [Vote(label, value, who, START + timedelta(minutes=n), 1) for n, (label, value, who) in enumerate(cast)]


def judged(*cast: tuple[str, int, int], rules: Rules = DEFAULT, **about: bool) -> Verdict:
    return explain(situation(**about), votes(*cast), rules)


APPROVED = (("Code-Review", 2, BOB), ("Workflow", 1, BOB))
GATED = (*APPROVED, ("Verified", 2, GATE))


def test_a_change_with_all_votes_is_ready() -> None:
    verdict = judged(*GATED)
    assert verdict.submittable
    assert sentences.text(verdict) == "Ready to be merged."


def test_a_change_that_would_bring_other_commits_along_says_so_beforehand() -> None:
    stray = replace(situation(), stray="0123456789abcdef", about=About(branch="main"))
    verdict = explain(stray, votes(*GATED), DEFAULT)
    assert not verdict.submittable
    said = (
        "Its parent commit 0123456789ab is not in main: unless it is rebased, commits would come along that were not "
        "reviewed for that branch."
    )
    takes = "Whoever may upload patch sets can rebase it onto main and upload it again."
    assert sentences.text(verdict) == f"Not ready to be merged. {said}\n  Parent: {said} {takes}"
    assert sentences.text(verdict, "ko").endswith(
        "할 수 있는 사람: 패치 세트를 올릴 수 있는 사람. 할 일: main 위로 리베이스해서 다시 올리기."
    )


def test_a_new_change_tells_all_that_is_missing_and_who_can_help() -> None:
    assert sentences.text(judged()) == (
        "Not ready to be merged. It needs Code-Review +2. It needs Workflow +1. It needs Verified +2.\n"
        "  Code-Review: It needs Code-Review +2. "
        "Any member of Core except ann, who uploaded the patch set, can vote Code-Review +2.\n"
        "  Workflow: It needs Workflow +1. Any member of Core can vote Workflow +1.\n"
        "  Verified: It needs Verified +2. "
        "The gate can vote Verified after testing it, once its check has passed and all other requirements are met."
    )


def test_the_uploaders_own_approval_does_not_count() -> None:
    verdict = judged(("Code-Review", 2, ANN), *GATED[1:])
    assert sentences.headline(verdict) == (
        "Not ready to be merged. It needs Code-Review +2. "
        "The +2 of ann does not count, because ann uploaded the patch set."
    )


def test_in_a_team_of_one_it_counts_and_says_so() -> None:
    verdict = judged(("Code-Review", 2, ANN), *GATED[1:], rules=TEAM_OF_ONE)
    assert verdict.submittable
    requirement = verdict.find("Code-Review")
    assert requirement is not None
    assert words.say(requirement.says) == (
        "Code-Review +2 by ann. This project is set up for a team of one, so the uploader's own vote counts."
    )


def test_a_veto_blocks_whatever_else_is_said_and_names_its_voter() -> None:
    verdict = judged(*GATED, ("Code-Review", -2, EVE))
    assert not verdict.submittable
    (veto,) = verdict.missing()
    assert veto.outcome is Outcome.BLOCKED
    assert sentences.lines(verdict)[1].text == "Code-Review -2 by eve blocks it."
    assert sentences.lines(verdict)[1].next == "eve can take the Code-Review vote back."


def test_a_veto_outlives_that_its_label_has_other_values_now() -> None:
    narrow = tuple((value, text) for value, text in DEFAULT.labels[0].values if -1 <= value <= 1)
    rules = replace(DEFAULT, labels=(replace(DEFAULT.labels[0], values=narrow), *DEFAULT.labels[1:]))
    assert judged(*GATED, rules=rules).submittable
    assert not judged(*GATED, ("Code-Review", -2, EVE), rules=rules).submittable
    (kept,) = copied_votes([votes(("Code-Review", -2, EVE))[0]], Renewal(Kind.REWORK, ANN), 2, rules)
    assert (kept.value, kept.patch_set) == (-2, 2)


def test_a_dislike_is_no_veto() -> None:
    assert judged(*GATED, ("Code-Review", -1, EVE)).submittable


def test_the_gates_refusal_is_answered_by_a_recheck() -> None:
    line = sentences.lines(judged(*APPROVED, ("Verified", -2, GATE)))[-1]
    assert line.text == "Verified -2 by gatebot blocks it."
    assert line.next == "Anybody who is signed in can upload a patch set that passes, or comment “recheck”."


def test_what_was_checked_enters_the_gate_by_itself_and_what_failed_its_check_does_not() -> None:
    passed = sentences.lines(judged(("Verified", 1, GATE)))[-1]
    assert passed.text == "It needs Verified +2."
    assert passed.next == (
        "The gate can vote Verified after testing it; it starts by itself when all other requirements are met."
    )
    failed = sentences.lines(judged(*APPROVED, ("Verified", -1, GATE)))[-1]
    assert failed.text == "It needs Verified +2. gatebot voted Verified -1."
    assert (passed.failed, failed.failed) == (False, True)
    assert failed.next == "Anybody who is signed in can upload a patch set that passes, or comment “recheck”."


@pytest.mark.parametrize(
    ("cast", "text"),
    [
        ((("Verified", -1, GATE), ("Verified", 1, EVE)), "It needs Verified +2. gatebot voted Verified -1."),
        ((("Verified", 1, EVE),), "It needs Verified +2."),
        ((("Verified", -1, EVE),), "It needs Verified +2."),
    ],
)
def test_what_a_ci_elsewhere_says_is_not_taken_for_the_gates_own_check(
    cast: tuple[tuple[str, int, int], ...], text: str
) -> None:
    about = replace(situation(), gate="gatebot")
    line = sentences.lines(explain(about, votes(*APPROVED, *cast), DEFAULT))[-1]
    assert line.text == text
    assert "starts by itself" not in line.next


def test_where_no_gate_is_nothing_is_asked_of_it() -> None:
    verdict = judged(*APPROVED, gated=False)
    assert verdict.submittable
    assert sentences.lines(verdict)[-1].text == "No gate merges this branch, so Verified is not asked for."


def test_work_in_progress_and_private_wait_for_the_owner() -> None:
    for about, text, what in (
        ("work_in_progress", "The change is marked as work in progress.", "mark it as ready"),
        ("private", "The change is private.", "make it public"),
    ):
        verdict = judged(*GATED, **{about: True})
        line = sentences.lines(verdict)[0]
        assert (line.text, line.next) == (text, f"ann, who owns the change, can {what}.")


def test_a_closed_change_is_not_merged_again() -> None:
    verdict = explain(situation(Status.MERGED), votes(*GATED), DEFAULT)
    assert sentences.headline(verdict) == "Not ready to be merged. The change is merged."
    verdict = explain(situation(Status.ABANDONED), votes(*GATED), DEFAULT)
    assert sentences.lines(verdict)[0].next == "ann, who owns the change, can restore it."


def test_each_dependency_is_told_by_number() -> None:
    verdict = explain(situation(waits_for=(12, 7)), votes(*GATED), DEFAULT)
    assert [line.text for line in sentences.lines(verdict) if line.name == "Dependencies"] == [
        "It depends on change 7, which is not merged.",
        "It depends on change 12, which is not merged.",
    ]


def test_a_gate_does_not_take_what_names_an_unknown_change() -> None:
    address = "https://example.org/99"
    about = Situation(Status.NEW, ANN, ANN, gated=True, names=NAMES, unknown=(address,))
    (line,) = (line for line in sentences.lines(explain(about, votes(*GATED), DEFAULT)) if line.next)
    assert (line.name, line.text) == ("Dependencies", f"Depends-On: {address} is not the address of a change here.")
    assert line.next == (
        "ann, who owns the change, can correct that line of the commit message, or remove it, and push again."
    )
    free = Situation(Status.NEW, ANN, ANN, gated=False, names=NAMES, unknown=(address,))
    assert explain(free, votes(*GATED), DEFAULT).submittable


def test_the_gate_is_not_asked_for_its_own_vote() -> None:
    verdict = judged(*APPROVED)
    assert not verdict.submittable
    assert verdict.without("Verified").why_not() is None


def test_korean_readers_get_korean_sentences() -> None:
    verdict = judged(*GATED, ("Workflow", -1, EVE))
    assert sentences.headline(verdict, "ko") == "아직 병합할 수 없습니다. eve 님의 Workflow -1 때문에 막혀 있습니다."

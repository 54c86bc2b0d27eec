# SPDX-License-Identifier: Apache-2.0
"""The shapes of Gerrit's answers, in the details that its clients trip over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import cast

import pytest

from gatebot import words
from gatebot.errors import Invalid
from gatebot.review.drafts import draft_from, json_from, reviewers_from
from gatebot.review.gerrit_comments import comments_info
from gatebot.review.gerrit_json import Shape, change_info, files_info, read_options
from gatebot.review.gerrit_labels import timestamp
from gatebot.review.model import (
    Change,
    InlineComment,
    Kind,
    PatchSet,
    Person,
    Project,
    ReviewerState,
    Side,
    Status,
    TextRange,
    Vote,
)
from gatebot.review.rules import DEFAULT
from gatebot.review.verdict import Situation, explain
from gatebot.review.whole import ChangeView

NOW = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)


@dataclass(frozen=True)
class Somebody:
    id: int
    username: str
    name: str = "Some Body"
    email: str = "some@example.org"
    active: bool = True
    display_name: str = ""
    status: str = ""


PEOPLE = {1: Somebody(1, "ann"), 2: Somebody(2, "bob")}
AUTHOR = Person("Ann", "ann@example.org", datetime(2026, 1, 5, 18, tzinfo=timezone(timedelta(hours=9))))
CHANGE = Change(12, "demo/api", "main", "I" + "1" * 40, "Say", Status.NEW, 1, 1, NOW, NOW)
PATCH_SET = PatchSet(12, 1, "c" * 40, ("p" * 40,), 1, Kind.REWORK, NOW, "Say", "Say\n", AUTHOR, AUTHOR)


def view(*votes: Vote, change: Change = CHANGE, gated: bool = True) -> ChangeView:
    situation = Situation(change.status, 1, 1, gated)
    verdict = explain(situation, votes, DEFAULT)
    return ChangeView(
        change, (PATCH_SET,), votes, (), (), (), verdict, DEFAULT, Project("demo/api"), PEOPLE, {"Workflow": (-1, 0, 1)}
    )


def shaped(shown: ChangeView, *options: str) -> dict[str, object]:
    return {**change_info(shown, Shape(frozenset(options), "https://x.org/", {}))}


def vote(label: str, value: int, account: int) -> Vote:
    return Vote(label, value, account, NOW, 1)


def test_times_have_nine_digits_and_no_zone() -> None:
    assert timestamp(NOW) == "2026-01-05 09:00:00.123456000"
    assert timestamp(AUTHOR.when) == "2026-01-05 09:00:00.000000000"


def test_false_and_empty_fields_are_left_out() -> None:
    info = shaped(view())
    assert info["id"] == f"demo%2Fapi~main~{CHANGE.change_id}"
    assert info["hashtags"] == info["requirements"] == []
    assert not {"topic", "is_private", "work_in_progress", "submitter", "_more_changes"} & set(info)
    assert (info["total_comment_count"], info["_number"]) == (0, 12)


def test_accounts_are_ids_unless_details_are_wanted() -> None:
    assert shaped(view())["owner"] == {"_account_id": 1}
    assert shaped(view(), "DETAILED_ACCOUNTS")["owner"]["username"] == "ann"


def test_a_label_that_is_missing_has_neither_approved_nor_optional() -> None:
    labels = shaped(view(vote("Code-Review", 2, 1)), "LABELS")["labels"]
    assert labels["Workflow"] == {}
    assert labels["Code-Review"] == {"recommended": {**_account(1)}, "value": 2}


def test_a_label_without_a_gate_is_optional() -> None:
    assert shaped(view(gated=False), "LABELS")["labels"]["Verified"] == {"optional": True}


def test_a_veto_blocks() -> None:
    labels = shaped(view(vote("Code-Review", 2, 2), vote("Code-Review", -2, 1)), "LABELS")["labels"]
    assert labels["Code-Review"] == {"rejected": _account(1), "blocking": True}


def test_votes_as_keys_are_padded() -> None:
    info = shaped(view(vote("Workflow", 1, 2)), "DETAILED_LABELS")
    assert sorted(info["labels"]["Workflow"]["values"]) == [" 0", "+1", "-1"]
    assert info["permitted_labels"] == {"Workflow": ["-1", " 0", "+1"]}
    assert info["labels"]["Workflow"]["all"] == [{**_account(2), "value": 1, "date": "2026-01-05 09:00:00.123456000"}]


def test_fetch_is_never_empty_and_begins_with_the_anonymous_way() -> None:
    info = shaped(view(), "CURRENT_REVISION", "CURRENT_COMMIT")
    revision = info["revisions"]["c" * 40]
    assert list(revision["fetch"]) == ["anonymous http", "http"]
    assert revision["fetch"]["http"]["url"] == "https://x.org/a/demo/api"
    assert revision["commit"]["author"] == {
        "name": "Ann",
        "email": "ann@example.org",
        "date": "2026-01-05 09:00:00.000000000",
        "tz": 540,
    }


def test_lines_and_the_subjects_of_parents_are_told_and_a_commit_in_a_revision_is_named_once() -> None:
    shape = Shape(frozenset({"CURRENT_REVISION", "CURRENT_COMMIT"}), "https://x.org/", {}, lines=(3, 0))
    info = change_info(view(), replace(shape, subjects={"p" * 40: "Begin"}))
    assert (info["insertions"], info["deletions"]) == (3, 0)
    commit = cast("dict[str, dict[str, dict[str, object]]]", info["revisions"])["c" * 40]["commit"]
    assert commit["parents"] == [{"commit": "p" * 40, "subject": "Begin"}]
    assert "commit" not in commit
    assert "insertions" not in shaped(view())


def test_a_merged_change_tells_who_and_when() -> None:
    merged = replace(CHANGE, status=Status.MERGED, submitted=NOW, submitter=2, merged_as="d" * 40)
    info = shaped(view(change=merged))
    assert (info["status"], info["submitter"]) == ("MERGED", {"_account_id": 2})
    assert info["submitted"] == "2026-01-05 09:00:00.123456000"


def test_submit_requirements_name_the_label_in_their_expression() -> None:
    requirements = {r["name"]: r for r in shaped(view(), "SUBMIT_REQUIREMENTS")["submit_requirements"]}
    assert requirements["Code-Review"]["submittability_expression_result"]["expression"] == (
        "label:Code-Review=MAX,user=non_uploader AND -label:Code-Review=MIN"
    )
    assert requirements["Verified"]["status"] == "UNSATISFIED"


def test_comments_are_lists_by_path() -> None:
    comment = InlineComment("c1", 12, 1, 2, "a.py", "Why?", NOW, 5, 3, Side.PARENT, TextRange(3, 0, 3, 4), "", True, "")
    (entry,) = comments_info([comment], PEOPLE, {1: "c" * 40})["a.py"]
    assert (entry["side"], entry["line"], entry["unresolved"], entry["change_message_id"]) == (
        "PARENT", 3, True, "00000005",
    )  # fmt: skip
    assert entry["commit_id"] == "c" * 40
    assert entry["range"] == {"start_line": 3, "start_character": 0, "end_line": 3, "end_character": 4}


def test_options_come_as_names_or_as_bits() -> None:
    assert read_options(["labels", "CURRENT_REVISION"]) == {"LABELS", "CURRENT_REVISION"}
    assert read_options([], "3") == {"LABELS", "CURRENT_REVISION"}
    with pytest.raises(Invalid) as caught:
        read_options(["EVERYTHING"])
    assert caught.value.reason is not None
    assert words.say(caught.value.reason) == "There is no option EVERYTHING."


def test_a_modified_file_has_no_status() -> None:
    @dataclass(frozen=True)
    class File:
        path: str = "a.py"
        old_path: str = "a.py"
        status: str = "M"
        added: int = 2
        deleted: int = 0
        binary: bool = False
        old_size: int = 4
        size: int = 4
        old_mode: int = 0o100644
        mode: int = 0o100644
        old_id: str = "1" * 40
        id: str = "2" * 40

    assert files_info([File()], with_message=False) == {
        "a.py": {
            "lines_inserted": 2,
            "size_delta": 0,
            "size": 4,
            "old_mode": 0o100644,
            "new_mode": 0o100644,
            "old_sha": "1" * 40,
            "new_sha": "2" * 40,
        }
    }


def test_a_review_is_read_as_leniently_as_gerrit_does() -> None:
    body = {"labels": {"Verified": "+1"}, "ready": "true", "strict_labels": False, "message": None}
    draft = draft_from(body)
    assert (draft.votes, draft.work_in_progress, draft.message) == ((("Verified", 1),), False, "")
    assert reviewers_from({"reviewers": [{"reviewer": "bob"}]}) == (("bob", ReviewerState.REVIEWER, False),)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"labels": {"Verified": "many"}}, "The field labels.Verified cannot be used: it must be a whole number."),
        ({"comments": {"a.py": [{"message": " "}]}}, "The field comments.a.py cannot be used: its message is empty."),
        ({"reviewers": "bob"}, "The field reviewers cannot be used: it must be a list."),
    ],
)
def test_what_cannot_be_meant_is_refused_by_field(body: dict[str, object], sentence: str) -> None:
    read = reviewers_from if "reviewers" in body else draft_from
    with pytest.raises(Invalid) as caught:
        read(body)
    assert caught.value.reason is not None
    assert words.say(caught.value.reason) == sentence


def _account(id: int) -> dict[str, object]:
    known = PEOPLE[id]
    return {"_account_id": id, "name": known.name, "email": known.email, "username": known.username}


@pytest.mark.parametrize(
    "raw",
    [rb'{"message": "half \ud83d"}', rb'{"message": ["\u0000"]}', rb'{"\u0000": 1}', b"[" * 100_000, b"\xff", b"{"],
)
def test_json_that_cannot_be_kept_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        json_from(raw)


def test_text_that_speaks_of_zeros_is_no_zero() -> None:
    assert json_from(rb'{"message": "the \\u0000 byte"}') == {"message": r"the \u0000 byte"}

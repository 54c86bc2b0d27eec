# SPDX-License-Identifier: Apache-2.0
"""Suggestions in comments: kept with them, written into a change edit, published as a patch set; comments blanked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatebot.change import TextRange
from gatebot.errors import Conflict
from gatebot.review.fixes.applying import applied
from gatebot.review.fixes.model import Replacement
from gatebot.review.model import Change, CommentBlanked
from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ReviewHouse

R = "/changes/1/revisions/current"


def at(*span: int) -> dict[str, int]:
    return dict(zip(("start_line", "start_character", "end_line", "end_character"), span, strict=True))


async def text_of(rest: RestClient, house: ReviewHouse) -> bytes:
    await rest("ann", "POST", "/changes/1/edit:publish", {}, 204)
    return house.repositories.read_file("demo/api", house.commit_of(house.change(1)), "a.txt") or b""


async def test_a_suggestion_is_kept_and_becomes_a_patch_set(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    fix = {"description": "Shout", "replacements": [{"path": "a.txt", "range": at(2, 0, 2, 3), "replacement": "TWO"}]}
    comment = {"line": 2, "message": "Louder", "fix_suggestions": [fix]}
    await rest("bob", "POST", f"{R}/review", {"comments": {"a.txt": [comment]}})
    (told,) = (await rest.get(f"{R}/comments"))["a.txt"]
    (kept,) = told["fix_suggestions"]
    assert {name: kept[name] for name in fix} == fix
    edit = await rest("ann", "POST", f"{R}/fixes/{kept['fix_id']}/apply", {})
    assert edit["base_patch_set_number"] == 1
    assert await text_of(rest, house) == b"one\nTWO\nthree\n"
    told = await rest("ann", "POST", f"/changes/1/revisions/1/fixes/{kept['fix_id']}/apply", {}, 409)
    assert told == ("The suggestion is for patch set 1, and the current one is 2: only what is current can be edited.")
    await rest("ann", "POST", f"{R}/fixes/nothing/apply", {}, 404)


async def test_a_block_of_suggested_text_is_a_suggestion(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    message = "Better:\r\n```suggestion\r\nzwei\r\nzweieinhalb\r\n```\r\nso."  # as a form sends it
    draft = await rest("bob", "PUT", f"{R}/drafts", {"path": "a.txt", "line": 2, "message": message}, 201)
    await rest("bob", "POST", f"{R}/review", {"drafts": "PUBLISH"})
    await rest("ann", "POST", f"{R}/fixes/{draft['id']}/apply", {})
    assert await text_of(rest, house) == b"one\nzwei\nzweieinhalb\nthree\n"


async def test_several_suggestions_are_written_at_once_or_none_is(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    one = {"path": "a.txt", "range": at(1, 0, 1, 3), "replacement": "1"}
    three = {"path": "a.txt", "range": at(3, 0, 4, 0), "replacement": ""}
    gone = {"path": "none.txt", "range": at(1, 0, 1, 0), "replacement": "x"}
    await rest("ann", "POST", f"{R}/fix:apply", {"fix_replacement_infos": [one, gone]}, 404)
    await rest("ann", "GET", "/changes/1/edit", status=204)
    assert await rest("ann", "POST", f"{R}/fix:apply", {"fix_replacement_infos": [one, one]}, 409) == (
        "Two suggestions replace the same piece of a.txt at line 1; apply one of them."
    )
    await rest("ann", "POST", f"{R}/fix:apply", {"fix_replacement_infos": [three, one]})
    assert await text_of(rest, house) == b"1\ntwo\n"
    for bad in ({}, {"fix_replacement_infos": []}, {"fix_replacement_infos": [{"path": "a.txt"}]}):
        await rest("ann", "POST", f"{R}/fix:apply", bad, 400)
    await rest("", "POST", f"{R}/fix:apply", {"fix_replacement_infos": [one]}, 401)


async def test_a_comment_is_blanked_by_administrators_who_say_why(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    await rest("bob", "POST", f"{R}/review", {"comments": {"a.txt": [{"line": 1, "message": "password: x"}]}})
    (comment,) = (await rest.get(f"{R}/comments"))["a.txt"]
    path = f"{R}/comments/{comment['id']}/delete"
    await rest("bob", "POST", path, {"reason": "a secret"}, 403)
    blanked = await rest("root", "POST", path, {"reason": "a secret"})
    assert blanked["message"] == "Comment removed by: Root; Reason: a secret"
    assert "password" not in str(await rest.get(f"{R}/comments"))
    assert len(house.facts(CommentBlanked)) == 1
    await rest("root", "POST", f"{R}/comments/none/delete", {}, 404)


@given(st.text(max_size=40), st.lists(st.tuples(*[st.integers(0, 6)] * 4, st.text(max_size=3)), max_size=4))
def test_a_text_is_changed_only_where_that_is_said(text: str, pieces: list[tuple[int, int, int, int, str]]) -> None:
    wanted = [Replacement("f", TextRange(*span), new) for *span, new in pieces]
    try:
        made = applied(text, wanted)
    except Conflict:
        return
    inserted = sum(2 * len(one.text) for one in wanted)  # a line end may become two letters
    assert len(made) <= len(text) + inserted
    if not wanted:
        assert made == text


def test_the_whole_text_may_be_replaced() -> None:
    assert applied("a\nb\n", [Replacement("f", TextRange(1, 0, 3, 0), "x")]) == "x"
    with pytest.raises(Conflict):
        applied("a\n", [Replacement("f", TextRange(9, 0, 9, 0), "x")])


async def test_what_a_suggestion_would_change_is_seen_before_it_is_written(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    fix = {"description": "Shout", "replacements": [{"path": "a.txt", "range": at(2, 0, 2, 3), "replacement": "TWO"}]}
    comment = {"line": 2, "message": "Louder", "fix_suggestions": [fix]}
    await rest("bob", "POST", f"{R}/review", {"comments": {"a.txt": [comment]}})
    (told,) = (await rest.get(f"{R}/comments"))["a.txt"]
    seen = await rest("", "GET", f"{R}/fixes/{told['fix_suggestions'][0]['fix_id']}/preview")
    assert list(seen) == ["a.txt"]
    assert seen["a.txt"]["content"] == [{"ab": ["one"]}, {"a": ["two"], "b": ["TWO"]}, {"ab": ["three", ""]}]
    both = {
        "fix_replacement_infos": [*fix["replacements"], {"path": "b.txt", "range": at(1, 0, 2, 0), "replacement": ""}]
    }
    given = await rest("bob", "POST", f"{R}/fix:preview", both)
    assert given["a.txt"] == seen["a.txt"]
    assert given["b.txt"]["content"] == [{"a": ["b", ""]}] or given["b.txt"]["change_type"] == "MODIFIED"
    assert await rest("ann", "GET", "/changes/1/edit", status=204) == ""
    wrong = {"fix_replacement_infos": [{"path": "none.txt", "range": at(1, 0, 1, 0), "replacement": "x"}]}
    assert "none.txt" in await rest("bob", "POST", f"{R}/fix:preview", wrong, 404)
    await rest("bob", "GET", f"{R}/fixes/nothing/preview", status=404)

# SPDX-License-Identifier: Apache-2.0
"""Comments, drafts, ported comments and the attention set over REST."""

from __future__ import annotations

from typing import Any

from gatebot.review.model import AttentionMoved, Change
from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ANN, BOB, ReviewHouse

REVIEW = "/changes/1/revisions/current/review"
DRAFTS = "/changes/1/revisions/current/drafts"


async def turns(rest: RestClient) -> dict[str, str]:
    return {one["account"]["username"]: one["reason"] for one in await rest.get("/changes/1/attention")}


async def test_drafts_are_seen_by_their_author_alone_and_published_together(rest: RestClient, change: Change) -> None:
    first = await rest(
        "bob", "PUT", DRAFTS, {"path": "a.txt", "line": 2, "message": "Why two?", "unresolved": True}, 201
    )
    again = await rest("bob", "PUT", f"{DRAFTS}/{first['id']}", {"message": "Why not 2?"})
    assert (again["line"], again["message"], again["path"]) == (2, "Why not 2?", "a.txt")
    await rest("bob", "PUT", DRAFTS, {"path": "b.txt", "message": "Fine."}, status=201)
    assert await rest.get("/changes/1/drafts") == {}
    assert sorted(await rest.get("/changes/1/drafts", who="bob")) == ["a.txt", "b.txt"]
    assert [one["_number"] for one in await rest.get("/changes/?q=has:draft", who="bob")] == [1]
    done = await rest("bob", "POST", REVIEW, {"message": "See inside.", "drafts": "PUBLISH"})
    assert (done["change_info"]["total_comment_count"], done["change_info"]["unresolved_comment_count"]) == (2, 1)
    assert await rest.get("/changes/1/drafts", who="bob") == {}
    told = (await rest.get("/changes/1/comments"))["a.txt"][0]
    assert (told["id"], told["message"], told["unresolved"]) == (first["id"], "Why not 2?", True)
    assert (await rest.get("/changes/1/messages"))[-1]["message"] == "Patch Set 1:\n\n(2 comments)\n\nSee inside."


async def test_a_draft_that_cannot_be_is_refused(rest: RestClient, change: Change) -> None:
    async def refused(body: dict[str, Any], status: int = 400) -> str:
        return str(await rest("bob", "PUT", DRAFTS, body, status))

    assert await refused({"path": "a.txt", "message": " "}) == (
        "The field comments.a.txt cannot be used: its message is empty."
    )
    assert await refused({"path": "none", "message": "x"}) == "The file none is not in patch set 1."
    assert await refused({"path": "a.txt", "message": "x", "in_reply_to": "zzz"}) == "Change 1 has no comment zzz."
    assert await refused({"path": "a.txt", "message": "x", "line": -1}) == (
        "The field line cannot be used: lines are counted from 1."
    )
    backwards = {"start_line": 3, "start_character": 0, "end_line": 1, "end_character": 1}
    assert await refused({"path": "a.txt", "message": "x", "range": backwards}) == (
        "The field range cannot be used: 3:0 - 1:1 is no range of a text."
    )
    assert await refused({"path": "a.txt", "message": "x", "line": 10**30}) == (
        "The field line cannot be used: it must be a whole number."
    )
    assert await rest("", "GET", DRAFTS, status=401) == "You must be signed in to do this."
    assert await rest("bob", "DELETE", f"{DRAFTS}/zzz", status=404) == "Change 1 has no draft zzz of yours."


async def test_a_draft_is_thrown_away_by_delete_or_its_post_twin(rest: RestClient, change: Change) -> None:
    for method, end in (("DELETE", ""), ("POST", "/delete")):
        made = await rest("bob", "PUT", DRAFTS, {"path": "a.txt", "message": "x"}, status=201)
        await rest("bob", method, f"{DRAFTS}/{made['id']}{end}", {}, status=204)
    assert await rest.get(DRAFTS, who="bob") == {}


async def test_open_threads_are_carried_to_the_next_patch_set(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    written = [
        {"line": 3, "message": "Moves.", "unresolved": True},
        {"line": 2, "message": "Was changed.", "unresolved": True},
        {"line": 1, "message": "Is resolved."},
    ]
    await rest("bob", "POST", REVIEW, {"comments": {"a.txt": written}})
    house.new_patch_set(change, {"a.txt": "zero\none\n2\nthree\n", "b.txt": "b\n"})
    found = (await rest.get("/changes/1/revisions/2/ported_comments"))["a.txt"]
    assert {one["message"]: one.get("line") for one in found} == {"Moves.": 4, "Was changed.": None}
    assert await rest.get("/changes/1/revisions/1/ported_comments") == {}
    assert await rest.get("/changes/1/robotcomments") == {}


async def test_one_comment_by_its_id(rest: RestClient, change: Change) -> None:
    await rest("bob", "POST", REVIEW, {"comments": {"a.txt": [{"line": 1, "message": "One."}]}})
    (listed,) = (await rest.get("/changes/1/revisions/1/comments"))["a.txt"]
    one = await rest.get(f"/changes/1/revisions/1/comments/{listed['id']}")
    assert one == {**listed, "path": "a.txt"}
    assert one["commit_id"] == (await rest.get("/changes/1?o=CURRENT_REVISION"))["current_revision"]


async def test_the_turn_goes_from_reviewer_to_owner_and_back(rest: RestClient, change: Change) -> None:
    await rest("ann", "POST", "/changes/1/reviewers", {"reviewer": "bob"})
    assert await turns(rest) == {"bob": "Reviewer was added"}
    assert [one["_number"] for one in await rest.get("/changes/?q=is:attention", who="bob")] == [1]
    question = {"comments": {"a.txt": [{"line": 1, "message": "Why?", "unresolved": True}]}}
    await rest("bob", "POST", REVIEW, question)
    assert await turns(rest) == {"ann": "Bob replied on the change"}
    asked = (await rest.get("/changes/1/comments"))["a.txt"][0]["id"]
    answer = {"comments": {"a.txt": [{"line": 1, "message": "So.", "in_reply_to": asked, "unresolved": False}]}}
    done = await rest("ann", "POST", REVIEW, answer)
    assert list(done["change_info"]["attention_set"]) == [str(BOB)]
    assert done["change_info"]["removed_from_attention_set"][str(ANN)]["reason"] == "removed on reply"


async def test_programs_have_no_turn_and_give_it_only_by_a_veto(rest: RestClient, change: Change) -> None:
    await rest("gatebot", "POST", REVIEW, {"message": "Starting jobs.", "tag": "autogenerated:x"})
    assert await turns(rest) == {}
    await rest("gatebot", "POST", REVIEW, {"labels": {"Verified": -1}})
    assert await turns(rest) == {"ann": "Gatebot replied on the change"}
    told = await rest("ann", "POST", "/changes/1/attention", {"user": "gatebot", "reason": "look"})
    assert told["username"] == "gatebot"
    assert list(await turns(rest)) == ["ann"]


async def test_people_are_moved_with_a_reason(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    assert await rest("ann", "POST", "/changes/1/attention", {"user": "bob"}, status=400) == (
        "The field reason cannot be used: say why in 1 to 1000 characters."
    )
    assert await rest("ann", "POST", "/changes/1/attention", {"user": "eve", "reason": "x"}, status=422) == (
        "There is no account eve."
    )
    await rest("ann", "POST", "/changes/1/attention", {"user": "bob", "reason": "You know this."})
    assert await turns(rest) == {"bob": "You know this."}
    await rest("ann", "POST", "/changes/1/attention/bob/delete", {"reason": "On holiday."}, status=204)
    assert await turns(rest) == {}
    # Open pages hear of it, once for each thing that changed.
    await rest("ann", "POST", "/changes/1/attention/bob/delete", {"reason": "Still."}, status=204)
    assert house.facts(AttentionMoved) == [
        AttentionMoved(1, ANN, added=(BOB,)), AttentionMoved(1, ANN, removed=(BOB,)),
    ]  # fmt: skip
    wish = {
        "add_to_attention_set": [{"user": "bob", "reason": "Please."}],
        "ignore_automatic_attention_set_rules": True,
    }
    await rest("ann", "POST", REVIEW, {"message": "Hi.", **wish})
    assert await turns(rest) == {"bob": "Please."}


async def test_the_set_is_empty_when_nobody_has_to_act(rest: RestClient, change: Change) -> None:
    await rest("ann", "POST", "/changes/1/reviewers", {"reviewer": "bob"})
    await rest("ann", "POST", "/changes/1/wip", {})
    assert await turns(rest) == {}
    await rest("ann", "POST", "/changes/1/ready", {})
    assert await turns(rest) == {"bob": "Change was marked ready for review"}
    await rest("ann", "POST", "/changes/1/abandon", {})
    assert await turns(rest) == {}


async def test_whose_vote_is_outdated_has_his_turn_again(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    await rest("bob", "POST", REVIEW, {"labels": {"Code-Review": 2}})
    house.new_patch_set(change, {"a.txt": "other\n"})
    assert (await turns(rest))["bob"] == "Vote got outdated and was removed: Code-Review+2"

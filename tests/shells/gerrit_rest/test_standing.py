# SPDX-License-Identifier: Apache-2.0
"""What can be done to a change, whether it merges, whether all of it is there; and its message, changed at once."""

from __future__ import annotations

import json

import pytest

from gatebot.review import store
from gatebot.review.model import Change, Kind
from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ReviewHouse


async def merged(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    house.approve(change)
    assert (await rest("bob", "POST", f"/changes/{change.number}/submit", {}))["status"] == "MERGED"


# -- actions --------------------------------------------------------------------------------------------


async def test_the_owner_is_shown_what_an_owner_can_do(rest: RestClient, change: Change) -> None:
    info = await rest.get("/changes/1?o=CHANGE_ACTIONS&o=CURRENT_ACTIONS&o=CURRENT_REVISION")
    assert set(info["actions"]) == {
        "abandon", "wip", "private", "move", "rebase", "rebase:chain", "topic", "hashtags"
    }  # fmt: skip
    assert info["actions"]["abandon"] == {
        "method": "POST", "label": "Abandon", "title": "Abandon the change", "enabled": True
    }  # fmt: skip
    (revision,) = info["revisions"].values()
    assert set(revision["actions"]) == {"cherrypick", "rebase"}
    assert "actions" not in await rest.get("/changes/1")
    assert await rest.get("/changes/1/revisions/1/actions", "") == {}


async def test_submit_says_what_keeps_it_until_nothing_does(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    submit = (await rest.get("/changes/1/revisions/current/actions", "bob"))["submit"]
    assert "enabled" not in submit
    told = await rest("bob", "POST", "/changes/1/submit", {}, 409)
    assert submit["title"] == told
    house.approve(change)
    submit = (await rest.get("/changes/1/revisions/current/actions", "bob"))["submit"]
    assert submit == {
        "method": "POST", "label": "Submit", "title": "Submit patch set 1 into main", "enabled": True
    }  # fmt: skip
    above = house.push("demo/api", {"c": "c\n"}, "Add c", house.commit_of(change))
    house.approve(above)
    submit = (await rest.get("/changes/2/revisions/current/actions", "bob"))["submit"]
    assert (submit["label"], submit["enabled"]) == ("Submit including parents", True)
    house.gates.branches.add(("demo/api", "main"))
    submit = (await rest.get("/changes/2/revisions/current/actions", "bob"))["submit"]
    assert (submit["label"], submit["enabled"]) == ("Submit", True)


CALLS = {
    "abandon": ("POST", {}), "restore": ("POST", {}), "wip": ("POST", {}), "private": ("POST", {}),
    "revert": ("POST", {}), "move": ("POST", {"destination_branch": "stable"}), "topic": ("PUT", {"topic": "t"}),
    "hashtags": ("POST", {"add": ["h"]}),
}  # fmt: skip


@pytest.mark.parametrize("who", ["ann", "bob", "root"])
@pytest.mark.parametrize("state", ["open", "merged", "abandoned"])
async def test_what_is_shown_works_and_what_is_not_is_refused(
    rest: RestClient, house: ReviewHouse, change: Change, who: str, state: str
) -> None:
    assert house.repositories.update_ref("demo/api", "refs/heads/stable", "0" * 40, house.tip("demo/api"))
    for name, (method, body) in CALLS.items():
        one = house.push("demo/api", {name: "x\n"}, f"Try {name}", house.tip("demo/api"))
        path = f"/changes/{one.number}"
        if state == "merged":
            await merged(house, rest, one)
        if state == "abandoned":
            await rest("ann", "POST", f"{path}/abandon", {})
        shown = name in (await rest.get(f"{path}?o=CHANGE_ACTIONS", who))["actions"]
        answer = await rest.raw(who, method, f"{path}/{name}", json.dumps(body).encode())
        assert (answer.status < 300) == shown, (name, answer.status, answer.body)


# -- does it merge --------------------------------------------------------------------------------------


async def test_whether_a_change_merges_is_told_with_what_is_in_the_way(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    path = "/changes/1/revisions/current/mergeable"
    assert await rest.get(path) == {"submit_type": "MERGE_IF_NECESSARY", "mergeable": True}
    base = house.tip("demo/api")
    other = house.commit("demo/api", {"a.txt": "other\n"}, "Other\n", base)
    assert house.repositories.update_ref("demo/api", "refs/heads/main", base, other)
    assert await rest.get(path) == {"submit_type": "MERGE_IF_NECESSARY", "mergeable": False, "conflicts": ["a.txt"]}
    await rest("ann", "POST", "/changes/1/abandon", {})
    assert await rest.get(path, status=409) == "change is abandoned"


# -- is all of it there ---------------------------------------------------------------------------------


async def test_a_check_tells_what_does_not_fit(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    assert (await rest.get("/changes/1/check"))["problems"] == []
    commit = house.commit_of(change)
    assert house.repositories.update_ref("demo/api", "refs/changes/01/1/1", commit, "0" * 40)
    assert (await rest.get("/changes/1/check"))["problems"] == [{"message": "Ref missing: refs/changes/01/1/1"}]


async def test_what_contains_a_change_is_listed(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    assert await rest.get("/changes/1/in") == {"branches": [], "tags": []}
    await merged(house, rest, change)
    assert house.repositories.update_ref("demo/api", "refs/tags/v1", "0" * 40, house.tip("demo/api"))
    assert await rest.get("/changes/1/in") == {"branches": ["main"], "tags": ["v1"]}


async def test_a_revert_that_does_more_is_no_pure_one(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    assert await rest.get("/changes/1/pure_revert", status=400) == (
        "Change 1 is no revert that was made here: name the commit that it shall undo as o."
    )
    await merged(house, rest, change)
    made = await rest("bob", "POST", "/changes/1/revert", {})
    assert await rest.get("/changes/2/pure_revert") == {"is_pure_revert": True}
    house.new_patch_set(house.change(made["_number"]), {"more": "more\n"})
    assert await rest.get("/changes/2/pure_revert") == {"is_pure_revert": False}
    assert await rest.get(f"/changes/2/pure_revert?o={'1' * 40}", status=400) == (
        f"The commit {'1' * 40} is not in the branch main: give the full id of one that is."
    )


# -- message and description ----------------------------------------------------------------------------


async def test_the_commit_message_is_changed_at_once_and_votes_outlive_it(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    house.approve(change)
    assert await rest("ann", "PUT", "/changes/1/message", {"message": "Say it better\n\nCloses-Bug: #7"}) == "ok"
    told = await rest.get("/changes/1/message")
    assert told["full_message"] == f"Say it better\n\nCloses-Bug: #7\nChange-Id: {change.change_id}\n"
    assert told["footers"] == {"Closes-Bug": "#7", "Change-Id": change.change_id}
    assert house.read(store.get_patch_set, 1, 2).kind is Kind.NO_CODE_CHANGE
    assert (await rest.get("/changes/1/reviewers/bob/votes", "bob"))["Code-Review"] == 2
    said = (await rest.get("/changes/1/messages"))[-1]["message"]
    assert said.startswith(
        "Patch Set 2: Commit message was updated.\n\nCopied Votes:\n* Code-Review+2 (copy condition: "
    )
    same = {"message": told["full_message"]}
    assert await rest("ann", "PUT", "/changes/1/message", same, 409) == (
        "New commit message cannot be same as existing commit message"
    )
    await rest("", "PUT", "/changes/1/message", {"message": "x"}, 401)


async def test_a_published_edit_of_the_message_alone_keeps_votes(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    house.approve(change)
    await rest("ann", "PUT", "/changes/1/edit:message", {"message": "Other"}, 204)
    await rest("ann", "POST", "/changes/1/edit:publish", {}, 204)
    assert house.read(store.get_patch_set, 1, 2).kind is Kind.NO_CODE_CHANGE


async def test_a_patch_set_is_described(rest: RestClient, change: Change) -> None:
    path = "/changes/1/revisions/1/description"
    assert await rest("ann", "PUT", path, {"description": "Second try"}) == "Second try"
    assert await rest.get(path, "bob") == "Second try"
    assert (await rest.get("/changes/1/messages"))[-1]["message"] == 'Description of patch set 1 set to "Second try"'
    await rest("ann", "PUT", path, {"description": ""}, 204)
    assert await rest.get(path) == ""

# SPDX-License-Identifier: Apache-2.0
"""Accounts over REST: who they are, what they keep for themselves, who may change what."""

from __future__ import annotations

from gatebot.review.model import Change
from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ANN, BOB


async def test_an_account_by_each_of_its_names(rest: RestClient) -> None:
    for name in ("self", str(ANN), "ann", "ANN", "ann@example.org", "Ann%20%3Cann@example.org%3E"):
        assert (await rest.get(f"/accounts/{name}/"))["_account_id"] == ANN
    assert (await rest.get("/accounts/self/detail"))["registered_on"].endswith("000000000")
    assert await rest.get("/accounts/nobody", status=404) == "There is no account nobody."
    assert await rest.get("/accounts/self", who="", status=401) == "You must be signed in to do this."


async def test_accounts_are_found_by_words_and_operators(rest: RestClient) -> None:
    assert await rest.get("/accounts/?q=an") == [{"_account_id": ANN}]
    assert [one["username"] for one in await rest.get("/accounts/?q=username:bob&o=DETAILS")] == ["bob"]
    assert len(await rest.get("/accounts/?suggest&q=example&n=2")) == 2
    more = await rest.get("/accounts/?q=is:active&n=1")
    assert more == [{"_account_id": ANN, "_more_accounts": True}]
    assert await rest.get("/accounts/?q=colour:red", status=400) == (
        "Unsupported operator colour:red. The operators are name, email, username, is, id."
    )


async def test_who_is_switched_off_is_found_only_when_asked_for(rest: RestClient) -> None:
    assert await rest.get("/accounts/bob/active") == "ok"
    told = await rest("ann", "DELETE", "/accounts/bob/active", status=403)
    assert "administrateServer" in told
    await rest("root", "DELETE", "/accounts/bob/active", status=204)
    await rest("root", "GET", "/accounts/bob/active", status=204)
    assert await rest.get("/accounts/?q=bob") == []
    assert await rest.get("/accounts/?q=bob+is:inactive") == [{"_account_id": BOB}]
    assert await rest("root", "DELETE", "/accounts/bob/active", status=409) == "The account bob is not active."
    await rest("root", "PUT", "/accounts/bob/active", status=201)


async def test_a_new_account_is_made_once(rest: RestClient) -> None:
    made = await rest("root", "PUT", "/accounts/eve", {"name": "Eve", "http_password": "s3cret-s3cret"}, status=201)
    assert made["email"] == "eve@localhost"
    answer = await rest.raw("root", "PUT", "/accounts/eve", b"{}", If_None_Match="*")
    assert answer.status == 412
    await rest("root", "PUT", "/accounts/eve", {}, status=409)


async def test_one_changes_ones_own_name_and_only_that(rest: RestClient) -> None:
    assert await rest("ann", "PUT", "/accounts/self/name", {"name": "Ann B."}) == "Ann B."
    assert await rest.get("/accounts/ann/name", who="bob") == "Ann B."
    await rest("bob", "PUT", "/accounts/ann/name", {"name": "Mallory"}, status=403)


async def test_tokens_are_told_once(rest: RestClient) -> None:
    made = await rest("ann", "PUT", "/accounts/self/tokens/laptop", {}, status=201)
    assert made["token"].startswith("gbt_")
    assert await rest.get("/accounts/self/tokens") == [{"id": "laptop"}]
    await rest("ann", "DELETE", "/accounts/self/tokens/laptop", status=204)
    told = await rest("ann", "DELETE", "/accounts/self/tokens/laptop", status=404)
    assert told == "There is no token laptop."


async def test_addresses_ids_and_capabilities(rest: RestClient) -> None:
    assert await rest.get("/accounts/self/emails") == [{"email": "ann@example.org", "preferred": True}]
    assert (await rest.get("/accounts/self/emails/ann@example.org"))["preferred"] is True
    assert {one["identity"] for one in await rest.get("/accounts/self/external.ids")} == {
        "mailto:ann@example.org", "username:ann",
    }  # fmt: skip
    assert "administrateServer" not in await rest.get("/accounts/self/capabilities")
    assert await rest.get("/accounts/self/capabilities/administrateServer", who="root") == "ok"
    told = await rest.get("/accounts/self/capabilities/administrateServer", status=404)
    assert told == "The account has no capability administrateServer."


async def test_preferences_are_kept_and_checked(rest: RestClient) -> None:
    assert (await rest.get("/accounts/self/preferences"))["changes_per_page"] == 25
    chosen = await rest("ann", "PUT", "/accounts/self/preferences.diff", {"context": "3", "unknown": 1})
    assert chosen["context"] == 3
    assert (await rest.get("/accounts/self/preferences.diff"))["context"] == 3
    assert (await rest.get("/accounts/self/preferences.diff", who="bob"))["context"] == 10
    told = await rest("ann", "PUT", "/accounts/self/preferences", {"changes_per_page": "many"}, status=400)
    assert told == "The field changes_per_page cannot be used: it must be a whole number."


async def test_stars_are_ones_own(rest: RestClient, change: Change) -> None:
    await rest("ann", "PUT", "/accounts/self/starred.changes/1", status=204)
    assert [one["_number"] for one in await rest.get("/changes/?q=is:starred")] == [1]
    assert [one["_number"] for one in await rest.get("/accounts/self/starred.changes")] == [1]
    assert await rest.get(f"/changes/?q=starredby:{ANN}", who="bob") == []
    await rest("ann", "DELETE", "/accounts/self/starred.changes/1", {"labels": ["star"]}, status=204)
    assert await rest.get("/changes/?q=is:starred") == []


async def test_watched_projects(rest: RestClient, change: Change) -> None:
    wanted = [{"project": "demo/api", "filter": "branch:main", "notify_new_changes": True}]
    assert await rest("ann", "POST", "/accounts/self/watched.projects", wanted) == wanted
    told = await rest("ann", "POST", "/accounts/self/watched.projects", [{"project": "none"}], status=404)
    assert told.startswith("There is no project none")
    assert [one["_number"] for one in await rest.get("/changes/?q=is:watched")] == [1]
    await rest("ann", "POST", "/accounts/self/watched.projects:delete", wanted, status=204)
    assert await rest.get("/accounts/self/watched.projects") == []


async def test_reviewers_are_suggested_by_words(rest: RestClient, change: Change) -> None:
    (found,) = await rest.get("/changes/1/suggest_reviewers?q=bo&n=5")
    assert (found["account"]["username"], found["count"]) == ("bob", 1)
    assert await rest.get("/changes/1/suggest_reviewers?q=ann") == []


async def test_who_is_not_there_cannot_be_asked_for_a_review(rest: RestClient, change: Change) -> None:
    told = await rest("ann", "POST", "/changes/1/reviewers", {"reviewer": "nobody"}, status=422)
    assert told == "Account 'nobody' not found\nnobody does not identify a registered user or group"
    assert (await rest("ann", "POST", "/changes/1/reviewers", {"reviewer": "bob"}))["reviewers"][0]["username"] == "bob"
    assert [one["username"] for one in await rest.get("/changes/1/revisions/1/reviewers")] == ["bob"]


async def test_what_an_account_says_of_itself_is_told_with_it(rest: RestClient) -> None:
    assert await rest.get("/accounts/ann/status") == ""
    assert await rest("ann", "PUT", "/accounts/self/status", {"status": " Out\nuntil Monday "}) == "Out until Monday"
    assert await rest("ann", "PUT", "/accounts/self/displayname", {"display_name": "Ann of Main"}) == "Ann of Main"
    for path in ("/accounts/ann", "/accounts/ann/detail"):
        told = await rest.get(path, who="bob")
        assert (told["display_name"], told["status"]) == ("Ann of Main", "Out until Monday")
    assert (await rest.get("/accounts/?q=ann&o=DETAILS"))[0]["status"] == "Out until Monday"
    assert "administrateServer" in await rest("bob", "PUT", "/accounts/ann/status", {"status": "Gone"}, status=403)
    await rest("", "PUT", "/accounts/ann/displayname", {"display_name": "Eve"}, status=401)
    told = await rest("ann", "PUT", "/accounts/self/status", {"status": "x" * 256}, status=400)
    assert told == "The field status cannot be used: it may have 255 characters at most."
    await rest("ann", "DELETE", "/accounts/self/status", status=204)
    await rest("ann", "PUT", "/accounts/self/displayname", {}, status=204)
    assert not {"status", "display_name"} & set(await rest.get("/accounts/ann"))


async def test_the_groups_of_an_account_are_those_that_the_asker_sees(rest: RestClient) -> None:
    await rest("root", "PUT", "/groups/Secret", {"members": ["ann"]}, status=201)
    told = await rest.get("/accounts/self/groups")
    assert {"options": {}, "id": "global%3ARegistered-Users", "name": "Registered Users"} in told
    within = [one["name"] for one in told]
    assert (within[0], within[-2:]) == ("Anonymous Users", ["Registered Users", "Secret"])
    assert [one["name"] for one in await rest.get("/accounts/ann/groups", who="root")] == within
    seen = [one["name"] for one in await rest.get("/accounts/ann/groups", who="bob")]
    assert not {"Secret", "Anonymous Users", "Registered Users"} & set(seen)
    await rest.get("/accounts/self/groups", who="", status=401)
    await rest("ann", "POST", "/accounts/self/index", status=204)
    await rest("bob", "POST", "/accounts/ann/index", status=403)

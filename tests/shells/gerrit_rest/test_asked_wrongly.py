# SPDX-License-Identifier: Apache-2.0
"""What lists are narrowed by, and what is told of a request that lacks something or names what is not there."""

from __future__ import annotations

import pytest

from gatebot.review.model import Change
from tests.fakes.review_house import ReviewHouse

from .conftest import RestClient

REVIEW = "/revisions/current/review"


async def test_projects_are_narrowed_as_gerrit_does_it(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    house.project("demo/client")
    house.project("tools/lint")
    tip = house.tip("demo/api")
    assert [*await rest.get("/projects/?r=demo/.*")] == ["demo/api", "demo/client"]
    assert [*await rest.get("/projects/?r=^tools/l.nt$")] == ["tools/lint"]
    assert [*await rest.get("/projects/?r=demo")] == []
    assert [one["name"] for one in await rest.get("/projects/?query=inname:demo+state:active")] == [
        "demo/api", "demo/client"
    ]  # fmt: skip
    assert await rest.get("/projects/?query=name:none") == []
    assert [*(await rest.get("/projects/?type=code&t&n=1")).items()] == [
        ("demo/api", {"id": "demo%2Fapi", "parent": "All-Projects", "state": "ACTIVE", "_more_projects": True})
    ]
    assert (await rest.get("/projects/?b=main&p=demo/api"))["demo/api"]["branches"] == {"main": tip}
    assert await rest.get("/projects/?b=nowhere") == {}
    for asked, told in (
        ("q=demo", "The field q cannot be used: write query=...."),
        ("r=[", "The field r cannot be used: "),
        ("type=none", "The field type cannot be used: it is one of ALL, CODE, PERMISSIONS."),
        ("p=demo&r=demo", "The field r cannot be used: ask for one of p, m and r."),
        ("query=colour:red", "Unsupported operator colour:red. The operators are name, inname,"),
    ):
        assert (await rest.get(f"/projects/?{asked}", status=400)).startswith(told)


async def test_groups_and_accounts_are_narrowed_or_refused_by_name(rest: RestClient) -> None:
    assert [*await rest("root", "GET", "/groups/?r=C.re")] == ["Core"]
    owned = await rest("root", "GET", "/groups/?owned-by=Administrators&m=core")
    assert [*owned] == ["Core"]
    assert await rest("root", "GET", "/groups/?owned-by=Core") == {}
    assert (
        await rest("root", "GET", "/groups/?member=ann", status=400)
        == "The field member cannot be used: write user=ACCOUNT."
    )
    for empty in ("/accounts/", "/accounts/?q="):
        assert await rest("ann", "GET", empty, status=400) == "q is required"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("PUT", "/revisions/current/drafts", {"message": "Hm."}, 400, "path is required"),
        ("PUT", "/revisions/current/drafts",
         {"path": "a.txt", "message": "Hm.", "range": {"start_line": 1, "end_line": 1, "end_character": 1}},
         400, "range.start_character is required"),
        ("POST", "/reviewers", {}, 400, "reviewer is required"),
        ("POST", "/reviewers", {"reviewer": "bob", "state": "NOPE"}, 400,
         "The field reviewers.state cannot be used: it is REVIEWER or CC."),
        ("POST", REVIEW, {"add_to_attention_set": [{"user": "bob"}]}, 400, "add_to_attention_set.reason is required"),
        ("POST", REVIEW, {"ready": True, "work_in_progress": True}, 400,
         "The field ready cannot be used: work_in_progress and ready are mutually exclusive."),
        ("POST", REVIEW, {"comments": {"/PATCHSET_LEVEL": [{"message": "Hm.", "line": 3}]}}, 400,
         "The field comments./PATCHSET_LEVEL cannot be used: it has no side, range or line."),
        ("POST", REVIEW, {"comments": {"a.txt": [{"message": "Hm.", "in_reply_to": "none"}]}}, 400,
         "Change 1 has no comment none."),
        ("POST", REVIEW, {"on_behalf_of": "bob", "labels": {"Code-Review": 1}}, 403,
         "Everybody votes for himself here: leave out on_behalf_of."),
        ("POST", REVIEW, {"message": "x" * 16385}, 400,
         "The text is 16385 bytes long; 16384 is the most. Shorten it, or link to the rest."),
        ("POST", "/hashtags", {"add": ["a,b"]}, 400, "The field add cannot be used: a hashtag has no commas in it."),
        ("GET", "/revisions/current/patch?path=README", None, 404, "The file README is not in patch set 1."),
    ],
)  # fmt: skip
async def test_what_is_missing_is_named(
    rest: RestClient, change: Change, method: str, path: str, body: object, status: int, told: str
) -> None:
    assert await rest("ann", method, f"/changes/1{path}", body, status) == told


async def test_the_difference_of_a_file_that_is_not_there_is_not_there(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    told = await rest.get("/changes/1/revisions/current/files/none.txt/diff", status=404)
    assert told == f"The commit {house.commit_of(change)[:10]} has no file none.txt."


async def test_a_message_with_a_foreign_change_id_is_told_the_right_one(rest: RestClient, change: Change) -> None:
    message = f"Other\n\nChange-Id: I{'e' * 40}\n"
    assert await rest("ann", "PUT", "/changes/1/message", {"message": message}, 409) == (
        "The Change-Id in the message is not that of change 1. Write the line there as it was: "
        f"Change-Id: {change.change_id}"
    )


async def test_who_lacks_a_capability_is_told_of_the_site_and_of_no_change(rest: RestClient) -> None:
    assert await rest("ann", "GET", "/accounts/bob/external.ids", status=403) == (
        "This needs the capability administrateServer of this site. Ask an administrator for it."
    )

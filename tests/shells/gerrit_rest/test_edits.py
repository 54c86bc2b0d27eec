# SPDX-License-Identifier: Apache-2.0
"""Changes written without a clone: created over REST, edited file by file, published as a patch set."""

from __future__ import annotations

import asyncio
import base64
import itertools
import threading

import pytest

from gatebot.repo.trees import Trees
from gatebot.review.model import Change
from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ReviewHouse

EDIT = "/changes/1/edit"


async def written(rest: RestClient, path: str, who: str = "ann") -> bytes:
    return base64.b64decode((await rest.raw(who, "GET", f"{EDIT}/{path}")).body)


async def test_a_change_is_created_without_a_push(rest: RestClient, house: ReviewHouse) -> None:
    base = house.project("demo/api")
    made = await rest(
        "ann", "POST", "/changes/", {"project": "demo/api", "branch": "main", "subject": "New", "topic": "t"}, 201
    )
    assert (made["subject"], made["topic"], made["status"], made["_number"]) == ("New", "t", "NEW", 1)
    (found,) = await rest.get("/changes/?q=topic:t&o=CURRENT_REVISION&o=CURRENT_COMMIT")
    assert found["id"] == made["id"]
    commit = found["revisions"][found["current_revision"]]["commit"]
    assert [parent["commit"] for parent in commit["parents"]] == [base]
    assert commit["message"] == f"New\n\nChange-Id: {made['change_id']}\n"


async def test_a_change_is_created_in_a_project_without_files(rest: RestClient, house: ReviewHouse) -> None:
    await rest("root", "PUT", "/projects/bare", {"create_empty_commit": True, "branches": ["main"]}, 201)
    made = await rest("ann", "POST", "/changes/", {"project": "bare", "branch": "main", "subject": "First"}, 201)
    assert (made["status"], made["_number"]) == ("NEW", 1)


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"branch": "none", "subject": "x"}, 400, "Destination branch does not exist refs/heads/none"),
        ({"branch": "main", "subject": " "}, 400, "commit message must be non-empty"),
        ({"branch": "main", "subject": "x", "base_commit": "1" * 40}, 422,
         f"The commit {'1' * 40} is not in the branch main: give the full id of one that is."),
        ({"branch": "main", "subject": "x", "merge": {"source": "y"}}, 400, "Cannot resolve 'y' to a commit"),
    ],
)  # fmt: skip
async def test_a_change_that_cannot_be_is_refused(
    rest: RestClient, house: ReviewHouse, body: dict[str, object], status: int, told: str
) -> None:
    house.project("demo/api")
    assert await rest("ann", "POST", "/changes/", {"project": "demo/api", **body}, status) == told
    assert (
        await rest("", "POST", "/changes/", {"project": "demo/api", **body}, 401) == "You must be signed in to do this."
    )


async def test_an_edit_is_its_authors_until_it_is_published(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    await rest("ann", "GET", EDIT, status=204)
    text = "고치다\n".encode()
    assert (await rest.raw("ann", "PUT", f"{EDIT}/src%2Fnew.txt", text)).status == 204
    await rest("ann", "DELETE", f"{EDIT}/b.txt", {"some": "body"}, status=204)
    assert await written(rest, "src%2Fnew.txt") == text
    assert (await rest.raw("bob", "GET", f"{EDIT}/src%2Fnew.txt")).status == 204
    edit = await rest.get(EDIT)
    assert (edit["base_patch_set_number"], edit["commit"]["subject"]) == (1, "Add a and b")
    await rest("ann", "POST", f"{EDIT}:publish", {}, status=204)
    assert house.change(1).current == 2
    files = await rest.get("/changes/1/revisions/current/files")
    assert list(files) == ["/COMMIT_MSG", "a.txt", "src/new.txt"]
    await rest("ann", "GET", EDIT, status=204)
    assert (await rest.get("/changes/1/messages"))[-1]["message"] == "Patch Set 2: Published edit on patch set 1."


async def test_what_pygerrit2_writes_is_kept_as_it_is(rest: RestClient, change: Change) -> None:
    for name, text in (("raw.txt", b"raw text"), ("json.txt", b'{"a": "b"}'), ("empty.txt", b"")):
        answer = await rest.raw("ann", "PUT", f"{EDIT}/{name}", text, Content_Type="application/json")
        assert answer.status == 204
        assert await written(rest, name) == text
    binary = b'{"binary_content": "data:image/png;base64,AAEC"}'
    assert (await rest.raw("ann", "PUT", f"{EDIT}/x.png", binary, Content_Type="application/json")).status == 204
    assert await written(rest, "x.png") == b"\0\1\2"


async def test_the_message_is_edited_and_keeps_its_change_id(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    await rest("ann", "PUT", f"{EDIT}:message", {"message": "Say it better"}, status=204)
    told = base64.b64decode((await rest.raw("ann", "GET", f"{EDIT}:message")).body).decode()
    assert told == f"Say it better\n\nChange-Id: {change.change_id}\n"
    again = await rest("ann", "PUT", f"{EDIT}:message", {"message": told}, status=409)
    assert again == "New commit message cannot be same as existing commit message"
    other = await rest("ann", "PUT", f"{EDIT}:message", {"message": f"x\n\nChange-Id: I{'1' * 40}"}, status=409)
    assert other == (
        "The Change-Id in the message is not that of change 1. Write the line there as it was: "
        f"Change-Id: {change.change_id}"
    )
    await rest("ann", "POST", f"{EDIT}:publish", {}, status=204)
    assert house.change(1).subject == "Say it better"


async def test_an_edit_that_cannot_be_is_refused(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    assert await rest("ann", "POST", f"{EDIT}:publish", {}, status=409) == (
        "You have no edit of change 1; writing a file begins one."
    )
    for path in ("..%2Fx", ".git%2Fconfig", "a%2F%2Fb"):
        assert (await rest.raw("ann", "PUT", f"{EDIT}/{path}", b"x")).status == 400, path
    await rest("ann", "POST", EDIT, {}, status=204)
    assert await rest("ann", "POST", EDIT, {}, status=409) == (
        "You have an edit of change 1 already; publish or delete it first."
    )
    assert await rest("ann", "POST", f"{EDIT}:publish", {}, status=409) == (
        "The edit changes nothing, so there is nothing to publish."
    )
    house.new_patch_set(change, {"a.txt": "x\n"})
    assert await rest("ann", "POST", f"{EDIT}:publish", {}, status=409) == (
        "The edit stands on patch set 1, and the current one is 2: rebase the edit (POST edit:rebase), "
        "or delete it and begin again."
    )
    await rest("ann", "DELETE", EDIT, status=204)
    await rest("ann", "DELETE", EDIT, status=404)


async def test_files_are_renamed_and_put_back_in_an_edit(rest: RestClient, change: Change) -> None:
    await rest("ann", "POST", EDIT, {"old_path": "a.txt", "new_path": "c.txt"}, status=204)
    assert await written(rest, "c.txt") == b"one\ntwo\nthree\n"
    assert (await rest.raw("ann", "GET", f"{EDIT}/a.txt")).status == 204
    assert (await rest.raw("ann", "PUT", f"{EDIT}/README", b"other")).status == 204
    await rest("ann", "POST", EDIT, {"restore_path": "README"}, status=204)
    assert await written(rest, "README") == b"hello\n"


async def test_files_that_are_written_at_the_same_time_are_all_in_the_edit(
    rest: RestClient, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, calls, with_file = threading.Barrier(2, timeout=20), itertools.count(), Trees.with_file

    def at_once(self: Trees, commit: str, path: str, data: bytes, mode: int = 0) -> str:
        if next(calls) < 2:  # each has read the edit before the other has kept his
            both.wait()
        return with_file(self, commit, path, data, mode)

    monkeypatch.setattr(Trees, "with_file", at_once)
    done = await asyncio.gather(*(rest.raw("ann", "PUT", f"{EDIT}/{name}", name.encode()) for name in ("x", "y")))
    assert [one.status for one in done] == [204, 204]
    assert (await written(rest, "x"), await written(rest, "y")) == (b"x", b"y")


async def test_a_message_without_end_is_refused_however_it_comes(rest: RestClient, house: ReviewHouse) -> None:
    house.push("demo/api", {"a.txt": "a\n"}, "Add a", house.project("demo/api"))
    long, told = "x " * 40_000, "A commit message made here has at most 65536 characters; push what needs more."
    wanted = {"project": "demo/api", "branch": "main", "subject": f"New\n\n{long}"}
    assert await rest("ann", "POST", "/changes/", wanted, 400) == told
    assert await rest("ann", "PUT", "/changes/1/message", {"message": f"New\n\n{long}"}, 400) == told
    assert (house.change(1).current, len(await rest.get("/changes/"))) == (1, 1)


async def test_an_edit_follows_to_the_current_patch_set(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    assert await rest("ann", "POST", f"{EDIT}:rebase", status=409) == (
        "You have no edit of change 1; writing a file begins one."
    )
    assert (await rest.raw("ann", "PUT", f"{EDIT}/c.txt", b"c\n")).status == 204
    assert await rest("ann", "POST", f"{EDIT}:rebase", status=409) == (
        "Your edit of change 1 stands on patch set 1 already, which is the current one."
    )
    house.new_patch_set(change, {"b.txt": "better\n"})
    await rest("ann", "POST", f"{EDIT}:rebase", status=204)
    assert (await rest.get(EDIT))["base_patch_set_number"] == 2
    await rest("ann", "POST", f"{EDIT}:publish", status=204)
    assert house.change(1).current == 3
    assert {"b.txt", "c.txt"} <= {*await rest.get("/changes/1/revisions/3/files")}
    assert "b.txt" not in await rest.get("/changes/1/revisions/3/files?base=2")
    assert (await rest.raw("ann", "PUT", f"{EDIT}/a.txt", b"mine\n")).status == 204
    house.new_patch_set(house.change(1), {"a.txt": "theirs\n"})
    assert await rest("ann", "POST", f"{EDIT}:rebase", status=409) == (
        "The edit does not fit the current patch set. In the way are:\n* a.txt"
    )


async def test_a_change_is_made_on_another_and_by_its_author(rest: RestClient, change: Change) -> None:
    wanted = {"project": "demo/api", "branch": "main", "subject": "Stand on it", "base_change": "1"}
    made = await rest("ann", "POST", "/changes/", {**wanted, "author": {"name": "Ann", "email": "a@nn.org"}}, 201)
    commit = await rest.get(f"/changes/{made['_number']}/revisions/current/commit")
    first = (await rest.get("/changes/1?o=CURRENT_REVISION"))["current_revision"]
    assert ([one["commit"] for one in commit["parents"]], commit["author"]["email"]) == ([first], "a@nn.org")
    for field, value, status, told in (
        ("base_change", "99", 422, "Base change not found: 99"),
        ("status", "MERGED", 400, "The field status cannot be used: a new change is NEW."),
        ("project", "", 400, "project is required"),
        ("author", {"name": "Ann"}, 400, "Author must specify name and email"),
    ):
        assert await rest("ann", "POST", "/changes/", {**wanted, field: value}, status) == told

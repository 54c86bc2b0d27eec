# SPDX-License-Identifier: Apache-2.0
"""The files of a revision: lists, differences, content, blame, what was read, archives."""

from __future__ import annotations

import base64
import io
import tarfile
import zipfile

import pytest

from gatebot.review.model import Change
from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ReviewHouse

FILES = "/changes/1/revisions/current/files"


async def test_a_list_has_the_message_first_and_what_git_knows_of_each_file(rest: RestClient, change: Change) -> None:
    files = await rest.get(f"{FILES}/")
    assert list(files) == ["/COMMIT_MSG", "a.txt", "b.txt"]
    assert files["b.txt"] == {
        "status": "A", "lines_inserted": 1, "size_delta": 2, "size": 2, "new_mode": 0o100644,
        "new_sha": "61780798228d17af2d34fce4cfbdf35556832472",
    }  # fmt: skip
    assert files["/COMMIT_MSG"]["status"] == "A"
    assert files["/COMMIT_MSG"]["lines_inserted"] == 9


async def test_files_against_another_patch_set_and_by_name(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    house.new_patch_set(change, {"a.txt": "one\n2\nthree\n", "b.txt": "b\n"})
    against = await rest.get(f"{FILES}/?base=1")
    assert against["a.txt"]["lines_inserted"] == against["a.txt"]["lines_deleted"] == 1
    assert "b.txt" not in against
    assert await rest.get(f"{FILES}/?q=READ") == ["README"]
    assert await rest.get(f"{FILES}/?base=7", status=404) == "Change 1 has no patch set 7."
    assert await rest.get(f"{FILES}/?parent=2", status=400) == "Patch set 2 has no parent 2."


async def test_a_difference_is_told_in_pieces(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    house.new_patch_set(change, {"a.txt": "one\n2\nthree\n", "b.txt": "b\n"})
    info = await rest.get(f"{FILES}/a.txt/diff?base=1&intraline")
    assert info["change_type"] == "MODIFIED"
    assert info["meta_a"] == {"name": "a.txt", "content_type": "text/plain", "lines": 4}
    assert info["content"] == [
        {"ab": ["one"]},
        {"a": ["two"], "b": ["2"], "edit_a": [[0, 3]], "edit_b": [[0, 1]]},
        {"ab": ["three", ""]},
    ]
    assert info["diff_header"][0] == "diff --git a/a.txt b/a.txt"
    new = await rest.get("/changes/1/revisions/1/files/a.txt/diff")
    assert (new["change_type"], new["content"]) == ("ADDED", [{"b": ["one", "two", "three", ""]}])
    assert "meta_a" not in new
    message = await rest.get(f"{FILES}/%2FCOMMIT_MSG/diff")
    assert message["meta_b"]["content_type"] == "text/x-gerrit-commit-message"
    assert "Add a and b" in message["content"][0]["b"]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("whitespace=SOME", "The field whitespace cannot be used: it is one of IGNORE_NONE, IGNORE_TRAILING, "
         "IGNORE_LEADING_AND_TRAILING, IGNORE_ALL."),
        ("context=x", "The field context cannot be used: it must be a whole number from 0 to 999999999."),
    ],
)  # fmt: skip
async def test_a_wish_that_cannot_be_is_refused(rest: RestClient, change: Change, query: str, told: str) -> None:
    assert await rest.get(f"{FILES}/a.txt/diff?{query}", status=400) == told


async def test_content_comes_in_base64_with_its_type_beside_it(rest: RestClient, change: Change) -> None:
    answer = await rest.raw("ann", "GET", f"{FILES}/a.txt/content")
    assert base64.b64decode(answer.body) == b"one\ntwo\nthree\n"
    assert answer.headers["X-FYI-Content-Type"] == "text/plain"
    assert answer.headers["Content-Type"] == "text/plain; charset=ISO-8859-1"
    assert await rest.get(f"{FILES}/none/content", status=404) == (
        f"The commit {(await rest.get('/changes/1?o=CURRENT_REVISION'))['current_revision'][:10]} has no file none."
    )
    packed = await rest.raw("ann", "GET", f"{FILES}/a.txt/download")
    assert zipfile.ZipFile(io.BytesIO(packed.body)).read("a.txt") == b"one\ntwo\nthree\n"


async def test_the_message_as_a_file_names_parent_author_and_committer(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    answer = await rest.raw("ann", "GET", f"{FILES}/%2FCOMMIT_MSG/content")
    lines = base64.b64decode(answer.body).decode().splitlines()
    assert lines[0] == f"Parent:     {house.tip('demo/api')[:8]} (Begin)"
    assert lines[1] == "Author:     Ann Author <ann@example.org>"
    assert lines[2].startswith("AuthorDate: 2026-01-05 ")
    assert lines[6] == "Add a and b"


async def test_who_wrote_a_line(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    (blamed,) = await rest.get(f"{FILES}/a.txt/blame")
    assert blamed["id"] == house.commit_of(change)
    assert blamed["ranges"] == [{"start": 1, "end": 3}]


async def test_files_that_were_read_are_remembered_for_their_reader(rest: RestClient, change: Change) -> None:
    path = f"{FILES}/a.txt/reviewed"
    assert await rest("", "PUT", path, status=401) == "You must be signed in to do this."
    await rest("ann", "PUT", path, status=201)
    await rest("ann", "PUT", path, status=200)
    assert await rest.get(f"{FILES}/?reviewed") == ["a.txt"]
    assert await rest.get(f"{FILES}/?reviewed", who="bob") == []
    await rest("ann", "DELETE", path, {"some": "body"}, status=204)
    assert await rest.get(f"{FILES}/?reviewed") == []


async def test_archives_and_patches(rest: RestClient, change: Change) -> None:
    answer = await rest.raw("ann", "GET", "/changes/1/revisions/1/archive?format=tgz")
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as archive:
        assert "a.txt" in archive.getnames()
    patch = await rest.raw("ann", "GET", "/changes/1/revisions/1/patch?zip")
    (name,) = zipfile.ZipFile(io.BytesIO(patch.body)).namelist()
    assert name.endswith(".diff")
    only = base64.b64decode((await rest.raw("ann", "GET", "/changes/1/revisions/1/patch?path=b.txt")).body)
    assert b"b.txt" in only
    assert b"a.txt" not in only
    told = await rest.get("/changes/1/revisions/1/archive?format=rar", status=400)
    assert told == "The field format cannot be used: it is one of tar, tgz, tar.gz, zip."
    assert await rest.get("/changes/1/revisions/1/mergelist") == []


async def test_a_file_that_is_not_there_has_no_difference(rest: RestClient, change: Change) -> None:
    told = await rest.get(f"{FILES}/none/diff", status=404)
    assert "has no file none." in told


async def test_json_is_compact_and_pretty_when_asked(rest: RestClient, change: Change) -> None:
    assert (await rest.raw("", "GET", "/changes/1/hashtags")).body == b")]}'\n[]\n"
    assert (await rest.raw("", "GET", "/changes/1")).body.startswith(b')]}\'\n{"id":"')
    assert b'\n  "id": ' in (await rest.raw("", "GET", "/changes/1?pp=1")).body

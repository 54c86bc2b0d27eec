# SPDX-License-Identifier: Apache-2.0
"""Changes and patch sets that are merges, or what a patch makes, without a clone: as Gerrit 3.13 answers."""

from __future__ import annotations

import base64

from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ReviewHouse

NEW = {"project": "demo/api", "branch": "main", "subject": "New"}
PATCH = """diff --git a/a.txt b/a.txt
--- a/a.txt
+++ b/a.txt
@@ -1,3 +1,3 @@
 one
-main
+patched
 three
"""


def branches(house: ReviewHouse) -> dict[str, str]:
    """`main` moved on; `side` merges, `apart` conflicts in a.txt, `alien` has another beginning."""
    base = house.project("demo/api")
    below = house.commit("demo/api", {"a.txt": "one\ntwo\nthree\n"}, "Base\n", base)
    tips = {
        "below": below,
        "main": house.commit("demo/api", {"a.txt": "one\nmain\nthree\n"}, "Main\n", below),
        "side": house.commit("demo/api", {"b.txt": "b\n"}, "Side\n", below),
        "apart": house.commit("demo/api", {"a.txt": "one\napart\nthree\n"}, "Apart\n", below),
        "alien": house.commit("demo/api", {"c.txt": "c\n"}, "Alien\n"),
    }
    for name, commit in tips.items():
        old = base if name == "main" else "0" * 40
        assert name == "below" or house.repositories.update_ref("demo/api", f"refs/heads/{name}", old, commit)
    return tips


def shape(house: ReviewHouse, number: int) -> tuple[tuple[str, ...], str, str]:
    """Parents, message and a.txt of the current patch set."""
    commit = house.repositories.commit("demo/api", house.commit_of(house.change(number)))
    text = house.repositories.read_file("demo/api", commit.id, "a.txt") or b""
    return commit.parents, commit.message, text.decode()


async def test_a_change_is_made_that_merges_another_branch(rest: RestClient, house: ReviewHouse) -> None:
    tips = branches(house)
    made = await rest("root", "POST", "/changes/", {**NEW, "merge": {"source": "side"}}, 201)
    parents, message, text = shape(house, made["_number"])
    assert (parents, text) == ((tips["main"], tips["side"]), "one\nmain\nthree\n")
    assert message == f"New\n\nChange-Id: {made['change_id']}\n"
    for more, kept in (
        ({"source": "apart", "strategy": "ours"}, "one\nmain\nthree\n"),
        ({"source": "apart", "strategy": "theirs"}, "one\napart\nthree\n"),
        ({"source": tips["side"], "source_branch": "refs/heads/side"}, "one\nmain\nthree\n"),
        ({"source": "alien"}, "one\nmain\nthree\n"),
    ):
        made = await rest("root", "POST", "/changes/", {**NEW, "merge": more}, 201)
        assert shape(house, made["_number"])[2] == kept, more
    marked = await rest(
        "root", "POST", "/changes/", {**NEW, "merge": {"source": "apart", "allow_conflicts": True}}, 201
    )
    assert (marked["contains_git_conflicts"], marked["work_in_progress"]) == (True, True)
    assert "<<<<<<<" in shape(house, marked["_number"])[2]
    said = (await rest.get(f"/changes/{marked['_number']}/messages"))[-1]["message"]
    assert said == "Uploaded patch set 1.\n\nThe following files contain Git conflicts:\n* a.txt"


async def test_a_merge_that_cannot_be_is_refused_in_gerrits_words(rest: RestClient, house: ReviewHouse) -> None:
    tips = branches(house)
    for merge, status, told in (
        ({}, 400, "merge.source must be non-empty"),
        ({"source": "none"}, 400, "Cannot resolve 'none' to a commit"),
        ({"source": "1" * 40}, 404, f"Missing unknown {'1' * 40}"),
        ({"source": "apart"}, 409, "merge conflict(s):\n* a.txt"),
        ({"source": "side", "source_branch": "apart"}, 400, "do not have read permission for: side"),
        ({"source": "side", "source_branch": "none"}, 400, "do not have read permission for: side"),
        ({"source": tips["below"]}, 409, f"'{tips['below']}' has already been merged"),
        (
            {"source": "side", "strategy": "bogus"}, 400, "invalid merge strategy: bogus. Choose one of resolve, "
            "recursive, simple-two-way-in-core, ours, theirs.",
        ),
    ):  # fmt: skip
        assert await rest("root", "POST", "/changes/", {**NEW, "merge": merge}, status) == told, merge
    both = {**NEW, "merge": {"source": "side"}, "patch": {"patch": PATCH}}
    assert await rest("root", "POST", "/changes/", both, 400) == (
        "Only one of `merge` and `patch` arguments can be set."
    )
    assert house.repositories.update_ref("demo/api", "refs/changes/09/9/1", "0" * 40, tips["alien"])
    assert house.repositories.update_ref("demo/api", "refs/heads/alien", tips["alien"], "0" * 40)
    hidden = {**NEW, "merge": {"source": tips["alien"]}}
    assert await rest("root", "POST", "/changes/", hidden, 404) == f"Missing unknown {tips['alien']}"


async def test_a_change_is_made_of_a_patch(rest: RestClient, house: ReviewHouse) -> None:
    tips = branches(house)
    for patch in (PATCH, base64.b64encode(PATCH.encode()).decode()):
        made = await rest("ann", "POST", "/changes/", {**NEW, "patch": {"patch": patch}}, 201)
        assert shape(house, made["_number"])[::2] == ((tips["main"],), "one\npatched\nthree\n")
    blobs = [dict(house.repositories.list_files("demo/api", tips[name]))["a.txt"] for name in ("below", "apart")]
    with_blobs = PATCH.replace("-main", "-two").replace("+patched", "+apart").replace(
        "--- a/", f"index {blobs[0]}..{blobs[1]} 100644\n--- a/"
    )  # fmt: skip
    asked = {**NEW, "patch": {"patch": with_blobs, "allow_conflicts": True}}
    made = await rest("ann", "POST", "/changes/", asked, 201)
    _, message, text = shape(house, made["_number"])
    assert (made["contains_git_conflicts"], "<<<<<<<" in text, "apart" in text) == (True, True, True)
    assert message == (
        "New\n\nATTENTION: Conflicts occurred while applying the patch.\nPlease resolve conflict markers.\n\n"
        f"Change-Id: {made['change_id']}\n"
    )
    for patch, status, told in (
        ({}, 400, "patch required"),
        ({"patch": "hello"}, 400, "Invalid patch format. Got the following errors:\nNo valid patches in input"),
        ({"patch": PATCH.replace(" three\n", "")}, 400, "Invalid patch format. "),
        ({"patch": PATCH.replace("-main", "-x")}, 409, "The patch does not apply:\npatch failed: a.txt:1\n"),
        ({"patch": PATCH.replace("-main", "-x"), "allow_conflicts": True}, 409, "The patch does not apply:\n"),
        ({"patch": PATCH.replace("a.txt", "../a.txt")}, 409, "The patch does not apply:\n../a.txt: does not "),
        ({"patch": PATCH.replace("a.txt", ".git/a")}, 409, "The patch does not apply:\n.git/a: does not "),
    ):
        assert (await rest("ann", "POST", "/changes/", {**NEW, "patch": patch}, status)).startswith(told), patch


async def test_a_change_begins_a_branch_that_is_not_there_yet(rest: RestClient, house: ReviewHouse) -> None:
    branches(house)
    fresh = {**NEW, "branch": "fresh", "new_branch": True}
    made = await rest("ann", "POST", "/changes/", fresh, 201)
    assert shape(house, made["_number"])[0] == ()
    for body, status, told in (
        ({**NEW, "topic": "x" * 2049}, 400, "topic length exceeds the limit (2048)"),
        ({**NEW, "topic": 'a"b'}, 400, "topic can't contain quotation marks."),
        ({**NEW, "topic": "a\nb"}, 400, "topic can't contain line ends or other control characters."),
        ({**NEW, "new_branch": True}, 409, "Branch refs/heads/main already exists."),
        ({**NEW, "branch": "none"}, 400, "Destination branch does not exist refs/heads/none"),
        (
            {**fresh, "merge": {"source": "side"}}, 400,
            "Cannot create merge: destination branch does not exist",
        ),
        ({**fresh, "patch": {"patch": PATCH}}, 400, "Cannot apply patch on top of an empty tree."),
        ({**fresh, "base_commit": house.tip("demo/api")}, 400, "Destination branch does not exist refs/heads/fresh"),
    ):  # fmt: skip
        assert await rest("ann", "POST", "/changes/", body, status) == told, body
    house.approve(house.change(made["_number"]))
    assert (await rest("bob", "POST", f"/changes/{made['_number']}/submit", {}))["status"] == "MERGED"
    assert house.tip("demo/api", "refs/heads/fresh")


async def test_a_patch_becomes_the_next_patch_set(rest: RestClient, house: ReviewHouse) -> None:
    tips = branches(house)
    made = await rest("ann", "POST", "/changes/", NEW, 201)
    path, kept = f"/changes/{made['_number']}/patch:apply", f"Change-Id: {made['change_id']}\n"
    info = await rest("ann", "POST", path, {"patch": {"patch": PATCH}, "response_format_options": ["CURRENT_REVISION"]})
    assert (info["current_revision_number"], len(info["revisions"])) == (2, 1)
    assert shape(house, 1) == ((tips["main"],), f"New\n\n{kept}", "one\npatched\nthree\n")
    more = PATCH.replace("-main", "-patched").replace("+patched", "+amended")
    await rest("ann", "POST", path, {"patch": {"patch": more}, "amend": True, "commit_message": "Better\n\nBody"})
    assert shape(house, 1) == ((tips["main"],), f"Better\n\nBody\n\n{kept}", "one\namended\nthree\n")
    below = PATCH.replace("-main", "-two")
    author = {"name": "Zed", "email": "zed@example.org"}
    await rest("ann", "POST", path, {"patch": {"patch": below}, "base": tips["below"], "author": author})
    assert shape(house, 1)[::2] == ((tips["below"],), "one\npatched\nthree\n")
    assert (await rest.get("/changes/1/messages"))[-1]["message"].startswith("Uploaded patch set 4.")
    patch = {"patch": {"patch": PATCH}}
    for body, status, told in (
        ({}, 400, "patch required"),
        ({**patch, "amend": True, "base": "main"}, 400, "amend only works with existing revisions. omit base."),
        ({**patch, "base": "none"}, 400, "Base none doesn't represent a valid SHA-1"),
        ({**patch, "base": tips["alien"]}, 422, "The commit "),
        ({**patch, "author": {"name": "Zed"}}, 400, "Author must specify name and email"),
        (
            {"patch": {"patch": below}, "commit_message": f"x\n\nChange-Id: I{'1' * 40}"},
            409,
            "The Change-Id in the message is not ",
        ),
    ):
        assert (await rest("ann", "POST", path, body, status)).startswith(told), body
    await rest("ann", "POST", "/changes/1/abandon", {})
    assert await rest("ann", "POST", path, patch, 409) == (
        "The change is abandoned; only an open change can be changed like this."
    )


async def test_another_merge_becomes_the_next_patch_set(rest: RestClient, house: ReviewHouse) -> None:
    tips = branches(house)
    made = await rest("root", "POST", "/changes/", NEW, 201)
    kept = f"Change-Id: {made['change_id']}\n"
    side = {"source": "side"}
    info = await rest("root", "POST", "/changes/1/merge", {"merge": side, "subject": "Merged\n\nBody"})
    assert shape(house, 1)[:2] == ((tips["main"], tips["side"]), f"Merged\n\nBody\n\n{kept}")
    assert list(info["revisions"]) == [info["current_revision"]]
    await rest("root", "POST", "/changes/1/merge", {"merge": {"source": "alien"}, "inherit_parent": True})
    assert shape(house, 1)[0] == (tips["main"], tips["alien"])
    other = await rest("root", "POST", "/changes/", NEW, 201)
    await rest("root", "POST", "/changes/1/merge", {"merge": side, "base_change": str(other["_number"])})
    assert shape(house, 1)[0] == (house.commit_of(house.change(2)), tips["side"])
    for body, status, told in (
        ({}, 400, "merge.source must be non-empty"),
        ({"merge": {"source": "apart"}}, 409, "merge conflict(s):\n* a.txt"),
        ({"merge": side, "base_change": "99"}, 422, ""),
        ({"merge": side, "author": {"name": "Zed"}}, 400, "Author must specify name and email"),
    ):
        assert (await rest("root", "POST", "/changes/1/merge", body, status)).startswith(told), body
    told = await rest("ann", "POST", "/changes/1/merge", {"merge": side}, 409)
    assert told.startswith("you are not allowed to upload merges.")
    marked = await rest("root", "POST", "/changes/1/merge", {"merge": {"source": "apart", "allow_conflicts": True}})
    assert (marked["contains_git_conflicts"], marked["work_in_progress"]) == (True, True)
    assert (await rest.get("/changes/1/messages"))[-1]["message"] == (
        "Uploaded patch set 5.\n\nThe following files contain Git conflicts:\n* a.txt"
    )

# SPDX-License-Identifier: Apache-2.0
"""Gerrit's REST calls over real HTTP, with a real database and real repositories, as its clients make them."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import update

from gatebot.events import CommentAdded, SubmitRequested, VoteCast
from gatebot.identity import Identity
from gatebot.reasons import reason
from gatebot.review import conversation, store
from gatebot.review.indexing import Indexing
from gatebot.review.model import Change, ReviewerState
from gatebot.review.rest import routes
from gatebot.review.room import furnish
from gatebot.review.tables import changes
from tests.fakes.asker import FakeAsker, errors_as_text
from tests.fakes.review_house import ANN, BOB, GATE, SITE, ReviewHouse

PREFIX = ")]}'\n"


@pytest.fixture
def house(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ReviewHouse]:
    (tmp_path / "gatebot.db").write_bytes(migrated_sqlite.read_bytes())
    house = ReviewHouse(f"sqlite:///{tmp_path / 'gatebot.db'}", tmp_path / "git")
    yield house
    house.close()


class Client:
    """A client of the site; `who` signs the requests."""

    def __init__(self, http: TestClient) -> None:
        self._http = http

    async def __call__(self, who: str, method: str, path: str, body: object = None, status: int = 200) -> object:
        """The answer's value; its text when it is no JSON."""
        headers = {"Content-Type": "application/json"} | ({"X-Test-User": who} if who else {})
        data = None if body is None else json.dumps(body)
        async with self._http.request(method, path, data=data, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == status, text
            if answer.content_type != "application/json":
                return text.strip()
            if path.startswith("/api/"):
                return json.loads(text)
            assert text.startswith(PREFIX)
            return json.loads(text.removeprefix(PREFIX))


@pytest.fixture
async def client(house: ReviewHouse) -> AsyncIterator[Client]:
    identity = Identity(house.db, house.clock)
    room = furnish(house.db, house.repositories, identity, house.clock, house.gates, SITE)
    app = web.Application(middlewares=[errors_as_text])
    app.add_routes(routes(room, FakeAsker(house)))
    async with TestClient(TestServer(app)) as http:
        yield Client(http)


@pytest.fixture
def change(house: ReviewHouse) -> Change:
    base = house.project("demo/api")
    return house.push("demo/api", {"a.txt": "a\n", "b.txt": "b\n"}, "Add a and b", base)


async def test_the_version_lets_every_client_parse_three_numbers(client: Client) -> None:
    assert await client("", "GET", "/config/server/version") == "3.13.0"
    assert await client("ann", "GET", "/a/config/server/version/") == "3.13.0"


async def test_a_change_is_found_by_every_identifier_of_gerrit(client: Client, change: Change) -> None:
    names = ("1", "demo%2Fapi~1", f"demo%2Fapi~main~{change.change_id}", change.change_id, change.change_id[:9])
    for name in names:
        info = await client("", "GET", f"/changes/{name}/")
        assert (info["_number"], info["project"]) == (1, "demo/api")
        assert info["id"] == f"demo%2Fapi~main~{change.change_id}"


async def test_an_unknown_change_is_not_found_in_a_sentence(client: Client, change: Change) -> None:
    assert await client("", "GET", "/changes/7", status=404) == "There is no change 7, or you may not see it."


async def test_git_review_finds_what_to_download(client: Client, change: Change) -> None:
    (found,) = await client("", "GET", f"/changes/?q={change.change_id}&o=ALL_REVISIONS")
    revision = found["revisions"][found["current_revision"]]
    assert revision["_number"] == 1
    assert next(iter(revision["fetch"].values()))["ref"] == "refs/changes/01/1/1"
    listed = await client("", "GET", "/changes/?q=project%3Ademo%2Fapi+status%3Aopen+branch%3Amain")
    assert [one["subject"] for one in listed] == ["Add a and b"]


async def test_gertty_asks_several_queries_at_once(client: Client, change: Change) -> None:
    answer = await client("ann", "GET", "/a/changes/?n=500&q=is:owner%20status:open&q=is:starred")
    assert [[one["_number"] for one in found] for found in answer] == [[1], []]
    unknown = await client("ann", "GET", f"/a/changes/?q=commit:{'0' * 40}%20OR%20commit:{'1' * 40}")
    assert unknown == []


async def test_a_query_that_is_not_understood_is_refused_by_name(client: Client) -> None:
    said = await client("", "GET", "/changes/?q=colour:red", status=400)
    assert said.startswith("Unsupported operator colour:red. The operators are added, after, age, attention, author,")


async def test_zuul_reads_all_it_needs_of_a_change(client: Client, house: ReviewHouse, change: Change) -> None:
    house.gates.branches.add(("demo/api", "main"))
    await client("bob", "POST", "/a/changes/1/revisions/current/review", {"labels": {"Code-Review": 2, "Workflow": 1}})
    await client("gatebot", "POST", "/a/changes/1/revisions/1/review", {"labels": {"Verified": "-1"}, "tag": "zuul"})
    options = "DETAILED_ACCOUNTS CURRENT_REVISION CURRENT_COMMIT CURRENT_FILES LABELS DETAILED_LABELS ALL_REVISIONS"
    query = "&".join(f"o={option}" for option in [*options.split(), "SUBMIT_REQUIREMENTS"])
    info = await client("gatebot", "GET", f"/a/changes/1?{query}")
    commit = house.commit_of(change)
    revision = info["revisions"][commit]
    assert info["current_revision"] == commit
    assert info["owner"]["username"] == "ann"
    assert revision["ref"] == "refs/changes/01/1/1"
    begin = house.repositories.commit("demo/api", house.tip("demo/api"))
    assert revision["commit"]["parents"] == [{"commit": begin.id, "subject": begin.subject}]
    assert sorted(revision["files"]) == ["a.txt", "b.txt"]
    verified = info["labels"]["Verified"]
    assert [(vote["username"], vote["value"], vote["tag"]) for vote in verified["all"] if vote["value"]] == [
        ("gatebot", -1, "zuul")
    ]
    assert "approved" not in verified
    assert "optional" not in verified
    assert info["labels"]["Code-Review"]["approved"]["username"] == "bob"
    assert info["labels"]["Code-Review"]["values"][" 0"] == "No score"
    assert {r["name"]: r["status"] for r in info["submit_requirements"]} == {
        "Code-Review": "SATISFIED",
        "Workflow": "SATISFIED",
        "Verified": "UNSATISFIED",
    }


async def test_how_many_lines_a_change_has_is_told_in_lists_too_before_and_after_they_were_counted(
    client: Client, house: ReviewHouse, change: Change
) -> None:
    (found,) = await client("ann", "GET", "/a/changes/?q=is:open")
    assert (found["insertions"], found["deletions"]) == (2, 0)
    assert "insertions" not in await client("ann", "GET", "/a/changes/1?o=SKIP_DIFFSTAT")
    await Indexing(house.db, house.repositories, lambda *_: False).catch_up()
    counted = (await house.db.read(store.get_patch_set, 1, 1)).lines
    assert counted == (2, 0)
    assert (await client("ann", "GET", "/a/changes/1"))["insertions"] == 2


async def test_who_votes_is_a_reviewer_the_owner_too_and_it_is_not_his_turn_by_that(
    client: Client, house: ReviewHouse, change: Change
) -> None:
    await client("ann", "POST", "/a/changes/1/wip", {})
    await client("ann", "POST", "/a/changes/1/revisions/current/review", {"labels": {"Code-Review": 0}})
    assert await client("ann", "GET", "/a/changes/1/reviewers") == []
    await client("ann", "POST", "/a/changes/1/revisions/current/review", {"labels": {"Code-Review": -1}})
    assert [one["username"] for one in await client("ann", "GET", "/a/changes/1/reviewers")] == ["ann"]
    await client("ann", "POST", "/a/changes/1/ready", {})
    assert await client("ann", "GET", "/a/changes/1/attention") == []


async def test_who_says_something_is_kept_informed_unless_he_is_something_already(
    client: Client, change: Change
) -> None:
    review = "/a/changes/1/revisions/current/review"

    async def people() -> dict[str, list[str]]:
        info = await client("ann", "GET", "/a/changes/1/detail")
        return {state: [one["username"] for one in who] for state, who in info["reviewers"].items()}

    await client("ann", "POST", review, {"message": "It is mine anyway."})
    assert await people() == {}
    await client("bob", "POST", review, {"message": "A thought", "labels": {"Code-Review": 0}})
    assert await people() == {"CC": ["bob"]}
    await client("bob", "POST", review, {"labels": {"Code-Review": 1}})
    await client("bob", "POST", review, {"message": "Another thought"})
    assert await people() == {"REVIEWER": ["bob"]}
    await client("root", "POST", review, {"message": "I look", "reviewers": [{"reviewer": "root"}]})
    assert await people() == {"REVIEWER": ["bob", "root"]}


async def test_hashtags_are_told_in_the_conversation_once(client: Client, house: ReviewHouse, change: Change) -> None:
    await client("ann", "POST", "/a/changes/1/hashtags", {"add": ["new", "#late"]})
    await client("ann", "POST", "/a/changes/1/hashtags", {"add": ["new"]})
    await client("ann", "POST", "/a/changes/1/hashtags", {"add": ["x"], "remove": ["new"]})
    said = [(one["message"], one.get("tag")) for one in await client("ann", "GET", "/a/changes/1/messages")]
    tag = "autogenerated:gerrit:setHashtag"
    assert said[-2:] == [("Hashtags added: late, new", tag), ("Hashtag added: x\nHashtag removed: new", tag)]
    assert len(said) == 3


async def test_people_whose_turn_it_is_are_ids_unless_details_are_wanted(client: Client, change: Change) -> None:
    await client("ann", "POST", "/a/changes/1/reviewers", {"reviewer": "bob"})
    (entry,) = (await client("ann", "GET", "/a/changes/1"))["attention_set"].values()
    assert entry["account"] == {"_account_id": BOB}
    (entry,) = (await client("ann", "GET", "/a/changes/1?o=DETAILED_ACCOUNTS"))["attention_set"].values()
    assert entry["account"]["username"] == "bob"


async def test_who_may_be_removed_and_which_votes_is_told_to_each_for_himself(
    client: Client, house: ReviewHouse, change: Change
) -> None:
    await client("bob", "POST", "/a/changes/1/revisions/current/review", {"labels": {"Code-Review": 1}})
    for who, reviewers, labels in (
        ("bob", ["bob"], {"Code-Review": {"+1": ["bob"]}}),
        ("root", ["bob"], {"Code-Review": {"+1": ["bob"]}}),
        ("", [], {}),
    ):
        info = await client(who, "GET", "/changes/1?o=DETAILED_LABELS")
        assert [one["username"] for one in info["removable_reviewers"]] == reviewers
        told = {
            label: {value: [one["username"] for one in people] for value, people in votes.items()}
            for label, votes in info["removable_labels"].items()
        }
        assert told == labels
    house.write(lambda session: store.update_change(session, 1, house.clock.now(), status="ABANDONED"))
    assert (await client("bob", "GET", "/a/changes/1?o=DETAILED_LABELS"))["removable_labels"] == {}


async def test_a_review_is_published_with_its_votes_and_comments(
    client: Client, house: ReviewHouse, change: Change
) -> None:
    body = {
        "message": "Nearly.",
        "labels": {"Code-Review": -1},
        "comments": {"a.txt": [{"line": 1, "message": "Why a?", "unresolved": True}]},
        "reviewers": [{"reviewer": "root", "state": "CC"}],
    }
    answer = await client("bob", "POST", "/changes/1/revisions/current/review", body)
    assert answer["labels"] == {"Code-Review": -1}
    facts = house.facts(VoteCast, CommentAdded)
    text = "Patch Set 1: Code-Review-1\n\n(1 comment)\n\nNearly."
    assert facts == [
        VoteCast(1, 1, "Code-Review", -1, BOB),
        CommentAdded(1, 1, BOB, facts[1].message, text, "", (("Code-Review", -1),), 1),
    ]
    info = await client("", "GET", "/changes/1/detail")
    assert info["messages"][-1]["message"] == text
    assert {state: [one["username"] for one in who] for state, who in info["reviewers"].items()} == {
        "REVIEWER": ["bob"],
        "CC": ["root"],
    }
    assert info["unresolved_comment_count"] == 1
    comments = await client("", "GET", "/changes/1/revisions/1/comments")
    assert (comments["a.txt"][0]["message"], comments["a.txt"][0]["author"]["username"]) == ("Why a?", "bob")


async def test_recheck_is_a_comment_in_the_form_that_zuul_filters(
    client: Client, house: ReviewHouse, change: Change
) -> None:
    await client("ann", "POST", "/changes/1/revisions/current/review", {"message": "recheck"})
    (fact,) = house.facts(CommentAdded)
    assert (fact.account, fact.text) == (ANN, "Patch Set 1:\n\nrecheck")


async def test_a_vote_that_is_not_permitted_says_what_is(client: Client, change: Change) -> None:
    url = "/changes/1/revisions/current/review"
    said = await client("ann", "POST", url, {"labels": {"Code-Review": 2}}, status=403)
    assert said == 'Applying label "Code-Review": +2 is restricted. You may vote from -1 to +1.'
    said = await client("bob", "POST", url, {"labels": {"Verified": 1}}, status=403)
    assert said == 'Applying label "Verified": +1 is restricted. You may not vote on this label.'
    said = await client("bob", "POST", url, {"labels": {"Taste": 1}}, status=400)
    assert said == "There is no label Taste; the labels are Code-Review, Verified, Workflow."
    said = await client("", "POST", url, {"message": "hello"}, status=401)
    assert said == "You must be signed in to do this."


async def test_a_comment_on_a_file_that_is_not_there_is_refused(client: Client, change: Change) -> None:
    body = {"comments": {"c.txt": [{"line": 1, "message": "?"}]}}
    said = await client("bob", "POST", "/changes/1/revisions/1/review", body, status=400)
    assert said == "The file c.txt is not in patch set 1."


async def test_submit_on_a_gated_project_asks_the_gate(client: Client, house: ReviewHouse, change: Change) -> None:
    house.gates.branches.add(("demo/api", "main"))
    said = await client("bob", "POST", "/changes/1/submit", {}, status=409)
    assert said == (
        "The change cannot be submitted. Not ready to be merged. It needs Code-Review +2. It needs Workflow +1."
    )
    house.approve(change)
    said = await client("bob", "POST", "/changes/1/submit", {}, status=409)
    assert said == (
        "the gate of main of demo/api was asked; when it takes the change, the page shows its place, and it merges "
        "when its jobs pass. When it cannot, it says why in a comment"
    )
    house.gates.positions[1] = reason("pipeline.position", place=3, size=5, queue="main")
    said = await client("bob", "POST", "/changes/1/submit", {}, status=409)
    assert said == "enqueued in the gate at position 3; it merges when its jobs pass"
    facts = house.facts(SubmitRequested)
    assert facts == [SubmitRequested(1, 1, BOB)] * 2
    assert (await client("", "GET", "/changes/1"))["status"] == "NEW"


async def test_the_gate_is_not_asked_for_a_change_that_stands_on_one_that_is_not_ready(
    client: Client, house: ReviewHouse, change: Change
) -> None:
    above = house.push("demo/api", {"b": "b\n"}, "Add b", house.commit_of(change))
    house.gates.branches.add(("demo/api", "main"))
    house.approve(above)
    assert await client("bob", "POST", f"/changes/{above.number}/submit", {}, status=409) == (
        "The change cannot be submitted. Change 2 stands on change 1, which is not ready. Not ready to be merged. "
        "It needs Code-Review +2. It needs Workflow +1."
    )
    assert house.facts(SubmitRequested) == []


async def test_a_footer_tells_nothing_of_a_change_that_its_writer_may_not_see(
    client: Client, house: ReviewHouse, change: Change
) -> None:
    house.gates.branches.add(("demo/api", "main"))
    house.write(lambda session: store.update_change(session, 1, house.clock.now(), private=True))
    house.write(lambda session: session.execute(update(changes).where(changes.c.number == 1).values(owner=BOB)))
    house.push("demo/api", {"c": "c\n"}, "Add c", house.tip("demo/api"), f"Depends-On: {SITE}1\nDepends-On: {SITE}99\n")
    verdict = await client("", "GET", "/api/change/2/verdict")
    told = json.dumps(verdict)
    for number in (1, 99):
        assert f"Depends-On: {SITE}{number} is not the address of a change here." in told
    house.write(conversation.set_reviewer, 1, ANN, ReviewerState.CC, house.clock.now())
    assert "It depends on change 1, which is not merged." in json.dumps(
        await client("ann", "GET", "/api/change/2/verdict")
    )
    assert "change 1," not in json.dumps(await client("", "GET", "/api/change/2/verdict"))


async def test_only_a_capability_merges_past_the_gate(client: Client, house: ReviewHouse, change: Change) -> None:
    house.gates.branches.add(("demo/api", "main"))
    house.approve(change)
    said = await client("bob", "POST", "/changes/1/submit", {"bypass_gate": True}, status=403)
    assert said.startswith("This needs the permission bypassGate on refs/heads/main of demo/api.")
    info = await client("root", "POST", "/changes/1/submit", {"bypass_gate": True})
    assert info["status"] == "MERGED"


async def test_submit_without_a_gate_merges_at_once(client: Client, house: ReviewHouse, change: Change) -> None:
    house.approve(change)
    info = await client("bob", "POST", "/changes/demo%2Fapi~1/submit", {})
    assert (info["status"], info["submitter"]) == ("MERGED", {"_account_id": BOB})
    assert house.tip("demo/api") == house.commit_of(change)
    said = await client("bob", "POST", "/changes/1/submit", {}, status=409)
    assert said == "The change is merged; only an open change can be changed like this."


async def test_a_conflict_names_the_files_and_the_way_out(client: Client, house: ReviewHouse, change: Change) -> None:
    other = house.commit("demo/api", {"a.txt": "other\n"}, "Direct\n", house.tip("demo/api"))
    assert house.repositories.update_ref("demo/api", "refs/heads/main", house.tip("demo/api"), other)
    house.approve(change)
    said = await client("bob", "POST", "/changes/1/submit", {}, status=409)
    assert said == (
        "The change cannot be submitted. It conflicts with main in a.txt. Rebase it (`git pull --rebase`), "
        "resolve the conflict, and push it again."
    )


async def test_abandon_and_restore(client: Client, change: Change) -> None:
    info = await client("ann", "POST", "/changes/1/abandon", {"message": "No."})
    assert info["status"] == "ABANDONED"
    said = await client("ann", "POST", "/changes/1/abandon", status=409)
    assert said == "The change is abandoned; only an open change can be changed like this."
    assert (await client("ann", "POST", "/changes/1/restore"))["status"] == "NEW"
    messages = [one["message"] for one in await client("", "GET", "/changes/1/messages")]
    assert messages == ["Uploaded patch set 1.", "Abandoned\n\nNo.", "Restored"]


async def test_topic_hashtags_and_work_in_progress(client: Client, change: Change) -> None:
    assert await client("ann", "PUT", "/changes/1/topic", {"topic": "letters"}) == "letters"
    assert await client("ann", "POST", "/changes/1/hashtags", {"add": ["#easy", "doc"], "remove": []}) == [
        "doc",
        "easy",
    ]
    await client("ann", "POST", "/changes/1/wip", {})
    info = await client("", "GET", "/changes/?q=topic:letters+hashtag:easy+is:wip")
    assert (info[0]["topic"], info[0]["work_in_progress"]) == ("letters", True)
    await client("ann", "POST", "/changes/1/ready", {})
    await client("ann", "DELETE", "/changes/1/topic", status=204)
    assert "topic" not in await client("", "GET", "/changes/1")


async def test_a_private_change_is_not_there_for_others(client: Client, change: Change) -> None:
    await client("ann", "PUT", "/changes/1/private", status=201)
    await client("bob", "GET", "/changes/1", status=404)
    assert await client("", "GET", "/changes/") == []
    assert (await client("ann", "GET", "/changes/1"))["is_private"] is True
    await client("ann", "POST", "/changes/1/reviewers", {"reviewer": "bob@example.org"})
    assert (await client("bob", "GET", "/changes/1"))["_number"] == 1


async def test_a_reviewer_comes_and_goes_with_his_votes(client: Client, house: ReviewHouse, change: Change) -> None:
    await client("ann", "GET", "/changes/1/reviewers/bob", status=404)
    await client("ann", "POST", "/changes/1/reviewers", {"reviewer": "bob"})
    house.vote(1, "Code-Review", -2)
    assert await client("", "GET", "/changes/1/reviewers/bob/votes") == {"Code-Review": -2}
    await client("ann", "DELETE", "/changes/1/reviewers/bob", status=204)
    assert await client("", "GET", "/changes/1/reviewers") == []
    assert house.facts(VoteCast) == [VoteCast(1, 1, "Code-Review", 0, BOB, -2)]
    await client("bob", "POST", "/changes/1/revisions/1/review", {"message": "I hear of it."})
    info = await client("ann", "GET", "/changes/1?o=REVIEWER_UPDATES&o=DETAILED_LABELS")
    told = [(one["reviewer"], one["updated_by"], one["state"]) for one in info["reviewer_updates"]]
    ann, bob = {"_account_id": ANN}, {"_account_id": BOB}
    assert told == [(bob, ann, "REVIEWER"), (bob, ann, "REMOVED"), (bob, bob, "CC")]
    assert list(info["reviewers"]) == ["CC"]
    detail = await client("ann", "GET", "/changes/1/detail")
    assert [one["reviewer"]["username"] for one in detail["reviewer_updates"]] == ["bob"] * 3


async def test_the_gates_vote_can_be_deleted_as_zuul_does(client: Client, house: ReviewHouse, change: Change) -> None:
    house.vote(1, "Verified", -2, GATE)
    await client("root", "DELETE", "/a/changes/1/reviewers/gatebot/votes/Verified", status=204)
    assert await client("", "GET", "/changes/1/reviewers/gatebot/votes") == {}


async def test_related_changes_are_the_chain_newest_first(client: Client, house: ReviewHouse, change: Change) -> None:
    second = house.push("demo/api", {"c.txt": "c\n"}, "Add c", house.commit_of(change))
    related = await client("", "GET", "/changes/1/revisions/current/related")
    assert [one["_change_number"] for one in related["changes"]] == [second.number, 1]
    assert (await client("", "GET", f"/changes/{second.number}/revisions/1/related"))["changes"] == related["changes"]


async def test_a_change_on_an_older_patch_set_is_related(client: Client, house: ReviewHouse, change: Change) -> None:
    second = house.push("demo/api", {"c.txt": "c\n"}, "Add c", house.commit_of(change))
    house.new_patch_set(change, {"a.txt": "better\n"})
    related = await client("", "GET", "/changes/1/revisions/current/related")
    told = [(one["_change_number"], one["_revision_number"]) for one in related["changes"]]
    assert told == [(second.number, 1), (1, 2)]


async def test_votes_on_what_a_project_has_not_are_passed_over_where_the_client_says_so(
    client: Client, house: ReviewHouse, change: Change
) -> None:
    votes = {"Taste": 1, "Code-Review": 1, "Verified": 9}
    body = {"labels": votes, "strict_labels": False, "message": "Build succeeded."}
    answer = await client("bob", "POST", "/changes/1/revisions/current/review", body)
    assert answer["labels"] == {"Code-Review": 1}
    records = answer["change_info"]["submit_records"]
    assert (records[0]["rule_name"], records[0]["status"]) == ("gerrit~DefaultSubmitRule", "NOT_READY")


async def test_files_commit_and_patch_of_a_revision(client: Client, house: ReviewHouse, change: Change) -> None:
    files = await client("", "GET", "/changes/1/revisions/1/files")
    assert files["a.txt"] == {
        "status": "A", "lines_inserted": 1, "size_delta": 2, "size": 2, "new_mode": 0o100644,
        "new_sha": "78981922613b2afb6025042ff6bd878ac1994e85",
    }  # fmt: skip
    assert sorted(files) == ["/COMMIT_MSG", "a.txt", "b.txt"]
    house.new_patch_set(change, {"a.txt": "a\n", "b.txt": "B\n"})
    between = await client("", "GET", "/changes/1/revisions/2/files?base=1")
    assert sorted(between) == ["/COMMIT_MSG", "b.txt"]
    assert between["/COMMIT_MSG"]["size_delta"] == 0
    commit = await client("", "GET", "/changes/1/revisions/1/commit")
    assert commit["author"] == {
        "name": "Ann Author",
        "email": "ann@example.org",
        "date": "2026-01-05 08:00:00.000000000",
        "tz": 540,
    }
    patch = base64.b64decode(await client("", "GET", "/changes/1/revisions/1/patch"))
    assert b"Subject: [PATCH] Add a and b\n" in patch


async def test_the_verdict_is_a_tree_with_sentences(client: Client, house: ReviewHouse, change: Change) -> None:
    house.gates.branches.add(("demo/api", "main"))
    house.vote(1, "Code-Review", 2)
    verdict = await client("", "GET", "/api/change/1/verdict")
    assert verdict["submittable"] is False
    assert verdict["lines"] == [
        "State: The change is open.",
        "Code-Review: Code-Review +2 by bob.",
        "Workflow: It needs Workflow +1. Any member of Core can vote Workflow +1.",
        "Verified: It needs Verified +2. The gate can vote Verified after testing it, once its check has passed and "
        "all other requirements are met.",
    ]
    assert verdict["requirements"][2]["parts"][0]["who"]["sentence"] == "Any member of Core"


async def test_a_project_is_created_listed_and_read(client: Client, house: ReviewHouse) -> None:
    await client("ann", "PUT", "/a/projects/demo%2Fnew", status=403)
    await client("root", "PUT", "/a/projects/demo%2Fnew", {"create_empty_commit": True, "description": "New."}, 201)
    said = await client("root", "PUT", "/a/projects/demo%2Fnew", status=409)
    assert said == "The project demo/new exists already."
    assert await client("", "GET", "/projects/demo%2Fnew/HEAD") == "refs/heads/main"
    assert await client("", "GET", "/projects/?d") == {
        "demo/new": {"id": "demo%2Fnew", "parent": "All-Projects", "description": "New.", "state": "ACTIVE"}
    }
    branches = await client("", "GET", "/projects/demo%2Fnew/branches/?n=25&s=0")
    assert branches == [
        {"ref": "HEAD", "revision": "main"},
        {"ref": "refs/heads/main", "revision": house.tip("demo/new")},
    ]
    await client("", "GET", "/projects/demo%2Fother", status=404)


async def test_accounts_are_made_by_administrators_and_known_to_themselves(client: Client) -> None:
    body = {"name": "Zuul", "email": "zuul@example.org", "http_password": "secret-secret", "groups": ["Service Users"]}
    await client("ann", "PUT", "/a/accounts/zuul", body, 403)
    made = await client("root", "PUT", "/a/accounts/zuul", body, 201)
    assert (made["username"], made["email"]) == ("zuul", "zuul@example.org")
    assert (await client("", "GET", "/accounts/zuul"))["name"] == "Zuul"
    assert (await client("ann", "GET", "/a/accounts/self/"))["_account_id"] == ANN
    await client("", "GET", "/accounts/nobody", status=404)
    await client("", "GET", "/accounts/self", status=401)

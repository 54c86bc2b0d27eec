# SPDX-License-Identifier: Apache-2.0
"""What the server makes of changes by itself is asked what a push is asked: rights, policy, Change-Ids, secrets."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from gatebot.review import conversation, intents, store
from gatebot.review.config.book import Book
from gatebot.review.making import KIND, Maker, Wanted
from gatebot.review.model import Change, ReviewerState
from gatebot.review.push_facts import Site
from gatebot.review.push_policy import Policy
from tests.fakes.rest_client import RestClient, served
from tests.fakes.review_house import ANN, BOB, ReviewHouse

NEW = {"project": "demo/api", "branch": "main", "subject": "New"}


def configured(house: ReviewHouse, project: str, text: str) -> None:
    """Give a project this `project.config`."""
    tree = house.repositories.write_tree(project, {"project.config": text.encode()})
    who = house.repositories.commit(project, house.tip(project)).author
    commit = house.repositories.write_commit(project, tree, (), who, who, "Configure\n")
    old = house.tip(project, "refs/meta/config")
    assert house.repositories.update_ref(project, "refs/meta/config", old, commit)


async def merged(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    house.approve(change)
    assert (await rest("bob", "POST", f"/changes/{change.number}/submit", {}))["status"] == "MERGED"


# -- what a push would be asked -------------------------------------------------------------------------


async def test_a_project_that_is_only_read_takes_nothing_from_any_side(house: ReviewHouse, change: Change) -> None:
    base = house.tip("demo/api")
    assert house.repositories.update_ref("demo/api", "refs/heads/stable", "0" * 40, base)
    configured(house, "demo/api", "[project]\n\tstate = read only\n")
    async with served(house, configs=Book(house.db, house.repositories)) as rest:
        told = "The project demo/api is read-only: its state does not permit write."
        for kind in ("branches", "tags"):
            assert await rest("root", "PUT", f"/projects/demo%2Fapi/{kind}/v1", {"revision": "main"}, 409) == told
        assert await rest("root", "DELETE", "/projects/demo%2Fapi/branches/stable", status=409) == told
        assert await rest("ann", "POST", "/changes/", NEW, 409) == told
        assert await rest("ann", "POST", "/changes/1/revisions/1/cherrypick", {"destination": "stable"}, 409) == told
        assert (await rest.raw("ann", "PUT", "/changes/1/edit/x", b"x")).status == 204
        assert await rest("ann", "POST", "/changes/1/edit:publish", {}, 409) == told


async def test_a_commit_that_must_be_signed_off_must_be_so_however_it_is_made(
    house: ReviewHouse, change: Change
) -> None:
    async with served(house, policy=Policy(signed_off_by=True)) as rest:
        told = await rest("ann", "POST", "/changes/", NEW, 409)
        assert told.startswith("not Signed-off-by author/committer/uploader in message footer. ")
        signed = "New\n\nSigned-off-by: Ann <ann@example.org>"
        assert (await rest("ann", "POST", "/changes/", {**NEW, "subject": signed}, 201))["_number"] == 2
        assert (await rest.raw("ann", "PUT", "/changes/1/edit/x", b"x")).status == 204
        refused = await rest("ann", "POST", "/changes/1/edit:publish", {}, 409)
        assert refused.startswith("not Signed-off-by author/committer/uploader in message footer. ")
        assert house.change(1).current == 1


async def test_a_new_change_is_as_the_project_begins_them_where_nobody_says_otherwise(house: ReviewHouse) -> None:
    house.project("demo/api")
    async with served(house, policy=Policy(private=True, work_in_progress=True)) as rest:
        made = await rest("ann", "POST", "/changes/", NEW, 201)
        assert (made["is_private"], made["work_in_progress"]) == (True, True)
        asked = {**NEW, "subject": "Other", "is_private": False, "work_in_progress": False}
        assert "is_private" not in await rest("ann", "POST", "/changes/", asked, 201)


async def test_the_change_id_of_a_hidden_change_is_taken_and_no_more_is_told(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    house.write(lambda session: store.update_change(session, 1, house.clock.now(), private=True))
    said = (
        f"The Change-Id {change.change_id} cannot be used here; leave the line out, and the change gets one of its own."
    )
    taken = {**NEW, "subject": f"Mine\n\nChange-Id: {change.change_id}"}
    assert await rest("bob", "POST", "/changes/", taken, 409) == said
    assert (await rest("bob", "POST", "/changes/", NEW, 201))["_number"] == 2
    picked = {"destination": "main", "allow_empty": True, "message": f"Mine\n\nChange-Id: {change.change_id}"}
    assert await rest("bob", "POST", "/changes/2/revisions/1/cherrypick", picked, 409) == said


async def test_a_change_id_names_one_change_of_a_branch(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    taken = {**NEW, "subject": f"Again\n\nChange-Id: {change.change_id}"}
    assert await rest("ann", "POST", "/changes/", taken, 409) == (
        f"Change 1 (new) of the branch main has the Change-Id {change.change_id} already; leave the line out, or amend "
        "that change."
    )


async def test_configuration_that_is_reviewed_counts_as_merged_when_it_is(house: ReviewHouse) -> None:
    house.project("demo/api")
    configured(house, "demo/api", '[project]\n\tdescription = "x"\n')
    before = house.tip("demo/api", "refs/meta/config")
    tree = house.repositories.write_tree("demo/api", {"project.config": b'[project]\n\tdescription = "y"\n'})
    who = house.repositories.commit("demo/api", before).author
    commit = house.repositories.write_commit("demo/api", tree, (before,), who, who, f"Say\n\nChange-Id: I{'1' * 40}\n")
    number = house.write(intents.allocate_changes)
    new = store.NewChange(number, "demo/api", "refs/meta/config", f"I{'1' * 40}")
    upload = store.upload_of(house.repositories.commit("demo/api", commit), ANN)
    change = house.write(store.create_change, new, upload, house.clock.now())
    house.approve(change)
    async with served(house) as rest:
        assert (await rest("root", "POST", f"/changes/{number}/submit", {}))["status"] == "MERGED"
    assert house.tip("demo/api", "refs/meta/config") == commit


# -- what is hidden stays so ----------------------------------------------------------------------------


async def test_nothing_is_put_onto_a_change_that_the_asker_does_not_see(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    secret = house.push("demo/api", {"s.txt": "secret\n"}, "Secret", house.tip("demo/api"))
    house.write(lambda session: store.update_change(session, secret.number, house.clock.now(), private=True, owner=BOB))
    hidden = house.commit_of(secret)
    for base in (str(secret.number), hidden):
        told = await rest("ann", "POST", "/changes/1/rebase", {"base": base}, 422)
        assert told == f"Base change not found: {base}"
    wanted = {"destination": "main", "base": hidden, "message": "Picked"}
    assert await rest("ann", "POST", "/changes/1/revisions/1/cherrypick", wanted, 400) == (
        f"The commit {hidden} is neither in the branch main nor the patch set of a change for it."
    )
    house.write(lambda session: store.update_change(session, secret.number, house.clock.now(), private=False))
    picked = await rest("ann", "POST", "/changes/1/revisions/1/cherrypick", wanted)
    assert house.read(store.get_patch_set, picked["_number"], 1).parents == (hidden,)


async def test_a_change_does_not_bring_its_reader_the_next_patch_set_of_a_hidden_one_below_it(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    above = house.push("demo/api", {"c.txt": "c\n"}, "Above", house.commit_of(change))
    house.write(lambda session: store.update_change(session, above.number, house.clock.now(), owner=BOB))
    house.write(lambda session: store.update_change(session, 1, house.clock.now(), private=True))
    told = "A change below this one is not visible to you: name the base, such as the tip of the branch."
    assert await rest("bob", "POST", f"/changes/{above.number}/rebase:chain", {"base": ""}, 409) == told
    assert house.change(1).current == 1
    house.new_patch_set(change, {"a.txt": "secret\n"})
    assert await rest("bob", "POST", f"/changes/{above.number}/rebase", {}, 409) == told
    done = await rest("bob", "POST", f"/changes/{above.number}/rebase", {"base": ""})
    assert done["current_revision_number"] == 2
    assert house.read(store.get_patch_set, above.number, 2).parents == (house.tip("demo/api"),)


async def test_a_private_change_is_private_on_another_branch_too(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    assert house.repositories.update_ref("demo/api", "refs/heads/stable", "0" * 40, house.tip("demo/api"))
    await rest("ann", "POST", "/changes/1/private", {}, 201)
    picked = await rest("ann", "POST", "/changes/1/revisions/1/cherrypick", {"destination": "stable"})
    assert picked["is_private"] is True
    await rest("bob", "GET", f"/changes/{picked['_number']}", status=404)


# -- what is remembered of it ---------------------------------------------------------------------------


async def test_what_a_change_was_made_of_is_told_and_found(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    assert house.repositories.update_ref("demo/api", "refs/heads/stable", "0" * 40, house.tip("demo/api"))
    picked = await rest("ann", "POST", "/changes/1/revisions/1/cherrypick", {"destination": "stable"})
    assert (picked["cherry_pick_of_change"], picked["cherry_pick_of_patch_set"]) == (1, 1)
    await merged(house, rest, change)
    reverted = await rest("bob", "POST", "/changes/1/revert", {})
    assert reverted["revert_of"] == 1
    assert await rest.room.indexing.compare_reverts() == 1
    assert (await rest.room.indexing.compare_reverts(), len(await rest.get("/changes/?q=-is:pure-revert"))) == (0, 2)
    for query, numbers in (
        ("cherrypickof:1", [2]), ("cherrypickof:1,1", [2]), ("cherrypickof:1,2", []), ("is:cherrypick", [2]),
        ("revertof:1", [3]), ("revertof:2", []), ("is:pure-revert", [3]),
    ):  # fmt: skip
        assert [one["_number"] for one in await rest.get(f"/changes/?q={query}")] == numbers, query
    assert await rest.get("/changes/?q=revertof:x", status=400) == (
        "revertof:x cannot be searched for: write the number of a change."
    )


async def test_changes_that_do_not_merge_beside_another_are_found_and_those_of_its_chain_are_not(
    house: ReviewHouse,
) -> None:
    base = house.project("demo/api")
    house.project("demo/web")
    mine = house.push("demo/api", {"a.txt": "mine\n"}, "Mine", base)
    house.push("demo/api", {"a.txt": "other\n"}, "Other", base)
    house.push("demo/api", {"a.txt": "mine and more\n"}, "On mine", house.commit_of(mine))
    house.push("demo/api", {"a.txt": "mine\n"}, "The same", base)
    house.push("demo/api", {"b.txt": "b\n"}, "Elsewhere", base)
    configured(house, "demo/web", "[access]\n\tinheritFrom = demo/api\n")
    async with served(house, configs=Book(house.db, house.repositories)) as rest:
        await rest.room.indexing.catch_up()
        for query, numbers in (
            ("conflicts:1", [2]), ("conflicts:2 status:open", [4, 3, 1]), ("conflicts:5", []),
            ("conflicts:1 OR conflicts:5 OR 5", [5, 2]), ("-conflicts:2", [5, 2]),
            ("parentproject:demo/api", [5, 4, 3, 2, 1]), ("parentproject:demo/web", []), ("parentproject:none", []),
        ):  # fmt: skip
            assert [one["_number"] for one in await rest.get(f"/changes/?q={quote(query)}")] == numbers, query
        assert await rest.get("/changes/?q=conflicts:99", status=400) == (
            "There is no change 99, or you may not see it."
        )
        many = " ".join(f"conflicts:{number}" for number in range(6))
        assert await rest.get(f"/changes/?q={quote(many)}", status=400) == (
            "A query asks for the conflicts of at most five changes; ask once for each."
        )
        house.push("demo/web", {"a.txt": "a\n"}, "In the one below", house.tip("demo/web"))
        assert [one["_number"] for one in await rest.get("/changes/?q=parentproject:demo/api+limit:1")] == [6]


async def test_all_that_was_merged_together_is_reverted_together(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    first = house.push("demo/api", {"a.txt": "a\n"}, "Add a", base)
    second = house.push("demo/api", {"b.txt": "b\n"}, "Add b", house.commit_of(first))
    third = house.push("demo/api", {"c.txt": "c\n"}, "Add c", house.commit_of(second))
    async with served(house) as rest:
        assert await rest("bob", "POST", "/changes/2/revert_submission", {}, 409) == "change is new"
        house.approve(first, second)
        await merged(house, rest, third)
        infos = [await rest.get(f"/changes/{number}") for number in (1, 2, 3)]
        (submission,) = {one["submission_id"] for one in infos}
        assert len(await rest.get(f"/changes/?q=submissionid:{submission}")) == 3
        done = (await rest("bob", "POST", "/changes/2/revert_submission", {"topic": "back"}))["revert_changes"]
        assert [(one["revert_of"], one["subject"], one["topic"]) for one in done] == [
            (3, 'Revert "Add c"', "back"), (2, 'Revert "Add b"', "back"), (1, 'Revert "Add a"', "back"),
        ]  # fmt: skip
        files = house.repositories.list_files("demo/api", house.commit_of(house.change(done[-1]["_number"])))
        assert [path for path, _ in files] == ["README"]


# -- conflicts that are wanted --------------------------------------------------------------------------


async def test_a_pick_that_conflicts_is_made_where_that_is_wanted(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    base = house.tip("demo/api")
    other = house.commit("demo/api", {"a.txt": "other\n"}, "Other\n", base)
    assert house.repositories.update_ref("demo/api", "refs/heads/stable", "0" * 40, other)
    wanted = {"destination": "stable"}
    told = await rest("ann", "POST", "/changes/1/revisions/1/cherrypick", wanted, 409)
    assert told.startswith("Cherry pick failed: merge conflict in a.txt.")
    made = await rest("ann", "POST", "/changes/1/revisions/1/cherrypick", {**wanted, "allow_conflicts": True})
    assert (made["contains_git_conflicts"], made["work_in_progress"]) == (True, True)
    text = house.repositories.read_file("demo/api", house.commit_of(house.change(2)), "a.txt") or b""
    assert b"<<<<<<<" in text
    assert b"other\n" in text
    assert house.read(conversation.list_messages, 2)[0].text == (
        "Patch Set 1: Cherry Picked from branch main.\n\nThe following files contain Git conflicts:\n* a.txt"
    )


async def test_a_rebase_that_conflicts_is_made_where_that_is_wanted(
    rest: RestClient, house: ReviewHouse, change: Change
) -> None:
    base = house.tip("demo/api")
    other = house.commit("demo/api", {"a.txt": "other\n"}, "Other\n", base)
    assert house.repositories.update_ref("demo/api", "refs/heads/main", base, other)
    await rest("ann", "POST", "/changes/1/rebase", {}, 409)
    done = await rest("ann", "POST", "/changes/1/rebase", {"allow_conflicts": True})
    assert (done["contains_git_conflicts"], done["work_in_progress"], done["current_revision_number"]) == (
        True,
        True,
        2,
    )
    assert "contains_git_conflicts" not in await rest.get("/changes/1")


# -- killed between beats -------------------------------------------------------------------------------


def test_what_was_half_moved_when_the_server_died_is_completed(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    first = house.push("demo/api", {"a.txt": "a\n"}, "Add a", base)
    second = house.push("demo/api", {"b.txt": "b\n"}, "Add b", house.commit_of(first))
    maker = Maker(house.db, house.repositories, house.judge, house.clock)
    place = maker.scratch("demo/api")
    wanted = []
    for one in (first, second):
        commit = house.commit("demo/api", {"z": str(one.number)}, "Z\n", base, store=place)
        wanted.append(Wanted("demo/api", "main", one.change_id, commit, place, one.number, 1))
    moved: list[str] = []
    real = house.repositories.update_ref

    def dies(store: str, ref: str, old: str, new: str) -> bool:
        if moved:
            raise KeyboardInterrupt
        moved.append(ref)
        return real(store, ref, old, new)

    house.repositories.update_ref = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        maker.make(ANN, wanted)
    house.repositories.update_ref = real  # type: ignore[method-assign]
    assert maker.settle() == 1
    assert (house.change(1).current, house.change(2).current) == (2, 2)
    assert house.read(intents.open_intents, KIND) == ()


# -- groups, and where git is ---------------------------------------------------------------------------


async def test_a_group_is_asked_for_a_review(rest: RestClient, house: ReviewHouse, change: Change) -> None:
    added = await rest("root", "POST", "/changes/1/reviewers", {"reviewer": "Core"})
    assert (added["input"], [one["username"] for one in added["reviewers"]]) == ("Core", ["bob"])
    assert await rest("root", "POST", "/changes/1/reviewers", {"reviewer": "Registered Users"}, 400) == (
        "The group Registered Users cannot be added as reviewer."
    )
    many = [await rest("root", "PUT", f"/accounts/p{n}", {"groups": ["Core"]}, 201) for n in range(10)]
    told = await rest("root", "POST", "/changes/1/reviewers", {"reviewer": "Core", "state": "CC"}, 400)
    assert told == (
        "The group Core has 11 members. Do you want to add them all as reviewers? Send it again with confirmed set to "
        "true."
    )
    asked = {"reviewer": "Core", "state": "CC", "confirmed": True}
    answer = await rest("root", "POST", "/changes/1/revisions/1/review", {"reviewers": [asked]})
    assert len(answer["reviewers"]["Core"]["ccs"]) == 11
    states = {one.account: one.state for one in house.read(conversation.list_reviewers, 1)}
    assert states[many[0]["_account_id"]] is ReviewerState.CC


async def test_git_over_ssh_is_named_where_it_is_open(house: ReviewHouse, change: Change) -> None:
    async with served(house, Site("https://review.example.org", ("review.example.org", 29418))) as rest:
        info = await rest.get("/config/server/info", "bob")
        assert info["download"]["schemes"]["ssh"]["url"] == "ssh://bob@review.example.org:29418/${project}"
        assert info["sshd"] == {}
        revisions = (await rest.get("/changes/1?o=CURRENT_REVISION", "bob"))["revisions"]
        (fetch,) = [one["fetch"] for one in revisions.values()]
        assert fetch["ssh"]["url"] == "ssh://bob@review.example.org:29418/demo/api"
        assert "ssh" not in (await rest.get("/config/server/info", ""))["download"]["schemes"]
    async with served(house) as rest:
        assert "sshd" not in await rest.get("/config/server/info", "bob")


async def test_capabilities_are_what_the_rules_give(rest: RestClient, house: ReviewHouse) -> None:
    assert await rest.get("/accounts/self/capabilities") == {
        "queryLimit": {"min": 0, "max": 500}, "streamEvents": True, "viewQueue": True,
    }  # fmt: skip
    held = await rest.get("/accounts/self/capabilities", "root")
    assert held["administrateServer"] is True
    assert held["createGroup"] is True
    assert "runAs" not in held
    assert await rest.get("/accounts/self/capabilities?q=createGroup&q=runAs", "root") == {"createGroup": True}
    assert await rest.get("/accounts/self/capabilities/runAs", "root", 404)


# -- labels in queries ----------------------------------------------------------------------------------


async def test_a_query_reads_labels_as_each_project_defines_them(house: ReviewHouse) -> None:
    base = house.project("demo/api")
    other = house.project("demo/client")
    house.push("demo/api", {"a": "a\n"}, "Add a", base)
    house.push("demo/client", {"b": "b\n"}, "Add b", other)
    configured(
        house, "demo/client",
        '[label "Code-Review"]\n\tvalue = -1 No\n\tvalue = 0 None\n\tvalue = +1 Yes\n'
        '[label "Docs"]\n\tvalue = 0 None\n\tvalue = +1 Good\n\tbranch = refs/heads/main\n',
    )  # fmt: skip
    for number in (1, 2):
        house.vote(number, "Code-Review", 1)
    house.vote(2, "Docs", 1)
    async with served(house, configs=Book(house.db, house.repositories)) as rest:
        for query, numbers in (
            ("label:Code-Review=MAX", [2]), ("label:code-review=1", [2, 1]), ("label:Code-Review=ANY", [2, 1]),
            ("label:Docs=MAX", [2]), ("label:Docs=0", []), ("-label:Docs=0", [2, 1]), ("label:Nothing=MAX", []),
        ):  # fmt: skip
            assert [one["_number"] for one in await rest.get(f"/changes/?q={query}")] == numbers, query

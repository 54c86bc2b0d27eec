# SPDX-License-Identifier: Apache-2.0
"""Submit, rebase, cherry-pick, revert and move over REST: what comes of them, and Gerrit's words for why not."""

from __future__ import annotations

from gatebot.events import ChangeMerged, PatchSetCreated
from gatebot.review import conversation, store
from gatebot.review.mail.model import NotifyWished
from gatebot.review.model import Change, ChangeMoved, Kind
from tests.fakes.rest_client import RestClient
from tests.fakes.review_house import ANN, BOB, ReviewHouse


def branch(house: ReviewHouse, name: str, commit: str) -> None:
    assert house.repositories.update_ref("demo/api", f"refs/heads/{name}", "0" * 40, commit)


def said(house: ReviewHouse, number: int) -> str:
    return house.read(conversation.list_messages, number)[-1].text


async def merged(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    house.approve(change)
    assert (await rest("bob", "POST", f"/changes/{change.number}/submit", {}))["status"] == "MERGED"


# -- submit ---------------------------------------------------------------------------------------------


async def test_what_is_submitted_together_is_listed_the_last_to_be_merged_first(
    house: ReviewHouse, rest: RestClient, change: Change
) -> None:
    assert await rest("bob", "GET", "/changes/1/submitted_together?o=NON_VISIBLE_CHANGES") == {
        "changes": [],
        "non_visible_changes": 0,
    }
    house.push("demo/api", {"c.txt": "c\n"}, "Add c", house.commit_of(change))
    both = await rest("bob", "GET", "/changes/2/submitted_together")
    assert [one["_number"] for one in both] == [2, 1]
    assert both[0]["revisions"][both[0]["current_revision"]]["commit"]["subject"] == "Add c"
    assert await rest("", "GET", "/changes/2/revisions/current/submit_type") == "MERGE_IF_NECESSARY"


async def test_a_requirement_can_be_tried_before_it_is_configured(rest: RestClient, change: Change) -> None:
    asked = {"name": "Docs", "submittability_expression": "file:^docs/.* OR label:Code-Review=MAX"}
    assert await rest("bob", "POST", "/changes/1/check.submit_requirement", asked) == {
        "name": "Docs",
        "status": "UNSATISFIED",
        "is_legacy": False,
        "submittability_expression_result": {
            "expression": "file:^docs/.* OR label:Code-Review=MAX",
            "fulfilled": False,
            "status": "FAIL",
            "passing_atoms": [],
            "failing_atoms": ["file:^docs/.*", "label:Code-Review=MAX"],
            "atom_explanations": {"file:^docs/.*": "", "label:Code-Review=MAX": ""},
        },
    }
    asked["submittability_expression"] = "file:\"'^a.*',withDiffContaining='two'\""
    assert (await rest("bob", "POST", "/changes/1/check.submit_requirement", asked))["status"] == "SATISFIED"
    asked["submittability_expression"] = "is:wat"
    broken = await rest("bob", "POST", "/changes/1/check.submit_requirement", asked)
    assert broken["submittability_expression_result"]["error_message"] == "Unrecognized value: wat"
    told = await rest("bob", "POST", "/changes/1/check.submit_requirement", {"name": "x"}, status=400)
    assert told == "submittability_expression is required"


# -- rebase ---------------------------------------------------------------------------------------------


async def test_a_change_is_rebased_onto_the_tip(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    begin = house.tip("demo/api")
    assert await rest("ann", "POST", "/changes/1/rebase", {}, status=409) == "Change is already up to date."
    tip = house.commit("demo/api", {"d.txt": "d\n"}, "Go on\n", begin)
    assert house.repositories.update_ref("demo/api", "refs/heads/main", begin, tip)
    house.vote(1, "Code-Review", 2)
    house.vote(1, "Workflow", 1)
    info = await rest("ann", "POST", "/changes/1/rebase", {})
    revision = info["revisions"][info["current_revision"]]
    assert (revision["_number"], revision["kind"], revision["description"]) == (2, "TRIVIAL_REBASE", "Rebase")
    assert [parent["commit"] for parent in revision["commit"]["parents"]] == [tip]
    assert (revision["commit"]["author"]["name"], revision["commit"]["committer"]["name"]) == ("Ann Author", "Ann")
    assert said(house, 1).startswith(
        'Patch Set 2: Patch Set 1 was rebased\n\nCopied Votes:\n* Code-Review+2 (copy condition: "'
    )
    assert said(house, 1).endswith('\n\nOutdated Votes:\n* Workflow+1 (copy condition: "changekind:NO_CHANGE")\n')
    kept = {vote.label: vote.value for vote in house.read(conversation.list_votes, 1, 2)}
    assert kept == {"Code-Review": 2}
    (fact,) = (one for one in house.facts(PatchSetCreated) if isinstance(one, PatchSetCreated) and one.patch_set == 2)
    assert (fact.change, fact.kind) == (1, "TRIVIAL_REBASE")


async def test_a_conflict_of_a_rebase_names_the_files(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    begin = house.tip("demo/api")
    tip = house.commit("demo/api", {"a.txt": "other\n"}, "Go on\n", begin)
    assert house.repositories.update_ref("demo/api", "refs/heads/main", begin, tip)
    assert await rest("ann", "POST", "/changes/1/rebase", {}, status=409) == (
        "Change 1 could not be rebased due to a conflict during merge.\n\nmerge conflict(s):\n* a.txt"
    )
    assert house.change(1).current == 1


async def test_a_chain_is_rebased_as_a_whole(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    begin = house.tip("demo/api")
    second = house.push("demo/api", {"c.txt": "c\n"}, "Add c", house.commit_of(change))
    third = house.push("demo/api", {"e.txt": "e\n"}, "Add e", house.commit_of(second))
    assert await rest("ann", "POST", "/changes/3/rebase:chain", {}, status=409) == (
        "The whole chain is already up to date."
    )
    assert await rest("ann", "POST", "/changes/3/rebase", {}, status=409) == (
        "Change is already based on the latest patch set of the dependent change."
    )
    tip = house.commit("demo/api", {"d.txt": "d\n"}, "Go on\n", begin)
    assert house.repositories.update_ref("demo/api", "refs/heads/main", begin, tip)
    done = await rest("ann", "POST", "/changes/3/rebase:chain", {})
    assert [(one["_number"], one["current_revision_number"]) for one in done["rebased_changes"]] == [
        (1, 2), (2, 2), (3, 2),
    ]  # fmt: skip
    commits = [house.commit_of(house.change(number)) for number in (1, 2, 3)]
    parents = [house.repositories.commit("demo/api", commit).parents for commit in commits]
    assert parents == [(tip,), (commits[0],), (commits[1],)]
    assert third.number == 3


async def test_a_change_follows_the_one_it_stands_on(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    second = house.push("demo/api", {"c.txt": "c\n"}, "Add c", house.commit_of(change))
    house.new_patch_set(change, {"a.txt": "better\n"})
    info = await rest("ann", "POST", f"/changes/{second.number}/revisions/current/rebase", {})
    parents = info["revisions"][info["current_revision"]]["commit"]["parents"]
    assert [one["commit"] for one in parents] == [house.commit_of(house.change(1))]


async def test_bases_that_cannot_be_are_refused_in_gerrits_words(
    house: ReviewHouse, rest: RestClient, change: Change
) -> None:
    begin = house.tip("demo/api")
    other = house.push("demo/api", {"c.txt": "c\n"}, "Add c", begin)
    child = house.push("demo/api", {"e.txt": "e\n"}, "Add e", house.commit_of(change))
    for base, status, text in (
        ("99999", 422, "Base change not found: 99999"),
        ("f" * 40, 422, f"Base change not found: {'f' * 40}"),
        ("nonsense", 422, "Base change not found: nonsense"),
        ("1", 409, "cannot rebase change onto itself"),
        (str(child.number), 409, "base change 3 is a descendant of the current change - recursion not allowed"),
    ):
        assert await rest("ann", "POST", "/changes/1/rebase", {"base": base}, status=status) == text
    await rest("ann", "POST", "/changes/2/abandon", {})
    assert await rest("ann", "POST", "/changes/1/rebase", {"base": "2"}, status=409) == "base change is abandoned: 2"
    await rest("ann", "POST", "/changes/2/restore", {})
    info = await rest("ann", "POST", "/changes/1/rebase", {"base": "2"})
    parents = info["revisions"][info["current_revision"]]["commit"]["parents"]
    assert [one["commit"] for one in parents] == [house.commit_of(other)]
    info = await rest("ann", "POST", "/changes/1/rebase", {"base": ""})
    assert info["revisions"][info["current_revision"]]["commit"]["parents"][0]["commit"] == begin
    assert (await rest("", "POST", "/changes/1/rebase", {}, status=401)).startswith("You must be signed in")


async def test_a_closed_change_is_not_rebased(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    await merged(house, rest, change)
    assert await rest("ann", "POST", "/changes/1/rebase", {}, status=409) == "Change 1 is merged"


# -- cherry-pick ----------------------------------------------------------------------------------------


async def test_a_patch_set_is_picked_onto_another_branch_and_again(
    house: ReviewHouse, rest: RestClient, change: Change
) -> None:
    begin = house.tip("demo/api")
    branch(house, "stable", begin)
    asked = {"destination": "refs/heads/stable", "topic": "backport"}
    info = await rest("bob", "POST", "/changes/1/revisions/1/cherrypick", asked)
    assert (info["_number"], info["branch"], info["change_id"]) == (2, "stable", change.change_id)
    assert (info["topic"], info["owner"]) == ("backport", {"_account_id": BOB})
    assert said(house, 2) == "Patch Set 1: Cherry Picked from branch main."
    house.new_patch_set(change, {"a.txt": "better\n"})
    asked = {"destination": "stable", "message": f"Add a for stable\n\nChange-Id: {change.change_id}"}
    info = await rest("bob", "POST", "/changes/1/revisions/current/cherrypick", asked)
    assert (info["_number"], info["current_revision_number"], info["subject"]) == (2, 2, "Add a for stable")
    made = house.read(store.get_patch_set, 2, 2)
    assert (made.parents, made.kind, made.author.name) == ((begin,), Kind.REWORK, "Ann Author")


async def test_a_message_without_a_change_id_makes_a_change_of_its_own(
    house: ReviewHouse, rest: RestClient, change: Change
) -> None:
    asked = {"destination": "main", "message": "Another way"}
    info = await rest("bob", "POST", "/changes/1/revisions/1/cherrypick", asked)
    assert info["_number"] == 2
    assert info["change_id"] != change.change_id
    assert house.read(store.get_patch_set, 2, 1).message == f"Another way\n\nChange-Id: {info['change_id']}\n"


async def test_picks_that_cannot_be_are_refused_in_gerrits_words(
    house: ReviewHouse, rest: RestClient, change: Change
) -> None:
    begin = house.tip("demo/api")
    branch(house, "stable", house.commit("demo/api", {"a.txt": "other\n"}, "Other\n", begin))
    branch(house, "done", house.commit_of(change))
    for body, status, text in (
        ({}, 400, "destination must be non-empty"),
        ({"destination": "nope"}, 400, "Branch refs/heads/nope does not exist."),
        ({"destination": "main", "parent": 2}, 400,
         "Cherry Pick: Parent 2 does not exist. Please specify a parent in range [1, 1]."),
        ({"destination": "main", "base": "deadbeef"}, 400, "Base deadbeef doesn't represent a valid SHA-1"),
        ({"destination": "main", "base": "e" * 40}, 400, f"Base {'e' * 40} doesn't represent a valid SHA-1"),
        ({"destination": "done"}, 409, "Cherry pick failed: identical tree"),
        ({"destination": "stable"}, 409,
         "Cherry pick failed: merge conflict in a.txt. Pick it on your machine (`git cherry-pick`), resolve the "
         "conflict, and push it for review."),
    ):  # fmt: skip
        assert await rest("bob", "POST", "/changes/1/revisions/1/cherrypick", body, status=status) == text
    await rest("bob", "POST", "/changes/1/revisions/1/cherrypick", {"destination": "main", "parent": "x"}, status=400)
    await rest("ann", "POST", "/changes/1/abandon", {})
    told = await rest("bob", "POST", "/changes/1/revisions/1/cherrypick", {"destination": "main"}, status=400)
    assert told == (
        f"Cherry-pick with Change-Id {change.change_id} could not update the existing change 1 in destination branch "
        "refs/heads/main of project demo/api, because the change was closed (ABANDONED)"
    )


# -- revert ---------------------------------------------------------------------------------------------


async def test_a_merged_change_is_reverted_by_a_change(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    assert await rest("bob", "POST", "/changes/1/revert", {}, status=409) == "change is new"
    await merged(house, rest, change)
    commit = house.commit_of(change)
    info = await rest("bob", "POST", "/changes/1/revert", {})
    made = house.read(store.get_patch_set, 2, 1)
    assert (info["subject"], made.parents) == ('Revert "Add a and b"', (commit,))
    assert made.message == (
        f'Revert "Add a and b"\n\nThis reverts commit {commit}.\n\nChange-Id: {info["change_id"]}\n'
    )
    assert (
        house.repositories.commit("demo/api", made.commit).tree
        == house.repositories.commit("demo/api", house.repositories.commit("demo/api", commit).parents[0]).tree
    )
    assert said(house, 1) == f"Created a revert of this change as {info['change_id']}"
    assert {one.account for one in house.read(conversation.list_reviewers, 2)} == {ANN}


async def test_a_revert_of_a_revert_counts(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    await merged(house, rest, change)
    number, subjects = 1, list[str]()
    for _ in range(3):
        info = await rest("ann", "POST", f"/changes/{number}/revert", {})
        number = info["_number"]
        subjects.append(info["subject"])
        await merged(house, rest, house.change(number))
    assert subjects == ['Revert "Add a and b"', 'Revert^2 "Add a and b"', 'Revert^3 "Add a and b"']


async def test_the_message_of_a_revert_is_ones_own(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    await merged(house, rest, change)
    info = await rest("bob", "POST", "/changes/1/revert", {"message": "Back out\n\nIt was slow.", "topic": "slow"})
    assert (info["subject"], info["topic"]) == ("Back out", "slow")
    text = house.read(store.get_patch_set, 2, 1).message
    assert text == f"Back out\n\nIt was slow.\n\nChange-Id: {info['change_id']}\n"


# -- move -----------------------------------------------------------------------------------------------


async def test_a_change_is_moved_with_its_vetoes_only(house: ReviewHouse, rest: RestClient, change: Change) -> None:
    branch(house, "stable", house.tip("demo/api"))
    house.vote(1, "Code-Review", 2)
    house.vote(1, "Workflow", -1, ANN)
    info = await rest("ann", "POST", "/changes/1/move", {"destination_branch": "stable", "message": "Too late."})
    assert info["branch"] == "stable"
    assert said(house, 1) == "Change destination moved from main to stable\n\nToo late."
    left = [(vote.label, vote.value) for vote in house.read(conversation.list_votes, 1, 1)]
    assert left == [("Workflow", -1)]
    assert house.facts(ChangeMoved) == [ChangeMoved(1, "main", "stable", ANN)]
    house.vote(1, "Code-Review", 1)
    await rest("ann", "POST", "/changes/1/move", {"destination_branch": "main", "keep_all_votes": True})
    assert len(house.read(conversation.list_votes, 1, 1)) == 2


async def test_moves_that_cannot_be_are_refused_in_gerrits_words(
    house: ReviewHouse, rest: RestClient, change: Change
) -> None:
    branch(house, "stable", house.tip("demo/api"))
    for body, status, text in (
        ({}, 400, "destination branch is required"),
        ({"destination_branch": "nope"}, 409, "Destination refs/heads/nope not found in the project"),
        ({"destination_branch": "main"}, 409, "Change is already destined for the specified branch"),
    ):
        assert await rest("ann", "POST", "/changes/1/move", body, status=status) == text
    await rest("bob", "POST", "/changes/1/revisions/1/cherrypick", {"destination": "stable"})
    told = await rest("ann", "POST", "/changes/1/move", {"destination_branch": "stable"}, status=409)
    assert told == f"Destination branch has a different change with same change key {change.change_id}"
    await merged(house, rest, change)
    told = await rest("root", "POST", "/changes/1/move", {"destination_branch": "stable"}, status=409)
    assert told == "Change is merged"


# -- mail -------------------------------------------------------------------------------------------------


async def test_who_is_mailed_of_a_submit_a_pick_and_a_revert_is_wished_ahead_of_what_is_told(
    house: ReviewHouse, rest: RestClient, change: Change
) -> None:
    branch(house, "stable", house.tip("demo/api"))
    picked = {"destination": "stable", "notify": "NONE", "message": "Pick a and b"}
    await rest("bob", "POST", "/changes/1/revisions/current/cherrypick", picked)
    house.approve(change)
    await rest(
        "bob", "POST", "/changes/1/submit", {"notify": "OWNER", "notify_details": {"CC": {"accounts": ["root"]}}}
    )
    await rest("bob", "POST", "/changes/1/revert", {"notify": "NONE"})
    told = house.facts(NotifyWished, PatchSetCreated, ChangeMerged)
    assert [type(fact) for fact in told] == [
        PatchSetCreated, NotifyWished, PatchSetCreated, NotifyWished, ChangeMerged, NotifyWished, PatchSetCreated,
    ]  # fmt: skip
    wishes = [fact for fact in told if isinstance(fact, NotifyWished)]
    assert wishes == [
        NotifyWished(2, BOB, "NONE"), NotifyWished(1, BOB, "OWNER", (), (1_000_003,)), NotifyWished(3, BOB, "NONE"),
    ]  # fmt: skip
    wrong = await rest("bob", "POST", "/changes/1/revert", {"notify": "LOUD"}, status=400)
    assert "it is one of NONE, OWNER, OWNER_REVIEWERS, ALL" in wrong

# SPDX-License-Identifier: Apache-2.0
"""From push to merge: what people do, and what they read."""

from __future__ import annotations

import pytest

from gatebot.errors import Conflict
from tests.fakes.site import Builds, RunningSite, eventually


def test_a_pushed_change_is_checked_and_gets_verified(site: RunningSite, builds: Builds) -> None:
    ann = site.person("ann")
    builds.rule = lambda build: None
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    build = builds.finish("check", change)
    assert ann.hears(change, "succeeded") == (
        "Patch Set 1: Verified+1\n\n"
        "Build succeeded.\n\n"
        f"- unit {site.url}/build/{build.build} : SUCCESS in 0s"
    )  # fmt: skip
    assert ann.votes(change, "Verified") == {"gatebot": 1}
    assert ann.status(change) == "NEW"


def test_approved_changes_merge_in_order_as_the_very_commits_that_were_tested(
    site: RunningSite, builds: Builds
) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    base = site.branch("api")
    one = ann.propose("api", "Add a", {"a.txt": "a\n"})
    two = ann.propose("api", "Add b", {"b.txt": "b\n"}, onto=base)
    bob.approve(one, two)
    behind = builds.finish("gate", two)
    assert ann.status(two) == "NEW"
    ahead = builds.finish("gate", one)
    ann.sees_merged(two)
    assert [change.number for change in behind.changes] == [one, two]
    assert site.branch("api") == behind.commit
    assert ann.clone("api").git("log", "--first-parent", "--format=%H %s").splitlines() == [
        f'{behind.commit} Merge "Add b"',
        f"{ahead.commit} Add a",
        f"{base} Begin",
    ]
    assert "Change has been successfully merged" in ann.said(two)


def test_a_failing_head_does_not_stop_the_change_behind_it(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    base = site.branch("api")
    bad = ann.propose("api", "Add a", {"a.txt": "a\n"})
    good = ann.propose("api", "Add b", {"b.txt": "b\n"}, onto=base)
    bob.approve(bad, good)
    on_top = builds.runs("gate", good)
    failed = builds.finish("gate", bad, "FAILURE")
    builds.called_off(on_top)
    alone = builds.finish("gate", good)
    ann.sees_merged(good)
    assert [change.number for change in alone.changes] == [good]
    assert ann.hears(bad, "failed") == (
        "Patch Set 1: Verified-2\n\n"
        "Build failed.\n\n"
        "The job unit ended with FAILURE; line 12 of its log says: “E   assert 2 == 3”.\n\n"
        f"- unit {site.url}/build/{failed.build} : FAILURE in 0s"
    )
    assert ann.status(bad) == "NEW"
    assert (site.file("api", "a.txt"), site.file("api", "b.txt")) == (None, "b\n")


@pytest.mark.zuul(74)
def test_a_new_patch_set_takes_the_old_one_out_of_the_gate(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    work = ann.clone("api")
    work.commit("Add a", a="a\n")
    change = ann.push(work)
    bob.approve(change)
    old = builds.runs("gate", change)
    work.write(a="better\n")
    work.git("commit", "-aq", "--amend", "--no-edit")
    assert ann.push(work) == change
    builds.called_off(old)
    assert ann.hears(change, "canceled") == (
        "Patch Set 1:\n\n"
        "Build canceled.\n\n"
        "Patch set 2 took its place.\n\n"
        f"- unit {site.url}/build/{old.build} : CANCELED in 0s"
    )  # fmt: skip
    assert ann.votes(change, "Code-Review") == {}
    bob.approve(change)
    builds.finish("gate", change)
    ann.sees_merged(change)
    assert site.file("api", "a") == "better\n"


@pytest.mark.zuul(77)
def test_an_abandoned_change_leaves_the_gate(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    bob.approve(change)
    build = builds.runs("gate", change)
    ann.rest.call("POST", f"/changes/{change}/abandon", {"message": "No longer wanted"})
    builds.called_off(build)
    assert ann.hears(change, "canceled") == (
        "Patch Set 1:\n\n"
        "Build canceled.\n\n"
        "The change was abandoned.\n\n"
        f"- unit {site.url}/build/{build.build} : CANCELED in 0s"
    )  # fmt: skip
    assert ann.status(change) == "ABANDONED"


@pytest.mark.zuul(17)
def test_a_change_that_loses_its_approval_leaves_the_gate_with_a_comment(site: RunningSite, builds: Builds) -> None:
    ann, bob, cho = site.person("ann"), site.person("bob"), site.person("cho")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    bob.approve(change)
    build = builds.runs("gate", change)
    cho.review(change, "Wait, this breaks the till.", Code_Review=-2)
    builds.called_off(build)
    assert ann.hears(change, "canceled") == (
        "Patch Set 1:\n\n"
        "Build canceled.\n\n"
        "The change does not meet the requirements any more. It has Code-Review -2.\n\n"
        f"- unit {site.url}/build/{build.build} : CANCELED in 0s"
    )
    assert ann.status(change) == "NEW"


@pytest.mark.parametrize("word", ["recheck", "reverify"])
def test_recheck_and_reverify_rerun_check(site: RunningSite, builds: Builds, word: str) -> None:
    ann = site.person("ann")
    builds.rule = lambda build: "FAILURE"
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    ann.hears(change, "Build failed.")
    assert ann.votes(change, "Verified") == {"gatebot": -1}
    builds.rule = lambda build: "SUCCESS"
    ann.review(change, word)
    ann.hears(change, "Build succeeded.")
    assert ann.votes(change, "Verified") == {"gatebot": 1}
    assert builds.assigned == [("check", change, "unit")] * 2


def test_a_recheck_after_a_failure_in_the_gate_leads_back_into_the_gate(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    bob.approve(change)
    builds.finish("gate", change, "FAILURE")
    ann.hears(change, "Build failed.")
    assert ann.votes(change, "Verified") == {"gatebot": -2}
    ann.review(change, "recheck")
    again = builds.finish("gate", change)
    ann.sees_merged(change)
    assert site.branch("api") == again.commit
    assert [pipeline for pipeline, *_ in builds.assigned] == ["check", "gate", "check", "gate"]
    verdicts = [text for text in ann.said(change) if "Verified" in text]
    assert [text.partition("\n")[0] for text in verdicts[:3]] == [  # then comes the gate's own, when it merged
        "Patch Set 1: Verified+1",
        "Patch Set 1: Verified-2",
        "Patch Set 1: Verified+1",
    ]


def test_approving_what_failed_in_check_tests_it_again_and_what_passes_merges(
    site: RunningSite, builds: Builds
) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    builds.rule = lambda build: "FAILURE"
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    ann.hears(change, "Build failed.")
    builds.rule = lambda build: "SUCCESS"
    bob.approve(change)
    ann.sees_merged(change)
    assert [pipeline for pipeline, *_ in builds.assigned] == ["check", "check", "gate"]


def test_approving_anew_what_failed_in_the_gate_tests_it_again_once(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    bob.approve(change)
    builds.finish("gate", change, "FAILURE")
    ann.hears(change, "Build failed.")
    builds.rule = lambda build: "FAILURE"
    bob.review(change, "The mirror was down.", Workflow=1)
    eventually(lambda: ann.votes(change, "Verified") == {"gatebot": -1}, "checked again")
    bob.review(change, "Now I see nothing wrong with the mirror.")
    ann.review(change, "reverify")
    eventually(lambda: sum("Build failed." in text for text in ann.said(change)) == 3, "checked a third time")
    assert [pipeline for pipeline, *_ in builds.assigned] == ["check", "gate", "check", "check"]


def test_submit_by_a_person_puts_the_change_into_the_gate(site: RunningSite, builds: Builds) -> None:
    ann, bob, cho = site.person("ann"), site.person("bob"), site.person("cho")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    with pytest.raises(Conflict) as early:
        bob.rest.call("POST", f"/changes/{change}/submit", {})
    assert str(early.value) == (
        "The change cannot be submitted. Not ready to be merged. It needs Code-Review +2. It needs Workflow +1."
    )
    bob.approve(change)
    first = builds.runs("gate", change)
    cho.review(change, Code_Review=-2)
    builds.called_off(first)
    cho.review(change, Code_Review=0)
    with pytest.raises(Conflict) as told:
        bob.rest.call("POST", f"/changes/{change}/submit", {})
    assert str(told.value) == "enqueued in the gate at position 1; it merges when its jobs pass"
    builds.finish("gate", change)
    ann.sees_merged(change)


def test_submit_of_what_failed_in_the_gate_says_what_is_missing(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    bob.approve(change)
    builds.finish("gate", change, "FAILURE")
    ann.hears(change, "Build failed.")
    with pytest.raises(Conflict) as told:
        bob.rest.call("POST", f"/changes/{change}/submit", {})
    assert str(told.value) == (
        "The change cannot be submitted. The gate refused this patch set. Upload one that passes, or comment “recheck” "
        "to have it tested again, and submit then."
    )


def test_a_direct_push_moves_the_branch_and_voids_what_was_tested_on_the_old_one(
    site: RunningSite, builds: Builds
) -> None:
    ann, bob, admin = site.person("ann"), site.person("bob"), site.person("admin")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    bob.approve(change)
    old = builds.runs("gate", change)
    work = admin.clone("api")
    hurried = work.commit("Hurry", hurry="now\n")
    work.git("push", "origin", "HEAD:refs/heads/main")
    builds.called_off(old)
    new = builds.finish("gate", change)
    ann.sees_merged(change)
    assert site.branch("api") == new.commit != old.commit
    assert work.run("merge-base", "--is-ancestor", hurried, "HEAD").returncode == 0
    assert (site.file("api", "hurry"), site.file("api", "a.txt")) == ("now\n", "a\n")

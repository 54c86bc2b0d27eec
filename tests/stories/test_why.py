# SPDX-License-Identifier: Apache-2.0
"""What people are told of a change that everybody approved and that is not in the gate."""

from __future__ import annotations

from urllib.request import urlopen

from click.testing import CliRunner

from gatebot.cli import main
from tests.fakes.site import ZUUL, Builds, RunningSite, eventually

APPROVED = "  State: The change is open.\n  Code-Review: Code-Review +2 by bob.\n  Workflow: Workflow +1 by bob.\n"
RECHECK = "Anybody who is signed in can upload a patch set that passes, or comment “recheck”.\n"
FAILED = "The job unit ended with FAILURE; line 12 of its log says: “E   assert 2 == 3”."


def why(site: RunningSite, change: int) -> str:
    """What `gatebot why` prints."""
    env = {"GATEBOT_URL": site.url, "GATEBOT_USER": "ann", "GATEBOT_TOKEN": site.tokens["ann"]}
    done = CliRunner().invoke(main, ["why", str(change)], env=env, prog_name="gatebot", catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def past(site: RunningSite, change: int) -> dict[str, str]:
    """What is said of each pipeline that a change left."""
    stays = site.person("ann").rest.get(f"/api/status/change/{change}")["past"]
    return {stay["pipeline"]: stay["sentence"] for stay in stays}


def last_stay(site: RunningSite, change: int) -> tuple[str, str, str]:
    """The newest stay of the past as REST tells it."""
    last = site.person("ann").rest.get(f"/api/status/change/{change}")["past"][0]
    return last["pipeline"], last["outcome"], last["sentence"]


def test_after_a_failed_check_it_says_what_failed_and_what_to_do(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    builds.rule = lambda build: None
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    bob.approve(change)
    builds.finish("check", change, "FAILURE")
    ann.hears(change, "Build failed.")
    assert why(site, change) == (
        f"{change} Add a: NEW\n{APPROVED}"
        f"  Verified: It needs Verified +2. gatebot voted Verified -1. {RECHECK}"
        f"  left check: {FAILED}\n"
    )
    assert last_stay(site, change) == ("check", "failed", FAILED)
    with urlopen(f"{site.url}/status/change/{change}") as page:
        assert f'<span class="small">{FAILED}</span>' in page.read().decode()


def test_after_the_gate_refused_it_says_why(site: RunningSite, builds: Builds) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("api", "Add a", {"a.txt": "a\n"})
    bob.approve(change)
    builds.finish("gate", change, "FAILURE")
    ann.hears(change, "Build failed.")
    assert why(site, change) == (
        f"{change} Add a: NEW\n{APPROVED}  Verified: Verified -2 by gatebot blocks it. {RECHECK}  left gate: {FAILED}\n"
    )


def test_of_two_pipelines_it_says_where_it_failed_and_nothing_of_the_one_without_jobs_for_it(
    site: RunningSite, builds: Builds
) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    also = "- pipeline: {name: also, manager: independent, trigger: {gatebot: [{event: patchset-created}]}}\n"
    bring = ann.propose("gatebot-config", "Check elsewhere, too", {"zuul.d/also.yaml": also})
    bob.approve(bring)
    ann.sees_merged(bring)
    builds.rule = lambda build: "FAILURE"
    change = ann.propose("api", "Comment", {".zuul.yaml": f"# tested\n{ZUUL}"})
    ann.hears(change, "Build failed")
    stays = eventually(lambda: found if len(found := past(site, change)) == 2 else None, "it left both")
    assert stays["also"] == "No job of this pipeline is for this change, so nothing was run."
    assert [line for line in why(site, change).splitlines() if "  left " in line] == [f"  left check: {FAILED}"]
    with urlopen(f"{site.url}/status") as page:
        left = page.read().decode().partition("Who left last")[2]
    assert FAILED in left
    assert "No job of this pipeline" not in left


def test_a_new_patch_set_is_not_told_about_the_failure_of_the_old_one(site: RunningSite, builds: Builds) -> None:
    ann = site.person("ann")
    builds.rule = lambda build: "FAILURE"
    work = ann.clone("api")
    work.commit("Add a", a="a\n")
    change = ann.push(work)
    ann.hears(change, "Build failed.")
    builds.rule = lambda build: None
    work.put("a", "b\n")
    work.git("commit", "-q", "-a", "--amend", "--no-edit")
    assert ann.push(work) == change
    builds.runs("check", change)
    eventually(lambda: "in check: Its jobs are running." in why(site, change), "in check again")
    assert "left check" not in why(site, change)


def test_an_address_that_names_no_change_is_told_as_a_dependency(site: RunningSite) -> None:
    ann, bob = site.person("ann"), site.person("bob")
    change = ann.propose("client", "Show discounts", {"show": "yes\n"}, body="Depends-On: https://example.org/99")
    ann.hears(change, "Build succeeded.")
    bob.approve(change)
    assert why(site, change) == (
        f"{change} Show discounts: NEW\n"
        "  State: The change is open.\n"
        "  Dependencies: Depends-On: https://example.org/99 is not the address of a change here. "
        "ann, who owns the change, can correct that line of the commit message, or remove it, and push again.\n"
        "  Code-Review: Code-Review +2 by bob.\n"
        "  Workflow: Workflow +1 by bob.\n"
        "  Verified: It needs Verified +2. The gate can vote Verified after testing it; "
        "it starts by itself when all other requirements are met.\n"
    )

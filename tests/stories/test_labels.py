# SPDX-License-Identifier: Apache-2.0
"""A project with a label and a submit requirement of its own, in project.config: what its people vote and read."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from gatebot.cli import main
from gatebot.errors import Conflict
from tests.fakes.site import Builds, Person, RunningSite

RULES = """\
[access "refs/heads/*"]
	label-Docs = -1..+1 group Registered Users
[label "Docs"]
	description = How it reads
	value = -1 Unclear
	value = +1 Clear
	copyCondition = is:MIN
	allowPostSubmit = false
[submit-requirement "Docs"]
	description = Somebody else has to find it clear.
	applicableIf = dir:docs
	submittableIf = label:Docs=MAX,user=non_uploader AND -label:Docs=MIN
	overrideIf = label:Code-Review=MAX,user=admin
"""


@pytest.fixture
def ann(site: RunningSite) -> Person:
    """Ann, in a site where the project `api` has rules for its documents."""
    there = site.app.repositories
    tree = there.write_tree("api", {"project.config": RULES.encode()})
    who = there.commit("api", site.branch("api")).author
    old = there.resolve("api", "refs/meta/config")
    commit = there.write_commit("api", tree, (old,) if old else (), who, who, "Ask for clear documents\n")
    assert there.update_ref("api", "refs/meta/config", old or "0" * 40, commit)
    return site.person("ann")


def about_docs(site: RunningSite, change: int) -> list[str]:
    """What `gatebot why` says of the documents."""
    env = {"GATEBOT_URL": site.url, "GATEBOT_USER": "ann", "GATEBOT_TOKEN": site.tokens["ann"]}
    done = CliRunner().invoke(main, ["why", str(change)], env=env, prog_name="gatebot", catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("Docs:")]


def state(person: Person, change: int) -> str:
    told = person.rest.get(f"/changes/{change}", o="SUBMIT_REQUIREMENTS")["submit_requirements"]
    return next(one["status"] for one in told if one["name"] == "Docs")


def test_documents_wait_for_somebody_who_finds_them_clear(site: RunningSite, builds: Builds, ann: Person) -> None:
    bob = site.person("bob")
    work = ann.clone("api", "docs")
    work.put("docs/guide", "Do it.\n")
    work.commit("Tell how")
    change = ann.push(work)
    assert state(ann, change) == "UNSATISFIED"
    assert about_docs(site, change) == [
        "Docs: It needs Docs +1. "
        "Any member of Registered Users except ann, who uploaded the patch set, can vote Docs +1."
    ]
    ann.review(change, Docs=1)
    assert about_docs(site, change)[0].startswith(
        "Docs: It needs Docs +1. The +1 of ann does not count, because ann uploaded the patch set."
    )
    bob.review(change, Docs=-1)
    assert about_docs(site, change)[0] == "Docs: Docs -1 by bob blocks it. bob can take the Docs vote back."

    work.put("docs/guide", "Do it like this.\n")
    work.git("add", "-A")
    work.git("commit", "-q", "--amend", "--no-edit")
    assert ann.push(work) == change
    votes = ann.rest.get(f"/changes/{change}", o="DETAILED_LABELS")["labels"]["Docs"]["all"]
    assert {one["username"]: one["value"] for one in votes if one["value"]} == {"bob": -1}

    bob.review(change, Docs=1)
    assert state(ann, change) == "SATISFIED"
    assert about_docs(site, change) == ["Docs: Docs +1 by bob."]


def test_what_is_no_document_needs_no_such_vote_and_an_administrator_overrides_it(
    site: RunningSite, builds: Builds, ann: Person
) -> None:
    code = ann.propose("api", "Add a", {"a.txt": "a\n"})
    assert state(ann, code) == "NOT_APPLICABLE"
    assert about_docs(site, code) == ["Docs: It does not apply to this change: dir:docs is not true of it."]
    words = ann.propose("api", "Tell more", {"docs/more": "More.\n"})
    site.person("admin").review(words, Code_Review=2)
    assert state(ann, words) == "OVERRIDDEN"
    assert about_docs(site, words) == ["Docs: It is overridden, because label:Code-Review=MAX,user=admin is true."]


def test_the_gate_takes_no_document_that_nobody_finds_clear(site: RunningSite, builds: Builds, ann: Person) -> None:
    change = ann.propose("api", "Tell how", {"docs/guide": "Do it.\n"})
    bob = site.person("bob")
    bob.approve(change)
    with pytest.raises(Conflict) as told:
        bob.rest.call("POST", f"/changes/{change}/submit", {})
    assert str(told.value) == "The change cannot be submitted. Not ready to be merged. It needs Docs +1."

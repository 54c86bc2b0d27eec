# SPDX-License-Identifier: Apache-2.0
"""Who may do what, and what the others are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gatebot.cli.output import Client
from gatebot.errors import GatebotError, NotPermitted, Unauthenticated
from tests.fakes.git import WorkTree
from tests.fakes.site import Person, RunningSite

REVIEW = "/changes/1/revisions/current/review"
CAPABILITY, ASK = "This needs the capability", "Ask an administrator for it."


@pytest.fixture
def ann(site: RunningSite) -> Person:
    """Ann, who has proposed change 1."""
    ann = site.person("ann")
    assert ann.propose("api", "Add a", {"a.txt": "a\n"}) == 1
    return ann


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "told"),
    [
        ("ann", "POST", REVIEW, {"labels": {"Code-Review": 2}},
         'Applying label "Code-Review": +2 is restricted. You may vote from -1 to +1.'),
        ("ann", "POST", REVIEW, {"labels": {"Workflow": 1}},
         'Applying label "Workflow": +1 is restricted. You may vote from -1 to 0.'),
        ("bob", "POST", REVIEW, {"labels": {"Verified": 1}},
         'Applying label "Verified": +1 is restricted. You may not vote on this label.'),
        ("ann", "POST", "/changes/1/submit", {},
         "Nobody has to submit it: the gate takes it by itself as soon as it has the votes that it needs; comment "
         "“recheck” to have it tested again. This needs the permission submit on refs/heads/main of api. "
         "Ask an owner of the project or an administrator for it."),
        ("ann", "PUT", "/projects/mine", {}, f"{CAPABILITY} createProject of this site. {ASK}"),
        ("bob", "PUT", "/accounts/eve", {"name": "Eve"},
         f"{CAPABILITY} administrateServer of this site. {ASK}"),
    ],
)  # fmt: skip
def test_who_lacks_a_permission_is_told_which(
    site: RunningSite, ann: Person, who: str, method: str, path: str, body: Any, told: str
) -> None:
    with pytest.raises(NotPermitted) as refused:
        site.person(who).rest.call(method, path, body)
    assert str(refused.value) == told
    assert ann.votes(1, "Code-Review") == {}


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", REVIEW), ("POST", "/changes/1/submit"), ("PUT", "/projects/x"), ("GET", "/accounts/self")],
)
def test_who_is_not_signed_in_changes_nothing(site: RunningSite, ann: Person, method: str, path: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        Client(site.url, "ann", "wrong").call(method, path, {} if method != "GET" else None)
    assert str(refused.value) == "Wrong user name, password or token."
    with pytest.raises(GatebotError):
        Client(site.url, "", "").call(method, path, {} if method != "GET" else None)
    assert ann.said(1)[0] == "Uploaded patch set 1."


def test_everybody_reads_and_clones(site: RunningSite, ann: Person, tmp_path: Path) -> None:
    found = Client(site.url, "", "").get("/changes/", q="status:open")
    assert [change["subject"] for change in found] == ["Add a"]
    work = WorkTree.clone(f"{site.url}/api", tmp_path / "anonymous")
    assert work.git("log", "--format=%s") == "Begin"
    assert "refs/changes/01/1/1" in work.git("ls-remote")


def test_nobody_pushes_without_an_account(site: RunningSite, ann: Person, tmp_path: Path) -> None:
    work = WorkTree.clone(f"{site.url}/api", tmp_path / "anonymous")
    work.commit("Add b", b="b\n")
    done = work.run("push", "origin", "HEAD:refs/for/main")
    assert done.returncode != 0
    assert f"could not read Username for '{site.url}'" in done.stderr


def test_a_push_past_review_is_refused_with_the_right_command(site: RunningSite) -> None:
    work = site.person("ann").clone("api")
    tip = site.branch("api")
    work.commit("Past review", b="b\n")
    done = work.run("push", "origin", "HEAD:refs/heads/main")
    assert remote(done.stderr) == [
        "error: branch refs/heads/main:",
        "Push to refs/for/main to create a review, or get 'Push' rights to update the branch.",
        "User: ann",
        "Contact an administrator to fix the permissions",
        "Processing changes: refs: 1, done",
        "Changes reach main by review and gate. Push for review instead:",
        "  git push origin HEAD:refs/for/main",
    ]
    assert site.branch("api") == tip


def test_a_push_without_the_hook_is_taken_and_told_how_to_get_it(site: RunningSite) -> None:
    work = site.person("ann").clone("api")
    (work.path / ".git" / "hooks" / "commit-msg").unlink()
    commit = work.commit("No id", c="c\n")
    done = work.run("push", "origin", "HEAD:refs/for/main")
    change_id = Client(site.url, "", "").get("/changes/1")["change_id"]
    assert remote(done.stderr) == [
        "Processing changes: refs: 1, new: 1, done",
        "SUCCESS",
        f"  {site.url}/c/api/+/1 No id [NEW]",
        f"{commit[:7]} has no Change-Id line, so its change was given one. This line adds it to the commit, that its "
        "next version surely finds the change, and installs the hook by which git writes such lines itself:",
        f'  f="$(git rev-parse --git-path hooks/commit-msg)"; curl -fLo "$f" --create-dirs {site.url}/tools/hooks/'
        f'commit-msg && chmod +x "$f" ; git commit --amend --no-edit --trailer Change-Id:{change_id}',
        "Welcome, this is your first change here. What happens next:",
        f"  - Where the project has check jobs, they test it; what they find stands on its page: {site.url}/c/api/+/1",
        "  - Reviewers read it, comment and vote there; answer them on the same page.",
        "  - To change it, run the line above once, amend the commit and push as you just did: git commit --amend",
        "    By the Change-Id line at its end it becomes the next patch set of the same change.",
    ]


def remote(text: str) -> list[str]:
    """What the server said to a push, without empty lines."""
    lines = [line.removeprefix("remote: ").rstrip() for line in text.splitlines() if line.startswith("remote:")]
    return [line for line in lines if line and line != "remote:"]

# SPDX-License-Identifier: Apache-2.0
"""Which branches and tags may be moved past review, told by tables with Gerrit's texts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatebot.reasons import reason
from gatebot.review import push_direct
from gatebot.review.model import ZERO
from gatebot.review.push_direct import Facts, Thing, check
from gatebot.review.receive import Command, CommitFacts, Known, Refusal, Rights

A, B = "a" * 40, "b" * 40
NOTHING = Known({}, {})
ALLOWED = Facts(allowed=True)
FOREIGN = replace(NOTHING, foreign=frozenset({"bob@example.org"}))


def commit(digit: str) -> CommitFacts:
    return CommitFacts(digit * 40, "t", (B,), "S", "S\n", "Bob", "bob@example.org", "bob@example.org")


def text(command: Command, facts: Facts) -> str:
    found = check(command, facts, NOTHING, Rights())
    return "" if found is None else found.status


@pytest.mark.parametrize(
    ("ref", "what", "named", "advice"),
    [
        (
            "refs/heads/main",
            "update",
            "update",
            "Push to refs/for/main to create a review, or get 'Push' rights to update the branch.",
        ),
        ("refs/heads/new", "create", "create", "You need 'Create' rights to create new references."),
        (
            "refs/heads/main",
            "delete",
            "delete",
            "You need 'Delete Reference' rights or 'Push' rights with the \n"
            "'Force Push' flag set to delete references.",
        ),
        (
            "refs/meta/config",
            "update",
            "update",
            "Configuration changes can only be pushed by project owners\n"
            "who also have 'Push' rights on refs/meta/config",
        ),
        ("refs/foo/x", "create", "create", "You need 'Create' rights to create new references."),
        ("refs/changes/01/1/9", "create", "create", "You need 'Create' rights to create new references."),
        ("refs/tags/1", "create", "create", "You need 'Create' rights to create new references."),
    ],
)
def test_what_is_not_permitted_is_told_as_gerrit_tells_it(ref: str, what: str, named: str, advice: str) -> None:
    command = Command(ZERO if what == "create" else A, ZERO if what == "delete" else B, ref)
    found = check(command, Facts(), NOTHING, Rights())
    assert found is not None
    assert (found.status, found.ref, found.advice) == (
        f"prohibited by Gerrit: not permitted: {named}",
        ref,
        advice,
    )


def test_tags_with_a_message_have_rights_of_their_own() -> None:
    create = Command(ZERO, B, "refs/tags/1.0")
    assert text(create, Facts(Thing.TAG)) == "prohibited by Gerrit: not permitted: create tag"
    assert text(create, Facts(Thing.SIGNED_TAG)) == "prohibited by Gerrit: not permitted: create signed tag"
    assert text(create, replace(ALLOWED, thing=Thing.TAG)) == ""


def test_what_is_permitted_is_still_looked_at() -> None:
    update, create = Command(A, B, "refs/heads/main"), Command(ZERO, B, "refs/heads/new")
    assert text(update, ALLOWED) == ""
    assert text(Command(ZERO, B, "refs/meta/dashboards/team"), ALLOWED) == ""
    assert text(Command(ZERO, B, "refs/meta/other"), ALLOWED) == "prohibited by Gerrit: not permitted: create"
    assert text(update, replace(ALLOWED, forced=True)) == "prohibited by Gerrit: not permitted: force update"
    assert text(update, replace(ALLOWED, forced=True, may_force=True)) == ""
    assert text(create, replace(ALLOWED, thing=Thing.OTHER)) == "not a commit"
    assert text(update, replace(ALLOWED, thing=Thing.TAG)) == "head must point to commit"
    assert text(update, replace(ALLOWED, thing=Thing.MISSING)) == "invalid object"
    assert text(Command(A, ZERO, "refs/heads/main"), ALLOWED) == (
        "cannot delete refs/heads/main: it is the default branch"
    )
    assert text(Command(A, ZERO, "refs/meta/config"), ALLOWED) == "cannot delete project configuration"
    assert text(Command(A, ZERO, "refs/changes/01/1/1"), ALLOWED) == "cannot delete changes"


def test_the_commits_of_a_direct_push_are_checked_unless_that_is_skipped() -> None:
    update = Command(A, B, "refs/heads/main")
    facts = replace(ALLOWED, commits=(commit("1"), commit("2")))
    found = check(update, facts, FOREIGN, Rights(email="mina@example.org", site="http://x"))
    assert found is not None
    assert (found.status, found.ref) == ("commit 1111111: invalid committer", "refs/heads/main")
    assert check(update, replace(facts, skip=True, may_skip=True), FOREIGN, Rights()) is None
    denied = check(update, replace(facts, skip=True), FOREIGN, Rights())
    assert denied is not None
    assert denied.status == "prohibited by Gerrit: not permitted: skip validation"
    many = replace(ALLOWED, commits=(commit("1"),) * (push_direct.MOST_COMMITS + 1))
    assert check(update, many, NOTHING, Rights()) == Refusal(
        "more than 10000 commits, and skip-validation not set",
        reason("review.push-many-commits", limit=10_000),
        ref="refs/heads/main",
    )

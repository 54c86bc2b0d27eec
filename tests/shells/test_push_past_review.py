# SPDX-License-Identifier: Apache-2.0
"""Pushes past review by the real git client: each reference by itself, changes that land, and further options."""

from __future__ import annotations

import asyncio
import hashlib
from subprocess import CompletedProcess

import pytest
from aiohttp import ClientSession, encode_basic_auth

from gatebot import journal
from gatebot.events import ChangeMerged, PatchSetCreated
from gatebot.repo import ZERO
from gatebot.review import conversation
from gatebot.review.model import Status
from gatebot.review.push_policy import Policy, SamePolicy
from tests.fakes.clock import FakeClock
from tests.fakes.git import WorkTree
from tests.fakes.githost import GitHost, remote


async def push(work: WorkTree, *what: str) -> CompletedProcess[str]:
    return await asyncio.to_thread(work.run, "push", *what)


async def by_admin(host: GitHost, work: WorkTree, *what: str) -> CompletedProcess[str]:
    options = [one for one in what if one.startswith("-")]
    refs = [one for one in what if not one.startswith("-")]
    return await push(work, *options, host.address("demo/api", "admin"), *refs)


async def test_each_reference_that_may_not_move_is_told_with_those_of_its_kind(host: GitHost, work: WorkTree) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    done = await push(work, "origin", "HEAD:refs/heads/main", "HEAD:refs/heads/one", "HEAD:refs/heads/two")
    assert remote(done)[:7] == [
        "error: branch refs/heads/main:",
        "Push to refs/for/main to create a review, or get 'Push' rights to update the branch.",
        "error: branches refs/heads/one, refs/heads/two:",
        "You need 'Create' rights to create new references.",
        "User: mina",
        "Contact an administrator to fix the permissions",
        "Processing changes: refs: 3, done",
    ]
    assert "HEAD -> main (prohibited by Gerrit: not permitted: update)" in done.stderr
    assert "HEAD -> one (prohibited by Gerrit: not permitted: create)" in done.stderr


async def test_references_that_may_move_do_so_beside_others_unless_all_or_none_is_asked(
    host: GitHost, work: WorkTree
) -> None:
    tree = work.git("rev-parse", "HEAD^{tree}")
    work.git("tag", "good")
    done = await by_admin(host, work, "--atomic", f"{tree}:refs/heads/bad", "refs/tags/good")
    assert "(not a commit)" in done.stderr
    assert "good -> good (transaction aborted)" in done.stderr
    assert host.repos.references("demo/api", "refs/tags/") == {}

    done = await by_admin(host, work, f"{tree}:refs/heads/bad", "refs/tags/good")
    assert done.returncode == 1
    assert "(not a commit)" in done.stderr
    assert "* [new tag]         good -> good" in done.stderr
    assert remote(done) == ["Processing changes: refs: 2, done"]
    assert list(host.repos.references("demo/api", "refs/tags/")) == ["refs/tags/good"]
    assert list(host.repos.branches("demo/api")) == ["main"]


async def test_a_change_is_closed_by_a_commit_that_carries_its_change_id(host: GitHost, work: WorkTree) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    await push(work, "origin", "HEAD:refs/for/main%private")
    work.put("b.txt", "better\n")
    work.git("commit", "-q", "-a", "--amend", "--no-edit")
    landed = work.git("rev-parse", "HEAD")
    done = await by_admin(host, work, "HEAD:refs/heads/main")
    assert remote(done) == [
        "Processing changes: refs: 1, closed: 1, done",
        "http://review.example.org/c/demo/api/+/1 is merged by this push.",
    ]
    made = await host.change(1)
    assert (made.status, made.current, made.merged_as, made.private) == (Status.MERGED, 2, landed, False)
    assert host.repos.resolve("demo/api", "refs/changes/01/1/2") == landed
    entries = await host.db.read(journal.read_in, 0, None, 1000)
    told = [entry.event for entry in entries if isinstance(entry.event, PatchSetCreated | ChangeMerged)]
    assert [type(event) for event in told] == [PatchSetCreated, ChangeMerged], "nobody tests what has landed"
    said = [message.text for message in await host.db.read(conversation.list_messages, 1)]
    assert said[-1] == "Change has been successfully pushed."


async def test_of_a_change_whose_older_patch_set_arrives_that_one_is_shown_as_merged(
    host: GitHost, work: WorkTree
) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    await push(work, "origin", "HEAD:refs/for/main")
    landed = work.git("rev-parse", "HEAD")
    work.put("b.txt", "better\n")
    work.git("commit", "-q", "-a", "--amend", "--no-edit")
    await push(work, "origin", "HEAD:refs/for/main")
    assert (await by_admin(host, work, f"{landed}:refs/heads/main")).returncode == 0
    made = await host.change(1)
    assert (made.status, made.current, made.merged_as) == (Status.MERGED, 1, landed)
    entries = await host.db.read(journal.read_in, 0, (ChangeMerged,), 1000)
    assert [entry.event.patch_set for entry in entries if isinstance(entry.event, ChangeMerged)] == [1]


async def test_a_change_of_another_branch_stays_open(host: GitHost, work: WorkTree) -> None:
    assert (await by_admin(host, work, "HEAD:refs/heads/stable")).returncode == 0
    work.commit("Add b", b_dot_txt="b\n")
    await push(work, "origin", "HEAD:refs/for/stable")
    assert (await by_admin(host, work, "HEAD:refs/heads/main")).returncode == 0
    assert (await host.change(1)).is_open


async def test_the_same_commit_becomes_a_change_of_another_branch_by_its_base(host: GitHost, work: WorkTree) -> None:
    assert (await by_admin(host, work, "HEAD:refs/heads/stable")).returncode == 0
    base = work.git("rev-parse", "HEAD")
    work.commit("Add b", b_dot_txt="b\n")
    await push(work, "origin", "HEAD:refs/for/main")
    done = await push(work, "origin", "HEAD:refs/for/stable")
    assert "(no new changes)" in done.stderr
    assert f"  git push origin HEAD:refs/for/stable%base={base}" in remote(done)
    done = await push(work, "origin", f"HEAD:refs/for/stable%base={base}")
    assert "Processing changes: refs: 1, new: 1, done" in remote(done)
    one, two = await host.change(1), await host.change(2)
    assert (one.branch, two.branch, one.change_id) == ("main", "stable", two.change_id)


async def test_a_change_is_made_of_a_merged_commit(host: GitHost, work: WorkTree) -> None:
    commit = work.commit("Add b", b_dot_txt="b\n")
    assert "(not merged into branch)" in (await push(work, "origin", "HEAD:refs/for/main%merged")).stderr
    assert (await by_admin(host, work, "HEAD:refs/heads/main")).returncode == 0
    done = await push(work, "origin", "HEAD:refs/for/main%merged")
    assert "  http://review.example.org/c/demo/api/+/1 Add b [NEW]" in remote(done), done.stderr
    made = await host.change(1)
    assert (made.status, made.merged_as) == (Status.MERGED, commit)


async def test_new_changes_are_as_the_project_wants_them_unless_the_push_says_otherwise(
    host: GitHost, work: WorkTree
) -> None:
    host.policies.now = SamePolicy(Policy(private=True, work_in_progress=True))
    work.commit("Add b", b_dot_txt="b\n")
    done = await push(work, "origin", "HEAD:refs/for/main")
    assert "  http://review.example.org/c/demo/api/+/1 Add b [PRIVATE] [WIP] [NEW]" in remote(done)
    work.commit("Add c", c_dot_txt="c\n")
    await push(work, "origin", "HEAD:refs/for/main%ready,remove-private")
    assert [((await host.change(n)).private, (await host.change(n)).work_in_progress) for n in (1, 2)] == [
        (True, True),
        (False, False),
    ]
    host.policies.now = SamePolicy(Policy(read_only=True))
    work.commit("Add d", d_dot_txt="d\n")
    done = await push(work, "origin", "HEAD:refs/for/main")
    assert "(prohibited by Gerrit: project state does not permit write)" in done.stderr


async def test_people_are_named_by_group_by_number_and_in_footers(host: GitHost, work: WorkTree) -> None:
    work.commit("Add b\n\nReviewed-by: Bob <bob@example.org>\nCc: X <nobody@example.org>", b_dot_txt="b\n")
    admin, bob = host.people["admin"].id, host.people["bob"].id
    done = await push(work, "origin", "HEAD:refs/for/main%cc=Administrators")
    assert done.returncode == 0, done.stderr
    found = {one.account: one.state.value for one in await host.db.read(conversation.list_reviewers, 1)}
    assert found == {bob: "REVIEWER", admin: "CC"}
    work.commit("Add c", c_dot_txt="c\n")
    await push(work, "origin", f"HEAD:refs/for/main%r={bob}")
    assert [one.account for one in await host.db.read(conversation.list_reviewers, 2)] == [bob]


async def test_a_push_has_a_name_and_a_deadline_when_it_asks_for_them(
    host: GitHost, work: WorkTree, fake_clock: FakeClock
) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    done = await push(work, "-o", "trace=mine", "-o", "deadline=1", "origin", "HEAD:refs/for/main")
    assert "(Invalid deadline. Missing time unit: 1)" in done.stderr
    done = await push(work, "-o", "trace=mine", "-o", "deadline=1h", "origin", "HEAD:refs/for/main")
    assert remote(done)[-1] == "TRACE_ID: mine", done.stderr


async def test_a_banned_commit_stays_out(host: GitHost, work: WorkTree) -> None:
    commit = work.commit("Bad", b_dot_txt="b\n")
    notes = WorkTree.new(work.path.parent / "notes")
    notes.put(commit, "banned\n")
    notes.git("add", "-A")
    notes.git("commit", "-q", "-m", "Ban")
    store_path = host.repos.path("demo/api")
    notes.git(f"--git-dir={store_path}", "fetch", "-q", str(notes.path), "HEAD:refs/meta/reject-commits")
    done = await push(work, "origin", "HEAD:refs/for/main")
    assert f"(commit {commit[:7]}: contains banned commit {commit})" in done.stderr
    assert f"contains banned commit {commit})" in (await by_admin(host, work, "HEAD:refs/heads/main")).stderr


@pytest.mark.parametrize(
    ("old", "ref", "text"),
    [
        ("b" * 40, "refs/heads/main", b"ng refs/heads/main failed to update ref"),
        ("b" * 40, "refs/for/main", b"ng refs/for/main no new changes"),
        (ZERO, "refs/for/", b"ng refs/for/ branch  not found"),
        (ZERO, "refs/for/a..b%%", b"ng refs/for/a..b%% "),
        (ZERO, "refs/heads/a..b", b"ng refs/heads/a..b "),
        (ZERO, "refs/for/main%topic=\u00e9\u00e9,base=x", b"expected SHA1 for option --base: x"),
    ],
)
async def test_what_no_client_of_git_would_send_is_refused_like_the_rest(
    host: GitHost, work: WorkTree, old: str, ref: str, text: bytes
) -> None:
    tip = work.git("rev-parse", "HEAD")
    line = f"{old} {tip} {ref}\0report-status side-band-64k".encode()
    pack = b"PACK" + (2).to_bytes(4) + (0).to_bytes(4)
    body = f"{len(line) + 4:04x}".encode() + line + b"0000" + pack + hashlib.sha1(pack, usedforsecurity=False).digest()
    address = f"{host.url}/demo/api/git-receive-pack"
    kind = {
        "Content-Type": "application/x-git-receive-pack-request",
        "Authorization": encode_basic_auth("admin", "pw"),
    }
    async with (
        ClientSession() as session,
        session.post(address, data=body, headers=kind) as answer,
    ):
        assert answer.status == 200
        assert text in await answer.read()
    assert host.repos.branches("demo/api") == {"main": tip}

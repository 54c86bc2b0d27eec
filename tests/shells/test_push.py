# SPDX-License-Identifier: Apache-2.0
"""Pushes by the real git client: changes, patch sets, options, refusals, crashes between the beats."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from gatebot import journal
from gatebot.events import BranchMoved, ChangeMerged, PatchSetCreated, ReviewerAdded, TagMoved, TopicChanged, VoteCast
from gatebot.repo import ZERO
from gatebot.review import conversation, push_past_rows, push_rows, store
from gatebot.review.attention.store import attention_of
from gatebot.review.model import RefMove, ReviewerState, Status
from gatebot.review.push_policy import Policy, SamePolicy
from tests.fakes.clock import FakeClock
from tests.fakes.git import WorkTree
from tests.fakes.githost import GitHost, remote


async def push(work: WorkTree, ref: str = "HEAD:refs/for/main", *options: str, **env: str) -> CompletedProcess[str]:
    return await asyncio.to_thread(work.run, "push", *options, "origin", ref, **env)


async def facts(host: GitHost, *kinds: type) -> list[object]:
    entries = await host.db.read(journal.read_in, 0, None, 1000)
    return [entry.event for entry in entries if isinstance(entry.event, kinds)]


def welcome(number: int) -> list[str]:
    """What who never had a change here is told."""
    return [
        "Welcome, this is your first change here. What happens next:",
        "  - Where the project has check jobs, they test it; what they find stands on its page: "
        f"http://review.example.org/c/demo/api/+/{number}",
        "  - Reviewers read it, comment and vote there; answer them on the same page.",
        "  - To change it, amend the commit and push again as you just did: git commit --amend",
        "    The Change-Id line at its end stays, so that it becomes the next patch set of the same change.",
    ]


async def test_only_a_first_change_is_greeted(host: GitHost, work: WorkTree) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    assert set(welcome(1)) <= set(remote(await push(work)))
    work.commit("Add c", c_dot_txt="c\n")
    again = remote(await push(work))
    assert not set(welcome(2)) & set(again)
    assert "Reviewers and check jobs take it from here. The page shows live what is still missing." in again


async def test_a_push_for_review_makes_a_change(host: GitHost, work: WorkTree) -> None:
    commit = work.commit("Add b", b_dot_txt="b\n")
    done = await push(work)
    assert done.returncode == 0, done.stderr
    assert remote(done) == [
        "Processing changes: refs: 1, new: 1, done",
        "",
        "SUCCESS",
        "",
        "  http://review.example.org/c/demo/api/+/1 Add b [NEW]",
        "",
        *welcome(1),
        "",
    ]
    assert " * [new reference]   HEAD -> refs/for/main" in done.stderr
    made = await host.change(1)
    assert (made.project, made.branch, made.subject, made.status, made.owner, made.current) == (
        "demo/api",
        "main",
        "Add b",
        Status.NEW,
        host.people["mina"].id,
        1,
    )
    assert host.repos.resolve("demo/api", "refs/changes/01/1/1") == commit
    assert await facts(host, PatchSetCreated) == [
        PatchSetCreated(1, 1, "demo/api", "main", commit, host.people["mina"].id, "REWORK")
    ]


async def test_an_amended_commit_is_a_new_patch_set(host: GitHost, work: WorkTree) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    await push(work)
    work.put("b.txt", "better\n")
    work.git("commit", "-q", "-a", "--amend", "--no-edit")
    done = await push(work)
    assert "Processing changes: refs: 1, updated: 1, done" in remote(done)
    assert "  http://review.example.org/c/demo/api/+/1 Add b" in remote(done)
    assert (await host.change(1)).current == 2
    assert host.repos.resolve("demo/api", "refs/changes/01/1/2") == work.git("rev-parse", "HEAD")

    work.git("commit", "-q", "--amend", "-m", "Add b well\n\n" + work.git("log", "-1", "--format=%(trailers)"))
    done = await push(work)
    assert f"warning: {work.git('rev-parse', '--short=7', 'HEAD')}: no files changed, message updated" in remote(done)
    assert [fact.kind for fact in await facts(host, PatchSetCreated)] == ["REWORK", "REWORK", "NO_CODE_CHANGE"]


@pytest.mark.parametrize("options", ["", "%r=bob", "%cc=bob"])
async def test_who_may_not_see_a_change_adds_nothing_to_it_and_hears_no_number(
    host: GitHost, work: WorkTree, tmp_path: Path, options: str
) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    await push(work, "HEAD:refs/for/main%private")
    theirs = await host.clone("demo/api", tmp_path / "bob", "bob")
    theirs.put("e.txt", "e\n")
    theirs.git("add", ".")
    theirs.git("commit", "-q", "-m", f"Mine\n\nChange-Id: {(await host.change(1)).change_id}")
    done = await push(theirs, f"HEAD:refs/for/main{options}")
    assert done.returncode == 1
    assert f"(cannot add patch set to {(await host.change(1)).change_id}.)" in done.stderr
    assert "/+/1" not in done.stderr
    assert (await host.change(1)).current == 1
    assert await facts(host, ReviewerAdded) == []

    await host.db.run(conversation.set_reviewer, 1, host.people["bob"].id, ReviewerState.REVIEWER, host.clock.now())
    assert "  http://review.example.org/c/demo/api/+/1 Mine [PRIVATE]" in remote(await push(theirs))


async def test_a_rebased_commit_is_recognised(host: GitHost, work: WorkTree) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    await push(work)
    work.git("checkout", "-q", "-b", "other", "origin/main")
    work.commit("Add c", c_dot_txt="c\n")
    admin = host.address("demo/api", "admin")
    assert (await asyncio.to_thread(work.run, "push", admin, "HEAD:refs/heads/main")).returncode == 0
    work.git("rebase", "-q", "other", "main")
    await push(work)
    assert [fact.kind for fact in await facts(host, PatchSetCreated)] == ["REWORK", "TRIVIAL_REBASE"]


async def test_several_commits_are_a_chain_of_changes(host: GitHost, work: WorkTree) -> None:
    for name in ("one", "two", "three"):
        work.commit(f"Add {name}", **{name: name})
    done = await push(work)
    assert "Processing changes: refs: 1, new: 3, done" in remote(done)
    assert [line for line in remote(done) if line.endswith("[NEW]")] == [
        f"  http://review.example.org/c/demo/api/+/{number} Add {name} [NEW]"
        for number, name in ((1, "one"), (2, "two"), (3, "three"))
    ]
    assert (await host.db.read(store.get_patch_set, 3, 1)).parents == (
        (await host.db.read(store.get_patch_set, 2, 1)).commit,
    )

    work.put("three", "again")
    work.git("commit", "-q", "-a", "--amend", "--no-edit")
    done = await push(work)
    assert "Processing changes: refs: 1, updated: 1, done" in remote(done)
    assert [(await host.change(number)).current for number in (1, 2, 3)] == [1, 1, 2]


STRICT = SamePolicy(Policy(strict_change_id=True))
CURL = (
    '  f="$(git rev-parse --git-dir)/hooks/commit-msg"; '
    'curl -o "$f" http://review.example.org/tools/hooks/commit-msg ; chmod +x "$f"'
)

HOOK = (
    '  f="$(git rev-parse --git-path hooks/commit-msg)"; curl -fLo "$f" --create-dirs '
    'http://review.example.org/tools/hooks/commit-msg && chmod +x "$f"'
)


async def test_where_change_ids_are_a_must_a_commit_without_is_refused_in_gerrits_words(
    host: GitHost, work: WorkTree
) -> None:
    host.policies.now = STRICT
    work.git("config", "gerrit.createChangeId", "false")
    commit = work.commit("No id", b_dot_txt="b\n")
    done = await push(work)
    assert done.returncode == 1
    assert f"(commit {commit[:7]}: missing Change-Id in message footer)" in done.stderr
    assert remote(done) == [
        "Processing changes: refs: 1, done",
        f"ERROR: commit {commit[:7]}: missing Change-Id in message footer",
        "",
        "Hint: to automatically insert a Change-Id, install the hook:",
        CURL,
        "and then amend the commit:",
        "  git commit --amend --no-edit",
        "Finally, push your changes again",
        "",
    ]
    assert host.repos.resolve("demo/api", commit) is None, "a refused push leaves no objects"

    korean = await push(work, LANGUAGE="ko", LC_ALL="C.UTF-8")
    assert "missing Change-Id in message footer" in korean.stderr
    assert "Change-Id 를 자동으로 넣으려면 훅을 설치하세요:" in korean.stderr


@pytest.mark.parametrize(
    ("message", "text", "told"),
    [
        (f"Change-Id: I{'1' * 40}", "missing subject; Change-Id must be in message footer", []),
        (
            f"S\n\nChange-Id: I{'1' * 40}\n\nBody",
            "Change-Id must be in message footer",
            ["Hint: run", "  git commit --amend", "and move 'Change-Id: Ixxx..' to the bottom on a separate line"],
        ),
        (
            f"S\n\nChange-Id: I{'1' * 40}\nChange-Id: I1",
            "multiple Change-Id lines in message footer",
            ["Hint: the following Change-Ids were found:", f"* I{'1' * 40} [VALID]", "* I1 [INVALID]"],
        ),
        (
            "S\n\nChange-Id: I1",
            "invalid Change-Id line format in message footer",
            ["Hint: to automatically insert a Change-Id, install the hook:", CURL],
        ),
    ],
)
async def test_a_change_id_that_cannot_be_is_refused_with_gerrits_hint(
    host: GitHost, work: WorkTree, message: str, text: str, told: list[str]
) -> None:
    (work.path / ".git" / "hooks" / "commit-msg").unlink()
    commit = work.commit(message, b_dot_txt="b\n")
    done = await push(work)
    assert f"(commit {commit[:7]}: {text})" in done.stderr
    said = remote(done)
    assert said[:2] == ["Processing changes: refs: 1, done", f"ERROR: commit {commit[:7]}: {text}"]
    assert said[3 : 3 + len(told)] == told


async def test_a_commit_without_change_id_is_taken_and_the_command_adds_it(host: GitHost, work: WorkTree) -> None:
    work.git("config", "gerrit.createChangeId", "false")
    commit = work.commit("No id", b_dot_txt="b\n")
    done = await push(work)
    assert done.returncode == 0, done.stderr
    made = await host.change(1)
    command = f"git commit --amend --no-edit --trailer Change-Id:{made.change_id}"
    assert remote(done) == [
        "Processing changes: refs: 1, new: 1, done",
        "",
        "SUCCESS",
        "",
        "  http://review.example.org/c/demo/api/+/1 No id [NEW]",
        "",
        f"{commit[:7]} has no Change-Id line, so its change was given one. This line adds it to the commit, that its "
        "next version surely finds the change, and installs the hook by which git writes such lines itself:",
        f"{HOOK} ; {command}",
        "",
        *welcome(1)[:-2],
        "  - To change it, run the line above once, amend the commit and push as you just did: git commit --amend",
        "    By the Change-Id line at its end it becomes the next patch set of the same change.",
        "",
    ]
    work.put("b.txt", "better\n")
    work.git("commit", "-q", "-a", "--amend", "--no-edit")
    assert (await push(work)).returncode == 0
    assert (await host.change(1)).current == 2, "the next version finds its change even without the line"

    await asyncio.to_thread(work.shell, command)
    done = await push(work)
    assert f"warning: {work.git('rev-parse', '--short=7', 'HEAD')}: no files changed, message updated" in remote(done)
    assert (await host.change(1)).current == 3
    assert not any("has no Change-Id" in line for line in remote(done))


async def test_the_hook_alone_makes_no_second_change_of_a_commit_that_came_without(
    host: GitHost, work: WorkTree
) -> None:
    work.git("config", "gerrit.createChangeId", "false")
    for name in ("one", "two"):
        work.commit(f"Add {name}", **{name: name})
    await push(work)
    work.git("config", "--unset", "gerrit.createChangeId")
    base = work.git("rev-parse", "HEAD~2")
    work.git("rebase", "-q", "--exec", "git commit -q --amend --no-edit", base)
    done = await push(work)
    assert "(commit " in done.stderr
    assert "/c/demo/api/+/1 already, under another Change-Id)" in done.stderr
    told = remote(done)
    assert any(
        line.startswith("A hook gave a new Change-Id to what you pushed before without one; it would become a second "
                        "change beside your open one. Nothing was changed.") for line in told
    )  # fmt: skip
    await asyncio.to_thread(work.shell, next(line.strip() for line in told if "GIT_SEQUENCE_EDITOR" in line))
    ids = work.git("log", "-2", "--reverse", "--format=%(trailers:key=Change-Id,valueonly,separator=)").split()
    assert ids == [(await host.change(number)).change_id for number in (1, 2)]
    assert "Processing changes: refs: 1, updated: 2, done" in remote(await push(work))


async def test_a_chain_without_change_ids_gets_one_command_for_all(host: GitHost, work: WorkTree) -> None:
    work.git("config", "gerrit.createChangeId", "false")
    for name in ("one", "two", "three"):
        work.commit(f"Add {name}", **{name: name})
    done = await push(work)
    command = next(line.strip() for line in remote(done) if "GIT_SEQUENCE_EDITOR" in line)
    assert command.startswith(f"{HOOK.strip()} ; GIT_SEQUENCE_EDITOR=")
    await asyncio.to_thread(work.shell, command.removeprefix(f"{HOOK.strip()} ; "))
    ids = work.git("log", "-3", "--reverse", "--format=%(trailers:key=Change-Id,valueonly,separator=)").split()
    assert ids == [(await host.change(number)).change_id for number in (1, 2, 3)]
    done = await push(work)
    assert "Processing changes: refs: 1, updated: 3, done" in remote(done)


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        ("HEAD:refs/for/nowhere", "(branch nowhere not found)"),
        ("HEAD:refs/for/main%topc=x", '("--topc" is not a valid option)'),
        ("HEAD:refs/for/main%wip,ready", "(the options 'wip' and 'ready' are mutually exclusive)"),
        (
            "HEAD:refs/for/main%r=nobody",
            "(Account 'nobody' not found\nnobody does not identify a registered user or group)",
        ),
        ("HEAD:refs/for/main%cc=no@body.org", "(Account 'no@body.org' not found\n"),
        ("HEAD:refs/for/main%notify-to=nobody", '(user "nobody" not found)'),
        ("HEAD:refs/for/main%l=Code-Review+2", '(applying label "Code-Review": 2 is restricted)'),
        ("HEAD:refs/for/main%l=Code-Review+9", '(label "Code-Review": 9 is not a valid value)'),
        ("HEAD:refs/for/main%l=Foo", '(label "Foo" is not a configured label)'),
        ("HEAD:refs/for/main%submit", "(prohibited by Gerrit: not permitted: update by submit on refs/heads/main)"),
        ("HEAD:refs/for/main%edit", "(edit is not supported for new changes)"),
        ("HEAD:refs/for/main%help", "(see help)"),
        ("HEAD:refs/for/main%merged", "(not merged into branch)"),
        (f"HEAD:refs/for/main%base={'1' * 40}", "(base not found)"),
        ("HEAD:refs/for/refs/foo/x", "(refs/foo/x not found)"),
        ("HEAD:refs/for/refs/meta/config", "(prohibited by Gerrit: not permitted: read on refs/meta/config)"),
        ("HEAD:refs/heads/main", "(prohibited by Gerrit: not permitted: update)"),
        ("HEAD:refs/heads/new", "(prohibited by Gerrit: not permitted: create)"),
        (":refs/heads/main", "(prohibited by Gerrit: not permitted: delete)"),
        ("HEAD:refs/changes/01/1/9", "(prohibited by Gerrit: not permitted: create)"),
        ("HEAD:refs/notes/x", "(prohibited by Gerrit: not permitted: create)"),
        ("main~0^{tree}:refs/for/main", "(not a commit)"),
    ],
)
async def test_what_may_not_be_pushed_is_refused(host: GitHost, work: WorkTree, ref: str, text: str) -> None:
    commit = work.commit("Add b", b_dot_txt="b\n")
    done = await push(work, ref)
    assert done.returncode == 1
    assert text in done.stderr
    assert remote(done)[0] in ("Processing changes: refs: 1, done", f"error: branch {ref.partition(':')[2]}:")
    assert host.repos.resolve("demo/api", commit) is None
    assert await facts(host, PatchSetCreated, BranchMoved) == []


async def test_nothing_new_is_said(host: GitHost, work: WorkTree) -> None:
    assert "(no new changes)" in (await push(work)).stderr
    work.commit("Add b", b_dot_txt="b\n")
    await push(work)
    assert "(no new changes)" in (await push(work)).stderr
    assert (await host.change(1)).current == 1


async def test_a_closed_change_takes_no_patch_set(host: GitHost, work: WorkTree, fake_clock: FakeClock) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    await push(work)
    await host.db.run(store.update_change, 1, fake_clock.now(), status=Status.ABANDONED.value)
    work.put("b.txt", "better\n")
    work.git("commit", "-q", "-a", "--amend", "--no-edit")
    done = await push(work)
    assert "(change http://review.example.org/c/demo/api/+/1 closed)" in done.stderr
    assert (
        "http://review.example.org/c/demo/api/+/1 is abandoned, so it takes no patch sets. "
        "Start a new change: remove the Change-Id line, then push again:" in remote(done)
    )


async def test_options_set_what_they_name(host: GitHost, work: WorkTree) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    done = await push(work, "HEAD:refs/for/main%topic=x,wip,l=Code-Review+1,m=my+text", "-o", "r=bob", "-o", "t=#green")
    told = remote(done)
    assert "  http://review.example.org/c/demo/api/+/1 Add b [WIP] [NEW]" in told, done.stderr
    assert (
        "It is work in progress: nobody is asked to review it yet. When it is ready, press “Mark as ready” on its page"
        ", or amend it and push: git push origin HEAD:refs/for/main%ready"
    ) in told
    assert not any("take it from here" in line for line in told)
    made = await host.change(1)
    assert (made.topic, made.hashtags, made.work_in_progress) == ("x", ("green",), True)
    mina, bob = host.people["mina"].id, host.people["bob"].id
    assert await facts(host, ReviewerAdded, VoteCast) == [
        ReviewerAdded(1, bob, mina),
        VoteCast(1, 1, "Code-Review", 1, mina, 0),
        ReviewerAdded(1, mina, mina),
    ]
    assert await facts(host, TopicChanged) == [TopicChanged(1, "x", "", mina)]
    assert [vote.value for vote in await host.db.read(conversation.list_votes, 1)] == [1]
    assert (await host.db.read(store.get_patch_set, 1, 1)).description == "my text"
    (said,) = await host.db.read(conversation.list_messages, 1)
    assert (said.text, said.tag) == ("Uploaded patch set 1.\n\nmy text", "autogenerated:gerrit:newWipPatchSet")

    work.git("commit", "-q", "--amend", "--no-edit", "--date=2001-01-01T00:00:00Z", "--author=Other <o@example.org>")
    await push(work, "HEAD:refs/for/main%topic=y,ready")
    made = await host.change(1)
    assert (made.topic, made.hashtags, made.work_in_progress) == ("y", ("green",), False)
    assert await facts(host, TopicChanged) == [TopicChanged(1, "x", "", mina), TopicChanged(1, "y", "x", mina)]
    assert [one.account for one in (await host.db.read(attention_of, [1]))[1]] == [bob]

    condition = "changekind:NO_CODE_CHANGE OR changekind:TRIVIAL_REBASE OR is:MIN"
    work.put("b.txt", "another\n")
    work.git("commit", "-q", "-a", "--amend", "--no-edit")
    told = remote(await push(work))
    place = told.index("  http://review.example.org/c/demo/api/+/1 Add b")
    assert told[place + 1 : place + 6] == [
        "", "The following approvals got outdated and were removed:", "* Code-Review+1 by Mina", "", "",
    ]  # fmt: skip
    said = (await host.db.read(conversation.list_messages, 1))[-1]
    assert said.text == (f'Uploaded patch set 3.\n\nOutdated Votes:\n* Code-Review+1 (copy condition: "{condition}")\n')


async def test_a_push_may_submit_and_stands_when_that_is_refused(host: GitHost, work: WorkTree) -> None:
    work.commit("One", one="1")
    work.commit("Two", two="2")
    done = await asyncio.to_thread(work.run, "push", host.address("demo/api", "admin"), "HEAD:refs/for/main%submit")
    assert done.returncode == 0, done.stderr
    admin = host.people["admin"].id
    assert host.submits.asked == [(admin, 2)], "the tip, and what it stands on with it"
    assert remote(done)[-2] == (
        "  http://review.example.org/c/demo/api/+/2 The server has these commits already. "
        "Amend one or add one, then push again."
    )
    assert (await host.change(2)).is_open


async def test_a_commit_made_as_another_account_is_refused(host: GitHost, work: WorkTree) -> None:
    work.env["GIT_COMMITTER_EMAIL"] = "Bob@example.org"
    commit = work.commit("Not by mina", b_dot_txt="b\n")
    done = await push(work)
    assert f"(commit {commit[:7]}: invalid committer)" in done.stderr
    assert remote(done)[:6] == [
        "Processing changes: refs: 1, done",
        f"ERROR: commit {commit[:7]}: email address Bob@example.org is not registered in your account, "
        "and you lack 'forge committer' permission.",
        "The following addresses are currently registered:",
        "   mina@example.org",
        "Addresses cannot be added to an account yet. Commit with the one that is registered, or ask an owner of the",
        "project or an administrator for the permission 'Forge Committer' (project.config, refs/meta/config).",
    ]
    assert "  git config user.email mina@example.org" in remote(done)
    work.env["GIT_COMMITTER_EMAIL"] = "mina@home.example"
    work.git("commit", "-q", "--amend", "--no-edit")
    assert (await push(work)).returncode == 0, "an address that no account has is let pass"


async def test_an_owner_pushes_past_review_and_changes_that_arrive_are_closed(host: GitHost, work: WorkTree) -> None:
    first = work.git("rev-parse", "HEAD")
    commit = work.commit("Add b", b_dot_txt="b\n")
    await push(work)
    admin = host.address("demo/api", "admin")
    done = await asyncio.to_thread(work.run, "push", admin, "HEAD:refs/heads/main", "HEAD:refs/heads/stable")
    assert done.returncode == 0, done.stderr
    assert "http://review.example.org/c/demo/api/+/1 is merged by this push." in remote(done)
    assert host.repos.branches("demo/api") == {"main": commit, "stable": commit}
    admin_id = host.people["admin"].id
    assert await facts(host, BranchMoved, ChangeMerged) == [
        BranchMoved("demo/api", "main", first, commit, "push", admin_id),
        BranchMoved("demo/api", "stable", ZERO, commit, "push", admin_id),
        ChangeMerged(1, 1, "demo/api", "main", commit, admin_id),
    ]
    assert (await host.change(1)).status is Status.MERGED


async def test_branches_and_reviews_do_not_mix_in_one_push(host: GitHost, work: WorkTree) -> None:
    work.commit("Add b", b_dot_txt="b\n")
    done = await asyncio.to_thread(work.run, "push", "origin", "HEAD:refs/for/main", "HEAD:refs/heads/x")
    assert done.stderr.count("(cannot combine normal pushes and magic pushes)") == 2


async def test_the_first_review_of_an_empty_project_works(host: GitHost, tmp_path: Path) -> None:
    await asyncio.to_thread(host.add_project, "empty")
    work = await host.clone("empty", tmp_path / "empty")
    work.git("checkout", "-q", "-B", "main")
    work.commit("Begin", a="a")
    done = await push(work)
    assert "  http://review.example.org/c/empty/+/1 Begin [NEW]" in remote(done), done.stderr


async def test_unrelated_and_foreign_history_is_refused(host: GitHost, work: WorkTree) -> None:
    admin = host.address("demo/api", "admin")
    work.git("checkout", "-q", "-b", "dev")
    work.commit("Dev", d="d")
    assert (await asyncio.to_thread(work.run, "push", admin, "HEAD:refs/heads/dev")).returncode == 0
    work.commit("On dev", e="e")
    done = await push(work)
    assert "(implicit merges detected)" in done.stderr
    first = work.git("rev-parse", "--short=7", "HEAD~1")
    assert remote(done)[:2] == ["Processing changes: refs: 1, done", f"ERROR: Implicit Merge of {first} Dev"]
    work.git("checkout", "-q", "--orphan", "alone")
    work.commit("Alone", f="f")
    assert "no common ancestry)" in (await push(work)).stderr


async def test_two_people_who_push_at_once_get_changes_of_their_own(host: GitHost, tmp_path: Path) -> None:
    clones = [await host.clone("demo/api", tmp_path / f"clone{number}", "bob") for number in range(4)]
    for number, clone in enumerate(clones):
        clone.commit(f"Work {number}", **{f"file{number}": "x"})
    done = await asyncio.gather(*(push(clone) for clone in clones))
    assert [one.returncode for one in done] == [0, 0, 0, 0]
    subjects = [(await host.change(number)).subject for number in (1, 2, 3, 4)]
    assert sorted(subjects) == [f"Work {number}" for number in range(4)]


async def test_what_was_begun_when_the_server_died_is_finished(
    host: GitHost, work: WorkTree, fake_clock: FakeClock
) -> None:
    """Beat 0 alone, and beats 0 and 1 of a push past review: both are completed at start-up, once."""
    commit = work.commit("Add b", b_dot_txt="b\n")
    await push(work)
    tip = host.repos.branches("demo/api")["main"]
    order = push_rows.PushOrder(
        "demo/api",
        host.people["mina"].id,
        "main",
        (push_rows.Entry(7, 1, "I" + "7" * 40, commit, push_rows.Kind.REWORK),),
    )
    moves = (RefMove("demo/api", "refs/changes/07/7/1", ZERO, commit, "demo/api"),)
    payload = push_rows.to_payload(order)
    now = fake_clock.now()
    await host.db.run(push_rows.intents.open_intent, push_rows.KIND, "one", moves, payload, now)
    past = (RefMove("demo/api", "refs/heads/main", tip, commit, "demo/api"),)
    await host.db.run(push_past_rows.open_direct, "two", "demo/api", host.people["admin"].id, past, (), now)
    assert host.repos.update_ref("demo/api", "refs/heads/main", tip, commit)

    assert await asyncio.to_thread(host.receiver.settle) == 2
    assert (await host.change(7)).change_id == "I" + "7" * 40
    assert host.repos.resolve("demo/api", "refs/changes/07/7/1") == commit
    assert [fact.new for fact in await facts(host, BranchMoved)] == [commit]
    assert await asyncio.to_thread(host.receiver.settle) == 0


async def test_a_push_of_many_tags_passes_through_the_hooks(host: GitHost, work: WorkTree) -> None:
    for number in range(600):
        work.git("update-ref", f"refs/tags/a-rather-long-name-of-a-tag-with-the-number-{number}", "HEAD")
    admin = host.address("demo/api", "admin")
    done = await asyncio.to_thread(work.run, "push", admin, "refs/tags/*:refs/tags/*")
    assert done.returncode == 0, done.stderr[-500:]
    assert len(host.repos.references("demo/api", "refs/tags/")) == 600


async def test_tags_and_branches_that_come_move_and_go_are_facts(host: GitHost, work: WorkTree) -> None:
    admin, admin_id = host.address("demo/api", "admin"), host.people["admin"].id

    async def done(*what: str) -> None:
        pushed = await asyncio.to_thread(work.run, "push", admin, *what)
        assert pushed.returncode == 0, pushed.stderr

    first = work.git("rev-parse", "HEAD")
    work.git("tag", "light")
    work.git("tag", "-a", "-m", "The first", "1.0")
    tag = work.git("rev-parse", "refs/tags/1.0")
    await done("refs/tags/light", "refs/tags/1.0", "HEAD:refs/heads/stable/1")
    second = work.commit("Add b", b_dot_txt="b\n")
    await done("+HEAD:refs/tags/light")
    await done(":refs/tags/light", ":refs/heads/stable/1")
    assert await facts(host, TagMoved, BranchMoved) == [
        TagMoved("demo/api", "light", ZERO, first, admin_id),
        TagMoved("demo/api", "1.0", ZERO, tag, admin_id),
        BranchMoved("demo/api", "stable/1", ZERO, first, "push", admin_id),
        TagMoved("demo/api", "light", first, second, admin_id),
        BranchMoved("demo/api", "stable/1", first, ZERO, "push", admin_id),
        TagMoved("demo/api", "light", second, ZERO, admin_id),
    ]
    assert tag != first


async def test_git_review_sets_itself_up_and_pushes(host: GitHost, work: WorkTree) -> None:
    """The client of Gerrit's contributors, unmodified."""
    (work.path / ".git" / "hooks" / "commit-msg").unlink()
    work.git("remote", "add", "gerrit", host.address("demo/api"))
    work.put(
        ".gitreview", f"[gerrit]\nhost=127.0.0.1\nscheme=http\nport={host.url.rpartition(':')[2]}\nproject=demo/api\n"
    )
    program = Path(sys.executable).with_name("git-review")
    work.env["PATH"] = f"{program.parent}:{work.env['PATH']}"
    ready = await asyncio.to_thread(work.run, "review", "-s")
    assert ready.returncode == 0, ready.stdout + ready.stderr
    work.commit("By git-review", b_dot_txt="b\n")
    done = await asyncio.to_thread(work.run, "review", "-y", "-t", "my-topic", "main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout + done.stderr
    assert ((await host.change(1)).subject, (await host.change(1)).topic) == ("By git-review", "my-topic")


async def test_nobody_pushes_upon_a_private_change_of_another_to_read_it(
    host: GitHost, work: WorkTree, tmp_path: Path
) -> None:
    work.commit("Secret", secret_dot_txt="sesame\n")
    await push(work, "HEAD:refs/for/main%private")
    secret = work.git("rev-parse", "HEAD")
    bob = await host.clone("demo/api", tmp_path / "bob", "bob")
    bob.git("fetch", "-q", str(work.path), "HEAD")  # as if he knew the id alone
    bob.git("checkout", "-q", "FETCH_HEAD")
    host.policies.now = SamePolicy(Policy(implicit_merges=True))
    for name in ("one", "two"):
        base = bob.git("rev-parse", "HEAD")
        bob.commit(f"Upon {name}", **{name: name})
        done = await push(bob, f"HEAD:refs/for/main%base={base}")
        assert "(base not found)" in done.stderr
    assert list(host.repos.references("demo/api", "refs/changes/")) == ["refs/changes/01/1/1"]
    work.commit("Upon my own", own_dot_txt="o\n")
    done = await push(work, f"HEAD:refs/for/main%base={secret}")
    assert done.returncode == 0

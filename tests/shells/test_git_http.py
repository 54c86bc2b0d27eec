# SPDX-License-Identifier: Apache-2.0
"""git over HTTP with the real client: addresses, sign-in, protocol versions, sizes, hang-ups, the commit-msg hook."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from gatebot.access import DEFAULT, STRANGER, Permission, Rule, Rules, Section
from gatebot.db import Database
from gatebot.repo import ZERO
from gatebot.review import git_hidden, hook_pipe, intents
from gatebot.review.git_http import Limits
from tests.fakes.clock import FakeClock
from tests.fakes.git import WorkTree
from tests.fakes.githost import GitHost, serving

HOOK = Path(__file__).parents[2] / "gatebot" / "review" / "hooks" / "commit-msg"


@pytest.fixture
async def host(tmp_path: Path, migrated_sqlite: Path, fake_clock: FakeClock) -> AsyncIterator[GitHost]:
    database = tmp_path / "gatebot.db"
    database.write_bytes(migrated_sqlite.read_bytes())
    db = Database.open(f"sqlite:///{database}")
    host = await asyncio.to_thread(GitHost, tmp_path, db, fake_clock, Limits(processes=4, push_bytes=3_000_000))
    source = WorkTree.new(tmp_path / "source")
    source.commit("First", a_dot_txt="a\n")
    await asyncio.to_thread(host.add_project, "demo/api", source)
    async with serving(host):
        yield host
    await db.close()


async def git(work: WorkTree, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(work.run, *arguments)


@pytest.mark.parametrize("path", ["demo/api", "demo/api.git", "demo/api/", "p/demo/api", "p/demo/api.git"])
async def test_anyone_reads_at_every_address(host: GitHost, tmp_path: Path, path: str) -> None:
    work = await asyncio.to_thread(WorkTree.clone, host.address(path, None), tmp_path / "clone")
    assert (work.path / "a.txt").read_text() == "a\n"


async def test_the_signed_address_wants_an_account(host: GitHost, tmp_path: Path) -> None:
    work = WorkTree.new(tmp_path / "work")
    refused = await git(work, "ls-remote", host.address("a/demo/api", None))
    assert refused.returncode == 128
    assert "could not read Username" in refused.stderr
    assert (await git(work, "ls-remote", host.address("a/demo/api"))).returncode == 0
    wrong = await git(work, "ls-remote", host.address("a/demo/api", "nobody"))
    assert "Authentication failed" in wrong.stderr


async def test_a_push_needs_an_account_and_says_so(host: GitHost, tmp_path: Path) -> None:
    work = await asyncio.to_thread(WorkTree.clone, host.address("demo/api", None), tmp_path / "clone")
    work.commit("Add b", b="b")
    assert "could not read Username" in (await git(work, "push", "origin", "HEAD:refs/for/main")).stderr
    async with ClientSession() as client:
        async with client.get(f"{host.url}/demo/api/info/refs?service=git-receive-pack") as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
        async with client.post(f"{host.url}/demo/api/git-receive-pack", data=b"0000") as answer:
            assert answer.status == 401


async def test_what_is_not_there_is_not_found(host: GitHost, tmp_path: Path) -> None:
    work = WorkTree.new(tmp_path / "work")
    for path in ("demo/none", "demo", "../etc", "demo/api/x"):
        done = await git(work, "ls-remote", host.address(path))
        assert done.returncode == 128, path
    async with ClientSession() as client, client.get(f"{host.url}/demo/api/info/refs") as answer:
        assert (answer.status, await answer.text()) == (
            400,
            "This server speaks git's smart protocol only; use git 1.6.6 or newer.\n",
        )


async def test_patch_sets_are_fetched_by_name_and_hidden_where_all_is_listed(host: GitHost, tmp_path: Path) -> None:
    tip = host.repos.branches("demo/api")["main"]
    host.repos.update_ref("demo/api", "refs/changes/01/1/1", ZERO, tip)
    work = await asyncio.to_thread(WorkTree.clone, host.address("demo/api", None), tmp_path / "clone")
    # As long as no change has this number, nobody knows whether it is private.
    assert "refs/changes" not in (await git(work, "ls-remote", "origin")).stdout
    assert (await git(work, "fetch", "origin", "refs/changes/01/1/1")).returncode != 0
    await host.db.run(intents.allocate_changes)
    assert "refs/changes/01/1/1" in (await git(work, "ls-remote", "origin")).stdout
    assert (await git(work, "fetch", "origin", "refs/changes/01/1/1")).returncode == 0
    old = await git(work, "-c", "protocol.version=0", "ls-remote", "origin")
    assert "refs/changes" not in old.stdout
    assert old.stdout.splitlines()[0] == f"{tip}\tHEAD"
    async with ClientSession() as client:
        url = f"{host.url}/demo/api/info/refs?service=git-receive-pack"
        async with client.get(url, headers={"Authorization": "Basic bWluYTpwdw=="}) as answer:
            text = await answer.text()
        async with client.get(f"{host.url}/demo/api/info/refs?service=git-upload-pack") as answer:
            first = await answer.text()
    assert text.startswith("001f# service=git-receive-pack\n0000")
    assert "refs/changes" not in text
    assert first.startswith(f"001e# service=git-upload-pack\n0000015a{tip} HEAD\0") or f"{tip} HEAD\0" in first


async def test_dashboards_are_pushed_by_owners_and_given_to_who_reads_them(host: GitHost, tmp_path: Path) -> None:
    work = await asyncio.to_thread(WorkTree.clone, host.address("demo/api", "admin"), tmp_path / "clone")
    work.git("checkout", "-q", "--orphan", "boards")
    work.git("rm", "-q", "-rf", ".")
    kept = work.commit("Keep a board", main='[section "Open"]\n\tquery = is:open\n')
    config = host.repos.branches("demo/api")["main"]
    host.repos.update_ref("demo/api", "refs/meta/config", ZERO, config)
    ref = "refs/meta/dashboards/team"
    denied = await git(work, "push", host.address("demo/api", "mina"), f"HEAD:{ref}")
    assert "prohibited by Gerrit: not permitted: create" in denied.stderr
    assert (await git(work, "push", "origin", f"HEAD:{ref}")).returncode == 0
    other = WorkTree.new(tmp_path / "other")
    assert f"{kept}\t{ref}" in (await git(other, "ls-remote", host.address("demo/api", None))).stdout
    assert (await git(other, "fetch", host.address("demo/api", None), ref)).returncode == 0
    only = Section(ref, (Permission("read", (Rule("Administrators"),), exclusive=True),))
    store, wants = host.repos.path("demo/api"), f"0032want {kept}\n".encode()
    for rules, said in ((DEFAULT, None), (Rules(((only, *DEFAULT.chain[0]),)), kept)):
        hidden = await asyncio.to_thread(git_hidden.unreadable, STRANGER, "demo/api", host.repos, rules)
        assert await asyncio.to_thread(git_hidden.refused, store, hidden, wants) == said


async def test_protocol_version_2_is_spoken(host: GitHost, tmp_path: Path) -> None:
    work = WorkTree.new(tmp_path / "work")
    done = await asyncio.to_thread(work.run, "ls-remote", host.address("demo/api", None), GIT_TRACE_PACKET="1")
    assert "< version 2" in done.stderr


async def test_a_fetch_of_many_references_survives_the_gzip_of_its_request(host: GitHost, tmp_path: Path) -> None:
    """git packs a long list of wants; aiohttp unpacks it, and git must be given the plain bytes."""
    source = WorkTree(tmp_path / "source")
    commits = [source.commit(f"commit {number}") for number in range(400)]
    lines = "".join(f"create refs/heads/b{number} {commit}\n" for number, commit in enumerate(commits))
    await asyncio.to_thread(source.run, "update-ref", "--stdin", stdin=lines)
    await asyncio.to_thread(host.add_project, "many", source)
    done = await asyncio.to_thread(
        WorkTree.new(tmp_path / "work").run, "fetch", host.address("many"), "refs/*:refs/x/*"
    )
    assert done.returncode == 0, done.stderr
    assert host.repos.branches("many")["b399"] == commits[399]


async def test_a_push_larger_than_the_limit_is_refused(host: GitHost, tmp_path: Path) -> None:
    work = await host.clone("demo/api", tmp_path / "clone")
    (work.path / "big").write_bytes(os.urandom(4_000_000))
    work.commit("Too much")
    done = await git(work, "push", "origin", "HEAD:refs/for/main")
    assert done.returncode == 1
    assert "HTTP 413" in done.stderr or "unpack" in done.stderr
    assert host.repos.resolve("demo/api", "refs/changes/01/1/1") is None
    assert not list((host.repos.path("demo/api") / "objects").glob("*incoming*"))


async def test_a_large_repository_is_cloned_whole(host: GitHost, tmp_path: Path) -> None:
    source = WorkTree(tmp_path / "source")
    big = os.urandom(20_000_000)
    (source.path / "big").write_bytes(big)
    source.commit("Big")
    await asyncio.to_thread(host.add_project, "big", source)
    work = await asyncio.to_thread(WorkTree.clone, host.address("big", None), tmp_path / "clone")
    assert (work.path / "big").read_bytes() == big


async def test_a_client_that_hangs_up_takes_its_git_along(host: GitHost, tmp_path: Path) -> None:
    source = WorkTree(tmp_path / "source")
    (source.path / "big").write_bytes(os.urandom(30_000_000))
    source.commit("Big")
    await asyncio.to_thread(host.add_project, "big", source)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(host.url.rpartition(":")[2]))
    tip = host.repos.branches("big")["main"]
    want = f"0032want {tip}\n00000009done\n".encode()
    head = f"POST /big/git-upload-pack HTTP/1.1\r\nHost: x\r\nContent-Length: {len(want)}\r\n\r\n"
    writer.write(head.encode() + want)
    await reader.readexactly(100_000)
    serving_now = children_in(host.repos.path("big"))
    assert serving_now
    writer.close()
    async with asyncio.timeout(10):
        while children_in(host.repos.path("big")):
            await asyncio.sleep(0.01)


def children_in(path: Path) -> list[str]:
    found: list[str] = []
    for cwd in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if cwd.readlink() == path:
                found.append(cwd.parent.name)
        except OSError:
            continue
    return found


async def test_the_commit_msg_hook_is_served_at_the_root(host: GitHost) -> None:
    async with ClientSession() as client, client.get(f"{host.url}/tools/hooks/commit-msg") as answer:
        text = await answer.text()
    assert (answer.status, answer.content_type, text) == (200, "text/plain", HOOK.read_text())
    assert text.startswith("#!/bin/sh\n# From Gerrit Code Review ")


@pytest.fixture
def hooked(tmp_path: Path) -> WorkTree:
    work = WorkTree.new(tmp_path / "hooked")
    target = work.path / ".git" / "hooks" / "commit-msg"
    target.parent.mkdir(exist_ok=True)
    target.write_text(HOOK.read_text())
    target.chmod(0o755)
    return work


def message(work: WorkTree) -> str:
    return work.git("log", "-1", "--format=%B")


def test_the_hook_adds_a_change_id_once(hooked: WorkTree) -> None:
    hooked.commit("Subject\n\nBody of it.")
    said = message(hooked)
    assert re.fullmatch(r"Subject\n\nBody of it\.\n\nChange-Id: I[0-9a-f]{40}", said)
    hooked.git("commit", "-q", "--amend", "--allow-empty", "--no-edit")
    assert message(hooked) == said
    hooked.commit("Subject\n\nBody of it.")
    assert message(hooked) != said, "each commit has its own"


def test_the_hook_puts_the_change_id_before_signatures(hooked: WorkTree) -> None:
    hooked.commit("Subject\n\nSigned-off-by: Mina <mina@example.org>")
    lines = message(hooked).splitlines()
    assert lines[2].startswith("Change-Id: I")
    assert lines[3] == "Signed-off-by: Mina <mina@example.org>"
    hooked.commit("Subject\n\nCloses-Bug: #1")
    lines = message(hooked).splitlines()
    assert (lines[2], lines[3][:12]) == ("Closes-Bug: #1", "Change-Id: I")


def test_the_hook_leaves_fixups_and_those_who_decline_alone(hooked: WorkTree) -> None:
    hooked.commit("fixup! Subject")
    assert message(hooked) == "fixup! Subject"
    hooked.commit("squash! Subject")
    assert message(hooked) == "squash! Subject"
    hooked.git("config", "gerrit.createChangeId", "always")
    hooked.commit("fixup! Subject")
    assert "Change-Id: I" in message(hooked)
    hooked.git("config", "gerrit.createChangeId", "false")
    hooked.commit("Subject")
    assert message(hooked) == "Subject"


def test_the_hook_writes_a_link_where_a_review_site_is_set(hooked: WorkTree) -> None:
    hooked.git("config", "gerrit.reviewUrl", "https://review.example.org/")
    hooked.commit("Subject")
    said = message(hooked)
    assert re.fullmatch(r"Subject\n\nLink: https://review\.example\.org/id/I[0-9a-f]{40}", said)
    hooked.git("commit", "-q", "--amend", "--allow-empty", "--no-edit")
    assert message(hooked) == said


def test_an_empty_message_still_gives_up(hooked: WorkTree) -> None:
    done = hooked.run("commit", "--allow-empty", "-m", "")
    assert "Aborting commit due to empty commit message" in done.stderr


def test_the_hook_ignores_comments_and_a_verbose_diff(hooked: WorkTree) -> None:
    hooked.commit("Start")
    hooked.put("x", "x\n")
    hooked.git("add", "x")
    script = 'printf \'%s\\n\' Subject > "$1.n"; cat "$1" >> "$1.n"; mv "$1.n" "$1"'
    editor = hooked.path.parent / "editor"
    editor.write_text(f"#!/bin/sh\n{script}\n")
    editor.chmod(0o755)
    done = hooked.run("commit", "-v", GIT_EDITOR=str(editor))
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"Subject\n\nChange-Id: I[0-9a-f]{40}", message(hooked))


def test_the_hook_outlives_what_git_still_has_to_write(tmp_path: Path) -> None:
    hook = hook_pipe.install(tmp_path) / "proc-receive"
    events, hook_events = os.pipe()
    hook_answers, answers = os.pipe()
    os.write(answers, b"pkt 0006ok\nend 0\n")
    ends = {"GATEBOT_EVENTS": str(hook_events), "GATEBOT_ANSWERS": str(hook_answers)}
    pipe = subprocess.PIPE
    with subprocess.Popen([hook], env=ends, stdin=pipe, stdout=pipe, pass_fds=(hook_events, hook_answers)) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(b"000eversion=1\n")
        running.stdin.flush()
        assert running.stdout.read().endswith(b"0000")  # all is said, but git was slow and has not sent its commands
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.2)
        running.communicate(b"0009a b c0000")
    assert running.returncode == 0
    for end in (events, hook_events, hook_answers, answers):
        os.close(end)

# SPDX-License-Identifier: Apache-2.0
"""git over SSH with the real clients: who gets in, what is shown, pushes, the hook, sizes, hang-ups, what is secret."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from gatebot.access import DEFAULT, Actor
from gatebot.db import Database
from gatebot.identity import Identity
from gatebot.repo import ZERO
from gatebot.review import intents
from gatebot.review.git_http import Limits
from gatebot.review.operating.tasks import Tasks
from gatebot.review.ssh import commands, hook_files
from gatebot.review.ssh import git as git_over_ssh
from gatebot.review.ssh.git import GitOverSsh
from gatebot.review.ssh.host_keys import host_keys
from gatebot.review.ssh.model import Command
from gatebot.review.ssh.server import SshServer
from gatebot.review.ssh.sessions import Sessions
from tests.fakes.clock import FakeClock
from tests.fakes.git import WorkTree
from tests.fakes.githost import GitHost
from tests.fakes.ssh_desk import SshDesk

HOSTED = "`gatebot project list` shows what is hosted here."
HOOK = Path(__file__).parents[2] / "gatebot" / "review" / "hooks" / "commit-msg"


@dataclass
class Place:
    host: GitHost
    identity: Identity
    mina: SshDesk
    hidden: set[int]
    root: Path


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's keys, made once."""
    directory = tmp_path_factory.mktemp("keys") / "ssh"
    host_keys(directory)
    return directory


@pytest.fixture
async def place(tmp_path: Path, migrated_sqlite: Path, fake_clock: FakeClock, keys: Path) -> AsyncIterator[Place]:
    database = tmp_path / "gatebot.db"
    database.write_bytes(migrated_sqlite.read_bytes())
    db = Database.open(f"sqlite:///{database}")
    limits = Limits(processes=4, push_bytes=3_000_000, idle_seconds=20)
    secret: set[int] = set()

    async def hidden(_actor: Actor, _project: str) -> set[int]:
        return secret

    host = await asyncio.to_thread(GitHost, tmp_path, db, fake_clock, limits, hidden)
    source = WorkTree.new(tmp_path / "source")
    source.commit("First", a_dot_txt="a\n")
    await asyncio.to_thread(host.add_project, "demo/api", source)
    identity = Identity(db, fake_clock)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    table = {"version": Command("", commands.version)}
    sessions = Sessions(GitOverSsh(host.git.processes, DEFAULT), table, f"review.example.org:{port}", Tasks(fake_clock))
    server = SshServer(identity, sessions, keys)
    await server.listen(listening)
    mina = await asyncio.to_thread(SshDesk.new, "mina", tmp_path / "desk", port)
    await identity.add_ssh_key(host.people["mina"].id, mina.public)
    yield Place(host, identity, mina, secret, tmp_path)
    await server.close()
    await db.close()


async def ssh(place: Place, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(lambda: place.mina.run(*command, **env))


async def test_a_bare_shell_is_greeted_and_let_go(place: Place) -> None:
    done = await ssh(place)
    assert done.returncode == 127
    assert done.stderr == (
        "\n  ****    Welcome to Gerrit Code Review    ****\n\n"
        "  Hi Mina, you have successfully connected over SSH.\n\n"
        "  Unfortunately, interactive shells are disabled.\n"
        "  To clone a hosted Git repository, use:\n\n"
        f"  git clone ssh://mina@review.example.org:{place.mina.port}/REPOSITORY_NAME.git\n\n"
    )


@pytest.mark.parametrize("word", ["gerrit", "gatebot"])
async def test_the_version_is_told_under_both_names(place: Place, word: str) -> None:
    done = await ssh(place, word, "version")
    assert (done.returncode, done.stdout) == (0, "gerrit version 3.13.0\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("gerrit nonsense", "fatal: gerrit: nonsense: not found\nWhat commands there are is told by: gerrit --help\n"),
        ("ls -l", "fatal: Gerrit Code Review: ls: not found\n"),
        ("git-upload-pack '/none'", f"fatal: There is no project none; {HOSTED}\n"),
        ("git-upload-pack /../etc", f"fatal: There is no project ../etc; {HOSTED}\n"),
        ("git-upload-pack", "fatal: git-upload-pack needs exactly one argument, the project\n"),
        ("scp -t hooks", "fatal: scp: this server only gives files out (scp -f)\n"),
        ("scp -f a b", "fatal: scp: exactly one file can be fetched\n"),
    ],
)  # fmt: skip
async def test_what_is_not_there_is_told(place: Place, line: str, said: str) -> None:
    done = await ssh(place, line)
    assert done.returncode in (1, 128)
    assert done.stderr == said


async def test_only_a_known_key_of_this_very_account_opens(place: Place, tmp_path: Path) -> None:
    stranger = await asyncio.to_thread(SshDesk.new, "mina", tmp_path / "other", place.mina.port)
    assert (await asyncio.to_thread(stranger.run, "gerrit", "version")).returncode == 255
    as_bob = SshDesk("bob", place.mina.key, place.mina.port)
    assert (await asyncio.to_thread(as_bob.run, "gerrit", "version")).returncode == 255
    await place.identity.set_active(place.host.people["mina"].id, False)
    refused = await ssh(place, "gerrit", "version")
    assert (refused.returncode, refused.stdout) == (255, "")
    assert "Permission denied (publickey)" in refused.stderr


async def test_a_connection_that_was_open_before_serves_nobody_who_was_let_go(place: Place) -> None:
    client = {"known_hosts": None, "config": None, "username": "mina", "client_keys": [str(place.mina.key)]}
    async with asyncssh.connect("127.0.0.1", place.mina.port, **client) as connection:
        before = await connection.run("gerrit version")
        await place.identity.set_active(place.host.people["mina"].id, False)
        after = await connection.run("gerrit version")
    assert (before.exit_status, before.stdout) == (0, "gerrit version 3.13.0\n")
    assert (after.exit_status, after.stdout) == (1, "")
    assert after.stderr == "fatal: This account is not active any more; ask an administrator of this site.\n"


async def test_a_deleted_key_opens_nothing(place: Place) -> None:
    mina = place.host.people["mina"].id
    (key,) = await place.identity.ssh_keys(mina)
    await place.identity.delete_ssh_key(mina, key.seq)
    assert (await ssh(place, "gerrit", "version")).returncode == 255


@pytest.mark.parametrize("path", ["demo/api", "demo/api.git", "/demo/api/", "a/demo/api", "p/demo/api.git"])
async def test_a_project_is_read_by_every_address(place: Place, path: str) -> None:
    work = place.mina.work(place.root / "work")
    listed = await asyncio.to_thread(work.run, "ls-remote", place.mina.address(path), "refs/heads/*")
    tip = place.host.repos.branches("demo/api")["main"]
    assert listed.stdout == f"{tip}\trefs/heads/main\n", listed.stderr


async def test_both_protocols_show_what_they_shall(place: Place) -> None:
    tip = place.host.repos.branches("demo/api")["main"]
    await place.host.db.run(intents.allocate_changes)
    place.host.repos.update_ref("demo/api", "refs/changes/01/1/1", ZERO, tip)
    work = place.mina.work(place.root / "work")
    address = place.mina.address("demo/api")
    old = await asyncio.to_thread(work.run, "-c", "protocol.version=0", "ls-remote", address)
    assert old.stdout.splitlines() == [f"{tip}\tHEAD", f"{tip}\trefs/heads/main"]
    new = await asyncio.to_thread(lambda: work.run("ls-remote", address, "refs/changes/*", GIT_TRACE_PACKET="1"))
    assert "< version 2" in new.stderr
    assert new.stdout == f"{tip}\trefs/changes/01/1/1\n"
    assert (await asyncio.to_thread(work.run, "fetch", address, "refs/changes/01/1/1")).returncode == 0
    shown = await ssh(place, "git-receive-pack", "'/demo/api'")
    assert "refs/heads/main" in shown.stdout
    assert "refs/changes" not in shown.stdout
    bare = await asyncio.to_thread(lambda: place.mina.run("git-upload-pack", "demo/api", stdin="0000"))
    assert bare.stdout[4:].startswith(f"{tip} HEAD\0")
    assert bare.returncode == 0


async def test_a_push_for_review_says_what_it_says_over_http(place: Place) -> None:
    work = await asyncio.to_thread(place.mina.clone, "demo/api", place.root / "clone")
    work.commit("Add b", b="b\n")
    done = await asyncio.to_thread(work.run, "push", "origin", "HEAD:refs/for/main%topic=t")
    assert done.returncode == 0, done.stderr
    told = [line.removeprefix("remote: ").rstrip() for line in done.stderr.splitlines() if line.startswith("remote:")]
    assert "Processing changes: refs: 1, new: 1, done" in told
    assert "SUCCESS" in told
    assert "  http://review.example.org/c/demo/api/+/1 Add b [NEW]" in told
    again = await asyncio.to_thread(work.run, "push", "origin", "HEAD:refs/for/main")
    assert again.returncode == 1
    assert "! [remote rejected] HEAD -> refs/for/main (no new changes)" in again.stderr
    dry = await asyncio.to_thread(work.run, "push", "--dry-run", place.mina.address("demo/api"), "--all")
    assert dry.returncode == 0


async def test_an_option_that_is_no_text_is_refused_in_words(place: Place) -> None:
    work = await asyncio.to_thread(place.mina.clone, "demo/api", place.root / "clone")
    work.commit("Add b", b="b\n")
    done = await asyncio.to_thread(work.run, "push", "-o", "topic=\udcff", "origin", "HEAD:refs/for/main")
    assert '! [remote rejected] HEAD -> refs/for/main (the value of "--topic" is no UTF-8)' in done.stderr
    assert place.host.repos.references("demo/api", "refs/changes/") == {}


async def test_a_push_larger_than_the_limit_is_refused(place: Place) -> None:
    work = await asyncio.to_thread(place.mina.clone, "demo/api", place.root / "clone")
    (work.path / "big").write_bytes(os.urandom(4_000_000))
    work.commit("Too much")
    done = await asyncio.to_thread(work.run, "push", "origin", "HEAD:refs/for/main")
    assert done.returncode == 1
    assert place.host.repos.resolve("demo/api", "refs/changes/01/1/1") is None
    assert not list((place.host.repos.path("demo/api") / "objects").glob("*incoming*"))


async def test_a_large_repository_is_cloned_whole(place: Place) -> None:
    source = WorkTree(place.root / "source")
    big = os.urandom(30_000_000)
    (source.path / "big").write_bytes(big)
    source.commit("Big")
    await asyncio.to_thread(place.host.add_project, "big", source)
    work = await asyncio.to_thread(place.mina.clone, "big", place.root / "clone")
    assert (work.path / "big").read_bytes() == big


async def test_a_secret_patch_set_is_not_given_even_to_those_who_know_its_id(place: Place) -> None:
    source = WorkTree(place.root / "source")
    source.git("checkout", "-q", "-b", "side")
    secret = source.commit("Secret", s="secret\n")
    store = place.host.repos.path("demo/api")
    await asyncio.to_thread(source.run, f"--git-dir={store}", "fetch", str(source.path), "side:refs/changes/02/2/1")
    work = place.mina.work(place.root / "work")
    address = place.mina.address("demo/api")
    assert (await asyncio.to_thread(work.run, "fetch", address, secret)).returncode == 0
    place.hidden.add(2)
    other = place.mina.work(place.root / "other")
    listed = await asyncio.to_thread(other.run, "ls-remote", address)
    assert "refs/changes" not in listed.stdout
    refused = await asyncio.to_thread(other.run, "fetch", address, secret)
    assert refused.returncode == 128
    assert f"upload-pack: not our ref {secret}" in refused.stderr
    assert (await asyncio.to_thread(other.run, "fetch", address, "main")).returncode == 0


def packet(text: str) -> bytes:
    return f"{len(text) + 4:04x}{text}".encode()


@pytest.mark.parametrize("asks", ["ls-refs", "fetch"])
async def test_what_became_secret_meanwhile_is_not_shown_to_who_keeps_git_waiting(
    place: Place, monkeypatch: pytest.MonkeyPatch, asks: str
) -> None:
    monkeypatch.setattr(git_over_ssh, "_FRESH_SECONDS", 0.0)
    store = place.host.repos.path("demo/api")
    source = WorkTree(place.root / "source")
    secret = source.commit("Secret", s="secret\n")
    await asyncio.to_thread(source.run, f"--git-dir={store}", "fetch", str(source.path), "main:refs/heads/begun")
    place.host.repos.update_ref("demo/api", "refs/heads/begun", secret, ZERO)
    listing = packet("command=ls-refs\n") + b"0001" + packet("ref-prefix refs/") + b"0000"
    fetching = packet("command=fetch\n") + b"0001" + packet(f"want {secret}\n") + packet("done\n") + b"0000"
    process = await asyncio.create_subprocess_exec(
        *place.mina.line, "git-upload-pack demo/api", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "GIT_PROTOCOL": "version=2"},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdout.readuntil(b"0000")
    process.stdin.write(listing)
    assert b"refs/heads/main" in await process.stdout.readuntil(b"0000")
    place.host.repos.update_ref("demo/api", "refs/changes/02/2/1", ZERO, secret)
    place.hidden.add(2)
    process.stdin.write(listing if asks == "ls-refs" else fetching)
    process.stdin.close()
    told = await process.stdout.read()
    why = "what you may read is not what it was; ask again" if asks == "ls-refs" else f"not our ref {secret}"
    assert told == packet(f"ERR upload-pack: {why}")
    assert await process.wait() == 128


async def test_a_client_that_hangs_up_takes_its_git_along(place: Place) -> None:
    for _ in range(6):  # more than there may be at a time: each must have gone
        process = await asyncio.create_subprocess_exec(
            *place.mina.line, "git-upload-pack demo/api", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        await process.stdout.readexactly(4)
        process.kill()
        await process.wait()
    work = place.mina.work(place.root / "work")
    assert (await asyncio.to_thread(work.run, "ls-remote", place.mina.address("demo/api"))).returncode == 0


@pytest.mark.parametrize("flags", [("-O",), ()], ids=["scp", "sftp"])
async def test_the_hook_comes_by_both_protocols_of_scp(place: Place, flags: tuple[str, ...]) -> None:
    target = place.root / "commit-msg"
    await asyncio.to_thread(place.mina.copy_hook, target, *flags)
    assert target.read_bytes() == HOOK.read_bytes()
    assert target.stat().st_mode & 0o111


async def test_sftp_reaches_nothing_of_this_machine(place: Place) -> None:
    async with asyncssh.connect(
        "127.0.0.1", place.mina.port, username="mina", client_keys=[str(place.mina.key)], known_hosts=None, config=[]
    ) as connection, connection.start_sftp_client() as sftp:  # fmt: skip
        assert await sftp.realpath(".") == "/"
        for attempt in (
            sftp.open("/etc/passwd"), sftp.open("hooks/commit-msg", "w"), sftp.listdir("/"), sftp.stat("/etc"),
            sftp.mkdir("/tmp/x"), sftp.remove("hooks/commit-msg"), sftp.symlink("/etc", "x"), sftp.statvfs("/"),
            sftp.rename("hooks/commit-msg", "x"), sftp.chmod("hooks/commit-msg", 0o777), sftp.readlink("hooks"),
        ):  # fmt: skip
            with pytest.raises(asyncssh.SFTPError):
                await attempt
        opened = [await sftp.open("hooks/commit-msg") for _ in range(16)]
        with pytest.raises(asyncssh.SFTPError, match="Too many files are open; close some"):
            await sftp.open("hooks/commit-msg")
        await opened[0].close()
        assert await (await sftp.open("hooks/commit-msg", "rb")).read() == HOOK.read_bytes()
        zero = await connection.run("gerrit \0version")
    said = "fatal: there is a zero character in the command, which no name and no text here has\n"
    assert (zero.exit_status, zero.stderr) == (1, said)


async def test_the_log_names_a_command_that_broke_and_nothing_behind_its_name(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(*_: object, **__: object) -> int:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Sessions, "run", breaks)
    done = await ssh(place, "gerrit", "create-account", "--http-password", "sesame", "bob")
    assert (done.returncode, done.stderr) == (128, "fatal: internal server error\n")
    assert "ssh: gerrit create-account of mina" in caplog.text
    assert "sesame" not in caplog.text


def test_every_call_of_the_librarys_sftp_server_is_ours() -> None:
    inherited = {
        name
        for name in dir(asyncssh.SFTPServer)
        if not name.startswith("_") and getattr(hook_files.HookFiles, name) is getattr(asyncssh.SFTPServer, name)
    }
    assert inherited == {
        "channel",
        "connection",
        "env",
        "logger",
        "format_user",
        "format_group",
        "format_longname",
        "convert_attrs",
    }


def test_host_keys_are_made_once_and_read_by_nobody_else(keys: Path) -> None:
    before = {key.name: key.read_bytes() for key in keys.iterdir()}
    host_keys(keys)
    assert {key.name: key.read_bytes() for key in keys.iterdir()} == before
    private = sorted(key for key in keys.iterdir() if key.suffix != ".pub")
    assert [key.name for key in private] == ["host_ecdsa", "host_ed25519", "host_rsa"]
    assert {stat.S_IMODE(key.stat().st_mode) for key in private} == {0o600}


async def test_many_connections_at_the_same_time_are_all_answered(place: Place) -> None:
    line = [*place.mina.line, "gerrit", "version"]
    asked = [await asyncio.create_subprocess_exec(*line, stdout=subprocess.PIPE) for _ in range(20)]
    answers = await asyncio.gather(*(one.communicate() for one in asked))
    assert {answer for answer, _ in answers} == {b"gerrit version 3.13.0\n"}

# SPDX-License-Identifier: Apache-2.0
"""What a server takes from executors on other machines, and what it refuses, with the words that they read."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatebot.access import Actor
from gatebot.clock import SystemClock
from gatebot.errors import Conflict, GatebotError, Invalid, NotFound, NotPermitted, TooLarge, Unauthenticated
from gatebot.executor.fleet.choosing import Wish
from gatebot.executor.fleet.model import Claim
from gatebot.executor.fleet.received import Received
from gatebot.executor.fleet.roster import Given
from gatebot.executor.logs import Logs
from gatebot.executor.model import MIB, Sizes
from gatebot.executor.remote.server import Server
from gatebot.keys import boxes
from tests.fakes.clock import FakeClock
from tests.fakes.executor import PROJECT, assignment, git, job
from tests.fakes.far import ADMIN, FarWorkshop, far_workshop

KEY = boxes.public(boxes.make())
BUILD = "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def shop(tmp_path: Path, room_url: str) -> AsyncIterator[FarWorkshop]:
    async with far_workshop(tmp_path, room_url, FakeClock()) as made:
        yield made


async def refusal(work: object, kind: type[GatebotError]) -> str:
    with pytest.raises(kind) as refused:
        await work  # type: ignore[misc]
    return str(refused.value)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def claimed(shop: FarWorkshop, server: Server, *, fence: int = 1, build: str = "") -> tuple[str, str]:
    """A build that an executor claimed: its id and its pass."""
    root = shop.stores.root
    commit = (
        git("rev-parse", "HEAD", cwd=root / "work" / PROJECT)
        if (root / "work").exists()
        else shop.stores.make(PROJECT, {"run.sh": "#!/bin/sh\n"})
    )
    given = assignment(commit, job(), fence=fence, **({"build": build} if build else {}))
    shop.fences.current[given.build] = fence
    name = (await server.session()).name
    shop.fleet.roster.builds[given.build] = Given(fence, given, Wish.of(given), executor=name)
    return given.build, (await server.claim(given.build, fence)).token


async def came(shop: FarWorkshop, name: str = "far") -> Server:
    server = Server(shop.url)
    _, server.token = await server.admit(await shop.enrolment.enrol(ADMIN, name), KEY, "1")
    return server


async def test_a_token_lets_one_machine_in_once_and_for_a_day(shop: FarWorkshop) -> None:
    server = Server(shop.url)
    assert "mistyped" in await refusal(server.admit("gbx_wrong", KEY, "1"), Unauthenticated)
    token = await shop.enrolment.enrol(ADMIN, "far")
    name, server.token = await server.admit(token, KEY, "1")
    assert name == (await server.session()).name == "far"
    assert "used already" in await refusal(server.admit(token, KEY, "1"), Unauthenticated)
    late = await shop.enrolment.enrol(ADMIN, "late")
    assert isinstance(shop.clock, FakeClock)
    shop.clock.advance(86_401)
    assert "gatebot executor enrol late" in await refusal(server.admit(late, KEY, "1"), Unauthenticated)
    third = await shop.enrolment.enrol(ADMIN, "third")
    assert "public key" in await refusal(server.admit(third, "no key", "1"), Invalid)
    await server.close()


async def test_who_was_revoked_is_refused_at_once_by_everything(shop: FarWorkshop) -> None:
    server = await came(shop)
    build, shown = await claimed(shop, server)
    await shop.enrolment.revoke(ADMIN, "far")
    for work in (server.session(), server.claim(build, 1), server.log(build, shown, 0, b"x\n")):
        assert "gatebot executor enrol" in await refusal(work, Unauthenticated)
    assert await refusal(shop.enrolment.revoke(ADMIN, "far"), NotFound)
    await server.close()


async def test_only_administrators_enrol(shop: FarWorkshop) -> None:
    await refusal(shop.enrolment.enrol(Actor(None), "far"), Unauthenticated)
    await refusal(shop.enrolment.enrol(Actor(2, frozenset({"Core"}), "bob"), "far"), NotPermitted)
    await refusal(shop.enrolment.enrol(ADMIN, "../far"), Invalid)


async def test_a_build_that_was_not_offered_cannot_be_claimed(shop: FarWorkshop) -> None:
    server, other = await came(shop), await came(shop, "other")
    build, _ = await claimed(shop, server)
    assert "was not offered to other" in await refusal(other.claim(build, 1), Conflict)
    await refusal(server.claim(BUILD, 1), Conflict)
    await server.close()
    await other.close()


async def test_a_run_that_lost_its_build_is_refused_everywhere(shop: FarWorkshop, tmp_path: Path) -> None:
    server, other = await came(shop), await came(shop, "other")
    build, old = await claimed(shop, server)
    await server.log(build, old, 0, b"of the first run\n")
    _, new = await claimed(shop, other, fence=2, build=build)
    for work in (
        server.log(build, old, 17, b"late\n"),
        server.log_size(build, old),
        server.file(build, old, "artifacts/late", pieces(b"late")),
        server.report(build, old, "started", []),
        server.report(build, old, "completed", {"build": build, "fence": 2, "result": "SUCCESS"}),
    ):
        assert f"Run 1 of build {build} is over" in await refusal(work, Conflict)
    fetched = await shop_git(tmp_path, "ls-remote", server.store(old, PROJECT))
    assert fetched.returncode != 0
    assert shop.reports.completions == {}
    await other.log(build, new, 0, b"of the second run\n")
    assert shop.logs.read(build, 0, 100) == b"of the first run\nof the second run\n"
    await server.close()
    await other.close()


async def test_a_pass_is_for_its_build_alone(shop: FarWorkshop) -> None:
    server = await came(shop)
    _, shown = await claimed(shop, server)
    another, _ = await claimed(shop, server)
    assert "no pass of this build" in await refusal(server.log(another, shown, 0, b"x\n"), Unauthenticated)
    assert "no pass" in await refusal(server.log(another, "", 0, b"x\n"), Unauthenticated)
    await server.close()


async def test_a_result_counts_lines_from_the_beginning_of_the_whole_log(shop: FarWorkshop) -> None:
    server, other = await came(shop), await came(shop, "other")
    build, old = await claimed(shop, server)
    await server.log(build, old, 0, b"one\ntwo\n")
    _, new = await claimed(shop, other, fence=2, build=build)
    await other.log(build, new, 0, b"three\nit failed\n")
    told = {"build": "of nobody", "fence": 9, "result": "FAILURE", "error_line": 2, "error_text": "it failed"}
    assert await other.report(build, new, "completed", told) is True
    completed = shop.reports.completions[build]
    assert (completed.fence, completed.error_line) == (2, 4)
    assert shop.logs.lines(build, 4, 1) == ["it failed"]
    assert not shop.logs.live(build)
    assert "is over" in await refusal(other.report(build, new, "completed", told), Conflict)
    third, shown = await claimed(shop, server)
    assert "another version" in await refusal(server.report(third, shown, "dreamt", 1), Invalid)
    assert "another version" in await refusal(server.report(third, shown, "completed", {"result": 1}), Invalid)
    await server.close()
    await other.close()


async def test_git_gives_a_build_what_it_is_made_of_and_nothing_else(shop: FarWorkshop, tmp_path: Path) -> None:
    server = await came(shop)
    build, shown = await claimed(shop, server)
    store = Path(shop.stores.locate(PROJECT))
    secret = git("commit-tree", "-m", "Private", f"{git('rev-parse', 'main', cwd=store)}^{{tree}}", cwd=store)
    git("update-ref", "refs/changes/01/1/1", secret, cwd=store)
    shop.stores.root.joinpath("work").rename(shop.stores.root / "elsewhere")
    shop.stores.make("demo/other", {"a": "a"})
    listed = await shop_git(tmp_path, "ls-remote", server.store(shown, PROJECT))
    assert [line.split("\t")[1] for line in listed.stdout.splitlines()] == ["HEAD", "refs/heads/main"]
    clone = await shop_git(tmp_path, "clone", "-q", server.store(shown, PROJECT), "clone")
    assert clone.returncode == 0, clone.stderr
    for protocol in ("0", "2"):
        asked = ("-c", f"protocol.version={protocol}", "fetch", server.store(shown, PROJECT), secret)
        fetched = await shop_git(tmp_path / "clone", *asked)
        assert "not our ref" in fetched.stderr, fetched.stderr
    other = await shop_git(tmp_path, "ls-remote", server.store(shown, "demo/other"))
    assert "not found" in other.stderr
    pushed = await shop_git(tmp_path / "clone", "push", server.store(shown, PROJECT), "HEAD:refs/heads/x")
    assert pushed.returncode != 0
    wrong = await shop_git(tmp_path, "ls-remote", server.store("nonsense", PROJECT))
    assert wrong.returncode != 0
    assert build not in wrong.stderr
    await server.close()


async def shop_git(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "HOME": "/nonexistent"}
    return await asyncio.to_thread(
        subprocess.run, ["git", *arguments], cwd=where, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def received(tmp_path: Path) -> tuple[Received, Logs]:
    logs = Logs(tmp_path, SystemClock(), Sizes(MIB, 2 * MIB))
    return Received(logs), logs


CLAIM = Claim(BUILD, 1, "far", 0, datetime(2026, 1, 5, tzinfo=UTC))


def test_pieces_of_a_log_may_come_twice_and_cut_anywhere(received: tuple[Received, Logs]) -> None:
    taking, logs = received
    whole = "first\n안녕하세요\n\nlast without an end".encode()
    for start, end in ((0, 3), (0, 3), (1, 9), (9, 20), (5, 20), (20, len(whole)), (0, len(whole))):
        taking.append(CLAIM, start, whole[start:end])
    assert logs.read(BUILD, 0, 1000) == whole
    assert logs.lines(BUILD, 1, 9) == whole.decode().split("\n")
    assert taking.have(CLAIM) == len(whole)
    with pytest.raises(Conflict):
        taking.append(CLAIM, len(whole) + 1, b"after a gap")
    with pytest.raises(TooLarge):
        taking.append(CLAIM, len(whole), b"x" * (2 * MIB + 1))
    taking.end(BUILD)
    assert not logs.live(BUILD)


def test_a_log_that_ended_within_a_line_goes_on_in_a_run_of_its_own(received: tuple[Received, Logs]) -> None:
    taking, logs = received
    taking.append(CLAIM, 0, b"one\nhalf a li")
    second = replace(CLAIM, fence=2, log_base=13)
    again = Received(logs)  # a server that started again
    assert again.have(second) == 0
    again.append(second, 0, b"ne\nthree\n")
    assert logs.lines(BUILD, 1, 9) == ["one", "half a line", "three"]
    assert again.lines_before(second) == 2


async def test_files_stay_below_the_builds_directory_and_within_its_limit(received: tuple[Received, Logs]) -> None:
    taking, logs = received
    await taking.keep(CLAIM, "artifacts/a/b.txt", pieces(b"one ", b"two"))
    assert (logs.directory(BUILD) / "artifacts/a/b.txt").read_text() == "one two"
    for name in ("../x", "artifacts/../../x", "/etc/x", "job-output.txt", ".job-output.index", "", "a\0b"):
        with pytest.raises(Invalid):
            await taking.keep(CLAIM, name, pieces(b""))
    with pytest.raises(TooLarge):
        await taking.keep(CLAIM, "artifacts/large", pieces(b"x" * MIB, b"x" * MIB, b"x"))
    assert sorted(path.name for path in logs.directory(BUILD).rglob("*") if path.is_file()) == ["b.txt"]

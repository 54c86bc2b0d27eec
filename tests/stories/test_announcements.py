# SPDX-License-Identifier: Apache-2.0
"""What a channel hears of changes and failures: once, in one line, over restarts; and nothing of private ones."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gatebot.app.places import SETTINGS
from gatebot.assignment import Assignment
from gatebot.meetbot.sisters.store import waiting
from tests.fakes.irc import Friend, NgIrcd, free_port
from tests.fakes.site import Builds, Person, RunningSite, Template, eventually
from tests.programs import need

CHANNEL = "#demo"
IRC = """
[[irc]]
host = "127.0.0.1"
port = {port}
tls = false
channels = ["#demo"]
burst = 20
seconds_between_lines = 0

[announce.demo]
channel = "#demo"
events = ["patchset-created", "change-merged", "gate-failed", "Code-Review-2"]
projects = ["^(api|client)$"]
digest = 3
"""


class Reader:
    """Somebody in the channel, for a story that is not asynchronous."""

    def __init__(self, runner: asyncio.Runner, port: int) -> None:
        self._runner = runner
        self._friend = runner.run(Friend.connect(port, "mina", CHANNEL))

    def meets(self) -> None:
        self._runner.run(self._friend.meets("gatebot"))

    def reads(self) -> str:
        """What the bot says next."""
        line = self._runner.run(self._friend.sees(f"PRIVMSG {CHANNEL} :"))
        assert line.startswith(":gatebot!")
        return line.partition(f"PRIVMSG {CHANNEL} :")[2]

    def says(self, text: str) -> None:
        self._friend.say(CHANNEL, text)

    def leaves(self) -> None:
        self._runner.run(self._friend.close())


@pytest.fixture
def network(tmp_path: Path) -> Iterator[NgIrcd]:
    server = NgIrcd(need("ngircd"), tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def reader(network: NgIrcd) -> Iterator[Reader]:
    with asyncio.Runner() as runner:
        reader = Reader(runner, network.port)
        yield reader
        reader.leaves()


@pytest.fixture
def directory(template: Template, tmp_path: Path, network: NgIrcd) -> Path:
    found = template.copy(tmp_path / "site", free_port())
    with (found / SETTINGS).open("a") as file:
        file.write(IRC.format(port=network.port))
    return found


@contextmanager
def running(directory: Path, template: Template, builds: Builds) -> Generator[RunningSite]:
    """The site, from a start to an orderly end."""
    with RunningSite(directory, dict(template.tokens), directory.parent / "homes", builds) as site:
        yield site


def fails(_: Assignment) -> str:
    return "FAILURE"


def private(ann: Person, subject: str) -> None:
    work = ann.clone("api", subject.split()[-1])
    work.commit(subject, **{subject.split()[-1]: "x\n"})
    assert work.run("push", "origin", "HEAD:refs/for/main%private").returncode == 0


def test_a_channel_hears_of_changes_votes_and_merges_and_of_nothing_private(
    directory: Path, template: Template, builds: Builds, reader: Reader
) -> None:
    with running(directory, template, builds) as site:
        reader.meets()
        ann, bob = site.person("ann"), site.person("bob")
        private(ann, "Keep this secret")
        one = ann.propose("api", "Add a \x02\x0304door\x03 \x07now", {"door": "open\n"})
        assert reader.reads() == f"Ann proposed api main: Add a door now  {site.url}/c/api/+/{one}"
        bob.review(one, "Not so.", **{"Code-Review": -2})
        assert reader.reads() == f"Bob voted Code-Review-2 on api main: Add a door now  {site.url}/c/api/+/{one}"
        bob.review(one, "Well.", **{"Code-Review": 0})
        bob.approve(one)
        builds.finish("gate", one)
        assert reader.reads() == f"Merged api main: Add a door now  {site.url}/c/api/+/{one}"


def test_the_gate_says_which_job_failed_and_with_which_line_and_check_says_nothing(
    directory: Path, template: Template, builds: Builds, reader: Reader
) -> None:
    with running(directory, template, builds) as site:
        reader.meets()
        ann, bob = site.person("ann"), site.person("bob")
        checked = builds.rule
        builds.rule = fails
        broken = ann.propose("client", "Break it", {"it": "broken\n"})
        ann.hears(broken, "Build failed.")
        assert reader.reads() == f"Ann proposed client main: Break it  {site.url}/c/client/+/{broken}"
        builds.rule = checked
        failed = ann.propose("api", "Add a window", {"window": "open\n"})
        assert reader.reads() == f"Ann proposed api main: Add a window  {site.url}/c/api/+/{failed}"
        bob.approve(failed)
        build = builds.finish("gate", failed, "FAILURE")
        assert reader.reads() == (
            f"Gate failed api main: Add a window: unit: E assert 2 == 3  {site.url}/build/{build.build}"
        )


def test_what_comes_at_once_is_one_line_and_a_restart_neither_loses_nor_repeats_it(
    directory: Path, template: Template, builds: Builds, reader: Reader, network: NgIrcd
) -> None:
    with running(directory, template, builds) as site:
        reader.meets()
        ann = site.person("ann")
        first = ann.propose("api", "Add a door", {"door": "open\n"})
        assert reader.reads() == f"Ann proposed api main: Add a door  {site.url}/c/api/+/{first}"
        url = site.url
    with running(directory, template, builds) as site:
        reader.meets()
        work = site.person("ann").clone("client", "many")
        for name in ("one", "two", "three", "four"):
            work.commit(f"Add {name}", **{name: "x\n"})
        last = site.person("ann").push(work)
        numbers = ", ".join(str(last - 3 + n) for n in range(4))
        assert reader.reads() == f"4 news: proposed client main: {numbers}  {url}/"
    network.stop()
    with running(directory, template, builds) as site:
        second = site.person("ann").propose("api", "Add a bell", {"bell": "ring\n"})
        eventually(lambda: bool(site.app.db.read_now(waiting)))
    network.start()
    with asyncio.Runner() as runner, running(directory, template, builds) as site:
        again = Reader(runner, network.port)
        again.meets()
        assert again.reads() == f"Ann proposed api main: Add a bell  {url}/c/api/+/{second}"
        third = site.person("ann").propose("api", "Add a mat", {"mat": "welcome\n"})
        assert again.reads() == f"Ann proposed api main: Add a mat  {url}/c/api/+/{third}"
        eventually(lambda: not site.app.db.read_now(waiting))
        again.leaves()

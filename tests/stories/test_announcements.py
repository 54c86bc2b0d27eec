# SPDX-License-Identifier: Apache-2.0
"""What a channel hears of changes and failures: once, in one line, over restarts; and nothing of private ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatebot.assignment import Assignment
from gatebot.meetbot.sisters.store import waiting
from tests.fakes.channel import Reader, on_irc, running_at
from tests.fakes.irc import NgIrcd
from tests.fakes.site import Builds, Person, Template, eventually

ANNOUNCE = """
[announce.demo]
channel = "#demo"
events = ["patchset-created", "change-merged", "gate-failed", "Code-Review-2"]
projects = ["^(api|client)$"]
digest = 3
"""


@pytest.fixture
def directory(template: Template, tmp_path: Path, network: NgIrcd) -> Path:
    return on_irc(template, tmp_path, network, ANNOUNCE)


def fails(_: Assignment) -> str:
    return "FAILURE"


def private(ann: Person, subject: str) -> None:
    work = ann.clone("api", subject.split()[-1])
    work.commit(subject, **{subject.split()[-1]: "x\n"})
    assert work.run("push", "origin", "HEAD:refs/for/main%private").returncode == 0


def test_a_channel_hears_of_changes_votes_and_merges_and_of_nothing_private(
    directory: Path, template: Template, builds: Builds, reader: Reader
) -> None:
    with running_at(directory, template, builds) as site:
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
    with running_at(directory, template, builds) as site:
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
    with running_at(directory, template, builds) as site:
        reader.meets()
        ann = site.person("ann")
        first = ann.propose("api", "Add a door", {"door": "open\n"})
        assert reader.reads() == f"Ann proposed api main: Add a door  {site.url}/c/api/+/{first}"
        url = site.url
    with running_at(directory, template, builds) as site:
        reader.meets()
        work = site.person("ann").clone("client", "many")
        for name in ("one", "two", "three", "four"):
            work.commit(f"Add {name}", **{name: "x\n"})
        last = site.person("ann").push(work)
        numbers = ", ".join(str(last - 3 + n) for n in range(4))
        assert reader.reads() == f"4 news: proposed client main: {numbers}  {url}/"
    network.stop()
    with running_at(directory, template, builds) as site:
        second = site.person("ann").propose("api", "Add a bell", {"bell": "ring\n"})
        eventually(lambda: bool(site.do(site.app.db.read(waiting))))
    network.start()
    with running_at(directory, template, builds) as site:
        again = Reader(network.port)
        again.meets()
        assert again.reads() == f"Ann proposed api main: Add a bell  {url}/c/api/+/{second}"
        third = site.person("ann").propose("api", "Add a mat", {"mat": "welcome\n"})
        assert again.reads() == f"Ann proposed api main: Add a mat  {url}/c/api/+/{third}"
        eventually(lambda: not site.do(site.app.db.read(waiting)))
        again.leaves()

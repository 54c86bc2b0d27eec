# SPDX-License-Identifier: Apache-2.0
"""Disks that get full under builds, of logs and of workspaces: each build has a verdict, and a log says what it lacks.

Both are small memory file systems, which are filled at random moments to a random rest and emptied again.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gatebot.app import users
from tests.chaos import verdicts
from tests.chaos.field import left_behind
from tests.fakes.irc import free_port
from tests.fakes.served import Served
from tests.fakes.site import Person, Template, eventually, open_place

ROUNDS = int(os.environ.get("GATEBOT_ROUNDS", "10"))
SEED = int(os.environ.get("GATEBOT_SEED", "20261128"))
SIZE = 8 << 20
LOUD = """\
#!/bin/sh
for step in 1 2 3 4 5 6 7 8; do head -c 300000 /dev/zero | tr '\\0' 'x' | fold -w 99; sleep 0.02; done
echo "all is said"
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600 + 20 * ROUNDS),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk"),
]


@contextmanager
def small_disk(where: Path) -> Iterator[None]:
    """A file system of its own at a place."""
    where.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "none", str(where)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


def fill(where: Path, rest: int) -> Path:
    """Take all of the room but a rest."""
    file, stat = where / ".filled", os.statvfs(where)
    file.write_bytes(b"x" * max(stat.f_bavail * stat.f_frsize - rest, 0))
    return file


@pytest.mark.parametrize("disk", ["logs", "executor"])
def test_a_build_has_a_verdict_also_where_the_disk_is_full(disk: str) -> None:
    chance = random.Random(f"{SEED} {disk}")
    print(f"seed {SEED}, {ROUNDS} rounds of a full disk of {disk}")
    with open_place() as place:
        template = Template.make(place / "template" / "site")
        settings: dict[str, object] = {"executor.sandbox": "auto", "executor.slots": 2}
        directory = template.copy(place / "site", free_port(), settings)
        with small_disk(directory / "data" / disk):
            served = Served(directory, place / "homes")
            users.give(served.places.data, users.server_user(served.settings.executor.run_as))
            served.start()
            try:
                served.answers()
                rounds(served, Person.of(served, "ann", template.tokens), chance, served.places.data / disk)
            finally:
                served.stop()


def verdicts_on(ann: Person, change: int) -> list[str]:
    """What check has said of the change, each time."""
    return [text for text in ann.said(change) if "succeeded" in text or "failed" in text]


def rounds(served: Served, ann: Person, chance: random.Random, disk: Path) -> None:
    """In each a build during which the disk is full, and one after it is not any more."""
    change = ann.propose("api", "Say much", {"ci/unit": LOUD})
    for number in range(1, 2 * ROUNDS + 1):
        full = number % 2 == 0
        eventually(lambda count=number: len(verdicts_on(ann, change)) >= count, f"{number} verdicts", 180)
        if not full and number > 1:
            assert "succeeded" in (last := verdicts_on(ann, change)[-1]), last
        for left in disk.iterdir() if disk.name == "logs" else ():
            subprocess.run(["rm", "-rf", str(left)], check=True)
        (disk / ".filled").unlink(missing_ok=True)
        if number == 2 * ROUNDS:
            break
        if not full:
            fill(disk, chance.choice((0, 4096, 100_000, 500_000)))
        ann.review(change, "recheck")
    database = served.places.database_file
    assert database is not None
    with verdicts.looking(database) as session:
        results = verdicts.every_build_has_one_verdict(session)
        builds = verdicts.builds_of(session)
    print(f"  {sum(results.values())} builds: {dict(results)}")
    eventually(lambda: not left_behind(served.places.data, builds), "nothing is left")
    said = served.log.read_text()
    assert "never retrieved" not in said
    assert "Exception in callback" not in said

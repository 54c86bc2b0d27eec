# SPDX-License-Identifier: Apache-2.0
"""A copy with changes gets those that everybody may see, by real pushes into a real repository."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatebot.db import Session
from gatebot.review import store
from gatebot.review.model import ZERO
from gatebot.review.reading import Reading
from gatebot.review.replication.model import Remote
from gatebot.review.replication.pushing import Pusher
from gatebot.review.replication.service import public
from tests.fakes.review_house import ReviewHouse

API = "demo/api"


@pytest.fixture
def house(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ReviewHouse]:
    (tmp_path / "gatebot.db").write_bytes(migrated_sqlite.read_bytes())
    made = ReviewHouse(f"sqlite:///{tmp_path / 'gatebot.db'}", tmp_path / "git")
    yield made
    made.close()


def refs(path: Path) -> dict[str, str]:
    """The references of a repository."""
    command = ["git", "-C", str(path), "for-each-ref", "--format=%(refname) %(objectname)"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in said.splitlines())


def private(house: ReviewHouse, change: int, *, yes: bool) -> None:
    def write(session: Session) -> None:
        store.update_change(session, change, house.clock.now(), private=yes)

    house.write(write)


async def test_a_patch_set_whose_rows_are_not_written_yet_is_not_copied(house: ReviewHouse, tmp_path: Path) -> None:
    """Whether it is private is not known before."""
    mirror = tmp_path / "mirror.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(mirror)], check=True)
    base = await asyncio.to_thread(house.project, API)
    told, hidden = (house.push(API, {name: "a\n"}, f"Add {name}", base) for name in ("a", "b"))
    private(house, hidden.number, yes=True)
    early = house.commit(API, {"c": "c\n"}, "Add c\n", base)
    assert house.repositories.update_ref(API, "refs/changes/03/3/1", ZERO, early)
    remote = Remote("mirror", f"file://{mirror}", changes=True, mirror=True)
    reading, pusher = Reading(house.db, house.judge, house.clock), Pusher(house.repositories)

    async def copied() -> dict[str, str]:
        assert await pusher.push(remote, API, remote.url, await public(reading, API)) == ""
        return refs(mirror)

    first = {"refs/heads/main": base, "refs/changes/01/1/1": house.commit_of(told)}
    assert await copied() == first
    private(house, hidden.number, yes=False)
    assert await copied() == first | {"refs/changes/02/2/1": house.commit_of(hidden)}
    private(house, told.number, yes=True)
    assert await copied() == {"refs/heads/main": base, "refs/changes/02/2/1": house.commit_of(hidden)}

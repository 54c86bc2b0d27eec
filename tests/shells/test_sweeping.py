# SPDX-License-Identifier: Apache-2.0
"""Trees that are removed while somebody still writes into them, or while what removes them is killed: they go."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatebot.executor.providers.sweeping import Sweeper, removed
from tests.fakes.site import eventually

#: Writes on where it is, wherever that is moved to, until it is told that it is enough.
_WRITES = 'cd "$1"; echo begun; until [ -e "$2" ]; do mkdir -p a/b; echo more > a/b/c; done 2> /dev/null'


@pytest.fixture
def sweeper(tmp_path: Path) -> Iterator[Sweeper]:
    made = Sweeper(str(tmp_path / "trees"))
    (tmp_path / "trees").mkdir()
    yield made
    made.close()


def made(directory: Path, name: str) -> Path:
    tree = directory / "trees" / name
    (tree / "deep" / "er").mkdir(parents=True)
    (tree / "deep" / "er" / "file").write_text("here\n")
    return tree


def test_a_tree_goes_although_somebody_writes_into_it(sweeper: Sweeper, tmp_path: Path) -> None:
    tree, enough = made(tmp_path, "one"), tmp_path / "enough"
    with subprocess.Popen(["sh", "-c", _WRITES, "sh", str(tree), str(enough)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"begun\n"
        sweeper.take("one")
        assert not tree.exists()
        enough.touch()
    eventually(lambda: not list((tmp_path / "trees").iterdir()), "nothing is left", 60)


def test_another_tree_may_have_the_name_of_one_that_goes(sweeper: Sweeper, tmp_path: Path) -> None:
    for _ in range(20):
        made(tmp_path, "one")
        sweeper.take("one")
    kept = made(tmp_path, "one")
    eventually(lambda: list((tmp_path / "trees").iterdir()) == [kept], "one is left", 60)
    sweeper.take("one")
    sweeper.take("never there")
    sweeper.close()
    assert list((tmp_path / "trees").iterdir()) == []


def children() -> set[int]:
    """The processes of this one; some belong to other tests."""
    return {int(child) for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def test_what_was_not_removed_goes_when_it_begins_again(sweeper: Sweeper, tmp_path: Path) -> None:
    for name in ("left", "left.1.gone"):
        made(tmp_path, name)
    (tmp_path / "trees" / "link").symlink_to(tmp_path)
    others = children()
    sweeper.take_all()
    eventually(lambda: not list((tmp_path / "trees").iterdir()), "nothing is left", 60)
    (child,) = children() - others
    ended = os.pidfd_open(child)
    os.kill(child, signal.SIGKILL)
    assert select.select([ended], [], [], 60)[0]
    os.close(ended)
    made(tmp_path, "one")
    sweeper.take("one")
    sweeper.close()
    assert list((tmp_path / "trees").iterdir()) == []


def test_directories_that_nobody_may_enter_go_as_well(tmp_path: Path) -> None:
    tree = made(tmp_path, "closed")
    (tree / "link").symlink_to(tmp_path)
    for path in (tree / "deep" / "er", tree / "deep", tree):
        path.chmod(0o500)
    assert removed(tree)
    assert tmp_path.exists()
    assert not tree.exists()

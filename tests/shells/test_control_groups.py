# SPDX-License-Identifier: Apache-2.0
"""Control groups of version 2, on the real hierarchy: what a job made below its own goes with it.

No limits are set here: which controllers a machine gives to version 2 differs. Limits are tried on whole sandboxes.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot.executor.providers import owning
from gatebot.executor.providers.cgroups import Base, Cgroups
from tests.programs import leave_out


@pytest.fixture
def base() -> Iterator[Base]:
    """A directory of ours at the top of the hierarchy."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    place = next((Path(where) for _, where, kind, *_ in mounts if kind == "cgroup2"), None)
    if os.geteuid() != 0 or place is None:
        leave_out("A hierarchy of version 2 that may be written (root)", "sudo")
    made = Base(path := place / f"gatebot-test-{uuid4().hex[:12]}", owning.hold(path))
    yield made
    made.leave()
    assert not path.exists()


def test_processes_in_groups_that_a_job_made_are_found_killed_and_their_groups_removed(base: Base) -> None:
    groups, node = Cgroups({}, base, frozenset()), uuid4().hex
    deep = base.path / node / "containers/one"
    deep.mkdir(parents=True)
    groups.delegate(node, 1_900_000_000)
    assert {(base.path / node / name).stat().st_uid for name in ("", "cgroup.procs")} == {1_900_000_000}
    assert (base.path / node / "cgroup.max.descendants").read_text() == "1000\n"
    with subprocess.Popen(["sleep", "300"]) as sleeper:
        (deep / "cgroup.procs").write_text(str(sleeper.pid))
        assert groups.processes(node) == {sleeper.pid}
        assert groups.list() == [node]
        groups.freeze(node, True)
        groups.freeze(node, False)
        groups.kill(node)
        assert sleeper.wait(60) == -9
    groups.remove(node)
    assert groups.list() == []

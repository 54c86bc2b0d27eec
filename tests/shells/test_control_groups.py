# SPDX-License-Identifier: Apache-2.0
"""Control groups of version 2, on the real hierarchy: what a job made below its own goes with it.

Which controllers a machine gives to version 2 differs; limits are tried where it has them all (`make test-cgroup2`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from gatebot.executor.providers import owning
from gatebot.executor.providers.cgroups import LEAF, Base, Cgroups, Limits, make_room
from tests.fakes.git import WorkTree
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


unified = pytest.mark.skipif("GATEBOT_CGROUP2" not in os.environ, reason="`make test-cgroup2` has a machine for it")


@pytest.fixture
def probed() -> Iterator[Cgroups]:
    """The groups of an instance, as its privileged process finds them; nothing of them may be left."""
    before = groups_of_the_machine()
    make_room()
    found = Cgroups.probe(uuid4().hex[:12])
    assert found is not None
    yield found
    found.close()
    assert {path for path in groups_of_the_machine() - before if path.name != LEAF} == set()


def groups_of_the_machine() -> set[Path]:
    return {path for path in Path("/sys/fs/cgroup").rglob("*/") if path.is_dir()}


@unified
def test_where_a_service_was_handed_its_group_all_limits_are_set_below_it(probed: Cgroups) -> None:
    node = uuid4().hex
    probed.create(node, Limits(64 << 20, 17, 0.5))
    (group,) = (path for path in groups_of_the_machine() if path.name == node)
    assert group.parent.parent.name.endswith(".service")
    found = {name: (group / name).read_text().strip() for name in ("memory.max", "pids.max", "cpu.max")}
    assert found == {"memory.max": str(64 << 20), "pids.max": "17", "cpu.max": "50000 100000"}
    assert probed.version == "cgroup2"
    probed.remove(node)


@unified
def test_a_program_that_takes_too_much_memory_is_killed_and_counted(probed: Cgroups) -> None:
    node = uuid4().hex
    probed.create(node, Limits(64 << 20, 17, 1))
    greedy = [sys.executable, "-c", "bytearray(200 << 20)"]
    ended = subprocess.run(greedy, preexec_fn=lambda: probed.enter(node), check=False)
    assert ended.returncode == -9
    assert probed.oom_kills(node) == 1
    assert probed.remove(node)


@unified
def test_the_builds_of_this_machine_are_limited_by_version_2(tmp_path: Path) -> None:
    """What `gatebot run` says of a job that takes more memory than its label has."""
    tree = WorkTree.new(tmp_path / "hello")
    greedy = (
        "#!/usr/bin/python3\nimport os\n"
        "if not os.fork():\n    taken = []\n    while True: taken.append(bytearray(16 << 20))\n"
        "raise SystemExit(os.wait()[1] != 0)\n"
    )
    tree.write(
        **{
            ".zuul.yaml": "- job: {name: greedy, run: ci/greedy}\n- project: {check: {jobs: [greedy]}}\n",
            "ci/greedy": greedy,
        }
    )
    (tree.path / "ci/greedy").chmod(0o755)
    tree.commit("Begin")
    command = [sys.executable, "-P", "-m", "gatebot", "run", "greedy"]
    done = subprocess.run(command, cwd=tree.path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "memory" in done.stdout, done.stdout + done.stderr

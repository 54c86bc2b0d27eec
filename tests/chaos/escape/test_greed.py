# SPDX-License-Identifier: Apache-2.0
"""Attacks on what the machine has: processes, memory, disk. Each meets the limit of its node, and others go on."""

from __future__ import annotations

import os
import subprocess

import pytest

from gatebot.executor.model import MIB
from gatebot.executor.providers.model import Exit
from tests.chaos.escape.forts import STRANGER, Fort, attack
from tests.fakes.provider_contract import LABEL

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_fork_bomb_meets_its_limit_and_others_work_on(attacked: Fort) -> None:
    async with attacked.node() as node, attacked.node() as other:
        found = await attack(
            node,
            """
made = 0
try:
    while made < 500:
        if os.fork() == 0: os.closerange(0, 3); time.sleep(60); os._exit(0)
        made += 1
except OSError as problem: print(f'{errno.errorcode[problem.errno]}: {made}')
""",
        )
        if attacked.kind == "rootless":  # without a range of ids all builds are one user: only the machine is spared
            assert alive()
        else:
            assert await other.ran("echo here; sh -c 'exit 3'") == (Exit(3), "here\n")
    assert int(found["EAGAIN"]) < LABEL.processes


async def test_a_memory_hog_gets_no_more_than_its_node_has(attacked: Fort) -> None:
    async with attacked.node() as node:
        found = await attack(
            node,
            """
def take(size):
    child = os.fork()
    if child == 0:
        try: os._exit(0 if len(bytearray(size)) else 1)
        except MemoryError: os._exit(12)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
attempt('little', lambda: take(1 << 20))
attempt('much', lambda: take(400 << 20))
""",
        )
    assert found["little"] == "0"
    assert found["much"] in {"-9", "12"}


async def test_no_place_to_write_to_is_without_a_limit(attacked: Fort) -> None:
    """All that can be filled together is no more than what the label promises: its memory and its disk."""
    async with attacked.node() as node:
        found = await attack(
            node,
            """
def fill(where):
    child = os.fork()
    path = where + '/filler'
    if child == 0:
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT)
            for _ in range(1024): os.write(file, bytes(1 << 20))
        except OSError: os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
    return (os.path.getsize(path) >> 20) if os.path.exists(path) else 0
for where in ('/home/job', '/tmp', '/var/tmp', '/dev/shm', '/dev', '/run', '/', '/mnt',
              '/opt/gatebot', '/run/gatebot', '/dev/mqueue', '/run/lock'):
    attempt(where, lambda: fill(where))
""",
        )
    megabytes = {name: int(told) for name, told in found.items()}
    most = (LABEL.memory + LABEL.disk) // MIB
    assert max(megabytes.values()) <= LABEL.disk // MIB, megabytes
    assert sum(megabytes.values()) <= most, megabytes


def alive() -> bool:
    """Whether the user that builds run as can still start processes outside of them."""
    user = STRANGER if os.geteuid() == 0 else None
    return subprocess.run(["sh", "-c", "/bin/true; exit 3"], user=user, check=False).returncode == 3

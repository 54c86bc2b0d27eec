# SPDX-License-Identifier: Apache-2.0
"""Attacks by root of namespaces that a job made itself, on nodes of a nested label: nothing else is theirs."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from gatebot.executor.model import MIB
from gatebot.executor.providers.subordinate import FIRST_INSIDE, RANGE
from tests.chaos.escape.forts import FIRST_OF_JOBS, Fort, attack
from tests.fakes.provider_contract import LABEL
from tests.fakes.workshop import processes_of

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.parametrize("attacked", ["nested", "nested-rootless"], indirect=True),
]
RANGED = "unshare --user --map-root-user --map-auto"
ROOT = f"{RANGED} --mount --net --pid --uts --ipc --cgroup --fork --mount-proc"
#: A mount by the libc of the attacker.
_MOUNT = """
def mount(source, target, kind, flags=0, options=''):
    if libc.mount(*(text.encode() for text in (source, target, kind)), ctypes.c_ulong(flags), options.encode()):
        raise OSError(ctypes.get_errno(), '')
    return 'mounted'
"""


async def test_what_is_shown_read_only_stays_so(attacked: Fort) -> None:
    """The machine's programs, playbooks with their secrets, what the kernel tells: neither remounted nor uncovered."""
    async with attacked.node() as node:
        found = await attack(
            node,
            _MOUNT
            + """
print('user: ' + str(os.getuid()))
for path in ('/usr', '/opt/gatebot', '/sys', '/etc/ssl/certs', '/dev'):
    if os.path.isdir(path):
        attempt('remount ' + path, lambda: mount('none', path, '', 0x20 | 0x1000))
        attempt('uncover ' + path, lambda: print('?') if libc.umount2(path.encode(), 2) == 0 else call(-1))
        attempt('write ' + path, lambda: write(path + '/made'))
""",
            ROOT,
        )
    assert found.pop("user") == "0"
    assert len(found) >= 12
    assert set(found.values()) <= {"EPERM", "EACCES", "EROFS", "EINVAL", "ENOSYS", "EBUSY"}, found


async def test_settings_and_devices_of_the_machine_are_out_of_reach(attacked: Fort) -> None:
    """Kernel settings are those of its own network at most; a device that it makes is none, no disk is mounted."""
    settings = ("kernel/core_pattern", "kernel/printk", "fs/file-max", "vm/overcommit_memory")
    before = [Path(f"/proc/sys/{name}").read_bytes() for name in settings]
    async with attacked.node() as node:
        found = await attack(
            node,
            _MOUNT
            + """
for name in (*settings, 'vm/drop_caches'):
    attempt(name, lambda: write('/proc/sys/' + name))
attempt('/proc/sysrq-trigger', lambda: write('/proc/sysrq-trigger'))
for kind, mode in (('disk', stat.S_IFBLK), ('memory', stat.S_IFCHR)):
    attempt('make ' + kind, lambda: os.mknod('/tmp/' + kind, mode | 0o666, os.makedev(1, 1)))
    mount('tmpfs', '/mnt', 'tmpfs')
    attempt('make own ' + kind, lambda: os.mknod('/mnt/' + kind, mode | 0o666, os.makedev(1, 1)))
for kind in ('ext4', 'btrfs', 'xfs', 'debugfs', 'tracefs', 'securityfs', 'devtmpfs', 'configfs', 'efivarfs', 'pstore'):
    attempt('mount ' + kind, lambda: mount('/dev/vda', '/mnt', kind))
attempt('clock', lambda: time.clock_settime(time.CLOCK_REALTIME, 0))
""",
            ROOT,
            settings=settings,
        )
    assert {name: told for name, told in found.items() if told not in {"EPERM", "EACCES", "ENODEV", "ENOENT"}} == {}
    assert [Path(f"/proc/sys/{name}").read_bytes() for name in settings] == before


async def test_no_namespace_but_its_own_is_entered(attacked: Fort) -> None:
    """Neither those of its node's sandbox, whose user it is outside, nor by a process of its node."""
    async with attacked.node() as node:
        await node.ran("sleep 300 > /dev/null 2>&1 & echo $! > pid")
        found = await attack(
            node,
            """
pid = open(home + '/pid').read().strip()
for name in ('mnt', 'net', 'pid', 'user', 'uts', 'ipc', 'cgroup'):
    attempt(name, lambda: call(308, os.open(f'/proc/{pid}/ns/{name}', os.O_RDONLY), 0))
attempt('memory', lambda: os.open(f'/proc/{pid}/mem', os.O_RDWR))
attempt('identity', lambda: (os.setgroups([0]), os.setuid(1)))
""",
            "unshare --user --map-root-user",
            home=node.home,
        )
    assert set(found.values()) <= {"EPERM", "EACCES", "EINVAL"}, found
    assert len(found) == 9


async def test_no_machine_is_reached_from_networks_of_its_own(attacked: Fort) -> None:
    """It is root of its networks and can wire them as it likes; none of them leads anywhere."""
    async with attacked.node() as node:
        found = await attack(
            node,
            """
import socket, subprocess
def told(*argv):
    return subprocess.run(argv, capture_output=True, text=True, env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin'})
for argv in (('link', 'set', 'lo', 'up'), ('link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1'),
             ('addr', 'add', '10.9.0.1/24', 'dev', 'v0'), ('link', 'set', 'v0', 'up'), ('link', 'set', 'v1', 'up'),
             ('route', 'add', 'default', 'via', '10.9.0.2')):
    print('ip ' + ' '.join(argv[:3]) + ': ' + str(told('ip', *argv).returncode))
print('moved: ' + str(told('ip', 'link', 'set', 'v1', 'netns', '1').returncode))
def connect(host):
    with socket.socket() as one:
        one.settimeout(0.3)
        one.connect((host, 80))
        return 'reached'
for host in ('192.0.2.1', '169.254.169.254', '172.17.0.1'):
    attempt(host, lambda: connect(host))
for family in (40, 38, 29, 21, 4):
    attempt(f'family {family}', lambda: socket.socket(family, socket.SOCK_RAW))
""",
            ROOT,
        )
    assert {told for name, told in found.items() if name.startswith("ip ")} == {"0"}, found
    assert "reached" not in found.values()
    assert {told for name, told in found.items() if name.startswith("family")} == {"EPERM"}


async def test_its_control_groups_are_not_left_or_widened_and_count_its_mounts(attacked: Fort) -> None:
    """A memory file system of its own making, as large as it says, is no way to have more memory than the label."""
    async with attacked.node() as node:
        found = await attack(
            node,
            _MOUNT
            + """
mount('tmpfs', '/mnt', 'tmpfs')
for kind, options in (('cgroup2', ''), ('cgroup', 'memory'), ('cgroup', 'pids'), ('cgroup', 'devices')):
    place = '/mnt/' + kind + options
    os.mkdir(place)
    try:
        mount('none', place, kind, 0, options)
    except OSError:
        continue
    for name in ('cgroup.procs', 'memory.limit_in_bytes', 'pids.max', 'memory.max', 'release_agent', 'devices.allow'):
        if os.path.exists(f'{place}/{name}'):
            attempt(f'{kind} {options} {name}', lambda: write(f'{place}/{name}'))
    attempt(f'{kind} {options} new', lambda: os.mkdir(place + '/new'))
print('tried: mounts')
""",
            ROOT,
        )
        assert found.pop("tried") == "mounts"
        if attacked.limited:  # of version 2 it may make groups below its own, in which it is limited as a whole
            assert found.pop("cgroup2  new", "None") == "None"
            assert found.pop("cgroup2  cgroup.procs", "EINVAL") == "EINVAL"
        assert set(found.values()) <= {"EPERM", "EACCES", "EROFS"}, found
        if attacked.limited:
            most = (LABEL.memory + LABEL.disk) // MIB
            body = f"mount -t tmpfs -o size=1g tmpfs /tmp && head -c {most + 50}m /dev/zero > /tmp/much"
            ended, _ = await node.ran(f"{ROOT} sh -c '{body}'")
            assert ended.status != 0
            async with asyncio.timeout(60):  # what it wrote is memory until the last process of that sandbox is gone
                while not (await node.ran("echo here"))[1].endswith("here\n"):
                    pass


async def test_the_ids_of_a_job_are_neither_the_machines_nor_those_of_another(attacked: Fort) -> None:
    """Nobody has an id twice; none of a job's is a user's of this machine, also not by what runs as one of them."""
    async with attacked.node() as one, attacked.node() as other:
        ids: list[set[int]] = []
        for node in (one, other):
            _, told = await node.ran("cat /proc/self/uid_map; echo; cat /proc/self/gid_map")
            users, groups = told.split("\n\n")
            assert users.split() == groups.split()
            lines = [[int(word) for word in line.split()] for line in users.splitlines()]
            assert [(inside, count) for inside, _, count in lines] == [(1000, 1), (FIRST_INSIDE, RANGE)]
            ids.append({id for _, first, count in lines for id in range(first, first + count)})
        assert not ids[0] & ids[1]
        marker = f"{4711 + os.getpid()}.25"
        inner = f"setpriv --reuid 33 --clear-groups sleep {marker}"
        await one.ran(
            f"{RANGED} sh -c '{inner} & while ! grep -qa {marker} /proc/$!/cmdline; do :; done' > /dev/null 2>&1"
        )
        running = {Path(f"/proc/{process}").stat().st_uid for process in processes_of(marker)}
        assert len(running) == 1
        assert min(running) >= FIRST_OF_JOBS


async def test_with_its_ids_it_touches_and_becomes_nobody_elses(attacked: Fort) -> None:
    """As root of its range and as each of its ids: files of the machine, of the server and ids that are not its own."""
    attempts = """
for path in ('/usr/bin/env', '/etc/passwd', '/etc/subuid', '/opt/gatebot', '/'):
    attempt('own ' + path, lambda: os.chown(path, os.getuid(), os.getgid()))
    attempt('change ' + path, lambda: os.chmod(path, 0o777))
    attempt('make ' + path, lambda: write(path + '/made'))
def become(id):
    os.setuid(id)
    return 'became'
for id in (0, 1, 65534, 99999, 165536, 1900000000):
    attempt(f'become {id}', lambda: become(id))
def mapped(text):
    child = os.fork()
    if child == 0:
        call(272, 0x10000000)
        time.sleep(60)
    try:
        while os.readlink(f'/proc/{child}/ns/user') == os.readlink('/proc/self/ns/user'):
            pass
        with open(f'/proc/{child}/uid_map', 'w') as file:
            file.write(text)
        return 'mapped'
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
for text in ('0 0 1', '0 1001 1', '0 99999 2', '0 165535 2', '0 1900000000 1'):
    attempt('map ' + text, lambda: mapped(text))
attempt('groups', lambda: os.setgroups([0]))
attempt('own ids', lambda: mapped('0 100000 65536'))
"""
    async with attacked.node() as node:
        found = await attack(node, attempts)
        assert found.pop("own ids") == "mapped"
        assert set(found.values()) <= {"EPERM", "EACCES", "EROFS", "EINVAL", "ENOTDIR"}, found
        found = await attack(node, attempts.partition("def become")[0], RANGED)
        assert set(found.values()) <= {"EPERM", "EACCES", "EROFS", "EINVAL", "ENOTDIR"}, found

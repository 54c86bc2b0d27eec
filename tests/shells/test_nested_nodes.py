# SPDX-License-Identifier: Apache-2.0
"""Nodes of nested labels: jobs make namespaces and mounts of their own in them, and are outside what all jobs are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatebot.executor.model import MIB
from gatebot.executor.providers.model import Capacity
from gatebot.words import say
from tests.fakes.workshop import LABELS, SMALL, Workshop, processes_of, workshop
from tests.programs import need

NESTED = {**LABELS, "nested": replace(SMALL, name="nested", nested=True, memory=256 * MIB)}
INNER = "unshare --user --map-root-user --mount --net --pid --uts --ipc --fork --kill-child --mount-proc"
OVERLAY = "userxattr,lowerdir=/mnt/low,upperdir=/mnt/up,workdir=/mnt/work"
DEEP = f"""\
{INNER} sh -e <<'INNER'
id -u
hostname inner; hostname
mount -t tmpfs none /mnt; echo mine > /mnt/file; cat /mnt/file
mkdir /mnt/low /mnt/up /mnt/work /mnt/all; mount -t overlay overlay -o {OVERLAY} /mnt/all
echo changed > /mnt/all/new; cat /mnt/all/new
mount -t sysfs -o ro sysfs /sys; ls -I tunl0 -I 'ip*' -I sit0 -I 'gre*' -I 'erspan0' /sys/class/net
ip tuntap add dev tap0 mode tap; ip link set tap0 up; ip -br link show tap0 | cut -c1-4
ip link add veth0 type veth peer name veth1; ip -br link show veth1 | cut -c1-5
ls -d /proc/[0-9]* | wc -l
INNER
"""
CLOUD = (
    "mount -t tmpfs none /run; ip netns add inner; ip netns exec inner ip link set lo up",
    "ip link add br0 type bridge; ip link add v0 type veth peer name v1; ip link set v0 master br0",
    "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)'",
    "mkdir ~/new; mount --bind ~/new ~/new; cd ~/new; mkdir usr dev old; mount --rbind /usr usr\n"
    "mount --rbind /dev dev\n"
    "ln -s usr/lib64 usr/lib usr/bin .; pivot_root . old; test -d /old/home/job; echo > /dev/null; : <>/dev/net/tun",
    "mount -t sysfs sysfs /sys; mount -t tmpfs none /run; ip netns add inner; ip netns exec inner ls /sys/class/net",
    "unshare -Urm sh -c 'mount -t tmpfs none /tmp'",
    "test -r /dev/fuse; test -w /dev/fuse; mount --rbind /sys /mnt; test -d /mnt/class/net/lo",
)
RANGED = "unshare --user --map-root-user --map-auto --mount --net --pid --cgroup --fork --kill-child --mount-proc"
#: What containers in a node are told: it may not raise limits, and has no keys of the kernel's.
CONTAINERS = """\
mount -t cgroup2 none /sys/fs/cgroup; mount -t tmpfs none /run; mount -t tmpfs none /var
printf '[containers]\\nkeyring=false\\ndefault_ulimits=["nofile=1024:1024","nproc=64:64"]\\n' > /run/containers.conf
export CONTAINERS_CONF=/run/containers.conf HOME=/run
mkdir -p root/bin root/tmp; cp "$(which busybox)" root/bin/sh
podman --root /var/storage --runroot /run/podman --storage-driver vfs --cgroup-manager cgroupfs --runtime runc \
    run --rm --network none --rootfs $PWD/root sh -c 'echo mine > /tmp/x; chown 33:44 /tmp/x; ls -ln /tmp; id -u' 2>&1
stat -c %u:%g root/tmp/x
"""
REFUSED = """\
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def tell(name, result): print(name, result, os.strerror(ctypes.get_errno()) if result else "")
tell("ptrace", libc.ptrace(16, 1, 0, 0))
tell("keyctl", libc.syscall(250, 0, 0))
tell("bpf", libc.syscall(321, 0, 0, 0))
tell("init_module", libc.syscall(175, 0, 0, 0))
tell("open_by_handle_at", libc.syscall(304, -100, 0, 0))
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(tmp_path, labels=NESTED) as made:
        capacity = made.executor.capacity
        assert isinstance(capacity, Capacity), say(capacity)
        assert capacity.nested, [say(problem) for problem in capacity.problems]
        yield made


async def test_a_job_makes_mounts_networks_and_processes_of_its_own(shop: Workshop) -> None:
    completed, text = await shop.script(DEEP, label="nested")
    assert completed.result == "SUCCESS", text
    *told, count, _result = text.splitlines()[2:]
    assert told == ["0", "inner", "mine", "changed", "lo", "tap0", "veth1"]
    assert int(count) < 6


async def test_what_whole_clouds_are_brought_up_with_works(shop: Workshop) -> None:
    """Networks with names, bridges, switches that send frames, a root of one's own over the node's programs."""
    for line in CLOUD:
        completed, text = await shop.script(f"{INNER} sh -e <<'INNER'\n{line}\nINNER", label="nested")
        assert completed.result == "SUCCESS", f"{line}: {text}"


async def test_of_memory_that_it_mounts_it_has_no_more_than_its_label_says(shop: Workshop) -> None:
    completed, text = await shop.script(
        f"{INNER} sh -ec 'mount -t tmpfs -o size=2g none /mnt; head -c 1000m /dev/zero > /mnt/much; echo filled'",
        label="nested",
    )
    assert completed.result == "FAILURE"
    assert "filled" not in text


async def test_outside_of_its_own_namespaces_it_may_no_more_than_others(shop: Workshop) -> None:
    _, text = await shop.script(
        "id -u; grep CapEff /proc/self/status; mount -t tmpfs none /mnt 2>&1\n"
        f"{INNER} sh -c 'touch /usr/x; mknod /tmp/disk b 254 0; date -s 2000-01-01; echo 1 > /proc/sys/vm/drop_caches; "
        "mount -o remount,rw /sys; echo 1 > /sys/kernel/profiling' 2>&1\n"
        f"cat > $HOME/calls.py <<'CALLS'\n{REFUSED}CALLS\n"
        f"python3 $HOME/calls.py; {INNER} python3 $HOME/calls.py\n",
        label="nested",
    )
    assert text.splitlines()[2:4] == ["1000", "CapEff:\t00000000000000c0"]
    assert "touch: cannot touch '/usr/x': " in text
    assert "mount: /mnt: " in text
    assert "mknod: /tmp/disk: Operation not permitted" in text
    assert "date: cannot set date: Operation not permitted" in text
    assert "cannot create /proc/sys/vm/drop_caches: " in text
    assert "cannot create /sys/kernel/profiling: " in text
    for name in ("ptrace", "keyctl", "bpf", "init_module", "open_by_handle_at"):
        assert text.count(f"{name} -1 Operation not permitted") == 2, name


async def test_nothing_of_its_namespaces_is_left(shop: Workshop) -> None:
    marker = "600.4711"
    completed, text = await shop.script(
        f"mkfifo $HOME/up; {INNER} sh -c 'echo > $HOME/up; exec sleep {marker}' >/dev/null 2>&1 &\ncat $HOME/up",
        label="nested",
    )
    assert completed.result == "SUCCESS", text
    assert processes_of(marker) == []


async def test_other_labels_refuse_namespaces_and_have_no_devices(shop: Workshop) -> None:
    _, text = await shop.script("unshare --user --map-root-user true 2>&1; ls /sys /dev/net 2>&1")
    assert "unshare: unshare failed: Operation not permitted" in text
    assert "cannot access '/dev/net'" in text
    assert "tun" not in text


async def test_a_job_has_a_range_of_ids_for_namespaces_of_its_own(shop: Workshop) -> None:
    """By the tools of every machine: files and services of other users, also with ids mapped by hand."""
    completed, text = await shop.script(
        f"{RANGED} sh -ec 'touch $HOME/x; chown 33:44 $HOME/x; stat -c %u:%g $HOME/x; "
        'setpriv --reuid 33 --regid 44 --groups 55 sh -c "id -u; id -g; id -G"\'\n'
        "stat -c %u:%g $HOME/x\n"
        "unshare --map-users=100000,0,500 --map-groups=100000,0,500 --setuid 7 --setgid 8 sh -c 'id -u; id -g'",
        label="nested",
    )
    assert completed.result == "SUCCESS", text
    assert "nested: the job may make namespaces and mounts of its own here, with 65536 user ids" in text
    assert text.splitlines()[2:-1] == ["33:44", "33", "44", "44 55", "100032:100043", "7", "8"]
    assert [one.ids for nodes in shop.reports.given.values() for one in nodes] == [65_536]


async def test_containers_run_in_a_node_with_users_of_their_own(shop: Workshop) -> None:
    for program in ("podman", "runc", "busybox"):
        need(program)
    completed, text = await shop.script(f"{RANGED} sh -e <<'INNER'\n{CONTAINERS}INNER", label="nested")
    assert completed.result == "SUCCESS", text
    assert " 33       44 " in text
    assert text.splitlines()[-3:-1] == ["0", "33:44"]

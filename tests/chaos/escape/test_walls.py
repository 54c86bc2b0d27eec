# SPDX-License-Identifier: Apache-2.0
"""Attacks on the walls of a sandbox: the machine's files, its other processes, and its kernel."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from uuid import uuid4

import pyseccomp
import pytest

from gatebot.executor.providers.bubblewrap import MAPPING
from gatebot.executor.providers.seccomp import NESTING, REFUSED
from tests.chaos.escape.forts import Fort, attack
from tests.fakes.workshop import processes_of

pytestmark = pytest.mark.asyncio(loop_scope="package")
NOTHING = {
    "ENOSYS",
    "ENOENT",
    "EACCES",
    "EPERM",
    "EROFS",
    "ENOTDIR",
    "EINVAL",
    "EIO",
    "ENXIO",
    "EBUSY",
    "EISDIR",
    "EAGAIN",
}
REFUSALS = {"EPERM", "ENOSYS"}
MAKINGS = (("users", 0x10000000), ("mounts", 0x20000), ("network", 0x40000000), ("processes", 0x20000000))


async def test_a_job_is_nobody(attacked: Fort) -> None:
    found = await attacked.attacked("""
attempt('uid', os.getuid)
for line in open('/proc/self/status'):
    if line.split(':')[0] in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp'):
        print(line.split(':')[0] + ': ' + line.split()[1])
""")
    may = sum(1 << number for number in MAPPING.values()) if attacked.kind == "nested" else 0  # over its range of ids
    none_but = dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), f"{may:016x}")
    assert found == {"uid": "1000", "NoNewPrivs": "1", "Seccomp": "2"} | none_but


async def test_files_of_the_machine_are_not_there(attacked: Fort, tmp_path: Path) -> None:
    """Also those that any user of the machine could read: a server's store, a home, a file of another build."""
    secret = attacked.yard.layers.parent / f"store-{uuid4().hex}"
    secret.write_text("the machine's")
    secret.chmod(0o644)
    found = await attacked.attacked(
        """
ways = ['', '/proc/1/root', '/proc/self/root', '/proc/1/cwd', '/proc/self/cwd/../../../..', '/proc/thread-self/root/..']
for way in ways:
    for path in (secret, '/etc/shadow', '/var/lib/gatebot', '/etc/hostname'):
        attempt(f'{way}{path}', lambda: read(way + path))
for path in ('/dev/mem', '/dev/kmem', '/dev/kmsg', '/dev/sda', '/dev/vda', '/dev/loop0', '/dev/fuse', '/dev/kvm',
             '/dev/net/tun', '/proc/kcore', '/proc/kmsg', '/sys/kernel/debug/tracing/trace',
             '/sys/firmware/dmi/tables/DMI'):
    attempt(path, lambda: read(path))
for number in range(30):
    attempt(f'/proc/1/fd/{number}', lambda: read(f'/proc/1/fd/{number}'))
print('homes: ' + str(os.listdir('/home')))
print('ours: ' + str(os.path.exists('/mnt/nodes') or os.path.exists('/mnt/layers')))
""",
        secret=str(secret),
    )
    secret.unlink()
    assert found.pop("homes") == "['job']"
    assert found.pop("ours") == "False"
    hostname = Path("/etc/hostname").read_bytes() if Path("/etc/hostname").exists() else b"-"
    if attacked.kind == "nested":  # leads to networks of namespaces of its own only
        assert found.pop("/dev/net/tun") == "EBADFD"
    read = {name: told for name, told in found.items() if told not in NOTHING and told != "b''"}
    assert not any("the machine's" in told or repr(hostname) == told for told in read.values()), read
    assert not [name for name in read if name.startswith(("/dev/", "/proc/kcore", "/proc/kmsg", "/sys/"))], read
    assert not [name for name, told in read.items() if "shadow" in name and "$" in told], read


async def test_nothing_of_the_machine_can_be_changed(attacked: Fort) -> None:
    """Kernel settings, the programs of the machine, devices made by the job itself."""
    watched = [Path(name) for name in ("/etc/passwd", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe")]
    watched += [Path("/usr/bin/env"), Path("/proc/self/exe").resolve()]
    watched += [path for path in (attacked.yard.layers.parent / "images").rglob("*") if path.is_file()]
    before = {path: hashlib.sha256(path.read_bytes()).digest() for path in watched if path.exists()}
    found = await attacked.attacked("""
for path in ('/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe', '/proc/sys/vm/drop_caches',
             '/proc/sysrq-trigger', '/proc/sys/fs/binfmt_misc/register', '/sys/kernel/uevent_helper',
             '/sys/fs/cgroup/release_agent', '/sys/fs/cgroup/memory/release_agent', '/sys/power/state',
             '/proc/1/oom_score_adj', '/proc/1/mem', '/proc/1/environ', '/proc/1/exe', '/usr/bin/env', '/usr/bin/new',
             '/usr/lib/new.so', '/bin/new', '/etc/passwd', '/etc/ld.so.preload', '/opt/gatebot/new'):
    attempt(path, lambda: write(path))
for name, kind in (('disk', stat.S_IFBLK), ('memory', stat.S_IFCHR)):
    attempt('mknod ' + name, lambda: os.mknod('/tmp/' + name, kind | 0o666, os.makedev(8 if name == 'disk' else 1, 1)))
attempt('chown', lambda: os.chown('/tmp', 0, 0))
attempt('chroot', lambda: os.chroot('/tmp'))
attempt('hostname', lambda: socket.sethostname('escaped'))
attempt('clock', lambda: time.clock_settime(time.CLOCK_REALTIME, 0))
attempt('nice', lambda: os.setpriority(os.PRIO_PROCESS, 0, -20))
""")
    own = {"rootless": {"/etc/passwd", "/etc/ld.so.preload"}, "container": {"/opt/gatebot/new"}}.get(
        attacked.kind, set()
    )
    assert {name: told for name, told in found.items() if told not in NOTHING and name not in own} == {}
    assert {path: hashlib.sha256(path.read_bytes()).digest() for path in before} == before


async def test_a_set_uid_program_gives_nothing(attacked: Fort) -> None:
    """Neither the machine's own nor one that the job made."""
    found = await attacked.attacked("""
import shutil, subprocess
own = os.path.expanduser('~/own')
shutil.copy('/usr/bin/env', own) if os.path.exists('/usr/bin/env') else shutil.copy('/bin/busybox', own)
attempt('chmod', lambda: os.chmod(own, 0o6755))
def euid(path):
    try:
        told = subprocess.run([path, '-c', 'id -u'], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        return 'none'
    return told.stdout.strip() or 'none'
for name in ('su', 'sudo', 'pkexec'):
    attempt(name, lambda: euid('/usr/bin/' + name))
attempt('gained', lambda: os.setuid(0))
attempt('groups', lambda: os.setgroups([0]))
""")
    assert {found[name] for name in ("su", "sudo", "pkexec")} == {"none"}
    assert {found["gained"], found["groups"]} <= {"EPERM", "EINVAL"}


async def test_no_namespace_can_be_made_or_entered(attacked: Fort) -> None:
    """A namespace of users would make the job root of something, and give it mounts and networks to break out with."""
    nested = attacked.kind == "nested"  # makes them, as test_nested.py says; of others it enters none either
    found = await attacked.attacked(
        """
for name in ('mnt', 'user', 'net', 'pid'):
    def enter():
        descriptor = os.open(f'/proc/1/ns/{name}', os.O_RDONLY)
        call(setns, descriptor, 0)
    attempt('setns ' + name, enter)
for name, flag in makings:
    attempt('unshare ' + name, lambda: call(unshare, flag))
    attempt('clone ' + name, lambda: call(clone, flag | signal.SIGCHLD, 0, 0, 0, 0))
    arguments = (ctypes.c_uint64 * 8)(flag, 0, 0, 0, signal.SIGCHLD)
    attempt('clone3 ' + name, lambda: call(clone3, ctypes.addressof(arguments), 64))
""",
        makings=() if nested else MAKINGS,
        **{name: _number(name) for name in ("unshare", "clone", "clone3", "setns")},
    )
    refused = REFUSALS | {"EACCES"} | ({"EINVAL"} if nested else set[str]())
    assert {name: told for name, told in found.items() if told not in refused} == {}


async def test_calls_that_attacks_on_the_kernel_begin_with_are_refused(attacked: Fort) -> None:
    """By the filter, with whatever arguments: nothing of their code in the kernel is reached."""
    refused = REFUSED if attacked.kind == "nested" else (*REFUSED, *NESTING)
    numbers = {name: number for name in refused if (number := _number(name)) >= 0}
    assert {"bpf", "io_uring_setup", "keyctl", "userfaultfd", "ptrace", "perf_event_open"} <= numbers.keys()
    found = await attacked.attacked(
        "for name, number in numbers.items(): attempt(name, lambda: call(number, 0, 0, 0, 0, 0, 0))", numbers=numbers
    )
    assert {name: told for name, told in found.items() if told not in REFUSALS} == {}
    assert found.keys() == numbers.keys()


async def test_the_old_ways_into_the_kernel_are_closed(attacked: Fort) -> None:
    """The calls of 32 bits and of x32 have other numbers: a filter that forgets them lets everything through."""
    found = await attacked.attacked("""
import mmap
def ending(action):
    child = os.fork()
    if child == 0:
        os._exit(100 if action() >= 0 else 101)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
def old():
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex('b81a000000' '31db' 'cd80' 'c3'))  # mov eax, 26 (ptrace); xor ebx, ebx; int 0x80; ret
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
attempt('32 bits', lambda: ending(old))
attempt('x32', lambda: ending(lambda: libc.syscall(0x40000000 | 101, 0, 0, 0, 0)))
""")
    assert "100" not in found.values()


async def test_the_processes_of_another_build_are_out_of_sight_and_reach(attacked: Fort) -> None:
    """Two builds at once: neither sees the other's processes, environment, memory, sockets or files."""
    marker = f"300.{uuid4().int % 10**12}"
    async with attacked.node() as victim, attacked.node() as robber:
        begun = asyncio.Event()
        lives = (
            "import os, socket, sys, time\n"
            "s = socket.socket(socket.AF_UNIX); s.bind('\\0victim'); s.listen()\n"
            "t = socket.create_server(('127.0.0.1', 4567))\n"
            "open('/tmp/victim', 'w').write('s3cret'); open('/dev/shm/victim', 'w').write('s3cret')\n"
            "print('up', flush=True); time.sleep(float(sys.argv[1]))"
        )
        body = f'VICTIM=s3cret exec python3 -Ic "$(cat <<E\n{lives}\nE\n)" {marker}'
        running = asyncio.create_task(victim.connection.run(victim.command(body), lambda _: begun.set()))
        await asyncio.wait_for(begun.wait(), 20)
        found = await attack(
            robber,
            """
seen = []
for process in filter(str.isdigit, os.listdir('/proc')):
    for name in ('environ', 'cmdline', 'maps'):
        try: seen.append(open(f'/proc/{process}/{name}', 'rb').read())
        except OSError: pass
print('seen: ' + str(b's3cret' in b''.join(seen) or str(marker).encode() in b''.join(seen)))
attempt('kill', lambda: os.kill(victim, signal.SIGKILL))
def abstract():
    s = socket.socket(socket.AF_UNIX); s.connect('\\0victim'); return 'reached'
attempt('abstract socket', abstract)
attempt('loopback', lambda: socket.create_connection(('127.0.0.1', 4567), 2) and 'reached')
attempt('/tmp', lambda: read('/tmp/victim'))
attempt('/dev/shm', lambda: read('/dev/shm/victim'))
""",
            marker=marker,
            victim=processes_of(marker)[0],
        )
        assert len(processes_of(marker)) == 1, "the victim lives on"
        running.cancel()
        await asyncio.wait([running])
    assert found == {
        "seen": "False",
        "kill": "ESRCH",
        "abstract socket": "ECONNREFUSED",
        "loopback": "ECONNREFUSED",
        "/tmp": "ENOENT",
        "/dev/shm": "ENOENT",
    }


async def test_no_process_can_be_looked_into_or_taken_over(attacked: Fort) -> None:
    """Not the sandbox's own first process, and not even a child: tools that do so have no business in a job."""
    found = await attacked.attacked(
        """
for name, number in (('attach', 16), ('seize', 0x4206)):
    attempt('ptrace ' + name, lambda: call(ptrace, number, 1, 0, 0))
area = ctypes.create_string_buffer(64)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(area), 64)
far = (ctypes.c_void_p * 2)(0x400000, 64)
attempt('memory', lambda: call(readv, 1, ctypes.addressof(vector), 1, ctypes.addressof(far), 1, 0))
attempt('descriptors', lambda: call(getfd, os.pidfd_open(1), 0, 0))
""",
        ptrace=_number("ptrace"),
        readv=_number("process_vm_readv"),
        getfd=_number("pidfd_getfd"),
    )
    assert set(found.values()) <= REFUSALS


async def test_nothing_is_typed_into_a_terminal_of_ours(attacked: Fort) -> None:
    """A job that had the server's terminal could type commands into it; and no call for that gets through at all."""
    found = await attacked.attacked("""
import termios
attempt('terminal', lambda: os.open('/dev/tty', os.O_RDWR))
for number in (0, 1, 2):
    attempt(f'type {number}', lambda: fcntl.ioctl(number, termios.TIOCSTI, b'x'))
def own():
    main, side = os.openpty()
    if os.fork() == 0:
        os.setsid(); fcntl.ioctl(side, termios.TIOCSCTTY, 0)
        try: fcntl.ioctl(side, termios.TIOCSTI, b'x'); os._exit(0)
        except OSError: os._exit(1)
    return os.waitstatus_to_exitcode(os.wait()[1])
attempt('type into its own', own)
attempt('paste', lambda: fcntl.ioctl(0, 0x541C, b'\\x02'))
""")
    assert found.pop("terminal") in {"ENXIO", "ENOENT", "ENODEV"}
    # A container's terminals are its own, and none of ours is open in it: there that call remains.
    assert found.pop("type into its own") in {"1", "ENOENT", "EACCES"} or attacked.kind == "container"
    assert set(found.values()) <= {"EPERM", "ENOTTY", "EIO"}


async def test_nothing_is_left_when_the_node_is_taken_away(attacked: Fort) -> None:
    """Daemons that left their session, their parents and their names, and that answer no signal."""
    marker = f"300.{uuid4().int % 10**12}"
    async with attacked.node() as node:
        found = await attack(
            node,
            """
for number in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for ignored in range(1, 64):
                try: signal.signal(ignored, signal.SIG_IGN)
                except (OSError, ValueError): pass
            os.closerange(0, 3)
            os.execvp('sh', ['sh', '-c', f'trap "" TERM INT HUP; while :; do sleep {marker}; done'])
        os._exit(0)
print('left: 5')
""",
            marker=marker,
        )
        assert found == {"left": "5"}
        name = node.name
    assert processes_of(marker) == []
    groups = [path for path in Path("/sys/fs/cgroup").rglob(f"*{name}*") if path.is_dir()]
    assert groups == []


def _number(name: str) -> int:
    """What a system call is called by on this machine."""
    try:
        return pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    except (ValueError, RuntimeError, OSError):
        return -1

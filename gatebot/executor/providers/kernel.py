# SPDX-License-Identifier: Apache-2.0
"""The few kernel calls that Python 3.11 does not have: mounts, namespaces, the loopback device, process flags.

Each raises `OSError` with the failing path. Only the privileged process uses them.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Collection
from pathlib import Path

NEW_MOUNTS, NEW_USERS, NEW_NETWORK = 0x00020000, 0x10000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 0x1, 0x2, 0x4, 0x8, 0x20, 0x1000, 0x4000, 0x40000
_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)


def _mount(source: str, target: str, kind: str, flags: int, options: str) -> None:
    _check(_libc.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()), target)


def unshare(flags: int) -> None:
    """Leave the namespaces of the parent."""
    _check(_libc.unshare(flags), "unshare")


def enter(descriptor: int) -> None:
    """Go into a namespace; where it is one of processes, only the children do."""
    _check(_libc.setns(descriptor, 0), "setns")


def give_up_capabilities(kept: Collection[int] = ()) -> None:
    """No program that this process becomes has others than these, whatever its file says."""
    for capability in range(64):
        if capability not in kept and _libc.prctl(24, capability, 0, 0, 0) != 0:
            return  # the kernel knows no more of them


def hand_on_capabilities(kept: Collection[int]) -> None:
    """This process has these and no others, and so have the programs that it becomes."""
    bits = sum(1 << capability for capability in kept)
    head, sets = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", bits, bits, bits, 0, 0, 0)
    _check(_libc.capset(head, sets), "capset")
    for capability in kept:
        _check(_libc.prctl(47, 2, capability, 0, 0), "prctl")


def hide_memory() -> None:
    """Until it becomes another program, nobody of the same uid may look into this process."""
    _check(_libc.prctl(4, 0, 0, 0, 0), "prctl")


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse_calls(program: bytes) -> None:
    """From here on system calls go through a filter, for this process and all that it starts."""
    filtered = _Program(len(program) // 8, program)
    _check(_libc.prctl(22, 2, ctypes.byref(filtered), 0, 0), "seccomp")


def private_mounts() -> None:
    """Let no mount of ours be seen outside, and none from outside in."""
    _mount("none", "/", "", _REC | _PRIVATE, "")


def mount_tmpfs(target: str, size: int, inodes: int) -> None:
    """A file system in memory that can grow to `size` bytes."""
    _mount("tmpfs", target, "tmpfs", _NOSUID | _NODEV, f"size={size},nr_inodes={inodes},mode=0755")


def mount_overlay(target: str, lower: list[str], upper: str, work: str, *, user: bool) -> None:
    """Directories on top of each other, the first on top; `user` where we are not the machine's root."""
    options = f"lowerdir={':'.join(lower)},upperdir={upper},workdir={work}" + (",userxattr" if user else "")
    _mount("overlay", target, "overlay", _NOSUID | _NODEV, options)


def mount_devices(target: str) -> None:
    """A small file system in memory in which devices work."""
    _mount("tmpfs", target, "tmpfs", _NOSUID, "size=64k,mode=0755")


def mount_sysfs(target: str) -> None:
    """The /sys of this process's network."""
    _mount("sysfs", target, "sysfs", _NOSUID | _NODEV | _NOEXEC, "")


def bind(source: str, target: str, *, read_only: bool = True) -> None:
    """Let a file or directory be seen at another place too."""
    _mount(source, target, "", _BIND | _REC, "")
    if read_only:
        # Inside a user namespace flags that the source has may not be taken away: ask for all of them.
        flags = os.statvfs(target).f_flag & (_NOSUID | _NODEV | 0x8 | 0x400 | 0x800 | 0x200000)
        _mount("none", target, "", _BIND | _REMOUNT | _RDONLY | flags, "")


def own_users(uid: int, gid: int) -> None:
    """A user namespace in which this process alone is somebody, its root; and mounts of its own."""
    unshare(NEW_USERS | NEW_MOUNTS)
    _check(_libc.prctl(4, 1, 0, 0, 0), "prctl")  # after a change of uid a process may not write to its own /proc
    for name, content in (("setgroups", "deny"), ("gid_map", f"0 {gid} 1"), ("uid_map", f"0 {uid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)


def everybody_apart() -> None:
    """A user namespace in which everybody is who they are, as far as this process may say so; and mounts of its own."""
    maps = {name: Path("/proc/self", name).read_text().splitlines() for name in ("uid_map", "gid_map")}
    ours, its = socket.socketpair()
    writer = os.fork()  # only who is outside may map more than one id
    if writer == 0:
        try:
            its.recv(1)
            for name, lines in maps.items():
                same = [f"{inner} {inner} {count}\n" for inner, _, count in map(str.split, lines)]
                Path(f"/proc/{os.getppid()}", name).write_text("".join(same))
            os._exit(0)
        finally:
            os._exit(1)
    unshare(NEW_USERS | NEW_MOUNTS)
    ours.send(b".")
    _, status = os.waitpid(writer, 0)
    if status:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), "uid_map")


def run_foreign(place: str, registration: bytes) -> None:
    """Tell the binfmt_misc of this user namespace of an emulator; it knows it as long as the mount at `place` is."""
    _mount("binfmt_misc", place, "binfmt_misc", _NOSUID | _NODEV, "")
    with open(f"{place}/register", "wb", buffering=0) as file:
        file.write(registration)


def unmount(target: str) -> None:
    """Take a mount away, also when it is in use."""
    _check(_libc.umount2(target.encode(), _DETACH), target)


def loopback_up() -> None:
    """Let 127.0.0.1 work in a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sH14s", b"lo", 0x1 | 0x40, b""))


def never_gain_privileges() -> None:
    """From here on no set-uid program helps this process or its children."""
    _check(_libc.prctl(38, 1, 0, 0, 0), "prctl")

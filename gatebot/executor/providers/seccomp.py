# SPDX-License-Identifier: Apache-2.0
"""The system call filter of the sandbox: what no job needs and what attacks on the kernel begin with.

Compiled once by libseccomp for this machine's architecture and handed to bubblewrap through a pipe; for podman the
same is said in the language of its profiles. Refused calls fail, so programs that merely try them go on. Calls of
another architecture (32 bits, x32) end the program: their numbers would pass by every rule.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Mapping
from typing import cast

REFUSED = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"),
    *("keyctl", "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd"),
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module"),
    "open_by_handle_at",
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("swapon", "swapoff", "reboot", "settimeofday", "clock_settime", "adjtimex", "acct", "quotactl", "syslog"),
    *("fanotify_init", "iopl", "ioperm", "vhangup", "lookup_dcookie", "uselib"),
)
#: What nodes of a nested label may do, in user namespaces of their own.
NESTING = (
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "move_mount", "open_tree", "mount_setattr"),
)
#: clone() with any flag that makes a namespace, for kernels whose sandbox cannot be told to refuse them.
_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
#: Sockets that a network namespace keeps apart: unix, IPv4, IPv6, netlink. Others (vsock, a machine's way to its host,
#: among them) are not kept apart, or are seldom tried code of the kernel.
_FAMILIES = (1, 2, 10, 16)
#: Frames of a network: what switches and DHCP in a namespace of a job's own are made with.
_PACKET = 17
#: Of ioctl(): typing into a terminal, and pasting into a console.
_TYPING = (0x5412, 0x541C)
_LOW = 0xFFFFFFFF  # the half of an argument that the kernel reads of an int


def compiled(*, nested: bool = False) -> bytes:
    """The filter as BPF, smaller than any pipe; for nodes of a nested label the one that lets namespaces be made."""
    import pyseccomp

    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refuse = pyseccomp.ERRNO(errno.EPERM)
    for name in REFUSED if nested else (*REFUSED, *NESTING):
        try:
            rules.add_rule(refuse, name)
        except (OSError, ValueError, RuntimeError):
            continue  # a call that this machine's libseccomp is too old to know
    families = (*_FAMILIES, _PACKET) if nested else _FAMILIES
    for family in set(range(families[-1])) - set(families):
        rules.add_rule(refuse, "socket", pyseccomp.Arg(0, pyseccomp.EQ, family))
    rules.add_rule(refuse, "socket", pyseccomp.Arg(0, pyseccomp.GT, families[-1]))
    for what in _TYPING:
        rules.add_rule(refuse, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, _LOW, what))
    if not nested:
        for flag in _NAMESPACES:
            rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
        # clone3 hides its flags from filters: told to be missing, C libraries use clone.
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def profile(podmans: Mapping[str, object]) -> dict[str, object]:
    """A profile of podman's, which names what is allowed, without what no job needs and for no other architecture."""
    gone = {*REFUSED, *NESTING, "clone", "clone3", "socket"}
    rules = cast("list[dict[str, object]]", podmans["syscalls"])
    kept = [
        {**rule, "names": [name for name in cast("list[str]", rule["names"]) if name not in gone]} for rule in rules
    ]
    spaces = {"index": 0, "value": sum(_NAMESPACES), "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    families = [{"index": 0, "value": family, "valueTwo": 0, "op": "SCMP_CMP_EQ"} for family in _FAMILIES]
    kept += [_allowed("clone", spaces), *(_allowed("socket", family) for family in families)]
    rest = {name: value for name, value in podmans.items() if name not in ("archMap", "architectures", "syscalls")}
    return {**rest, "syscalls": [rule for rule in kept if rule["names"]]}


def _allowed(name: str, where: Mapping[str, object]) -> dict[str, object]:
    return {"names": [name], "action": "SCMP_ACT_ALLOW", "args": [where]}

# SPDX-License-Identifier: Apache-2.0
"""The system call filter of the sandbox: what no job needs and what attacks on the kernel begin with.

Compiled once by libseccomp for this machine's architecture and handed to bubblewrap through a pipe.
Refused calls fail with EPERM, so programs that merely try them go on.
"""

from __future__ import annotations

import errno
import tempfile

REFUSED = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd"),
    *("keyctl", "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd"),
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module"),
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_by_handle_at"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "move_mount", "open_tree", "mount_setattr"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("swapon", "swapoff", "reboot", "settimeofday", "clock_settime", "adjtimex", "acct", "quotactl", "syslog"),
)
#: clone() with any flag that makes a namespace, for kernels whose sandbox cannot be told to refuse them.
_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)


def compiled() -> bytes:
    """The filter as BPF, smaller than any pipe."""
    import pyseccomp

    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refuse = pyseccomp.ERRNO(errno.EPERM)
    for name in REFUSED:
        try:
            rules.add_rule(refuse, name)
        except (OSError, ValueError, RuntimeError):
            continue  # a call that this machine's libseccomp is too old to know
    for flag in _NAMESPACES:
        rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # clone3 hides its flags from filters: told to be missing, C libraries use clone.
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()

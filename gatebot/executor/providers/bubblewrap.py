# SPDX-License-Identifier: Apache-2.0
"""The command line of the sandbox, as a pure function.

Everything the job may see is named here; what is not named does not exist for it. The network is not
decided here: the process is started inside the node's own network namespace, or, for a label with
`network: full`, in the host's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..model import MIB

#: Who the job is inside, whatever uid it has outside.
INSIDE_UID = 1000
#: Playbooks, variables and secrets of the build: the job may read them and never write.
PLAY = "/opt/gatebot"
HOME = "/home/job"
#: Files in memory, which no other command on the node sees.
OWN = "/run/gatebot"
#: What a job with a range of ids may: be any of them, and give them to namespaces of its own. By the kernel's numbers.
MAPPING = {"setgid": 6, "setuid": 7}
SHARED = "/dev/shm"  # noqa: S108 - in the sandbox


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or directory of the host that the job sees, read-only."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Box:
    """One sandbox: its root file system, what is bound into it, how many bytes its /dev/shm holds.

    `nested`: it may make namespaces of its own; `devices` are what it may use besides.
    """

    root: str
    shared: int
    binds: tuple[Bind, ...] = ()
    lock_namespaces: bool = True
    devices: tuple[Bind, ...] = ()
    nested: bool = False


def options(box: Box, env: Mapping[str, str], cwd: str, seccomp: int, users: int | None = None) -> list[str]:
    """The options of bubblewrap; `seccomp` is the descriptor of the compiled filter.

    `users` is the one of a user namespace that has a range of ids; without it the job is the only one in its own.

    They are handed over through a descriptor, never on the command line: the environment may hold secrets.
    """
    line = ["--unshare-user"] if users is None else ["--userns", str(users)]
    line += ["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"]
    if box.lock_namespaces and not box.nested:
        line.append("--disable-userns")
    line += ["--die-with-parent", "--new-session", "--hostname", "node"]
    line += ["--uid", str(INSIDE_UID), "--gid", str(INSIDE_UID), "--cap-drop", "ALL", "--clearenv"]
    for name in () if users is None else MAPPING:
        line += ["--cap-add", f"CAP_{name.upper()}"]
    for name, value in env.items():
        line += ["--setenv", name, value]
    line += ["--bind", box.root, "/"]
    for bind in box.binds:
        line += ["--ro-bind", bind.source, bind.target]
    line += ["--ro-bind", f"{box.root}{PLAY}", PLAY]
    # What bubblewrap makes of /dev is memory without a limit of its own.
    line += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", str(box.shared), "--tmpfs", SHARED]
    for device in box.devices:
        line += ["--dev-bind", device.source, device.target]
    line += ["--remount-ro", "/dev", "--size", str(16 * MIB), "--tmpfs", "/run", "--dir", OWN]
    line += ["--chdir", cwd, "--seccomp", str(seccomp)]
    return line

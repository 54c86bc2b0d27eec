# SPDX-License-Identifier: Apache-2.0
"""What a node stands on, made by the privileged process: ownership, places to bind to, a network, limits.

Each function does one thing to the machine and trusts only arguments that `checks.py` has seen.
"""

from __future__ import annotations

import fcntl
import os
import resource
import socket
from collections.abc import Iterable, Set

from . import kernel, subordinate
from .bubblewrap import HOME, INSIDE_UID, Bind, Box
from .checks import Config, Refusal

#: What the image `host` shows of this machine: programs, and the certificates they trust.
HOST_DIRECTORIES = ("/usr", "/etc/alternatives", "/etc/ssl/certs")


def box(root: str, shown: Iterable[tuple[str, str]], *, memory: int, host: bool, full: bool, lock: bool) -> Box:
    """What commands on a node see. `host`: programs of this machine; `full`: its network, and so its resolver."""
    binds = [Bind(source, target) for source, target in shown]
    if host:
        binds += [Bind(path, path) for path in HOST_DIRECTORIES if os.path.isdir(path)]
    if full and os.path.exists("/etc/resolv.conf"):
        binds.append(Bind("/etc/resolv.conf", "/etc/resolv.conf"))
    return Box(root, memory // 2, tuple(binds), lock_namespaces=lock)


def show(room: str, sources: Iterable[str]) -> None:
    """Directories and files of this machine that every node may be shown, by number in a room that jobs can walk."""
    os.mkdir(room)
    for index, source in enumerate(sources):
        shown = f"{room}/{index}"
        place(shown, os.path.isdir(source))
        kernel.bind(source, shown)


def place(target: str, directory: bool) -> None:
    """A place to bind to, made in the upper layer while it is still nobody's: no link can lie in the way."""
    os.makedirs(target if directory else os.path.dirname(target), mode=0o755, exist_ok=True)
    if not directory:
        open(target, "w").close()


def give(layer: int, owner: int, uid: int) -> None:
    """Make the job's uid the owner of its home. Only what the server itself owned is given away, no link followed."""
    for _path, directories, files, here in os.fwalk(HOME.lstrip("/"), follow_symlinks=False, dir_fd=layer):
        for name in (".", *directories, *files):
            found = os.stat(name, dir_fd=here, follow_symlinks=False)
            if found.st_uid == uid:
                continue
            if found.st_uid != owner or (name in files and found.st_nlink > 1):
                raise Refusal(f"{name}: not the server's own file")
            os.chown(name, uid, uid, dir_fd=here, follow_symlinks=False)


def free_uid(config: Config, taken: Set[int | None]) -> int | None:
    """A uid that no other node has; None where there is no range of them."""
    if not config.uid_count:
        return None
    free = set(range(config.uid_first, config.uid_first + config.uid_count)) - taken
    if not free:
        raise Refusal("every job uid is taken")
    return min(free)


def free_range(config: Config, taken: Set[int | None]) -> int | None:
    """The first id of a range that no other node has; None where this user has none to give."""
    if not config.range_count:
        return None
    found = subordinate.free(config.range_first, config.range_count, taken)
    if found is None:
        raise Refusal("every range of ids is taken")
    return found


def users(uid: int, first: int, alone: tuple[int, int] | None) -> int:
    """A user namespace for one job: it as itself, and a range of ids from `first` on. Its descriptor.

    It belongs to the job's uid, whose limits hold for all in it together.
    """
    mine, its = socket.socketpair()
    process = os.fork()
    if process == 0:
        try:
            mine.close()
            limit(alone)
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            kernel.unshare(kernel.NEW_USERS)
            its.send(b".")
            its.recv(1)
        finally:
            os._exit(0)
    its.close()
    try:
        if not mine.recv(1):
            raise Refusal("no user namespace can be made")
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/{process}/{name}", "w") as file:
                file.write(subordinate.map_of(INSIDE_UID, uid, first))
        return os.open(f"/proc/{process}/ns/user", os.O_RDONLY)
    finally:
        mine.close()
        os.waitpid(process, 0)


def network(listen: bool) -> tuple[int, int | None]:
    """A network namespace with nothing but its loopback, and a socket listening in it for the egress proxy."""
    ours, theirs = socket.socketpair()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            kernel.unshare(kernel.NEW_NETWORK)
            kernel.loopback_up()
            passed = [os.open("/proc/self/ns/net", os.O_RDONLY)]
            if listen:
                server = socket.create_server(("127.0.0.1", 3128), backlog=128)
                passed.append(server.fileno())
            socket.send_fds(theirs, [b"."], passed)
            code = 0
        finally:
            os._exit(code)
    theirs.close()
    _, descriptors, _, _ = socket.recv_fds(ours, 1, 2)
    ours.close()
    os.waitpid(process, 0)
    if len(descriptors) != 1 + listen:
        raise Refusal("no network namespace can be made")
    return descriptors[0], descriptors[1] if listen else None


def foreign(uid: int | None, place: str, registration: bytes) -> None:
    """Before a process becomes a sandbox: from here on it and its children run programs of another architecture."""
    own = os.geteuid() if uid is None else uid
    kernel.own_users(own, own)
    kernel.run_foreign(place, registration)


def in_memory(content: bytes) -> int:
    """A file in memory, open at its beginning; its descriptor is above those that the sandbox is given."""
    descriptor = fcntl.fcntl(os.memfd_create("gatebot"), fcntl.F_DUPFD, 10)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def limit(alone: tuple[int, int] | None) -> None:
    """Limits of each process; `alone` are memory and processes where no control groups limit them."""
    wanted = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 4096)]
    if alone is not None:
        wanted += [(resource.RLIMIT_AS, alone[0]), (resource.RLIMIT_NPROC, alone[1])]
    for kind, value in wanted:
        _, hard = resource.getrlimit(kind)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (ceiling, ceiling))

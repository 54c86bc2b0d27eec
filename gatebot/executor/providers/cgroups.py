# SPDX-License-Identifier: Apache-2.0
"""Control groups of nodes: limits, freezing, killing, and finding what a crash left behind.

Version 1, version 2 and the mixture of both are handled by what can be written, not by what is
mounted. Used by the privileged process; nothing here knows sandboxes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import owning

_NAME = "gatebot-"
_V1 = ("memory", "pids", "cpu", "freezer")
_PERIOD = 100_000
#: What whoever may make groups below one writes to, by the kernel's documentation of version 2; and how many.
_DELEGATED = ("cgroup.procs", "cgroup.threads", "cgroup.subtree_control")
_DESCENDANTS = 1000
#: Where the server itself is, below a group that was handed to it.
LEAF = "server"
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Limits:
    memory: int
    processes: int
    cpus: float


def _memberships() -> dict[str, str]:
    """The groups this process is in, by controller; "" is version 2."""
    found: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        found |= dict.fromkeys(controllers.split(","), path)
    return found


def _mounts() -> dict[str, Path]:
    """Where each hierarchy is mounted, by controller; "" is version 2."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_rest = line.split(" ")
        if kind == "cgroup2":
            found.setdefault("", Path(where))
        elif kind == "cgroup":
            for option in options.split(","):
                if option in _V1:
                    found.setdefault(option, Path(where))
    return found


def make_room() -> None:
    """Leave our own group of version 2 for one below it, where it was handed to us with its controllers.

    A group that has processes of its own hands no controllers on. Who else is in it started us, or was started by us.
    """
    mount, own = _mounts().get(""), _memberships().get("", "/")
    group = None if mount is None else mount / own.lstrip("/")
    if group is None or group.name == LEAF or not _is_handed_over(group):
        return
    with contextlib.suppress(OSError):
        (group / LEAF).mkdir(exist_ok=True)
        for _ in range(_ROUNDS):  # others start processes meanwhile
            for pid in (group / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    (group / LEAF / "cgroup.procs").write_text(pid)


def _is_handed_over(group: Path) -> bool:
    """Whether we may make of a group what we like: systemd says so to root, and gives it to others (`Delegate=yes`)."""
    try:
        if not {"memory", "pids"} <= set((group / "cgroup.controllers").read_text().split()):
            return False
        if os.geteuid() != 0:
            return all(os.access(group / name, os.W_OK) for name in ("", *_DELEGATED))
        return os.getxattr(group, "trusted.delegate") == b"1"
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Base:
    """A directory of ours in a hierarchy, and what keeps it ours, open."""

    path: Path
    held: int

    def leave(self) -> None:
        """It is ours no more, and gone when nothing is in it."""
        with contextlib.suppress(OSError):
            self.path.rmdir()
        os.close(self.held)


def _base(mount: Path, own: str, name: str) -> Base | None:
    """A directory of ours in a hierarchy: below our own group where that may be, else at the top."""
    for parent in (mount / own.lstrip("/"), mount):
        with contextlib.suppress(OSError):
            base = Base(parent / name, owning.hold(parent / name))
            try:
                (base.path / "trial").mkdir()
                (base.path / "trial").rmdir()
            except OSError:
                base.leave()
                continue
            return base
    return None


class Cgroups:
    """The groups of one gatebot instance."""

    def __init__(self, v1: Mapping[str, Base], unified: Base | None, controllers: frozenset[str]) -> None:
        self._bases = [*dict.fromkeys(v1.values()), *([unified] if unified else [])]
        self._v1 = {controller: base.path for controller, base in v1.items()}
        self._unified = unified.path if unified else None
        self._controllers = controllers

    @classmethod
    def probe(cls, instance: str) -> Cgroups | None:
        """The groups that can be written here; None when memory and processes cannot be limited. Others' that died go.

        Raises `owning.Occupied` where another server that lives has them.
        """
        mounts, own = _mounts(), _memberships()
        name = f"{_NAME}{instance}"
        places = {mounts[controller]: own.get(controller, "/") for controller in _V1 if controller in mounts}
        held = {mount: _base(mount, group, name) for mount, group in places.items()}  # several may be mounted together
        v1 = {controller: base for controller in _V1 if (base := held.get(mounts.get(controller, Path()))) is not None}
        unified, controllers = (
            _unified(mounts[""], own.get("", "/"), name) if "" in mounts else (None, frozenset[str]())
        )
        made = cls(v1, unified, controllers)
        if not ({"memory", "pids"} <= controllers or {"memory", "pids"} <= v1.keys()):
            made.close()
            return None
        parents = {base.path.parent for base in made._bases}
        owning.take_away_abandoned([path for parent in parents for path in parent.glob(f"{_NAME}*")])
        return made

    @property
    def version(self) -> str:
        """`cgroup2`, or `cgroup1` where the limits are set in version 1 hierarchies."""
        return "cgroup2" if {"memory", "pids"} <= self._controllers else "cgroup1"

    def _paths(self, node: str) -> list[Path]:
        return [base.path / node for base in self._bases]

    def create(self, node: str, limits: Limits) -> None:
        """Make the groups of a node and set its limits."""
        for path in self._paths(node):
            path.mkdir(parents=True, exist_ok=True)
        quota = int(limits.cpus * _PERIOD)
        if self.version == "cgroup2":
            assert self._unified is not None
            group = self._unified / node
            _write(group / "memory.max", limits.memory)
            _write(group / "memory.swap.max", 0, needed=False)
            _write(group / "pids.max", limits.processes)
            _write(group / "cpu.max", f"{quota} {_PERIOD}", needed=False)
            return
        _write(self._v1["memory"] / node / "memory.limit_in_bytes", limits.memory)
        _write(self._v1["memory"] / node / "memory.memsw.limit_in_bytes", limits.memory, needed=False)
        _write(self._v1["pids"] / node / "pids.max", limits.processes)
        if "cpu" in self._v1:
            _write(self._v1["cpu"] / node / "cpu.cfs_period_us", _PERIOD, needed=False)
            _write(self._v1["cpu"] / node / "cpu.cfs_quota_us", quota, needed=False)

    def delegate(self, node: str, uid: int) -> None:
        """Let a job make groups of version 2 below its own, as containers in it need; its limits stay ours."""
        if self._unified is None:
            return
        group = self._unified / node
        _write(group / "cgroup.max.descendants", _DESCENDANTS, needed=False)
        for path in (group, *(group / name for name in _DELEGATED)):
            os.chown(path, uid, uid)

    def enter(self, node: str) -> None:
        """Put the calling process into the groups of a node; called before it becomes the job."""
        for path in self._paths(node):
            _write(path / "cgroup.procs", os.getpid())

    def processes(self, node: str) -> set[int]:
        """The processes on a node."""
        found: set[int] = set()
        for path in self._paths(node):
            with contextlib.suppress(OSError):
                for file in path.rglob("cgroup.procs"):
                    found |= {int(pid) for pid in file.read_text().split()}
        return found - {0}  # whom we cannot see; as a number to kill it is ourselves

    def kill(self, node: str) -> None:
        """Kill every process on a node: at once where the kernel can, else frozen first so that none escapes."""
        if self._unified is not None and (self._unified / node / "cgroup.kill").exists():
            _write(self._unified / node / "cgroup.kill", 1, needed=False)
        deadline = time.monotonic() + 2
        while (alive := self.processes(node)) and time.monotonic() < deadline:
            self.freeze(node, True)
            for pid in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.freeze(node, False)
            time.sleep(0.002)

    def freeze(self, node: str, frozen: bool) -> None:
        """Stop all processes of a node where they are, or let them go on."""
        if "freezer" in self._v1:
            _write(self._v1["freezer"] / node / "freezer.state", "FROZEN" if frozen else "THAWED", needed=False)
        elif self._unified is not None:
            _write(self._unified / node / "cgroup.freeze", int(frozen), needed=False)

    def oom_kills(self, node: str) -> int:
        """How many processes of a node the kernel killed for want of memory."""
        if self.version == "cgroup2":
            assert self._unified is not None
            file = self._unified / node / "memory.events"
        else:
            file = self._v1["memory"] / node / "memory.oom_control"
        with contextlib.suppress(OSError):
            fields = dict(line.split() for line in file.read_text().splitlines())
            return int(fields.get("oom_kill", 0))
        return 0

    def remove(self, node: str) -> bool:
        """Take the groups of a node away, whose processes were killed before; whether they are gone."""
        deadline = time.monotonic() + owning.ENDING
        return all(owning.remove(path, deadline) for path in self._paths(node))

    def close(self) -> None:
        """Take our own directories away, when nothing is in them."""
        for base in self._bases:
            base.leave()

    def list(self) -> list[str]:
        """The nodes that have groups: also those of a process before us that died."""
        return sorted({path.name for base in self._bases for path in base.path.iterdir() if path.is_dir()})


def _unified(mount: Path, own: str, name: str) -> tuple[Base | None, frozenset[str]]:
    """Our directory of version 2 and the controllers it hands on; none in a mixture of versions.

    A group that has processes of its own hands no controller on, so those above are tried as well.
    """
    last: Base | None = None
    above = own.removesuffix(f"/{LEAF}") or "/"
    for path in dict.fromkeys((above, "/")):
        base = _base(mount, path, name)
        if base is None:
            continue
        if last is not None:
            last.leave()
        last = base
        for directory in (base.path.parent, base.path):
            for controller in ("memory", "pids", "cpu"):
                _write(directory / "cgroup.subtree_control", f"+{controller}", needed=False)
        controllers = frozenset((base.path / "cgroup.subtree_control").read_text().split())
        if {"memory", "pids"} <= controllers:
            return base, controllers
    return last, frozenset()


def _write(path: Path, value: int | str, *, needed: bool = True) -> None:
    try:
        path.write_text(str(value))
    except OSError:
        if needed:
            raise

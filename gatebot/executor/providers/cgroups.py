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
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_V1 = ("memory", "pids", "cpu", "freezer")
_PERIOD = 100_000
#: What whoever may make groups below one writes to, by the kernel's documentation of version 2; and how many.
_DELEGATED = ("cgroup.procs", "cgroup.threads", "cgroup.subtree_control")
_DESCENDANTS = 1000


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


def _base(mount: Path, own: str, name: str) -> Path | None:
    """A directory of ours in a hierarchy: below our own group where that may be, else at the top."""
    for parent in (mount / own.lstrip("/"), mount):
        base = parent / name
        try:
            base.mkdir(exist_ok=True)
            trial = base / "trial"
            trial.mkdir(exist_ok=True)
            trial.rmdir()
        except OSError:
            continue
        return base
    return None


class Cgroups:
    """The groups of one gatebot instance."""

    def __init__(self, v1: dict[str, Path], unified: Path | None, controllers: frozenset[str]) -> None:
        self._v1 = v1
        self._unified = unified
        self._controllers = controllers

    @classmethod
    def probe(cls, instance: str) -> Cgroups | None:
        """The groups that can be written here; None when memory and processes cannot be limited."""
        mounts, own = _mounts(), _memberships()
        name = f"gatebot-{instance}"
        v1 = {
            controller: base
            for controller in _V1
            if controller in mounts and (base := _base(mounts[controller], own.get(controller, "/"), name)) is not None
        }
        unified, controllers = (
            _unified(mounts[""], own.get("", "/"), name) if "" in mounts else (None, frozenset[str]())
        )
        enough = {"memory", "pids"} <= controllers or {"memory", "pids"} <= v1.keys()
        return cls(v1, unified, controllers) if enough else None

    @property
    def version(self) -> str:
        """`cgroup2`, or `cgroup1` where the limits are set in version 1 hierarchies."""
        return "cgroup2" if {"memory", "pids"} <= self._controllers else "cgroup1"

    def _paths(self, node: str) -> list[Path]:
        return [base / node for base in (*self._v1.values(), *([self._unified] if self._unified else []))]

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
        return found

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
        deadline = time.monotonic() + 2
        for path in self._paths(node):
            while path.exists():
                with contextlib.suppress(OSError):
                    for below in sorted(path.rglob("*/"), reverse=True):  # what a job made comes before its own
                        below.rmdir()
                    path.rmdir()
                    break
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.002)  # the last process is still being reaped, which takes long on a busy machine
        return True

    def close(self) -> None:
        """Take our own directories away, when nothing is in them."""
        for base in (*self._v1.values(), *([self._unified] if self._unified else [])):
            with contextlib.suppress(OSError):
                base.rmdir()

    def list(self) -> list[str]:
        """The nodes that have groups: also those of a process before us that died."""
        bases = [*self._v1.values(), *([self._unified] if self._unified else [])]
        return sorted({path.name for base in bases if base.exists() for path in base.iterdir() if path.is_dir()})


def _unified(mount: Path | None, own: str, name: str) -> tuple[Path | None, frozenset[str]]:
    """Our directory of version 2 and the controllers it hands on; none in a mixture of versions.

    A group that has processes of its own hands no controller on, so the top is tried as well.
    """
    last: Path | None = None
    for path in (own, "/") if mount is not None else ():
        assert mount is not None
        base = _base(mount, path, name)
        if base is None:
            continue
        last = base
        for directory in (base.parent, base):
            for controller in ("memory", "pids", "cpu"):
                _write(directory / "cgroup.subtree_control", f"+{controller}", needed=False)
        controllers = frozenset((base / "cgroup.subtree_control").read_text().split())
        if {"memory", "pids"} <= controllers:
            return base, controllers
    return last, frozenset()


def _write(path: Path, value: int | str, *, needed: bool = True) -> None:
    try:
        path.write_text(str(value))
    except OSError:
        if needed:
            raise

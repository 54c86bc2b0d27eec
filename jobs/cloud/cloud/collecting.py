# SPDX-License-Identifier: Apache-2.0
"""What can be seen of a cloud, as files: configuration without credentials, networks, guests, memory of processes.

Run while the cloud still runs. What cannot be had is left out: the reason is in the file that would have held it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from .masking import masked
from .options import Options, Service

_DEADLINE = 30.0
_CONFIGURED = (
    "keystone", "placement", "glance", "nova", "neutron", "cinder", "swift", "openstack", "libvirt", "openvswitch",
)  # fmt: skip
_TEXT = (".conf", ".ini", ".yaml")
_LOGS = ("/var/log/openvswitch", "/var/log/ovn", "/var/log/rabbitmq", "/var/log/libvirt")
_KIB = 1024


def collect(options: Options, target: Path) -> None:
    """Everything, below a directory."""
    _configuration(target / "etc")
    for name in _LOGS:
        for path in Path(name).rglob("*.log"):
            _put(target / "logs" / path.relative_to("/var/log"), path.read_text(errors="replace"))
    for name, line in _states(options):
        _put(target / "state" / name, _said(line, _DEADLINE * options.patience))
    _put(target / "state/memory.tsv", memory(Path("/proc")))


def _configuration(target: Path) -> None:
    for name in _CONFIGURED:
        for path in Path("/etc", name).rglob("*"):
            if path.is_file() and path.suffix in _TEXT and path.stat().st_size:
                _put(target / path.relative_to("/etc"), masked(path.read_text(errors="replace")))


def _states(options: Options) -> Iterator[tuple[str, list[str]]]:
    """Files, and the commands whose output they get."""
    yield "processes.txt", ["ps", "-eo", "pid,ppid,etimes,rss,args", "--cols", "200"]
    yield "addresses.txt", ["ip", "-details", "address"]
    if Service.NEUTRON in options:
        yield "ovs.txt", ["ovs-vsctl", "show"]
        yield "ovn-northbound.txt", ["ovn-nbctl", "show"]
        yield "ovn-southbound.txt", ["ovn-sbctl", "show"]
    if Service.NOVA in options and not options.fake:
        for name in domains(_said(["virsh", "list", "--all", "--name"], _DEADLINE * options.patience)):
            yield f"libvirt/{name}.xml", ["virsh", "dumpxml", name]


def domains(listed: str) -> list[str]:
    """The servers that libvirt knows, by its names; where it does not answer it says something else, in sentences."""
    return [line.strip() for line in listed.splitlines() if len(line.split()) == 1]


def memory(processes: Path) -> str:
    """The memory of each process in MiB, what several share divided among them; the largest first."""
    found: list[tuple[float, str]] = []
    for place in processes.glob("[0-9]*"):
        try:
            rolled = (place / "smaps_rollup").read_text()
            line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # it has ended, or is none of ours
        shared = sum(int(row.split()[1]) for row in rolled.splitlines() if row.startswith("Pss:"))
        found.append((shared / _KIB, line[:150]))
    rows = [(sum(size for size, _ in found), "all"), *sorted(found, reverse=True)]
    return "".join(f"{size:.1f}\t{name}\n" for size, name in rows)


def _said(line: list[str], deadline: float) -> str:
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=deadline)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"{problem}\n"
    return done.stdout + done.stderr


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

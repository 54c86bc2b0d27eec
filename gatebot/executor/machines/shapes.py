# SPDX-License-Identifier: Apache-2.0
"""What virtual machines consist of, as qemu is told it, one kind of machine for each architecture.

Pure. A saved state fits only the very machine that it was saved from: `key` names all that must be the same. What may
differ from node to node (its disk's file, its port, its network's reach) is not part of that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass

from ..model import MIB, Label

#: What a kernel needs to start at all.
_LEAST = 256 * MIB
#: Kernel arguments that every machine gets. `gatebot.warm`: everything that answers first is in memory once it waits.
_ARGUMENTS = "quiet panic=-1 mitigations=off nokaslr net.ifnames=0 gatebot.warm"
#: The argument of a machine that only shows that it starts.
TRIAL = "gatebot.trial"
#: How a machine runs where its architecture has to be played, and where the processor has it: tried in this order.
EMULATED = ("-accel", "tcg,thread=multi")
VIRTUALIZED = (
    ("-accel", "kvm", "-cpu", "host"),
    ("-accel", "kvm", "-cpu", "host,-arch-capabilities"),
    ("-accel", "kvm", "-cpu", "max,-arch-capabilities"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """The machine of one architecture: qemu's program, the package that has it, and the kernel that starts in it.

    `bus` is what its devices are on, `emulated` the processor that is played; `loses` is how many bytes its console
    takes in, and forgets, before a saved state is there. `arguments` are those of its kernel alone.
    """

    program: str
    package: str
    board: tuple[str, ...]
    emulated: tuple[str, ...]
    console: str
    kernel: str
    bus: str = "pci"
    loses: int = 64
    arguments: str = ""


KINDS: Mapping[str, Kind] = {
    "x86_64": Kind(
        "qemu-system-x86_64",
        "qemu-system-x86",
        ("-machine", "q35,usb=off,vmport=off"),
        ("-cpu", "max"),
        "ttyS0",
        "linux-image-cloud-amd64",
        arguments="no_timer_check",  # it panics where ticks come late, as on a busy machine that plays the processor
    ),
    "arm64": Kind(
        "qemu-system-aarch64",
        "qemu-system-arm",
        ("-machine", "virt,gic-version=3"),
        ("-cpu", "cortex-a72"),
        "ttyAMA0",
        "linux-image-cloud-arm64",
    ),
    "ppc64le": Kind(
        "qemu-system-ppc64",
        "qemu-system-ppc",
        ("-machine", "pseries,usb=off,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off"),
        ("-cpu", "power9"),
        "hvc0",
        "linux-image-powerpc64le",
    ),
    "s390x": Kind(
        "qemu-system-s390x",
        "qemu-system-misc",
        ("-machine", "s390-ccw-virtio"),
        ("-cpu", "max"),
        "ttysclp0",
        "linux-image-s390x",
        bus="ccw",
        loses=4096 + 64,
    ),
    "riscv64": Kind(
        "qemu-system-riscv64",
        "qemu-system-misc",
        ("-machine", "virt"),
        ("-cpu", "rv64"),
        "ttyS0",
        "linux-image-riscv64",
    ),
}
"""The architectures whose machines are known to start; of others nothing is claimed."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a machine has: processors, memory and room on its disk, in bytes."""

    cpus: int
    memory: int
    disk: int

    @classmethod
    def of(cls, label: Label) -> Shape:
        """What a label promises, and at least what a kernel needs."""
        return cls(max(1, round(label.cpus)), max(label.memory, _LEAST), label.disk)


def key(version: str, hardware: tuple[str, ...], shape: Shape) -> str:
    """The name of a saved state: another qemu, another machine or another size is another state."""
    told = json.dumps([version, hardware, astuple(shape), 1])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def hardware(kind: Kind, acceleration: tuple[str, ...], shape: Shape) -> tuple[str, ...]:
    """The part of qemu's command line that a saved state depends on."""
    return (
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *kind.board,
        *acceleration,
        *(() if "-cpu" in acceleration else kind.emulated),
        *("-smp", str(shape.cpus), "-m", str(-(-shape.memory // MIB))),
        *("-device", f"virtio-rng-{kind.bus}"),
    )


def disk(kind: Kind, path: str) -> tuple[str, ...]:
    """Its disk, which nobody needs after a crash of this machine."""
    drive = f"id=d,if=none,format=qcow2,file={path},cache=unsafe,discard=unmap"
    return ("-drive", drive, "-device", f"virtio-blk-{kind.bus},drive=d")


def network(kind: Kind, forward: str, *, closed: bool) -> tuple[str, ...]:
    """Its network: nothing but the way in where it is `closed`. `forward` is ADDRESS:PORT of this machine for SSH."""
    way = f",hostfwd=tcp:{forward}-:22" if forward else ""
    backend = f"user,id=n,restrict={'on' if closed else 'off'},ipv6=off{way}"
    return ("-netdev", backend, "-device", f"virtio-net-{kind.bus},netdev=n{',romfile=' if kind.bus == 'pci' else ''}")


def boot(kind: Kind, kernel: str, initrd: str, more: str = "") -> tuple[str, ...]:
    """What starts in it, and the console that it speaks on: qemu's own input and output."""
    arguments = " ".join(filter(None, (f"console={kind.console}", _ARGUMENTS, kind.arguments, more)))
    console = ("-chardev", "stdio,id=c,signal=off", "-serial", "chardev:c")
    return ("-kernel", kernel, "-initrd", initrd, "-append", arguments, *console)

# SPDX-License-Identifier: Apache-2.0
"""Programs of other architectures by qemu-user: which emulators this machine has, and how the kernel is told of one.

Since Linux 6.7 each user namespace has a binfmt_misc of its own: a node's namespace is told of one emulator, the
machine itself of nothing. Pure but for looking which emulators are installed.
"""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass

from ...architectures import canonical

#: How qemu calls an architecture, its number in the head of a program, and whether its numbers end with the small part.
_KNOWN = {
    "x86_64": ("x86_64", 0x3E, False),
    "arm64": ("aarch64", 0xB7, False),
    "ppc64le": ("ppc64le", 0x15, False),
    "s390x": ("s390x", 0x16, True),
    "riscv64": ("riscv64", 0xF3, False),
}
_ANY_SYSTEM = 0x00  # the byte that says for which system a program was made differs among compilers


@dataclass(frozen=True, slots=True)
class Emulator:
    """A static qemu-user: `path` is where this machine has it."""

    arch: str
    path: str


def installed() -> tuple[Emulator, ...]:
    """The emulators of foreign architectures that are installed here; only static ones work inside an image."""
    own = canonical(platform.machine())
    found = ((arch, shutil.which(f"qemu-{names[0]}-static")) for arch, names in _KNOWN.items() if arch != own)
    return tuple(Emulator(arch, os.path.realpath(path)) for arch, path in found if path is not None)


def registration(emulator: Emulator) -> bytes:
    r"""The line that binfmt_misc is told: programs whose head says the architecture are given to the emulator.

    `P` keeps the name under which a program was called, `F` opens the emulator now: the image need not have it. Source:
    the kernel's Documentation/admin-guide/binfmt-misc.rst, and the heads of ELF files.
    """
    _, machine, big = _KNOWN[emulator.arch]
    order = "big" if big else "little"
    head = b"\x7fELF" + bytes([2, 2 if big else 1, 1, 0]) + bytes(8)
    head += (2).to_bytes(2, order) + machine.to_bytes(2, order)  # 2: a program; 3: one that can lie anywhere
    mask = b"\xff" * 7 + bytes([_ANY_SYSTEM]) + b"\xff" * 8 + (0xFFFE).to_bytes(2, order) + b"\xff\xff"
    return b":gatebot-%s:M::%s:%s:%s:PF" % (
        emulator.arch.encode(),
        _escaped(head),
        _escaped(mask),
        emulator.path.encode(),
    )


def _escaped(content: bytes) -> bytes:
    return b"".join(b"\\x%02x" % byte for byte in content)
